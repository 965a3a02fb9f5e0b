//! On an address that others reach we speak plain http to the proxies that end TLS in front of us, and to nobody else. Whether
//! the process lives may be asked from anywhere: that says nothing.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::state::AppState;

const PROBES: [&str; 2] = ["/healthz", "/readyz"];

pub async fn layer(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(at)| at.ip().to_canonical());
    if PROBES.contains(&request.uri().path()) || peer.is_some_and(|peer| is_known(peer, &state.trusted_proxies)) {
        return next.run(request).await;
    }
    tracing::warn!(?peer, "refused plain http that came past the proxies");
    (StatusCode::MISDIRECTED_REQUEST, "Use https: this address is for the proxy in front.\n").into_response()
}

fn is_known(peer: IpAddr, trusted: &[IpAddr]) -> bool {
    peer.is_loopback() || trusted.contains(&peer)
}

#[cfg(test)]
mod tests {
    use super::is_known;

    #[test]
    fn plain_http_is_spoken_with_our_own_proxies_and_this_machine_alone() {
        let ip = |text: &str| text.parse().unwrap();
        let ours = [ip("10.0.0.1"), ip("fd00::1")];
        for fine in ["10.0.0.1", "fd00::1", "127.0.0.1", "::1"] {
            assert!(is_known(ip(fine), &ours), "{fine}");
        }
        for wrong in ["10.0.0.2", "192.0.2.7", "fd00::2"] {
            assert!(!is_known(ip(wrong), &ours), "{wrong}");
        }
    }
}

//! One exchange with a target whose addresses were looked at: the connection goes to those and to no other.
//!
//! Each exchange has a client of its own, so no connection outlives the look at where it leads.

use std::error::Error;
use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use rustls::{ClientConfig, RootCertStore};

use super::address::{Host, Target};
use super::{OutgoingError, WHOLE};

const CONNECT: Duration = Duration::from_secs(3);
const USER_AGENT: &str = concat!("ClarityStream/", env!("CARGO_PKG_VERSION"));

/// The trust of browsers, with the provider named: a test's process has installed none.
pub(super) fn tls() -> Result<ClientConfig, OutgoingError> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| OutgoingError::Fault)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Knows the one name that was looked up.
struct Pinned {
    name: Option<String>,
    addresses: Vec<SocketAddr>,
}

impl Resolve for Pinned {
    fn resolve(&self, name: Name) -> Resolving {
        let found: Result<Addrs, Box<dyn Error + Send + Sync>> = if self.name.as_deref() == Some(name.as_str()) {
            Ok(Box::new(self.addresses.clone().into_iter()))
        } else {
            Err("it was not looked up".into())
        };
        Box::pin(ready(found))
    }
}

pub(super) async fn exchange(
    tls: ClientConfig,
    target: Target,
    addresses: Vec<SocketAddr>,
    request: http::Request<Vec<u8>>,
    most_bytes: usize,
) -> Result<http::Response<Vec<u8>>, OutgoingError> {
    let host = target.shown();
    let name = match target.host {
        Host::Name(name) => Some(name),
        Host::Address(_) => None,
    };
    let client = client(tls, Pinned { name, addresses })?;
    let (parts, body) = request.into_parts();
    let mut request = reqwest::Request::new(parts.method, target.url);
    *request.headers_mut() = parts.headers;
    // It says what the address says.
    request.headers_mut().remove(header::HOST);
    if !body.is_empty() {
        *request.body_mut() = Some(body.into());
    }
    let mut response = client.execute(request).await.map_err(|error| failed(&error, &host))?;
    let status = response.status();
    if status.is_redirection() {
        return Err(OutgoingError::Redirected { host, status: status.as_u16() });
    }
    let too_large = || OutgoingError::TooLarge { host: host.clone(), most_kib: most_bytes >> 10 };
    if response.content_length().is_some_and(|length| length > most_bytes as u64) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| broken(&error, &host))? {
        if body.len() + part.len() > most_bytes {
            return Err(too_large());
        }
        body.extend_from_slice(&part);
    }
    let mut answer = http::Response::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = std::mem::take(response.headers_mut());
    Ok(answer)
}

fn client(tls: ClientConfig, pinned: Pinned) -> Result<reqwest::Client, OutgoingError> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(pinned)
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .http1_only()
        .pool_max_idle_per_host(0)
        .connect_timeout(CONNECT)
        .timeout(WHOLE)
        .user_agent(USER_AGENT)
        .build()
        .map_err(|error| {
            tracing::error!(%error, "no client for outgoing requests");
            OutgoingError::Fault
        })
}

/// Before there was an answer.
fn failed(error: &reqwest::Error, host: &str) -> OutgoingError {
    let host = host.to_owned();
    if is_tls(error) {
        OutgoingError::Tls(host)
    } else if error.is_connect() {
        // Also when connecting took too long.
        OutgoingError::Unreachable(host)
    } else if error.is_timeout() {
        OutgoingError::Slow(host)
    } else {
        OutgoingError::Broken(host)
    }
}

/// While the answer came.
fn broken(error: &reqwest::Error, host: &str) -> OutgoingError {
    if error.is_timeout() { OutgoingError::Slow(host.to_owned()) } else { OutgoingError::Broken(host.to_owned()) }
}

/// TLS hands its error over inside of one of the connection, maybe twice, where `source` does not lead.
fn is_tls(error: &(dyn Error + 'static)) -> bool {
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    error.is::<rustls::Error>() || inner.is_some_and(|inner| is_tls(inner)) || error.source().is_some_and(is_tls)
}

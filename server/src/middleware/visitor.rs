//! Who asks: the session behind the cookie, resolved anew for each request, and where the request came from.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use clarity_service::Client;

use super::RequestId;
use crate::problem::Problem;
use crate::state::AppState;

pub async fn layer(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let token = cookie(request.headers(), state.site.session_cookie()).map(str::to_owned);
    let visitor = match state.services.visitor(token.as_deref()).await {
        Ok(visitor) => visitor,
        Err(error) => {
            return Problem { error, request_id: request.extensions().get::<RequestId>().copied() }.into_response();
        }
    };
    let client = client(&request);
    request.extensions_mut().insert(visitor);
    request.extensions_mut().insert(client);
    next.run(request).await
}

/// Where a request came from.
pub fn client(request: &Request) -> Client {
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Client {
        address: address.map(|ConnectInfo(at)| at.ip().to_canonical().to_string()).unwrap_or_default(),
        user_agent: agent.map(str::to_owned),
        request_id: request.extensions().get::<RequestId>().map(|id| id.uuid()),
    }
}

/// The value of a cookie. When a name is sent twice none of them is believed.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut found = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value);
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_cookie_is_found_by_its_whole_name_and_only_once() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("xcs=1; cs=2; cs-pair=3"));
        assert_eq!(cookie(&headers, "cs"), Some("2"));
        headers.append(header::COOKIE, HeaderValue::from_static("cs=4"));
        assert_eq!(cookie(&headers, "cs"), None);
    }
}

//! Who asks: the session behind the cookie, resolved anew for each request, and where the request came from. An answer brings the
//! session's new token when it is time for one.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use clarity_service::{Client, Visitor};

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
    let client = client(&request, &state.trusted_proxies);
    request.extensions_mut().insert(visitor.clone());
    request.extensions_mut().insert(client);
    let answer = next.run(request).await;
    renewed(&state, &visitor, answer).await
}

/// The answer, with the session's new token where it is time for one. After the handler: a session that it ended gets none, and
/// one that it began or took away is not overwritten. Not with a stream, which the browser may be long in looking at.
async fn renewed(state: &AppState, visitor: &Visitor, mut answer: Response) -> Response {
    if is_stream(answer.headers()) || sets(answer.headers(), state.site.session_cookie()) {
        return answer;
    }
    // What failed was logged where it did; the old token is good still, and the next request asks again.
    if let Ok(Some(new)) = state.services.renew_session(visitor).await {
        match HeaderValue::from_str(&state.site.session_cookie_text(&new.token, new.max_age_s)) {
            Ok(cookie) => {
                answer.headers_mut().append(header::SET_COOKIE, cookie);
            }
            Err(_) => tracing::error!("a session's new token is not a header value; it was not sent"),
        }
    }
    answer
}

fn is_stream(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// Whether the answer sets the cookie of this name.
fn sets(headers: &HeaderMap, name: &str) -> bool {
    let cookies = headers.get_all(header::SET_COOKIE).into_iter().filter_map(|cookie| cookie.to_str().ok());
    cookies.filter_map(|cookie| cookie.split_once('=')).any(|(key, _)| key == name)
}

/// Where a request came from.
pub fn client(request: &Request, trusted: &[IpAddr]) -> Client {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(at)| at.ip().to_canonical());
    let address = peer.map(|peer| origin(peer, request.headers(), trusted));
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Client {
        address: address.map(|address| address.to_string()).unwrap_or_default(),
        user_agent: agent.map(str::to_owned),
        request_id: request.extensions().get::<RequestId>().map(|id| id.uuid()),
    }
}

/// Whom the nearest of our own proxies had the request from: each adds its peer at the end, and what stands before the
/// first that is not ours was written by anybody.
fn origin(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").into_iter().filter_map(|v| v.to_str().ok()).collect();
    let mut hops = lines.into_iter().flat_map(|line| line.split(',')).rev();
    let mut address = peer;
    while trusted.contains(&address) {
        match hops.next().and_then(|hop| hop.trim().parse::<IpAddr>().ok()) {
            Some(before) => address = before.to_canonical(),
            None => break,
        }
    }
    address
}

/// The value of a cookie. When a name is sent twice none of them is believed.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
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

    #[test]
    fn only_our_own_proxies_say_where_a_request_came_from() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", HeaderValue::from_static("6.6.6.6, 192.0.2.7"));
        headers.append("x-forwarded-for", HeaderValue::from_static("10.0.0.2"));
        let ours = [ip("10.0.0.1"), ip("10.0.0.2")];
        assert_eq!(origin(ip("10.0.0.1"), &headers, &ours), ip("192.0.2.7"));
        assert_eq!(origin(ip("203.0.113.9"), &headers, &ours), ip("203.0.113.9"), "a stranger's word");
        assert_eq!(origin(ip("10.0.0.1"), &headers, &[]), ip("10.0.0.1"), "nobody is trusted unasked");
        headers.insert("x-forwarded-for", HeaderValue::from_static("nonsense"));
        assert_eq!(origin(ip("10.0.0.1"), &headers, &ours), ip("10.0.0.1"));
    }

    #[test]
    fn an_answer_that_sets_the_cookie_itself_is_known() {
        let mut headers = HeaderMap::new();
        headers.append(header::SET_COOKIE, HeaderValue::from_static("cs-token=; Max-Age=0"));
        assert!(!sets(&headers, "cs"));
        headers.append(header::SET_COOKIE, HeaderValue::from_static("cs=; Max-Age=0"));
        assert!(sets(&headers, "cs"));
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name_and_only_once() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("xcs=1; cs=2; cs-pair=3"));
        assert_eq!(cookie(&headers, "cs"), Some("2"));
        headers.append(header::COOKIE, HeaderValue::from_static("cs=4"));
        assert_eq!(cookie(&headers, "cs"), None);
    }
}

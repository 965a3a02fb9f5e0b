//! `GET /sso/start/{slug}` and `/sso/callback/{workspace}`: to a workspace's identity provider and back.
//!
//! Both are navigations, not forms: a browser does not let a form of ours lead to another origin. What went wrong is kept for the
//! page `/sso` in a cookie of ours, so that nobody puts words on our page by an address.

use std::collections::HashMap;

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use clarity_app::context::Site;
use clarity_app::paths;
use clarity_app::said;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_service::{Client, SsoAnswer, SsoAsk, SsoOutcome, Visitor};

use crate::middleware::visitor::cookie;
use crate::state::AppState;

type Asker = (Extension<Visitor>, Extension<Client>);
type Pairs = HashMap<String, String>;

/// What the form of `/sso` leads to: a page that goes on by itself, since a browser follows no form to another origin.
pub async fn find(Query(query): Query<Pairs>, headers: HeaderMap) -> Response {
    let typed = query.get("slug").map(|slug| slug.trim().to_lowercase()).unwrap_or_default();
    // Whoever copied the whole address of their workspace is understood.
    let slug = typed.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default();
    if slug.is_empty() {
        return go(paths::SSO, Vec::new());
    }
    // A page that goes on by itself is of our origin: where it leads nobody sees any more who sent the browser here.
    between(&paths::sso_start(slug, None, false), !is_sent_by_others(&headers))
}

/// A page of ours between two steps, with the one link that goes on; by itself where the person has said so already.
fn between(on: &str, by_itself: bool) -> Response {
    // Escaped as part of a path: nothing of it can end the attribute.
    let refresh =
        if by_itself { format!("<meta http-equiv=\"refresh\" content=\"0; url={on}\">") } else { String::new() };
    Html(format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Single sign-on · Clarity Stream</title>{refresh}</head>\
         <body><main><h1>Single sign-on</h1><p><a href=\"{on}\">Go on to your identity provider</a></p></main></body></html>"
    ))
    .into_response()
}

/// Another site sent the browser here. Whoever came by such a link says that they want to sign in: else any site could sign people
/// in to a workspace of its own.
fn is_sent_by_others(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| matches!(site.as_bytes(), b"cross-site" | b"same-site"))
}

pub async fn start(
    State(state): State<AppState>,
    (Extension(visitor), Extension(client)): Asker,
    Path(slug): Path<String>,
    Query(query): Query<Pairs>,
    headers: HeaderMap,
) -> Response {
    let next = query.get("next").and_then(|next| paths::local(next)).map(str::to_owned);
    let test = query.contains_key("test");
    if is_sent_by_others(&headers) {
        return between(&paths::sso_start(&slug, next.as_deref(), query.contains_key("again")), false);
    }
    let ask = SsoAsk { next, again: query.contains_key("again"), test };
    match Box::pin(state.services.start_sso(&visitor, &slug, ask, &client)).await {
        Ok(start) => {
            let kept = set_cookie(&state.site, state.site.sso_cookie(), &start.browser, start.max_age_s, "Lax");
            go(&start.url, kept)
        }
        Err(error) if test => test_refused(&state.site, &slug, &error),
        Err(error) => refused(&state.site, &error),
    }
}

pub async fn callback(
    State(state): State<AppState>,
    (Extension(visitor), Extension(client)): Asker,
    Path(workspace): Path<String>,
    Query(mut query): Query<Pairs>,
    headers: HeaderMap,
) -> Response {
    let answer = SsoAnswer {
        workspace: workspace.parse().ok(),
        state: query.remove("state").unwrap_or_default(),
        code: query.remove("code"),
        iss: query.remove("iss"),
        error: query.remove("error"),
    };
    let browser = cookie(&headers, state.site.sso_cookie());
    let outcome = match Box::pin(state.services.finish_sso(answer, browser, &client)).await {
        Ok(outcome) => outcome,
        Err(error) => return refused(&state.site, &error),
    };
    let site = &state.site;
    let mut cookies = set_cookie(site, site.sso_cookie(), "", 0, "Lax");
    match outcome {
        SsoOutcome::SignedIn { signed_in, slug, next } => {
            // The session that this browser had: nobody would end it otherwise.
            if let Err(error) = state.services.sign_out(&visitor, &client).await {
                return refused(site, &error);
            }
            cookies.extend(set_cookie(site, site.session_cookie(), &signed_in.token, signed_in.max_age_s, "Lax"));
            let next = next.as_deref().and_then(paths::local).map(str::to_owned);
            go(&next.unwrap_or_else(|| paths::workspace(&slug)), cookies)
        }
        SsoOutcome::Tested { slug } => go(&paths::sso(&slug), cookies),
        SsoOutcome::Link { token, max_age_s } => {
            // Lax: the browser is on its way here from the provider's site when it is first sent back.
            cookies.extend(set_cookie(site, site.sso_link_cookie(), &token, max_age_s, "Lax"));
            go(paths::SSO_LINK, cookies)
        }
    }
}

/// To the page that says why, in words that stand in a cookie of ours.
fn refused(site: &Site, error: &AppError) -> Response {
    go(paths::SSO, set_cookie(site, site.sso_said_cookie(), &said::encode(&error.message), 60, "Lax"))
}

/// Of a test that could not begin: to where the owner can go on.
fn test_refused(site: &Site, slug: &str, error: &AppError) -> Response {
    let page = paths::sso(slug);
    match error.code {
        ErrorCode::Unauthenticated => go(&paths::sign_in_then(&page), Vec::new()),
        ErrorCode::ConfirmNeeded => go(&paths::confirm_then(&page), Vec::new()),
        // The page shows what the provider did.
        ErrorCode::Unavailable => go(&page, Vec::new()),
        _ => refused(site, error),
    }
}

fn go(to: &str, cookies: Vec<HeaderValue>) -> Response {
    let Ok(to) = HeaderValue::from_str(to) else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::LOCATION, to);
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn set_cookie(site: &Site, name: &str, value: &str, max_age_s: i64, same_site: &str) -> Vec<HeaderValue> {
    HeaderValue::from_str(&site.cookie_text(name, value, max_age_s, same_site)).into_iter().collect()
}

//! What server functions share: the visitor's seat, cookies, and the status of a page that fails.

use clarity_domain::error::{AppError, ErrorCode};
use clarity_service::{Client, OpsSeat, Seat, Services, SignedIn, Visitor};
use http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use leptos::prelude::{expect_context, use_context};
use leptos_axum::ResponseOptions;

use crate::{context::Site, error::PageError, paths};

pub fn services() -> Services {
    expect_context()
}

pub fn visitor() -> Visitor {
    expect_context()
}

pub fn client() -> Client {
    expect_context()
}

/// The visitor's seat in the workspace of the path. Another person's workspace reads as "not found".
pub async fn enter(slug: &str) -> Result<(Services, Seat), AppError> {
    let services = services();
    let seat = services.enter(&visitor(), slug, &client()).await?;
    Ok((services, seat))
}

/// Whoever of the platform's own people asks. A member's cookie is nothing here, and theirs is nothing elsewhere.
pub async fn enter_ops() -> Result<(Services, OpsSeat), AppError> {
    let (services, site): (Services, Site) = (services(), expect_context());
    let seat = services.enter_ops(cookie(site.ops_cookie()).as_deref(), &client()).await?;
    Ok((services, seat))
}

/// Keeps `token` as the session of one of the platform's own people. No other site's link carries it.
pub fn set_ops_session(token: &str, max_age_s: i64) {
    let site: Site = expect_context();
    set_cookie(&site, site.ops_cookie(), token, max_age_s, "Strict");
}

pub fn clear_ops_session() {
    let site: Site = expect_context();
    set_cookie(&site, site.ops_cookie(), "", 0, "Strict");
}

/// Gives the answer the status of what went wrong, where a status does not stand in the way: a form sent without script
/// is answered by a redirect back to its page, and a page that needs a sign-in or a second factor by one to there.
pub fn page_error(error: AppError) -> PageError {
    let status = match error.code {
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::Forbidden | ErrorCode::ConfirmNeeded | ErrorCode::SecondFactorNeeded | ErrorCode::SsoNeeded => {
            StatusCode::FORBIDDEN
        }
        ErrorCode::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::Conflict => StatusCode::CONFLICT,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::LimitExceeded => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
    };
    if let Some(response) = use_context::<ResponseOptions>()
        && !is_redirected(&error)
    {
        response.set_status(status);
        if let Some(seconds) = error.retry_after_s {
            response.insert_header(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
    }
    PageError(error)
}

/// Is this error answered by a redirect?
fn is_redirected(error: &AppError) -> bool {
    let Some(parts) = use_context::<Parts>() else { return false };
    let by_browser = parts
        .headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    let leads_on = matches!(error.code, ErrorCode::Unauthenticated | ErrorCode::SecondFactorNeeded);
    by_browser && (parts.method == Method::POST || leads_on)
}

/// Ends the session that this browser had, when another begins: nobody would end it otherwise.
pub async fn end_previous_session() -> Result<(), PageError> {
    services().sign_out(&visitor(), &client()).await.map_err(page_error)
}

/// Keeps the new session, and goes where the person wanted to go, or to their first workspace.
pub fn welcome(signed_in: &SignedIn, next: Option<&str>) {
    set_session(&signed_in.token, signed_in.max_age_s);
    let first = signed_in.session.workspaces.first().map(|workspace| paths::workspace(&workspace.slug));
    let wanted = next.and_then(paths::local).map(str::to_owned);
    leptos_axum::redirect(&wanted.or(first).unwrap_or_else(|| paths::HOME.into()));
}

/// Keeps `token` as the session of this browser.
pub fn set_session(token: &str, max_age_s: i64) {
    let site: Site = expect_context();
    set_cookie(&site, site.session_cookie(), token, max_age_s, "Lax");
}

pub fn clear_session() {
    let site: Site = expect_context();
    set_cookie(&site, site.session_cookie(), "", 0, "Lax");
    set_cookie(&site, site.token_cookie(), "", 0, "Strict");
}

/// Has the browser forget pages that it keeps to go back to. Not what our pages have stored: that is the choice of colours, which
/// is the person's after a sign-out too.
pub fn clear_cache() {
    let response: ResponseOptions = expect_context();
    response.insert_header(HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"cache\""));
}

/// Keeps a pairing code where only the browser that asked for it can show it again, for as long as it can be used.
pub fn set_pairing_code(id: &str, code: &str) {
    let site: Site = expect_context();
    keep_to_show(&site, site.pairing_cookie(), &format!("{id}.{code}"), 900);
}

/// The code of this pairing, when this browser asked for it.
pub fn pairing_code(id: &str) -> Option<String> {
    let site: Site = expect_context();
    let kept = kept_to_show(site.pairing_cookie())?;
    let (of, code) = kept.split_once('.')?;
    (of == id).then(|| code.to_owned())
}

/// Keeps a new API token where only the browser that asked for it can show it, for the time it takes to copy it.
pub fn set_new_token(id: &str, text: &str) {
    let site: Site = expect_context();
    keep_to_show(&site, site.token_cookie(), &format!("{id}.{text}"), 300);
}

/// The text of this token, when this browser has just asked for it.
pub fn new_token(id: &str) -> Option<String> {
    let site: Site = expect_context();
    let kept = kept_to_show(site.token_cookie())?;
    let (of, text) = kept.split_once('.')?;
    (of == id && clarity_service::tokens::is_token(text)).then(|| text.to_owned())
}

/// Keeps `text` in the visitor's browser under this name, sealed for them: a browser's store holds nothing that could be read there.
fn keep_to_show(site: &Site, name: &'static str, text: &str, max_age_s: i64) {
    let visitor = visitor();
    let Some(session) = visitor.session() else { return };
    match services().seal_to_show(name, session.user.id, text, max_age_s) {
        Ok(sealed) => set_cookie(site, name, &sealed, max_age_s, "Strict"),
        Err(_) => tracing::error!(cookie = name, "a cookie's value could not be sealed; it was not set"),
    }
}

/// What this browser keeps under this name, when it was sealed for the visitor and its time is not over.
fn kept_to_show(name: &'static str) -> Option<String> {
    let visitor = visitor();
    services().open_to_show(name, visitor.session()?.user.id, &cookie(name)?)
}

/// Keeps a sign-in that waits for its code in the browser that gave the password.
pub fn set_pending_sign_in(token: &str, max_age_s: i64) {
    let site: Site = expect_context();
    set_cookie(&site, site.pending_cookie(), token, max_age_s, "Strict");
}

/// The sign-in that waits for its code in this browser.
pub fn pending_sign_in() -> Option<String> {
    let site: Site = expect_context();
    cookie(site.pending_cookie())
}

/// The account that somebody in this browser shows to be theirs, after single sign-on.
pub fn sso_link() -> Option<String> {
    let site: Site = expect_context();
    cookie(site.sso_link_cookie())
}

/// Why single sign-on did not go through, said once.
pub fn take_sso_said() -> Option<String> {
    let site: Site = expect_context();
    let said = cookie(site.sso_said_cookie()).and_then(|value| crate::said::decode(&value))?;
    set_cookie(&site, site.sso_said_cookie(), "", 0, "Lax");
    Some(said)
}

pub fn clear_sso_link() {
    let site: Site = expect_context();
    set_cookie(&site, site.sso_link_cookie(), "", 0, "Strict");
}

pub fn clear_pending_sign_in() {
    let site: Site = expect_context();
    set_cookie(&site, site.pending_cookie(), "", 0, "Strict");
}

/// Keeps what a passkey is asked for in the browser that asked, so that no other answers it.
pub fn set_passkey_sign_in(token: &str, max_age_s: i64) {
    let site: Site = expect_context();
    set_cookie(&site, site.passkey_cookie(), token, max_age_s, "Strict");
}

/// The sign-in that this browser began with a passkey.
pub fn passkey_sign_in() -> Option<String> {
    let site: Site = expect_context();
    cookie(site.passkey_cookie())
}

pub fn clear_passkey_sign_in() {
    let site: Site = expect_context();
    set_cookie(&site, site.passkey_cookie(), "", 0, "Strict");
}

/// Keeps new recovery codes in the browser that made them, for ten minutes or until the person says that they have them:
/// the page that shows them is loaded anew where there is no script.
pub fn set_recovery_codes(codes: &[String]) {
    let site: Site = expect_context();
    keep_to_show(&site, site.recovery_cookie(), &codes.join("."), 600);
}

/// New codes of the visitor, when this browser made them.
pub fn recovery_codes() -> Option<Vec<String>> {
    let site: Site = expect_context();
    let kept = kept_to_show(site.recovery_cookie())?;
    Some(kept.split('.').map(str::to_owned).collect())
}

pub fn clear_recovery_codes() {
    let site: Site = expect_context();
    set_cookie(&site, site.recovery_cookie(), "", 0, "Strict");
}

fn cookie(name: &str) -> Option<String> {
    let parts = use_context::<Parts>()?;
    parts
        .headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split("; "))
        .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()))
}

fn set_cookie(site: &Site, name: &str, value: &str, max_age_s: i64, same_site: &str) {
    let response: ResponseOptions = expect_context();
    match HeaderValue::from_str(&site.cookie_text(name, value, max_age_s, same_site)) {
        Ok(header) => response.append_header(header::SET_COOKIE, header),
        Err(_) => tracing::error!(cookie = name, "a cookie's value is not a header value; it was not set"),
    }
}

//! A workspace that is asked for too much is told so, at every kind of door, and its neighbour does not notice.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::stage::{ORIGIN, Stage, text, text_header};
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use clarity_service::{Limits, MailSettings, SignedIn};
use futures::future::join_all;
use tokio::time::timeout;

/// One request a second, two at once.
async fn stage() -> Stage {
    let limits = Limits { workspace_requests_per_second: NonZeroU32::MIN, ..Limits::default() };
    let mail = MailSettings::outbox("Clarity Stream <no-reply@localhost>").unwrap();
    Stage::with(ORIGIN, false, mail, limits).await
}

/// As a program asks: a browser without script is led back to its page.
async fn ask(stage: &Stage, path: &str, session: &SignedIn) -> Response<Body> {
    let request = Request::get(path)
        .header(header::ACCEPT, "application/json")
        .header(header::COOKIE, format!("cs={}", session.token));
    stage.send(request.body(Body::empty()).unwrap()).await
}

/// What thirty requests at once are answered, the refused ones first.
async fn flood(stage: &Stage, path: &str, session: &SignedIn) -> Vec<Response<Body>> {
    let mut answers = join_all((0..30).map(|_| ask(stage, path, session))).await;
    answers.sort_by_key(|answer| answer.status() == StatusCode::OK);
    answers
}

#[tokio::test]
async fn a_workspace_that_is_asked_for_too_much_slows_itself_alone() {
    let stage = stage().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    let joe = stage.sign_up("Acme", "joe@acme.example").await;
    // A server function and a file.
    for path in ["/api/search/find?slug=nordmark&text=x", "/w/nordmark/audit.ndjson"] {
        let refused = flood(&stage, path, &maja).await.remove(0);
        assert_eq!(text_header(&refused, "retry-after"), "1", "{path}");
        let (status, body) = text(refused).await;
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{path}: {body}");
        assert!(body.contains("rate_limited") && body.contains("This workspace is asked for more"), "{path}: {body}");
    }
    let (status, body) = text(ask(&stage, "/api/search/find?slug=acme&text=x", &joe).await).await;
    assert_eq!(status, StatusCode::OK, "a neighbour: {body}");
}

/// Somebody without a seat in it takes nothing of what a workspace may be asked for.
#[tokio::test]
async fn a_stranger_slows_no_workspace() {
    let stage = stage().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    let joe = stage.sign_up("Acme", "joe@acme.example").await;
    for answer in flood(&stage, "/api/search/find?slug=nordmark&text=x", &joe).await {
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    }
    let (status, body) = text(ask(&stage, "/api/search/find?slug=nordmark&text=x", &maja).await).await;
    assert_eq!(status, StatusCode::OK, "{body}");
}

/// A page reads several things, and is one request.
#[tokio::test]
async fn a_page_counts_once() {
    let stage = stage().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    let (status, html) = text(stage.get("/w/nordmark", Some(&maja)).await).await;
    assert_eq!(status, StatusCode::OK);
    assert!(!html.contains("This workspace is asked for more"), "{html}");
}

/// The workspace's form, by its owner.
async fn rename(stage: &Stage, slug: &str, session: &SignedIn) -> StatusCode {
    let mut request = Stage::form("/api/workspace_settings/rename", &format!("slug={slug}&name=Another+name"));
    request.headers_mut().insert(header::COOKIE, format!("cs={}", session.token).parse().unwrap());
    stage.send(request).await.status()
}

/// Nor is anybody kept waiting by acts whose callers did not wait for them: their statements have connections still, so they have
/// their workspace's places still.
#[tokio::test]
async fn acts_whose_callers_went_away_slow_nobody_else() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    let joe = stage.sign_up("Acme", "joe@acme.example").await;
    let holder = stage.db.admin().await;
    let hold = "begin; select id from auth.workspaces where slug = 'nordmark' for no key update";
    holder.batch_execute(hold).await.unwrap();
    // As many as there are connections: each would have one, if its place were given back with its caller.
    for _ in 0..4 {
        let asked = timeout(Duration::from_millis(60), rename(&stage, "nordmark", &maja)).await;
        assert!(asked.is_err(), "it waits for the workspace, and its caller goes away");
    }
    timeout(Duration::from_millis(1_500), rename(&stage, "acme", &joe)).await.expect("an answer soon");
    let row = holder.query_one("select name from auth.workspaces where slug = 'acme'", &[]).await.unwrap();
    let name: String = row.get(0);
    assert_eq!(name, "Another name");
    holder.batch_execute("commit").await.unwrap();
}

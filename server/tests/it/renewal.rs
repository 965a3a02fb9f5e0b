//! A session's new token: when an answer brings one, how long the old one is good, and what happens when an answer is lost.
//!
//! Time passes by setting the session's times back: nothing here waits.

use crate::stage::{PASSWORD, Stage, text_header};
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use clarity_domain::role::Role;
use clarity_service::{Client, ConfirmSession, Seat};

async fn get(stage: &Stage, path: &str, token: &str) -> Response<Body> {
    let request = Request::get(path).header(header::ACCEPT, "text/html").header(header::COOKIE, format!("cs={token}"));
    stage.send(request.body(Body::empty()).unwrap()).await
}

/// What the answer sets as the session's cookie, whole.
fn cookies(answer: &Response<Body>) -> Vec<String> {
    let all = answer.headers().get_all(header::SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
    all.filter(|cookie| cookie.starts_with("cs=")).map(str::to_owned).collect()
}

/// The page with this token: whether it is shown, and the new token that it brings.
async fn look(stage: &Stage, token: &str) -> (bool, Option<String>) {
    look_at(stage, "/w/nordmark", token).await
}

async fn look_at(stage: &Stage, path: &str, token: &str) -> (bool, Option<String>) {
    let page = get(stage, path, token).await;
    let new = match cookies(&page).as_slice() {
        [] => None,
        [cookie] => {
            let new = cookie.strip_prefix("cs=").and_then(|rest| rest.split(';').next()).unwrap_or_default();
            assert!(new.len() == 64 && new != token, "{cookie}");
            let as_before = "; Path=/; HttpOnly; SameSite=Lax; Max-Age=6047";
            assert!(cookie.contains(as_before), "it ends when it would have ended: {cookie}");
            Some(new.to_owned())
        }
        more => panic!("{more:?}"),
    };
    (page.status() == StatusCode::OK, new)
}

async fn is_good(stage: &Stage, token: &str) -> bool {
    look(stage, token).await.0
}

/// The page brings a new token.
async fn renewed(stage: &Stage, token: &str) -> String {
    let (shown, new) = look(stage, token).await;
    assert!(shown);
    new.expect("a new token")
}

async fn seat(stage: &Stage, token: &str) -> Seat {
    let visitor = stage.services.visitor(Some(token)).await.unwrap();
    stage.services.enter(&visitor, "nordmark", &Client::default()).await.unwrap()
}

async fn count(stage: &Stage, of: &str) -> i64 {
    let sql = format!("select count(*) from {of}");
    let row = stage.db.admin().await.query_one(&sql, &[]).await;
    row.unwrap_or_else(|e| panic!("{e:?}\n{sql}")).get(0)
}

/// Marks every session, as a change of rights does.
async fn mark(stage: &Stage) {
    stage.sql("update auth.sessions set renew_since = now()").await;
}

/// So much time passes for the last renewal.
async fn pass(stage: &Stage, time: &str) {
    let set = format!(
        "update auth.sessions
         set renewed_at = renewed_at - interval '{time}', previous_until = previous_until - interval '{time}'"
    );
    stage.sql(&set).await;
}

/// The token of Nordmark's owner.
async fn maja(stage: &Stage) -> String {
    stage.sign_up("Nordmark", "maja@nordmark.example").await.token
}

#[tokio::test]
async fn a_changed_role_brings_a_new_token_and_the_old_one_is_soon_nobodys() {
    let stage = Stage::new().await;
    let maja = maja(&stage).await;
    let joe = stage.sign_up("Acme", "joe@acme.example").await;
    let joins = "insert into auth.memberships (workspace_id, user_id, role)
                 select w.id, u.id, 'viewer' from auth.workspaces w, auth.users u
                 where w.slug = 'nordmark' and u.email = 'joe@acme.example'";
    stage.sql(joins).await;
    let (user, old) = (joe.session.user.id, joe.token);
    assert_eq!(look(&stage, &old).await, (true, None));
    stage.services.change_role(&seat(&stage, &maja).await, user, Role::Operator).await.unwrap();

    let new = renewed(&stage, &old).await;
    assert_eq!(look(&stage, &maja).await, (true, None), "whose role did not change keeps the token");
    // What was asked for with the old one at the same time is answered, and brings nothing more.
    assert_eq!(look(&stage, &old).await, (true, None));
    assert_eq!(look(&stage, &new).await, (true, None));
    let until = "auth.sessions where renewed_used and previous_until <= now() + interval '30 seconds'";
    assert_eq!(count(&stage, until).await, 1, "from its first use the old one has half a minute");
    pass(&stage, "31 seconds").await;
    let page = get(&stage, "/w/nordmark", &old).await;
    assert_eq!(page.status(), StatusCode::FOUND);
    assert!(text_header(&page, "location").starts_with("/sign-in"), "as with any unknown one");
    assert!(page.headers().get(header::SET_COOKIE).is_none());
    assert_eq!(look(&stage, &new).await, (true, None));
    let kept = format!("auth.sessions s where s::text like '%{old}%' or s::text like '%{new}%'");
    assert_eq!(count(&stage, &kept).await, 0, "only hashes are kept");
}

#[tokio::test]
async fn an_old_token_never_comes_back() {
    let stage = Stage::new().await;
    let first = maja(&stage).await;
    let mut before = first.clone();
    for _ in 0..3 {
        mark(&stage).await;
        let now = renewed(&stage, &before).await;
        assert!(is_good(&stage, &now).await);
        pass(&stage, "31 seconds").await;
        assert!(!is_good(&stage, &first).await && !is_good(&stage, &before).await);
        before = now;
    }
    assert!(is_good(&stage, &before).await);
    assert_eq!(count(&stage, "auth.sessions").await, 1, "it is one session all the time");
}

#[tokio::test]
async fn of_many_requests_at_once_one_brings_the_new_token() {
    let stage = Stage::new().await;
    let maja = maja(&stage).await;
    mark(&stage).await;
    let looks = futures::future::join_all((0..6).map(|_| look_at(&stage, "/w/nordmark/audit.csv", &maja))).await;
    assert!(looks.iter().all(|(shown, _)| *shown), "all are answered");
    let new: Vec<String> = looks.into_iter().filter_map(|(_, new)| new).collect();
    assert_eq!(new.len(), 1);
    assert!(is_good(&stage, &new[0]).await);
}

#[tokio::test]
async fn a_lost_answer_signs_nobody_out() {
    let stage = Stage::new().await;
    let maja = maja(&stage).await;
    mark(&stage).await;
    let lost = renewed(&stage, &maja).await;
    // At once nothing is given again: it may be on its way.
    assert_eq!(look(&stage, &maja).await, (true, None));
    pass(&stage, "31 seconds").await;
    let second = renewed(&stage, &maja).await;
    assert!(!is_good(&stage, &lost).await, "the one that nobody came with is nobody's");
    assert!(is_good(&stage, &second).await);
    pass(&stage, "20 seconds").await;
    assert_eq!(look(&stage, &maja).await, (true, None), "where the new one was used, the old one gets no other");
    pass(&stage, "11 seconds").await;
    assert!(!is_good(&stage, &maja).await);
    assert!(is_good(&stage, &second).await);
}

#[tokio::test]
async fn a_new_token_is_waited_for_five_minutes_and_no_longer() {
    let stage = Stage::new().await;
    let maja = maja(&stage).await;
    mark(&stage).await;
    renewed(&stage, &maja).await;
    for _ in 0..4 {
        pass(&stage, "1 minute").await;
        renewed(&stage, &maja).await;
    }
    pass(&stage, "1 minute").await;
    assert_eq!(look(&stage, &maja).await, (false, None), "further ones do not make it longer");
}

#[tokio::test]
async fn a_stream_brings_no_token_and_goes_on() {
    let stage = Stage::new().await;
    let maja = maja(&stage).await;
    mark(&stage).await;
    let stream = get(&stage, "/w/nordmark/live?page=overview&since=1&range=1h&number=0", &maja).await;
    assert_eq!((stream.status(), text_header(&stream, "content-type")), (StatusCode::OK, "text/event-stream"));
    assert!(stream.headers().get(header::SET_COOKIE).is_none());
    let seat = seat(&stage, &maja).await;
    let new = renewed(&stage, &maja).await;
    assert!(is_good(&stage, &new).await);
    pass(&stage, "31 seconds").await;
    assert!(!is_good(&stage, &maja).await);
    // What a stream asks every few seconds.
    assert!(stage.services.still_seated(&seat).await.unwrap(), "it is the same session");
}

#[tokio::test]
async fn signing_out_with_the_new_one_ends_both() {
    let stage = Stage::new().await;
    let maja = maja(&stage).await;
    mark(&stage).await;
    let new = renewed(&stage, &maja).await;
    pass(&stage, "31 seconds").await;
    assert!(is_good(&stage, &new).await);
    assert!(is_good(&stage, &maja).await);
    // Marked again: the answer takes the cookie away and brings no other.
    mark(&stage).await;
    let mut request = Stage::form("/api/session/sign_out", "");
    request.headers_mut().insert(header::COOKIE, format!("cs={new}").parse().unwrap());
    let cookies = cookies(&stage.send(request).await);
    assert!(cookies.len() == 1 && cookies[0].starts_with("cs=;"), "{cookies:?}");
    assert!(!is_good(&stage, &maja).await && !is_good(&stage, &new).await);
}

#[tokio::test]
async fn whoever_confirms_gets_a_new_token() {
    let stage = Stage::new().await;
    let maja = maja(&stage).await;
    let visitor = stage.services.visitor(Some(&maja)).await.unwrap();
    let form = ConfirmSession { password: PASSWORD.into(), code: None };
    stage.services.confirm_session(&visitor, form, &Client::default()).await.unwrap();
    let new = renewed(&stage, &maja).await;
    assert_eq!(look(&stage, &new).await, (true, None));
}

#[tokio::test]
async fn a_session_that_ended_gets_no_new_token() {
    let stage = Stage::new().await;
    for end in ["revoked_at = now()", "expires_at = now()", "last_seen_at = now() - interval '13 hours'"] {
        let maja = maja(&stage).await;
        mark(&stage).await;
        stage.sql(&format!("update auth.sessions set {end}")).await;
        assert_eq!(look(&stage, &maja).await, (false, None), "{end}");
    }
}

//! Event streams: what they say, to whom, and how they end.

use std::time::Duration;

use crate::stage::{Stage, text, text_header};
use axum::body::BodyDataStream;
use axum::http::StatusCode;
use clarity_service::SignedIn;
use futures::StreamExt;
use tokio::time::{Instant, timeout};

const PATH: &str = "/w/nordmark/live?page=overview&since=1&range=1h&number=0";

struct Events {
    body: BodyDataStream,
    text: String,
}

impl Events {
    async fn open(stage: &Stage, session: &SignedIn) -> Self {
        let response = stage.get(PATH, Some(session)).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(text_header(&response, "content-type"), "text/event-stream");
        assert_eq!(text_header(&response, "content-encoding"), "", "events must not wait in a compressor");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// Reads on until the text has come; what came up to it.
    async fn until(&mut self, wanted: &str, bound: Duration) -> String {
        let deadline = Instant::now() + bound;
        while !self.text.contains(wanted) {
            let next = timeout(deadline - Instant::now(), self.body.next()).await;
            match next {
                Ok(Some(chunk)) => self.text.push_str(&String::from_utf8_lossy(&chunk.expect("a chunk"))),
                Ok(None) => panic!("the stream ended before {wanted:?}: {}", self.text),
                Err(_) => panic!("no {wanted:?} within {bound:?}: {}", self.text),
            }
        }
        std::mem::take(&mut self.text)
    }

    async fn has_ended(&mut self, bound: Duration) -> bool {
        timeout(bound, async { while self.body.next().await.is_some() {} }).await.is_ok()
    }
}

/// A machine that runs.
const MACHINE: &str = "
  insert into agents (workspace_id, id, name, seen_at) select id, id, 'a', now() from auth.workspaces where slug = 'nordmark';
  insert into sources (workspace_id, id, agent_id, name, kind, partition) select id, id, id, 's', 'postgres', 0 from auth.workspaces where slug = 'nordmark';
  insert into streams (workspace_id, id, source_id, name, schema) select id, id, id, 't', '{}' from auth.workspaces where slug = 'nordmark';
  insert into assets (workspace_id, id, number, key, name) select id, id, 1, 'ENG-001', 'Engine 1' from auth.workspaces where slug = 'nordmark';
  insert into state_intervals (workspace_id, asset_number, from_at, stream_id, state, category, epoch, seq)
    select id, 1, now(), id, 'running', 'running', 1, 1 from auth.workspaces where slug = 'nordmark';
  select pg_notify('clarity_live', id::text) from auth.workspaces where slug = 'nordmark';";

#[tokio::test]
async fn a_change_reaches_the_page_that_shows_it() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    let mut events = Events::open(&stage, &maja).await;
    let first = events.until("\n\nevent: overview\ndata: ", Duration::from_secs(10)).await;
    assert!(first.contains("retry: 2000") && first.contains(": as_of "), "{first}");
    stage.sql(MACHINE).await;
    let update = events.until("\"state\":\"running\"", Duration::from_secs(10)).await;
    assert!(
        update.contains("\"machines_running\":1")
            || events.until("\"machines_running\":1", Duration::from_secs(5)).await.len() > 1
    );
}

#[tokio::test]
async fn two_workspaces_never_hear_of_each_other() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    let joe = stage.sign_up("Acme", "joe@acme.example").await;
    for (session, path, status) in [
        (Some(&joe), PATH, StatusCode::NOT_FOUND),
        (None, PATH, StatusCode::UNAUTHORIZED),
        (Some(&maja), "/w/nordmark/live?page=secrets", StatusCode::UNPROCESSABLE_ENTITY),
        (Some(&maja), "/w/nothing/live?page=overview", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(stage.get(path, session).await.status(), status, "{path}");
    }
    let response = stage.get("/w/acme/live?page=overview", Some(&joe)).await;
    let mut theirs = Events { body: response.into_body().into_data_stream(), text: String::new() };
    theirs.until("event: overview", Duration::from_secs(10)).await;
    let mut ours = Events::open(&stage, &maja).await;
    ours.until("event: overview", Duration::from_secs(10)).await;
    stage.sql(MACHINE).await;
    ours.until("\"state\":\"running\"", Duration::from_secs(10)).await;
    let quiet = timeout(Duration::from_secs(1), theirs.until("\"state\":\"running\"", Duration::from_secs(60))).await;
    assert!(quiet.is_err(), "the other workspace was told of it");
}

#[tokio::test]
async fn support_that_is_let_in_or_out_is_told_to_every_open_page() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    let grant =
        "insert into support_grants (workspace_id, id, ops_user_id, ops_name, ops_email, reason, minutes, decision,
                                             decided_at, decided_by_name, ends_at)
                 select id, id, id, 'Anna', 'anna@ours.example', 'A case', 30, 'approved', now(), 'An owner',
                        now() + interval '20 minutes'
                 from auth.workspaces where slug = 'nordmark'";
    let mut pages = Vec::new();
    for page in ["overview", "sources", "frame"] {
        let response = stage.get(&format!("/w/nordmark/live?page={page}"), Some(&maja)).await;
        let mut events = Events { body: response.into_body().into_data_stream(), text: String::new() };
        events.until("\"support\":[]", Duration::from_secs(10)).await;
        pages.push(events);
    }
    stage.sql(grant).await;
    for events in &mut pages {
        events.until("\"support\":[\"", Duration::from_secs(5)).await;
    }
    stage.sql("update support_grants set ended_at = now()").await;
    for events in &mut pages {
        events.until("\"support\":[]", Duration::from_secs(5)).await;
    }
}

#[tokio::test]
async fn a_page_that_follows_its_frame_alone_does_not_use_its_session() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    let response = stage.get("/w/nordmark/live?page=frame", Some(&maja)).await;
    let mut events = Events { body: response.into_body().into_data_stream(), text: String::new() };
    events.until("event: frame", Duration::from_secs(10)).await;
    stage.sql("update auth.sessions set last_seen_at = now() - interval '2 hours'").await;
    // Its rights are looked at meanwhile, which would use the session of a page that is watched.
    assert!(!events.has_ended(Duration::from_secs(6)).await);
    let unused = "do $$ begin
                    if exists (select from auth.sessions where last_seen_at > now() - interval '1 hour') then
                      raise exception 'the session was used';
                    end if;
                  end $$";
    stage.sql(unused).await;
}

#[tokio::test]
async fn a_session_that_is_revoked_ends_its_streams() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    let mut events = Events::open(&stage, &maja).await;
    events.until("event: overview", Duration::from_secs(10)).await;
    let started = Instant::now();
    stage.sql("update auth.sessions set revoked_at = now()").await;
    events.until("event: closed", Duration::from_secs(8)).await;
    assert!(started.elapsed() < Duration::from_secs(5) + Duration::from_secs(1), "{:?}", started.elapsed());
    assert!(events.has_ended(Duration::from_secs(1)).await);
}

#[tokio::test]
async fn a_lost_seat_ends_its_streams() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    let mut events = Events::open(&stage, &maja).await;
    events.until("event: overview", Duration::from_secs(10)).await;
    stage.sql("update auth.memberships set role = 'viewer'").await;
    events.until("event: closed", Duration::from_secs(8)).await;
}

#[tokio::test]
async fn the_end_of_the_process_ends_streams_at_once() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    let mut events = Events::open(&stage, &maja).await;
    events.until("event: overview", Duration::from_secs(10)).await;
    stage.shutdown.cancel();
    assert!(events.has_ended(Duration::from_secs(2)).await);
}

#[tokio::test]
async fn blind_appears_though_nothing_comes() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    stage.sql(MACHINE).await;
    stage.sql("update sources set status = '{\"state\": \"streaming\"}'").await;
    let mut events = Events::open(&stage, &maja).await;
    events.until("\"truth\":\"delayed\"", Duration::from_secs(10)).await;
    // Time passes for the agent, and no word of any change is sent.
    stage.sql("update agents set seen_at = now() - interval '1 minute'").await;
    events.until("\"truth\":\"blind\"", Duration::from_secs(6)).await;
}

#[tokio::test]
async fn a_person_has_so_many_live_pages_open_and_no_more() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    let joe = stage.sign_up("Acme", "joe@acme.example").await;
    let mut held = Vec::new();
    for _ in 0..30 {
        let response = stage.get(PATH, Some(&maja)).await;
        assert_eq!(response.status(), StatusCode::OK);
        held.push(response);
    }
    let (status, body) = text(stage.get(PATH, Some(&maja)).await).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert!(body.contains("30 live pages open"), "{body}");
    let other = stage.get("/w/acme/live?page=overview", Some(&joe)).await;
    assert_eq!(other.status(), StatusCode::OK, "nobody else waits for it");
    drop(held);
    // A connection notices that its reader is gone, and gives its place back.
    let deadline = Instant::now() + Duration::from_secs(10);
    while stage.get(PATH, Some(&maja)).await.status() != StatusCode::OK {
        assert!(Instant::now() < deadline, "no place came back");
        tokio::task::yield_now().await;
    }
}

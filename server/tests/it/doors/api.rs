//! The doors of the API, tried with every kind of token. That a person's cookie opens none is tried with all other doors.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};

use super::matrix::{Door, Kind, May};
use super::world::{CANARY, Things, TokenIs, World};
use super::{Answer, doors, filled, is_whole};
use crate::stage::{text, text_header};

async fn ask(world: &World, door: &Door, bearer: Option<&str>, things: &Things) -> Answer {
    let (path, sent) = (filled(door.path, things), filled(door.sent, things));
    let mut request = Request::get(if sent.is_empty() { path } else { format!("{path}?{sent}") });
    if let Some(bearer) = bearer {
        request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
    }
    let response = world.stage.send(request.body(Body::empty()).unwrap()).await;
    assert!(text_header(&response, "content-type").ends_with("json"), "{}", door.path);
    assert!(response.headers().get("access-control-allow-origin").is_none(), "no other site reads it");
    let (status, body) = text(response).await;
    Answer { status, location: String::new(), body: without_request_id(&body) }
}

/// The request's id is another each time.
fn without_request_id(body: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(body) {
        Ok(serde_json::Value::Object(mut fields)) => {
            fields.remove("request_id");
            serde_json::Value::Object(fields).to_string()
        }
        _ => body.to_owned(),
    }
}

fn operations() -> impl Iterator<Item = (&'static Door, &'static str)> {
    doors().filter_map(|door| match (door.kind, door.may) {
        (Kind::Api, May::Token(scope)) => Some((door, scope.as_str())),
        (Kind::Api, may) => panic!("{} is open to {}", door.path, may.words()),
        _ => None,
    })
}

/// A scope that is not this one.
fn other(scope: &str) -> &'static str {
    if scope == "read:workspace" { "read:assets" } else { "read:workspace" }
}

/// A metric that the machine of each workspace reports.
const METRIC: &str = "
  insert into metrics (workspace_id, id, number, stream_id, column_name, name, unit, sample_type)
    select workspace_id, id, 1, id, 'speed', 'Speed', 'rpm', 'float' from streams;
  insert into latest_samples (workspace_id, stream_id, asset_number, at, epoch, seq, metric_numbers, ats, snapshots, numbers)
    select workspace_id, id, 1, now(), 1, 1, '{1}', array[now()], '{false}', array[5.5] from streams;";

#[tokio::test]
async fn a_token_opens_what_its_scope_says_in_its_own_workspace() {
    let world = World::new().await;
    world.stage.sql(METRIC).await;
    let mut findings = Vec::new();
    let mut tried = 0;
    for (door, scope) in operations() {
        let mut alike = Vec::new();
        for state in [TokenIs::Expired, TokenIs::Revoked, TokenIs::OfRemoved] {
            let bearer = world.bearer("nordmark", scope, state).await;
            alike.push(ask(&world, door, Some(&bearer), &world.own).await);
        }
        for nobody in [None, Some("cst_nothing"), Some("")] {
            alike.push(ask(&world, door, nobody, &world.own).await);
        }
        tried += alike.len();
        if alike[0].status != StatusCode::UNAUTHORIZED || alike.iter().any(|answer| *answer != alike[0]) {
            findings.push(format!("{}: not all without a valid token are told the same: {alike:?}", door.path));
        }
        let narrow = world.bearer("nordmark", other(scope), TokenIs::Live).await;
        let answer = ask(&world, door, Some(&narrow), &world.own).await;
        if answer.status != StatusCode::FORBIDDEN || !answer.body.contains(scope) {
            findings.push(format!("{} without {scope}: {answer:?}", door.path));
        }
        let bearer = world.bearer("nordmark", scope, TokenIs::Live).await;
        let answer = ask(&world, door, Some(&bearer), &world.own).await;
        if answer.status != StatusCode::OK || answer.body.contains(CANARY) {
            findings.push(format!("{} with {scope}: {answer:?}", door.path));
        }
        let stranger = world.bearer("acme", scope, TokenIs::Live).await;
        let answer = ask(&world, door, Some(&stranger), &world.own).await;
        let expected = if door.names_a_thing() { StatusCode::NOT_FOUND } else { StatusCode::OK };
        if answer.status != expected || answer.body.contains("nordmark") {
            findings.push(format!("{} as another workspace's program: {answer:?}", door.path));
        }
        tried += 3;
    }
    assert!(tried >= 45 || !is_whole(), "only {tried} attempts");
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

#[tokio::test]
async fn to_a_program_anothers_thing_and_none_are_alike() {
    let world = World::new().await;
    world.stage.sql(METRIC).await;
    let mut tried = 0;
    for (door, scope) in operations().filter(|(door, _)| door.names_a_thing()) {
        let bearer = world.bearer("nordmark", scope, TokenIs::Live).await;
        let theirs = ask(&world, door, Some(&bearer), &world.theirs).await;
        let none = ask(&world, door, Some(&bearer), &world.nothing()).await;
        assert_eq!(theirs.status, StatusCode::NOT_FOUND, "{}", door.path);
        assert_eq!(theirs, none, "{}", door.path);
        tried += 1;
    }
    assert!(tried >= 2 || !is_whole(), "only {tried} operations name a thing");
}

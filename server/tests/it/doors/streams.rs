//! Event streams that are open at once: what is read for one is sent to others of the same workspace, role and sites, and to
//! nobody else. One after the other would prove nothing: what was kept for the first would be gone by then.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{Request, StatusCode, header};
use clarity_domain::role::Role;
use futures::StreamExt as _;

use super::masked::{DATA, told};
use super::world::{Caller, World};

async fn open(world: &World, slug: &str, caller: Caller) -> BodyDataStream {
    let token = world.session(caller).await.expect("a session");
    let request =
        Request::get(format!("/w/{slug}/live?page=overview&since=1")).header(header::COOKIE, format!("cs={token}"));
    let response = world.stage.send(request.body(Body::empty()).expect("a request")).await;
    assert_eq!(response.status(), StatusCode::OK, "{slug} as {caller:?}");
    response.into_body().into_data_stream()
}

/// Everything is in the first update.
async fn first_update(events: &mut BodyDataStream) -> String {
    let mut seen = String::new();
    while !seen.contains("data:") || !seen.ends_with("\n\n") {
        let next = tokio::time::timeout(Duration::from_secs(20), events.next()).await;
        let part = next.expect("in time").expect("a part").expect("readable");
        seen.push_str(&String::from_utf8_lossy(&part));
    }
    seen
}

#[tokio::test]
async fn streams_that_are_open_at_once_tell_each_their_own() {
    let world = World::new().await;
    world.stage.sql(DATA).await;
    let (ours, theirs) = (&world.own["asset"], &world.theirs["asset"]);
    let elsewhere = &world.elsewhere["asset"];
    let mut open_at_once = Vec::new();
    for (slug, caller) in [
        ("nordmark", Caller::Member(Role::Viewer)),
        ("nordmark", Caller::Member(Role::Owner)),
        ("acme", Caller::Stranger),
        ("nordmark", Caller::Member(Role::Viewer)),
        ("nordmark", Caller::Limited),
    ] {
        open_at_once.push((slug, caller, open(&world, slug, caller).await));
    }
    for (slug, caller, events) in &mut open_at_once {
        let seen = first_update(events).await;
        let (own, other) = if *slug == "nordmark" { (ours, theirs) } else { (theirs, ours) };
        assert!(!seen.contains(other.as_str()), "{slug} as {caller:?} is told of the other workspace: {seen}");
        // Who sees through the masks is told the values: the streams do lead to them.
        let sees_all = !matches!(caller, Caller::Member(Role::Viewer) | Caller::Limited);
        assert_eq!(told(&seen).is_some(), sees_all, "{slug} as {caller:?}: {seen}");
        assert!(seen.contains(own.as_str()), "{slug} as {caller:?} is told nothing: {seen}");
        // Of the machine at the other site, all of ours but who is limited to one.
        let sees_both = matches!(caller, Caller::Member(_));
        assert_eq!(seen.contains(elsewhere.as_str()), sees_both, "{slug} as {caller:?}: {seen}");
    }
}

//! Every door, tried by the platform's own people: to a workspace's doors they are nobody, whoever let them in; to their own they
//! come by a session of theirs, and what is in a workspace they see while its owner lets them.

use axum::http::StatusCode;

use super::matrix::{DOORS, Door, May};
use super::world::{CANARY, Ours, World};
use super::{Answer, filled, knock_with, said, two_at_a_time};

/// Sent to the sign-in of the platform's own people, or told that one is signed out.
pub fn signed_out(answer: &Answer) -> bool {
    let to_sign_in = answer.status == StatusCode::FOUND && answer.location.starts_with("/ops/sign-in");
    answer.status == StatusCode::UNAUTHORIZED || to_sign_in
}

/// What is wrong with the answer, if anything is.
fn wrong(door: &Door, caller: Ours, answer: &Answer) -> Option<&'static str> {
    let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status);
    let away = answer.status == StatusCode::FOUND && answer.location.contains("/sign-in");
    if answer.status.is_server_error() {
        return Some("it failed");
    }
    match door.may {
        May::Anyone => refused.then_some("anyone may"),
        May::Token(_) => (answer.status != StatusCode::UNAUTHORIZED).then_some("a cookie opens nothing of the API"),
        May::Person | May::Member(_) => {
            let out = answer.status == StatusCode::UNAUTHORIZED
                || answer.status == StatusCode::FOUND && answer.location.starts_with("/sign-in");
            (!out).then_some("at a member's door they are nobody")
        }
        May::Ops | May::LetIn if caller.is_nobody() => (!signed_out(answer)).then_some("the session is over"),
        May::Ops => (refused || away).then_some("with a session they may"),
        May::LetIn if caller == Ours::LetIn => (refused || away).then_some("an owner lets them in"),
        May::LetIn => (answer.status != StatusCode::FORBIDDEN).then_some("nobody lets them in"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_platforms_own_people_are_nobody_in_a_workspace() {
    let world = World::new().await;
    // Each try is somebody new, and to a workspace they do nothing.
    let findings = two_at_a_time(DOORS.iter().map(|door| tried(&world, door))).await;
    let attempts = DOORS.len() * Ours::ALL.len();
    println!("{} doors, {attempts} attempts of the platform's own people", DOORS.len());
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

/// One door, by each of them; what is wrong with its answers, if anything is.
async fn tried(world: &World, door: &Door) -> Vec<String> {
    let mut findings = Vec::new();
    for caller in Ours::ALL {
        let cookie = format!("clarity_ops={}", world.ours(caller).await);
        let sent = filled(door.sent, &world.own);
        let answer = knock_with(&world.stage, door, Some(&cookie), &world.own, &sent).await;
        if let Some(why) = wrong(door, caller, &answer) {
            let (status, said) = (answer.status, said(&answer));
            findings.push(format!("{} as {caller:?}: {status} {} ({why}) {said}", door.path, answer.location));
        }
        // Which workspaces there are, they see; what is in the other one, they do not.
        let names = ["/ops", "/api/ops/list"].contains(&door.path);
        if !names && answer.body.contains(CANARY) {
            findings.push(format!("{} as {caller:?} shows what is another's", door.path));
        }
    }
    findings
}

/// The same token under the other name opens nothing either.
#[tokio::test]
async fn a_session_is_good_at_its_own_doors_alone() {
    let world = World::new().await;
    let ours = world.ours(Ours::LetIn).await;
    for door in DOORS.iter().filter(|door| matches!(door.may, May::Member(_) | May::Ops | May::LetIn)) {
        let cookie = format!("cs={ours}");
        let sent = filled(door.sent, &world.own);
        let answer = knock_with(&world.stage, door, Some(&cookie), &world.own, &sent).await;
        let out = answer.status == StatusCode::UNAUTHORIZED
            || answer.status == StatusCode::FOUND && answer.location.contains("/sign-in");
        assert!(out, "{}: {} {}", door.path, answer.status, answer.location);
    }
}

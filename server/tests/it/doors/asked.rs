//! What doors ask beside a session and a role: that our own page sent the request, and, at those of the most dangerous acts,
//! that whoever comes has shown a moment ago that it is them.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use clarity_domain::role::Role;

use super::matrix::{DOORS, Kind};
use super::world::{Caller, World};
use super::{Answer, doors, filled, is_meant, is_whole, knock};
use crate::stage::text;

/// Doors that ask for a confirmation within a quarter of an hour.
const CONFIRMED: &[&str] = &[
    "/api/members/change_role",
    "/api/members/remove",
    "/api/members/offer",
    "/api/members/require_second_factor",
    "/api/members/limit",
    "/api/email_change/ask",
    "/api/tokens/create",
    "/api/tokens/add",
    "/api/retention/lift",
    "/api/sources/replace_key",
    "/api/sources/revoke_agent",
    "/api/sso/set",
    "/api/sso/require",
    "/api/sso/break_glass",
    "/api/sso/unlink",
    "/api/sso/remove",
    "/api/domains/add",
    "/api/domains/check",
    "/api/domains/remove",
    "/api/rewrite/start",
    "/api/masking/remove",
    "/api/pairing/approve",
    "/api/support/approve",
    "/api/deletion/request",
    "/api/workspace_settings/address",
    "/w/{slug}/export.ndjson",
];

/// What somebody is told who has to confirm first.
fn asks_for_it(answer: &Answer) -> bool {
    answer.status == StatusCode::FORBIDDEN && answer.body.contains("Confirm that it is you")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dangerous_acts_ask_for_a_confirmation_of_a_moment_ago() {
    let world = World::new().await;
    let mut findings = Vec::new();
    for path in CONFIRMED.iter().filter(|path| is_meant(path)) {
        let door = DOORS.iter().find(|door| door.path == *path).unwrap_or_else(|| panic!("{path} is no door"));
        let token = world.session(Caller::Member(Role::Owner)).await.expect("a session");
        world.long_confirmed(&token).await;
        let late = knock(&world.stage, door, Some(&token), &world.own).await;
        if !asks_for_it(&late) {
            findings.push(format!("{path} asks for no confirmation: {} {:.80}", late.status, late.body));
        }
        let token = world.session(Caller::Member(Role::Owner)).await;
        let soon = knock(&world.stage, door, token.as_deref(), &world.own).await;
        if asks_for_it(&soon) {
            findings.push(format!("{path} asks for another one"));
        }
    }
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

/// A browser says where a request comes from; without its word nothing is done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_other_site_acts_by_anybodys_cookie() {
    let world = World::new().await;
    let token = world.session(Caller::Member(Role::Owner)).await.expect("a session");
    let (mut findings, mut tried) = (Vec::new(), 0);
    for door in doors().filter(|door| door.kind == Kind::Act) {
        for from in [
            Some(("sec-fetch-site", "cross-site")),
            Some(("sec-fetch-site", "same-site")),
            Some(("origin", "https://elsewhere.example")),
            None,
        ] {
            let mut request = Request::post(filled(door.path, &world.own))
                .header(header::COOKIE, format!("cs={token}"))
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            if let Some((name, value)) = from {
                request = request.header(name, value);
            }
            let body = Body::from(filled(door.sent, &world.own));
            let response = world.stage.send(request.body(body).expect("a request")).await;
            let (status, body) = text(response).await;
            tried += 1;
            if status != StatusCode::FORBIDDEN || !body.contains("came from another site") {
                findings.push(format!("{} from {from:?}: {status}", door.path));
            }
        }
    }
    assert!(tried > 200 || !is_whole(), "only {tried} attempts");
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

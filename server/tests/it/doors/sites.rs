//! Members who are limited to a site: at every door that a viewer may open they are told nothing of another site, and a thing of
//! it answers like one that nobody has. That their role lets them in as it does others is tried with all other doors, and their
//! event streams in `streams`.

use clarity_domain::role::Role;

use super::matrix::{Door, Kind};
use super::world::{Caller, ELSEWHERE, Things, World};
use super::{Answer, doors, filled, first_difference, is_meant, is_whole, knock, knock_with, without_what_differs};

/// Doors that tell a viewer of every machine.
const TELL: [&str; 3] = ["/w/{slug}", "/api/overview/read", "/api/search/find"];

/// What the door asks, but for no machine: of all there are.
fn of_all(door: &Door, own: &Things) -> String {
    let parts = door.sent.split('&').filter(|part| !part.contains("{asset}"));
    filled(&parts.collect::<Vec<_>>().join("&"), own)
}

/// Whether the request names a machine or a site.
fn names_a_place(door: &Door) -> bool {
    [door.path, door.sent].iter().any(|text| text.contains("{asset}") || text.contains("{site}"))
}

/// As somebody limited is answered, without what they asked for and what differs each time.
async fn limited(world: &World, door: &Door, things: &Things) -> Answer {
    let token = world.session(Caller::Limited).await;
    let mut answer = knock(&world.stage, door, token.as_deref(), things).await;
    for thing in ["asset", "site"] {
        answer.body = answer.body.replace(&things[thing], &format!("<{thing}>"));
        answer.location = answer.location.replace(&things[thing], &format!("<{thing}>"));
    }
    answer.body = without_what_differs(&answer.body);
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_sites_things_are_as_little_there_as_none() {
    let world = World::new().await;
    let (mut findings, mut told, mut tried) = (Vec::new(), Vec::new(), 0);
    for door in doors().filter(|door| door.may.least_role() == Some(Role::Viewer) && door.kind != Kind::Act) {
        for caller in [Caller::Member(Role::Viewer), Caller::Limited] {
            let cookie = world.session(caller).await.map(|token| format!("cs={token}"));
            let sent = of_all(door, &world.own);
            let answer = knock_with(&world.stage, door, cookie.as_deref(), &world.own, &sent).await;
            match (caller, answer.body.contains(ELSEWHERE)) {
                (Caller::Limited, true) => findings.push(format!("{} shows another site", door.path)),
                (Caller::Member(_), true) => told.push(door.path),
                _ => {}
            }
        }
    }
    for path in TELL.into_iter().filter(|path| is_meant(path) && !told.contains(path)) {
        findings.push(format!("{path} shows no viewer the other site: it would prove nothing"));
    }
    for door in doors().filter(|door| door.may.least_role().is_some() && names_a_place(door)) {
        let elsewhere = limited(&world, door, &world.elsewhere).await;
        let none = limited(&world, door, &world.nothing()).await;
        tried += 1;
        if elsewhere.body.contains(ELSEWHERE) {
            findings.push(format!("{} shows a thing of another site", door.path));
        }
        if elsewhere != none {
            findings.push(format!("{}: {:#?}", door.path, first_difference(&elsewhere, &none)));
        }
    }
    assert!(tried > 4 || !is_whole(), "only {tried} doors name a machine or a site");
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

//! The front doors: every page, server function, stream and file, tried by everybody there is.
//!
//! Nobody and whose session has ended is sent to the sign-in; another workspace's member is told that there is nothing; a
//! lower role is refused; and an id of another workspace's thing answers, byte for byte, like one that nothing has. To whoever is
//! limited to a site another one is as little there: see `sites`. The letters that go out are tried as well: see `letters`. And
//! so is that a forgotten check would be noticed: see `planted`.

mod api;
mod asked;
mod letters;
mod masked;
mod matrix;
mod ops;
mod planted;
mod sites;
mod streams;
mod world;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use clarity_domain::role::Role;
use clarity_service::LETTER_KINDS;
use futures::{StreamExt as _, stream};
use letters::LETTERS;
use matrix::{DOORS, Door, Kind, May};
use world::{CANARY, Caller, ELSEWHERE, Things, World};

use crate::stage::{Stage, text, text_header};

/// Where `cargo xtask test isolation` wants the count.
const FIGURES: &str = "CLARITY_DOORS_JSON";
/// Set by `planted`: the doors and kinds of letters that a run is about, with commas between.
const ONLY: &str = "CLARITY_DOORS_ONLY";
/// Set to write the golden file anew.
const UPDATE: &str = "UPDATE_GOLDEN";

/// Whether the run is about everything.
fn is_whole() -> bool {
    std::env::var_os(ONLY).is_none()
}

/// Whether the run is about this door, or this kind of letter.
fn is_meant(name: &str) -> bool {
    std::env::var(ONLY).ok().is_none_or(|only| only.split(',').any(|meant| meant == name))
}

/// The doors that the run is about.
fn doors() -> impl Iterator<Item = &'static Door> {
    DOORS.iter().filter(|door| is_meant(door.path))
}

/// What came back, without what differs by nature.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: StatusCode,
    location: String,
    body: String,
}

fn filled(text: &str, things: &Things) -> String {
    things.iter().fold(text.to_owned(), |text, (thing, value)| text.replace(&format!("{{{thing}}}"), value))
}

async fn knock(stage: &Stage, door: &Door, token: Option<&str>, things: &Things) -> Answer {
    let cookie = token.map(|token| format!("cs={token}"));
    knock_with(stage, door, cookie.as_deref(), things, &filled(door.sent, things)).await
}

async fn knock_with(stage: &Stage, door: &Door, cookie: Option<&str>, things: &Things, sent: &str) -> Answer {
    let (path, sent) = (filled(door.path, things), sent.to_owned());
    let with_query = if sent.is_empty() { path.clone() } else { format!("{path}?{sent}") };
    let mut request = match door.kind {
        Kind::Act => Request::post(path)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded"),
        Kind::Page => Request::get(with_query).header(header::ACCEPT, "text/html"),
        Kind::Read | Kind::Other | Kind::Api => Request::get(with_query),
    };
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    let body = if door.kind == Kind::Act { Body::from(sent) } else { Body::empty() };
    let response = stage.send(request.body(body).expect("a request")).await;
    let location = text_header(&response, "location").to_owned();
    let endless = text_header(&response, "content-type") == "text/event-stream";
    let status = response.status();
    let body = if endless { String::new() } else { text(response).await.1 };
    Answer { status, location, body }
}

/// Of an answer that failed, what it says of why.
fn said(answer: &Answer) -> String {
    if !answer.status.is_server_error() {
        return String::new();
    }
    let at = answer.body.find("ry again").unwrap_or(answer.body.len());
    let start =
        answer.body.char_indices().map(|(at, _)| at).filter(|start| at - start.min(&at) <= 160).min().unwrap_or(0);
    answer.body[start..at].to_owned()
}

/// What is wrong with the answer to this caller, if anything is.
fn wrong(door: &Door, caller: Caller, answer: &Answer) -> Option<&'static str> {
    let to_sign_in = answer.status == StatusCode::FOUND && answer.location.starts_with("/sign-in");
    let signed_out = answer.status == StatusCode::UNAUTHORIZED || to_sign_in;
    let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status);
    let failed = answer.status.is_server_error();
    let fine = !refused && !failed;
    if failed {
        return Some("it failed");
    }
    match (door.may, caller) {
        (May::Anyone, _) => (!fine).then_some("anyone may"),
        (May::Ops | May::LetIn, _) => (!ops::signed_out(answer)).then_some("nobody of a workspace may"),
        (May::Token(_), _) => {
            (answer.status != StatusCode::UNAUTHORIZED).then_some("a cookie opens nothing of the API")
        }
        (_, nobody) if nobody.is_nobody() => (!signed_out).then_some("nobody may without a session"),
        (May::Person, _) => (!fine || to_sign_in).then_some("whoever is signed in may"),
        (May::Member(_), Caller::Stranger) => {
            (answer.status != StatusCode::NOT_FOUND).then_some("to others it is not there")
        }
        (May::Member(_), _) => match (door.may.least_role(), caller.role()) {
            (Some(least), Some(role)) if role < least => {
                (answer.status != StatusCode::FORBIDDEN).then_some("the role may not")
            }
            _ => (!fine || to_sign_in).then_some("the role may"),
        },
    }
}

/// Tries that change nothing for each other, two at a time, since each waits for the database a good part of its time. What
/// they found, in their order.
async fn two_at_a_time<T: Future<Output = Vec<String>>>(tries: impl Iterator<Item = T>) -> Vec<String> {
    stream::iter(tries).buffered(2).concat().await
}

/// Doors that are there and have no row, and rows without a door.
fn unlisted() -> (BTreeSet<String>, BTreeSet<String>) {
    let mut there: BTreeSet<String> = BTreeSet::new();
    there.extend(clarity_server::ssr::pages().map(|path| format!("GET {path}")));
    for (path, method) in leptos::server_fn::axum::server_fn_paths() {
        there.insert(format!("{method} {path}"));
    }
    use clarity_server::router::{of_anybody, of_tokens, of_visitors};
    let plain = [of_visitors(), of_tokens(), of_anybody()];
    there.extend(plain.iter().flatten().map(|(path, _)| format!("GET {path}")));
    // Pages for what is not there are no doors.
    there.retain(|name| !name.contains("{*") && !name.contains("/*"));
    there.extend(LETTER_KINDS.iter().map(|kind| format!("LETTER {kind}")));
    let mut listed: BTreeSet<String> = DOORS.iter().map(|door| format!("{} {}", method(door), door.path)).collect();
    listed.extend(LETTERS.iter().map(|row| format!("LETTER {}", row.kind)));
    let known = |name: &String| listed.iter().any(|row| same_place(row, name));
    let real = |row: &String| there.iter().any(|name| same_place(row, name));
    (
        there.iter().filter(|name| !known(name)).cloned().collect(),
        listed.iter().filter(|row| !real(row)).cloned().collect(),
    )
}

/// Whether a row and a route are one place, whatever they call its parameters.
fn same_place(row: &str, route: &str) -> bool {
    let parts = |text: &str| -> Vec<String> {
        let plain = |part: &str| if part.starts_with(['{', ':', '*']) { "{}".to_owned() } else { part.to_owned() };
        text.trim_end_matches('/').split('/').map(plain).collect()
    };
    parts(row) == parts(route)
}

fn method(door: &Door) -> Method {
    if door.kind == Kind::Act { Method::POST } else { Method::GET }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_door_lets_in_whom_it_should_and_nobody_else() {
    let world = World::new().await;
    let mut findings = Vec::new();
    let mut tried = 0;
    for door in doors() {
        for caller in Caller::ALL {
            let token = world.session(caller).await;
            let answer = knock(&world.stage, door, token.as_deref(), &world.own).await;
            tried += 1;
            if let Some(why) = wrong(door, caller, &answer) {
                let (status, said) = (answer.status, said(&answer));
                findings.push(format!("{} as {caller:?}: {status} {} ({why}) {said}", door.path, answer.location));
            }
            // Of the other workspace a member of ours is never shown a word.
            if caller != Caller::Stranger && answer.body.contains(CANARY) {
                findings.push(format!("{} as {caller:?} shows what is another's", door.path));
            }
            if caller == Caller::Limited && answer.body.contains(ELSEWHERE) {
                findings.push(format!("{} as {caller:?} shows another site", door.path));
            }
        }
    }
    let (without_row, without_door) = unlisted();
    findings.extend(without_row.iter().map(|name| format!("{name} has no row in matrix.rs, or letters/rows.rs")));
    findings.extend(without_door.iter().map(|name| format!("{name} has a row and is not there")));
    println!("{} doors, {tried} attempts", DOORS.len());
    if let Some(file) = std::env::var_os(FIGURES) {
        let doors = DOORS.len() + LETTERS.len();
        let figures = serde_json::json!({ "doors": doors, "doors_without_row": without_row.len() });
        std::fs::write(PathBuf::from(file), figures.to_string()).expect("written");
    }
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anothers_thing_and_none_answer_alike() {
    let world = World::new().await;
    let mut findings = Vec::new();
    let mut tried = 0;
    // Everybody takes their seat; from here on nothing of theirs changes.
    world.session(Caller::Stranger).await;
    let mut untouched = world.all_that_is_theirs().await;
    for door in doors().filter(|door| door.names_a_thing()) {
        let Some(_) = door.may.least_role() else { continue };
        // In our own workspace, a thing of theirs.
        let mut foreign = world.theirs.clone();
        foreign.insert("slug", world.own["slug"].clone());
        let mut answers = Vec::new();
        for things in [foreign, world.nothing()] {
            let token = world.session(Caller::Member(Role::Owner)).await;
            let mut answer = knock(&world.stage, door, token.as_deref(), &things).await;
            for (thing, value) in things.iter().filter(|(thing, _)| **thing != "slug") {
                answer.body = answer.body.replace(value, &format!("<{thing}>"));
                answer.location = answer.location.replace(value, &format!("<{thing}>"));
            }
            answer.body = without_what_differs(&answer.body);
            answers.push(answer);
        }
        tried += 1;
        let now = world.all_that_is_theirs().await;
        if now != untouched {
            findings.push(format!("{} changes what is another's", door.path));
            untouched = now;
        }
        if answers[0].body.contains(CANARY) {
            findings.push(format!("{} shows what is another's", door.path));
        }
        if answers[0] != answers[1] {
            findings.push(format!("{}: {:#?}", door.path, first_difference(&answers[0], &answers[1])));
        }
    }
    assert!(tried > 8 || !is_whole(), "only {tried} doors name a thing");
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

/// What cannot be read is refused with a reason, and nothing fails.
#[tokio::test]
async fn what_cannot_be_read_is_refused_at_every_door() {
    let world = World::new().await;
    let mut findings = Vec::new();
    for door in DOORS.iter().filter(|door| matches!(door.kind, Kind::Act | Kind::Read)) {
        let token = world.session(Caller::Member(Role::Owner)).await;
        let nested = format!("slug=nordmark&{}", "a[".repeat(2_000));
        for sent in
            ["%00%ff=%zz&&==", "slug=nordmark&id=no-uuid&user=7&role=emperor&query=x&stream=&token[]=1", &nested]
        {
            let bad = Door { kind: door.kind, path: door.path, sent: "", may: door.may };
            let mut things = world.own.clone();
            things.insert("unknown", String::new());
            let cookie = token.as_ref().map(|token| format!("cs={token}"));
            let answer = knock_with(&world.stage, &bad, cookie.as_deref(), &things, sent).await;
            if answer.status.is_server_error() {
                findings.push(format!("{} {:.30}: {}", door.path, sent, answer.status));
            }
        }
    }
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

/// Nonces, request ids and times: whatever is a number of more than five digits, or of hexadecimal digits.
fn without_what_differs(body: &str) -> String {
    let nonce = body.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).filter(|nonce| !nonce.is_empty());
    let body = nonce.map_or_else(|| body.to_owned(), |nonce| body.replace(nonce, "<nonce>"));
    let mut out = String::with_capacity(body.len());
    let mut word = String::new();
    for c in body.chars().chain(['\n']) {
        if c.is_ascii_alphanumeric() || "+/=-:._".contains(c) {
            word.push(c);
            continue;
        }
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        out.push_str(if digits > 5 || word.len() > 19 && digits > 0 { "<differs>" } else { &word });
        word.clear();
        out.push(c);
    }
    out
}

fn first_difference(one: &Answer, other: &Answer) -> [String; 2] {
    let at = one.body.bytes().zip(other.body.bytes()).take_while(|(a, b)| a == b).count().saturating_sub(60);
    let cut = |answer: &Answer| {
        let part = String::from_utf8_lossy(&answer.body.as_bytes()[at.min(answer.body.len())..])
            .chars()
            .take(200)
            .collect::<String>();
        format!("{} {} {part}", answer.status, answer.location)
    };
    [cut(one), cut(other)]
}

#[test]
fn the_doors_are_printed() {
    let mut table = "# The front doors\n\nWho may go through each, least role first. Made from `server/tests/it/doors/matrix.rs`, where every\n\
                     door is tried by everybody; a door without a row fails the test.\n\n| door | way | who may |\n|---|---|---|\n"
        .to_owned();
    for door in DOORS {
        let _ = writeln!(table, "| `{}` | {} | {} |", door.path, method(door), door.may.words());
    }
    table += &letters::printed();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/security/doors.md");
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&file, &table).expect("written");
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        golden == table,
        "docs/security/doors.md is out of date: run this test with {UPDATE}=1 and look at what changed"
    );
}

//! Letters are doors as well: each kind is sent, and goes to whom its row says, holds no word of another workspace and no secret
//! but its link's, and its link opens for everybody what the row says and not a thing more.
//!
//! There are no notices to phones yet; they come with the phone's app, and get their rows then.

mod app;
mod mailbox;
mod post;
mod rows;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use axum::http::StatusCode;
use clarity_service::MailSettings;
use clarity_testkit::wait_until;

use super::matrix::{DOORS, Door, Kind};
use super::world::{CANARY, Caller, Things, World};
use super::{Answer, filled, first_difference, is_meant, knock, without_what_differs, wrong};
use crate::stage::PASSWORD;
pub use rows::LETTERS;
use rows::{Opens, Row};

/// Passkeys are made for a host with a name.
const ORIGIN: &str = "https://clarity.example";
const FROM: &str = "Clarity Stream <no-reply@clarity.example>";
const OWNERS: [&str; 2] = [post::OWNER, "second@nordmark.example"];

/// Another owner of ours; and all of our people have a seat in the other workspace too, of which no letter may speak.
const MORE: &str = "
  insert into auth.users (id, email, name, password_hash)
    values (gen_random_uuid(), 'second@nordmark.example', 'nordmark second', '');
  insert into auth.memberships (workspace_id, user_id, role)
    select w.id, u.id, 'owner' from auth.workspaces w, auth.users u
    where w.slug = 'nordmark' and u.email = 'second@nordmark.example';
  insert into auth.memberships (workspace_id, user_id, role)
    select w.id, u.id, 'viewer' from auth.workspaces w, auth.users u
    where w.slug = 'acme' and u.email like '%@nordmark.example'";

struct Letter {
    to: String,
    subject: String,
    text: String,
    html: String,
}

/// The kinds that the run is about.
fn letters() -> impl Iterator<Item = &'static Row> {
    LETTERS.iter().filter(|row| is_meant(row.kind))
}

/// Worlds to send letters in: one for all kinds, as it was before each of them, and a new one for a kind that ends its
/// workspace.
struct Worlds {
    mail: MailSettings,
    shared: Option<World>,
    ended: Option<World>,
}

impl Worlds {
    /// Where letters are kept.
    fn new() -> Self {
        Self::with(MailSettings::outbox(FROM).expect("an address"))
    }

    fn with(mail: MailSettings) -> Self {
        Self { mail, shared: None, ended: None }
    }

    /// One in which nobody has sent a letter, for this kind.
    async fn before(&mut self, kind: &str) -> &World {
        if post::ends_its_workspace(kind) {
            return self.ended.insert(world_with(self.mail.clone()).await);
        }
        let world = match self.shared.take() {
            Some(world) => {
                world.stage.sql(post::AS_IT_WAS).await;
                world.stage.sql(post::AS_THEY_WERE).await;
                world
            }
            None => world_with(self.mail.clone()).await,
        };
        self.shared.insert(world)
    }
}

async fn world_with(mail: MailSettings) -> World {
    let world = World::at(ORIGIN, mail).await;
    // Everybody takes their seat.
    world.session(Caller::Stranger).await;
    world.stage.sql(MORE).await;
    world
}

/// Has a letter sent: whom it is about, and all that went out of this kind.
async fn sent(world: &World, row: &Row, round: usize) -> (String, Vec<Letter>) {
    world.stage.sql("delete from auth.mails").await;
    let whom = post::send(world, row.kind, round).await;
    let admin = world.stage.db.admin().await;
    let read = || async {
        let sql =
            "select to_address, subject, body_text, body_html from auth.mails where kind = $1 order by to_address";
        admin.query(sql, &[&row.kind]).await.expect("readable")
    };
    // Some are written beside the answer.
    wait_until(row.kind, Duration::from_secs(10), || async { !read().await.is_empty() }).await;
    let letters = read().await.into_iter().map(|row| Letter {
        to: row.get(0),
        subject: row.get(1),
        text: row.get(2),
        html: row.get(3),
    });
    (whom, letters.collect())
}

/// The page of this path, as a letter links it: without a query.
fn page(path: &'static str) -> Door {
    let listed = DOORS.iter().find(|door| door.kind == Kind::Page && door.path == path);
    let may = listed.unwrap_or_else(|| panic!("{path} is no page of matrix.rs")).may;
    Door { kind: Kind::Page, path, sent: "", may }
}

/// Whatever is long enough to be a secret of ours.
fn secrets(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| word.len() >= 32 && word.bytes().all(|b| b.is_ascii_hexdigit())).collect()
}

/// The links of the text and those of the HTML, as they stand there.
fn links(letter: &Letter) -> [BTreeSet<&str>; 2] {
    let text = letter.text.split_whitespace().filter(|word| word.contains("://"));
    let html = letter.html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    [text.collect(), html.collect()]
}

/// Whether this link is the one that the row names, of our own workspace.
fn is_link(pattern: &str, link: &str, own: &Things) -> bool {
    let Some(path) = link.strip_prefix(ORIGIN) else { return false };
    match pattern.split_once("{unknown}") {
        Some((before, _)) => path.strip_prefix(before).is_some_and(|secret| secret.len() == 64),
        None => path == filled(pattern, own),
    }
}

/// What is wrong with what the letter says, if anything is.
fn said(world: &World, row: &Row, letter: &Letter) -> Vec<String> {
    let mut findings = Vec::new();
    let whole = [letter.subject.as_str(), &letter.text, &letter.html].join("\n");
    for word in [CANARY, "acme", PASSWORD] {
        if whole.contains(word) {
            findings.push(format!("it says {word}"));
        }
    }
    for asks in ["<img", "<script", "<link", "src=", "url("] {
        if letter.html.contains(asks) {
            findings.push(format!("its HTML has {asks}"));
        }
    }
    let [text, html] = links(letter);
    let named = |link: &&str| row.links.iter().any(|pattern| is_link(pattern, link, &world.own));
    if text != html || text.len() != row.links.len() || !text.iter().all(named) {
        findings.push(format!("its links are {text:?} and {html:?}"));
    }
    if secrets(&whole).len() != usize::from(row.opens.door().is_some()) {
        findings.push(format!("its secrets are {:?}", secrets(&whole)));
    }
    if letter.subject.is_empty() || letter.subject.contains(char::is_control) {
        findings.push(format!("its subject is {:?}", letter.subject));
    }
    findings
}

/// What a door says to somebody who has this secret, without it and without what differs each time.
async fn tried(world: &World, door: &Door, caller: Caller, secret: &str) -> Answer {
    let mut things = world.own.clone();
    things.insert("unknown", secret.to_owned());
    let session = world.session(caller).await;
    let answer = knock(&world.stage, door, session.as_deref(), &things).await;
    neutral(answer, secret)
}

fn neutral(answer: Answer, of: &str) -> Answer {
    let Answer { status, location, body } = answer;
    Answer { status, location: location.replace(of, "<of>"), body: without_what_differs(&body.replace(of, "<of>")) }
}

fn is_fine(status: StatusCode) -> bool {
    !status.is_client_error() && !status.is_server_error()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_letter_goes_to_whom_it_should_and_says_nothing_else() {
    let (mut findings, mut worlds) = (Vec::new(), Worlds::new());
    for row in letters() {
        let world = worlds.before(row.kind).await;
        let (whom, letters) = sent(world, row, 0).await;
        let (mut to, mut may) = (Vec::new(), row.to.addresses(&whom, &OWNERS));
        to.extend(letters.iter().map(|letter| letter.to.clone()));
        to.sort();
        may.sort();
        if to != may {
            findings.push(format!("{} went to {to:?} and not to {may:?}", row.kind));
        }
        for letter in &letters {
            findings.extend(said(world, row, letter).iter().map(|why| format!("{}: {why}", row.kind)));
        }
    }
    println!("{} kinds of letters", LETTERS.len());
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

/// A link without a secret is worth no more than its address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plain_link_opens_its_door_to_those_who_may_and_to_nobody_else() {
    let (mut findings, mut tried, mut worlds) = (Vec::new(), 0, Worlds::new());
    for row in letters().filter(|row| row.opens == Opens::Doors && !row.links.is_empty()) {
        let world = worlds.before(row.kind).await;
        sent(world, row, 0).await;
        for door in row.links.iter().map(|path| page(path)) {
            for caller in Caller::ALL {
                let session = world.session(caller).await;
                let answer = knock(&world.stage, &door, session.as_deref(), &world.own).await;
                tried += 1;
                if let Some(why) = wrong(&door, caller, &answer) {
                    findings.push(format!("{} of {} as {caller:?}: {} ({why})", door.path, row.kind, answer.status));
                }
                if caller != Caller::Stranger || !door.path.contains("{slug}") {
                    continue;
                }
                let mut nowhere = world.own.clone();
                nowhere.insert("slug", "never-was".to_owned());
                let none = knock(&world.stage, &door, session.as_deref(), &nowhere).await;
                let (answer, none) = (neutral(answer, &world.own["slug"]), neutral(none, "never-was"));
                if answer != none {
                    findings.push(format!("{} of {}: {:#?}", door.path, row.kind, first_difference(&answer, &none)));
                }
            }
        }
    }
    println!("{tried} attempts at plain links");
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

/// Looking uses nothing up: mail scanners do it. A link that was used is to everybody like one that never was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letters_secret_does_what_its_row_says_and_then_nothing() {
    let (mut findings, mut worlds) = (Vec::new(), Worlds::new());
    for row in letters() {
        let Some(door) = row.opens.door() else { continue };
        let door = DOORS.iter().find(|listed| listed.path == door).expect("a row of matrix.rs");
        let page = page(row.links[0]);
        let world = worlds.before(row.kind).await;
        let nobodys = world.own["unknown"].clone();
        let mut secret = String::new();
        for (round, caller) in Caller::ALL.into_iter().enumerate() {
            let mut find = |why: &str| findings.push(format!("{} as {caller:?}: {why}", row.kind));
            let once = !matches!(row.opens, Opens::Often(_));
            if once || round == 0 {
                let (_, letters) = sent(world, row, round).await;
                secret = secrets(&letters[0].text).first().map(|it| (*it).to_owned()).expect("a secret");
            }
            if matches!(row.opens, Opens::OnceForItsPerson(_)) && !row.opens.lets(caller) {
                for door in [&page, door] {
                    let theirs = tried(world, door, caller, &secret).await;
                    let never = tried(world, door, caller, &nobodys).await;
                    if theirs != never {
                        find(&format!("at {}: {:#?}", door.path, first_difference(&theirs, &never)));
                    }
                }
                continue;
            }
            let looked = tried(world, &page, caller, &secret).await;
            let looked_again = tried(world, &page, caller, &secret).await;
            if !is_fine(looked.status) || looked == tried(world, &page, caller, &nobodys).await {
                find("its page does not open");
            }
            if looked.status != looked_again.status {
                find("a look used it up");
            }
            let used = tried(world, door, caller, &secret).await;
            match (row.opens.lets(caller), used.status) {
                (true, status) if is_fine(status) => {}
                (false, StatusCode::CONFLICT) => {
                    let by_whom_it_is_for = tried(world, door, Caller::Anonymous, &secret).await;
                    if !is_fine(by_whom_it_is_for.status) {
                        find("a refusal used it up");
                    }
                }
                (_, status) => find(&format!("its door answers {status}")),
            }
            world.stage.sql(post::AS_THEY_WERE).await;
            let none = tried(world, door, caller, &nobodys).await;
            if is_fine(none.status) {
                find("any secret would do");
            }
            // The first one's used link is tried by all, the others' by themselves.
            let later = if round == 0 { Caller::ALL.to_vec() } else { vec![caller] };
            for (later, door) in later.into_iter().filter(|_| once).flat_map(|later| [(later, &page), (later, door)]) {
                let dead = tried(world, door, later, &secret).await;
                let never = tried(world, door, later, &nobodys).await;
                if dead != never {
                    find(&format!("used, at {} as {later:?}: {:#?}", door.path, first_difference(&dead, &never)));
                }
            }
        }
    }
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

/// The letters' part of `docs/security/doors.md`.
pub fn printed() -> String {
    let mut table = "\n## Letters\n\nWho gets each, and what its links open. Made from `server/tests/it/doors/letters/rows.rs`, where each kind is sent,\n\
                     read, and its links are tried by everybody; a kind without a row fails the test. Nothing is pushed to phones yet:\n\
                     what will be gets its rows then.\n\n| letter | to | links | who may open them |\n|---|---|---|---|\n"
        .to_owned();
    for row in LETTERS {
        let links: Vec<String> = row.links.iter().map(|link| format!("`{link}`")).collect();
        let doors: BTreeSet<&str> = row.links.iter().map(|link| page(link).may.words()).collect();
        let who = row.opens.words().map_or_else(|| doors.into_iter().collect::<Vec<_>>().join(", "), str::to_owned);
        let (links, who) =
            if links.is_empty() { ("none".to_owned(), "–".to_owned()) } else { (links.join(", "), who) };
        let _ = writeln!(table, "| `{}` | {} | {links} | {who} |", row.kind, row.to.words());
    }
    table
}

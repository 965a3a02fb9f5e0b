//! Forgotten checks, planted in our own code one at a time: each has to be found by a test at the doors, or the doors prove
//! less than they say. Faults in the database are planted by `crates/store/tests/isolation`.
//!
//! A fault is a line that asks `planted("its name")`, in a build with the feature `planted-faults` alone. To add one: that line,
//! a row here, and the test that has to fail with it. `cargo xtask test isolation` runs them.

use std::path::{Path, PathBuf};

use super::letters::LETTERS;
use super::matrix::DOORS;

struct Fault {
    name: &'static str,
    breaks: &'static str,
    /// Where it stands, from the root.
    file: &'static str,
    /// The test that fails with it, below `doors::`.
    test: &'static str,
    /// The doors and kinds of letters that this test is run for; none: it looks at its own.
    only: &'static [&'static str],
}

const fn fault(
    name: &'static str,
    breaks: &'static str,
    file: &'static str,
    test: &'static str,
    only: &'static [&'static str],
) -> Fault {
    Fault { name, breaks, file, test, only }
}

const EVERY: &str = "every_door_lets_in_whom_it_should_and_nobody_else";
const ANOTHERS: &str = "anothers_thing_and_none_answer_alike";
const PLACES: &str = "sites::another_sites_things_are_as_little_there_as_none";
const STREAMS: &str = "streams::streams_that_are_open_at_once_tell_each_their_own";
const MASKED: &str = "masked::no_door_tells_a_viewer_what_is_masked";
const TOKENS: &str = "api::a_token_opens_what_its_scope_says_in_its_own_workspace";
const CONFIRMED: &str = "asked::dangerous_acts_ask_for_a_confirmation_of_a_moment_ago";
const SITES: &str = "asked::no_other_site_acts_by_anybodys_cookie";
const LETTER: &str = "letters::every_letter_goes_to_whom_it_should_and_says_nothing_else";
const SECRETS: &str = "letters::a_letters_secret_does_what_its_row_says_and_then_nothing";

const LIVE: &str = "crates/service/src/live.rs";
const VISITOR: &str = "crates/service/src/visitor.rs";
const PLANTED: &str = "crates/service/src/planted.rs";

#[rustfmt::skip]
const FAULTS: &[Fault] = &[
    // What is kept from one request to the next.
    fault("a-stream-key-without-workspace", "a feed of events is shared by all workspaces", LIVE, STREAMS, &[]),
    fault("a-stream-key-without-role", "a feed of events is shared by all roles", LIVE, STREAMS, &[]),
    fault("a-stream-key-without-sites", "a feed of events is shared by members of other sites", LIVE, STREAMS, &[]),
    fault("the-scope-of-whoever-came-first", "the process works in the workspace that was entered first", PLANTED, STREAMS, &[]),
    fault("an-ended-session-remembered", "who came with a token is remembered and not asked for again", PLANTED, EVERY, &["/w/{slug}"]),
    // Who is let in.
    fault("a-seat-by-any-slug", "a seat is taken without a look at the workspace", VISITOR, EVERY, &["/api/members/read"]),
    fault("a-workspace-of-others-is-forbidden", "others' workspaces are told apart from those that are none", VISITOR, EVERY, &["/w/{slug}/members"]),
    fault("a-page-without-permission", "one act's permission is forgotten", "crates/service/src/audit/mod.rs", EVERY, &["/api/retention/read"]),
    fault("a-file-without-permission", "a download asks for no permission", "crates/service/src/audit/export.rs", EVERY, &["/w/{slug}/audit.csv"]),
    fault("everything-without-permission", "the file of everything asks for no permission", "crates/service/src/deletion/export.rs", EVERY, &["/w/{slug}/export.ndjson"]),
    fault("a-door-that-nobody-listed", "a route is added and tried by nobody", "server/src/router.rs", EVERY, &["/healthz"]),
    fault("an-act-without-confirmation", "dangerous acts are done by a session of any age", "crates/service/src/second_factor/step_up.rs", CONFIRMED, &["/api/sso/remove"]),
    fault("another-site-may-post", "forms of other sites are taken", "server/src/middleware/cross_site.rs", SITES, &["/api/members/leave"]),
    fault("any-scope-of-the-api", "a token's scopes are not looked at", "crates/service/src/tokens/enter.rs", TOKENS, &["/api/v1/assets"]),
    // Another's things, by their ids.
    fault("an-invitation-of-any-workspace", "an invitation is ended by its id alone", "crates/store/src/planted.rs", ANOTHERS, &["/api/members/revoke"]),
    fault("a-pairing-of-any-workspace", "a pairing is shown by its id alone", "crates/store/src/planted.rs", ANOTHERS, &["/api/pairing/get"]),
    fault("a-pairing-told-apart", "another's pairing answers otherwise than none", "crates/store/src/auth/pairing.rs", ANOTHERS, &["/api/pairing/get"]),
    fault("a-token-of-any-workspace", "an API token is revoked by its id alone", "crates/store/src/planted.rs", ANOTHERS, &["/api/tokens/revoke"]),
    fault("a-session-of-anybody", "anybody's session is ended by its id, and nothing is told", "crates/store/src/planted.rs", ANOTHERS, &["/api/sessions/end"]),
    fault("every-site-for-everybody", "no member is limited to sites", "crates/store/src/tx.rs", PLACES, &["/api/overview/read"]),
    // Masks of a role.
    fault("masks-forgotten", "no role's masks are applied", "crates/service/src/masked.rs", MASKED, &["/api/overview/read"]),
    fault("a-dead-letter-without-masks", "dead letters are shown as they came", "crates/service/src/dead_letters.rs", MASKED, &["/api/dead_letters/list"]),
    fault("a-search-behind-the-masks", "names are found that are masked", "crates/service/src/frame.rs", MASKED, &["/api/search/find"]),
    // Letters and their links.
    fault("an-invitation-for-whoever-has-it", "an invitation is used under another address", "crates/service/src/members/accept.rs", SECRETS, &["invitation"]),
    fault("a-letter-to-all-members", "a letter to owners goes to every member", "crates/service/src/deletion/mod.rs", LETTER, &["deletion_requested"]),
    fault("a-link-for-a-second-time", "the link to a new password is never used up", "crates/service/src/reset.rs", SECRETS, &["reset_password"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All Rust files below a folder.
fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            files.push(path);
        }
    }
}

/// Names as faults have them, quoted in lines that speak of faults.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let quoted = |line| str::split(line, '"').skip(1).step_by(2);
    let is_name = |word: &&str| word.contains('-') && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    text.lines().filter(|line| line.contains("planted") || line.contains("whose(")).flat_map(quoted).filter(is_name)
}

#[test]
fn every_fault_has_its_place_its_test_and_its_doors() {
    let mut tests = Vec::new();
    sources(&root().join("server/tests/it/doors"), &mut tests);
    let tests: String = tests.iter().map(|file| std::fs::read_to_string(file).expect("readable")).collect();
    for fault in FAULTS {
        let Fault { name, breaks, file, test, only } = fault;
        assert_eq!(FAULTS.iter().filter(|other| other.name == *name).count(), 1, "{name} is there twice");
        assert!(!breaks.is_empty(), "{name} breaks nothing");
        let text = std::fs::read_to_string(root().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        assert!(text.contains(&format!("\"{name}\"")), "{name} is not in {file}");
        let called = test.rsplit("::").next().unwrap_or(test);
        assert!(tests.contains(&format!("async fn {called}()")), "{test} is no test");
        for meant in *only {
            let known = DOORS.iter().any(|door| door.path == *meant) || LETTERS.iter().any(|row| row.kind == *meant);
            assert!(known, "{name}: {meant} is no door and no kind of letter");
        }
    }
    let mut files = Vec::new();
    for folder in ["crates/store/src", "crates/service/src", "server/src"] {
        sources(&root().join(folder), &mut files);
    }
    for file in files {
        let text = std::fs::read_to_string(&file).expect("readable");
        for name in named(&text) {
            assert!(FAULTS.iter().any(|fault| fault.name == name), "{}: {name} has no row", file.display());
        }
    }
}

#[cfg(feature = "planted-faults")]
mod tried {
    use std::collections::{BTreeMap, BTreeSet};
    use std::process::Command;
    use std::sync::Mutex;
    use std::time::Instant;

    use super::super::{FIGURES, ONLY};
    use super::{FAULTS, Fault};

    /// Names the planted fault, as `clarity_runtime::planted` reads it.
    const FAULT: &str = "CLARITY_PLANTED";
    /// Where `cargo xtask test isolation` wants the score.
    const SCORE: &str = "CLARITY_PLANTED_JSON";

    /// One test in a process of its own.
    struct Ran {
        /// As the test runner says it: it ran and passed, or it ran and failed. Neither, when there is no such test.
        passed: bool,
        failed: bool,
        said: String,
        seconds: f64,
    }

    fn run(test: &str, only: &[&str], fault: Option<&str>) -> Ran {
        let started = Instant::now();
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args([format!("doors::{test}").as_str(), "--exact", "--nocapture", "--test-threads=1"]);
        command.env(ONLY, only.join(",")).env_remove(FIGURES).env_remove(SCORE).env_remove(FAULT);
        if let Some(fault) = fault {
            command.env(FAULT, fault);
        }
        let output = command.output().expect("it runs");
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        Ran {
            passed: output.status.success() && said.contains(" 1 passed; 0 failed;"),
            failed: !output.status.success() && said.contains(" 0 passed; 1 failed;"),
            said,
            seconds: started.elapsed().as_secs_f64(),
        }
    }

    /// Of many pieces of work two at a time: there are two cores. In order.
    fn two_at_a_time<T: Sync, R: Send>(work: &[T], each: impl Fn(&T) -> R + Sync) -> Vec<R> {
        let (next, done) = (Mutex::new(work.iter().enumerate()), Mutex::new(BTreeMap::new()));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    loop {
                        let Some((at, piece)) = next.lock().unwrap().next() else { return };
                        let result = each(piece);
                        done.lock().unwrap().insert(at, result);
                    }
                });
            }
        });
        done.into_inner().unwrap().into_values().collect()
    }

    /// Without a fault each of the tests passes; with one, the test fails that has to.
    #[test]
    fn every_planted_fault_is_found() {
        let tests: BTreeSet<&str> = FAULTS.iter().map(|fault| fault.test).collect();
        let tests: Vec<&str> = tests.into_iter().collect();
        let without = two_at_a_time(&tests, |test| {
            let only: Vec<&str> =
                FAULTS.iter().filter(|fault| fault.test == *test).flat_map(|fault| fault.only).copied().collect();
            run(test, &only, None)
        });
        for (test, ran) in tests.iter().zip(&without) {
            assert!(ran.passed, "{test} fails without a fault:\n{}", ran.said);
        }
        println!("\n          seconds  fault");
        let with = two_at_a_time(FAULTS, |fault| run(fault.test, fault.only, Some(fault.name)));
        let is_found = |fault: &Fault, ran: &Ran| {
            ran.failed && ran.said.lines().any(|line| line == format!("planted: {}", fault.name))
        };
        let mut missed = Vec::new();
        for (fault, ran) in FAULTS.iter().zip(&with) {
            let mark = if is_found(fault, ran) { "found" } else { "MISSED" };
            println!("{mark:<7} {:>9.1}  {} ({}, {})", ran.seconds, fault.breaks, fault.name, fault.file);
            if !is_found(fault, ran) {
                missed.push(format!("{} by {}:\n{}", fault.name, fault.test, ran.said));
            }
        }
        let (planted, found) = (FAULTS.len(), FAULTS.len() - missed.len());
        println!("{found} of {planted} faults planted in the code found");
        if let Some(file) = std::env::var_os(SCORE) {
            let score = serde_json::json!({ "planted": planted, "found": found });
            std::fs::write(file, score.to_string()).expect("written");
        }
        assert!(missed.is_empty(), "{} not found:\n{}", missed.len(), missed.join("\n\n"));
    }
}

//! Another e-mail address: asked for, made by the link in its letter, stopped by the one in the other, and told to nobody whose
//! it is not.

use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::role::Role;
use clarity_domain::view::members::Invitee;
use clarity_service::{SignedIn, Visitor};

use crate::stage::{PASSWORD, Stage, client};

const MAJA: &str = "maja@nordmark.example";
const NEW: &str = "maja.lind@nordmark.example";
const JOE: &str = "joe@acme.example";
/// Links that never were.
const NONE: [&str; 4] = ["", "0", "%00", "abababababababababababababababababababababababababababababababab"];

async fn ask(stage: &Stage, who: &SignedIn, email: &str) -> Result<(), AppError> {
    stage.services.ask_email_change(&stage.visitor(who).await, email, &client()).await
}

/// The secrets of both links: the one that makes the change, and the one that stops it.
async fn asked(stage: &Stage, who: &SignedIn, email: &str) -> (String, String) {
    ask(stage, who, email).await.unwrap();
    (stage.token_in_letter(email, "/email/").await, stage.token_in_letter(MAJA, "/email/stop/").await)
}

async fn change(stage: &Stage, who: &SignedIn, token: &str) -> Result<(), AppError> {
    stage.services.change_email(&stage.visitor(who).await, token, &client()).await
}

async fn stop(stage: &Stage, token: &str) -> Result<(), AppError> {
    stage.services.stop_email_change(token, &client()).await
}

/// The address that the page shows as the one that waits.
async fn waiting(stage: &Stage, who: &SignedIn) -> Option<String> {
    let open = stage.services.open_sessions(&stage.visitor(who).await).await.unwrap();
    open.email.waiting.map(|waiting| waiting.address)
}

#[tokio::test]
async fn a_new_address_is_made_by_the_link_in_its_letter_and_the_other_sessions_end() {
    let stage = Stage::new().await;
    let here = stage.sign_up("One", MAJA).await.unwrap();
    stage.sign_up("Two", MAJA).await.unwrap();
    let joe = stage.sign_up("Acme", JOE).await.unwrap();
    let there = stage.sign_in(MAJA, PASSWORD).await.unwrap();
    let (token, stopping) = asked(&stage, &here, " Maja.Lind@Nordmark.Example ").await;
    assert_eq!(waiting(&stage, &here).await.as_deref(), Some(NEW));
    for table in ["auth.email_changes", "auth.email_stops"] {
        let stored = format!("{table} e where e::text like '%{token}%' or e::text like '%{stopping}%'");
        assert_eq!(stage.count(&stored).await, 0, "links are kept as hashes");
    }
    let (_, text) = stage.last_letter(MAJA).await;
    assert!(text.contains(NEW) && !text.contains(&token), "{text}");
    // Nothing has changed, and looking changes nothing.
    for _ in 0..2 {
        let found = stage.services.find_email_change(&stage.visitor(&here).await, &token).await.unwrap();
        assert_eq!((found.from.as_str(), found.to.as_str()), (MAJA, NEW));
    }
    assert!(stage.visitor(&there).await.session().is_some());
    assert!(stage.sign_in(NEW, PASSWORD).await.is_err());
    stage.services.ask_password_reset(MAJA, &client()).await.unwrap();
    stage.comes_to("auth.password_resets", 1).await;

    change(&stage, &here, &token).await.unwrap();
    let visitor = stage.visitor(&here).await;
    assert_eq!(visitor.session().map(|session| session.user.email.as_str()), Some(NEW), "this one goes on");
    assert!(stage.visitor(&there).await.session().is_none(), "the others do not");
    assert!(stage.visitor(&joe).await.session().is_some(), "nobody else's");
    assert_eq!((stage.count("auth.password_resets").await, stage.count("auth.email_changes").await), (0, 0));
    assert!(stage.sign_in(MAJA, PASSWORD).await.is_err());
    stage.sign_in(NEW, PASSWORD).await.unwrap();
    let (subject, text) = stage.last_letter(MAJA).await;
    assert!(subject.contains("was changed") && text.contains(NEW), "the old address is told: {subject}: {text}");
    for ended in [token.as_str(), stopping.as_str()] {
        assert_eq!(change(&stage, &here, ended).await.unwrap_err().code, ErrorCode::NotFound);
        assert_eq!(stop(&stage, ended).await.unwrap_err().code, ErrorCode::NotFound);
    }
    // In the log of each workspace of the person, and of nobody else's.
    let told = format!(
        "audit_entries where act = 'email.change' and outcome = 'done' and before->>'email' = '{MAJA}' and after->>'email' = '{NEW}'"
    );
    assert_eq!(stage.count(&told).await, 2);
    assert_eq!(stage.count("audit_entries where act = 'email.ask_change' and address = '192.0.2.1'").await, 2);
    for secret in [&token, &stopping] {
        assert_eq!(stage.count(&format!("audit_entries e where e::text like '%{secret}%'")).await, 0);
    }
}

#[tokio::test]
async fn a_link_works_once_in_time_and_for_its_person_alone() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("One", MAJA).await.unwrap();
    let joe = stage.sign_up("Acme", JOE).await.unwrap();
    let (older, _) = asked(&stage, &maja, "older@nordmark.example").await;
    let (token, _) = asked(&stage, &maja, NEW).await;
    let here = stage.visitor(&maja).await;
    // Somebody else's, one that a newer one took the place of, and those that never were: one answer.
    let foreign = change(&stage, &joe, &token).await.unwrap_err();
    assert_eq!(foreign.code, ErrorCode::NotFound);
    for none in [older.as_str()].into_iter().chain(NONE) {
        assert_eq!(change(&stage, &maja, none).await.unwrap_err(), foreign, "{none:?}");
        assert_eq!(stage.services.find_email_change(&here, none).await.unwrap_err(), foreign, "{none:?}");
    }
    let nobody = stage.services.change_email(&Visitor::Anonymous, &token, &client()).await.unwrap_err();
    assert_eq!(nobody.code, ErrorCode::Unauthenticated, "whoever is signed out signs in first");
    // Two at once: one of them makes it.
    let (one, other) = futures::join!(change(&stage, &maja, &token), change(&stage, &maja, &token));
    let lost: Vec<ErrorCode> = [one.err(), other.err()].into_iter().flatten().map(|error| error.code).collect();
    assert_eq!(lost, [ErrorCode::NotFound]);
    assert_eq!(stage.count(&format!("auth.users where email = '{NEW}' and email_verified_at is not null")).await, 1);
    // An hour later.
    ask(&stage, &maja, "third@nordmark.example").await.unwrap();
    let late = stage.token_in_letter("third@nordmark.example", "/email/").await;
    let stopping = stage.token_in_letter(NEW, "/email/stop/").await;
    stage.sql("update auth.email_changes set expires_at = now() - interval '1 second'").await;
    assert_eq!(change(&stage, &maja, &late).await.unwrap_err(), foreign);
    assert_eq!(stop(&stage, &stopping).await.unwrap_err().code, ErrorCode::NotFound);
    assert_eq!(waiting(&stage, &maja).await, None);
}

/// What a letter says, without what differs by nature.
async fn plain(stage: &Stage, address: &str) -> String {
    let (subject, text) = stage.last_letter(MAJA).await;
    let stopping = stage.token_in_letter(MAJA, "/email/stop/").await;
    format!("{subject}\n{text}").replace(&stopping, "<link>").replace(address, "<address>")
}

#[tokio::test]
async fn who_asks_is_not_told_whether_the_address_has_an_account() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("One", MAJA).await.unwrap();
    stage.sign_up("Acme", JOE).await.unwrap();
    let mut seen = Vec::new();
    for address in [NEW, JOE] {
        ask(&stage, &maja, address).await.unwrap();
        assert_eq!(waiting(&stage, &maja).await.as_deref(), Some(address));
        seen.push(plain(&stage, address).await);
    }
    assert_eq!(seen[0], seen[1], "the letter to the old address is the same");
    assert_eq!(stage.count("auth.email_changes").await, 1);
    let (subject, text) = stage.last_letter(JOE).await;
    assert!(subject.contains("has an account") && text.contains("/sign-in"), "{subject}: {text}");
    assert!(!text.contains("/email/") && !text.contains(MAJA), "no link that makes it, and no word of whom: {text}");
    // And it can be stopped like any other.
    stop(&stage, &stage.token_in_letter(MAJA, "/email/stop/").await).await.unwrap();
}

#[tokio::test]
async fn an_address_that_was_taken_meanwhile_is_refused_in_words() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("One", MAJA).await.unwrap();
    let (token, _) = asked(&stage, &maja, NEW).await;
    stage.sign_up("Another", NEW).await.unwrap();
    let taken = change(&stage, &maja, &token).await.unwrap_err();
    assert_eq!(taken.code, ErrorCode::Conflict);
    assert!(taken.message.contains("another account has this e-mail"), "{taken}");
    assert_eq!(stage.visitor(&maja).await.session().map(|session| session.user.email.as_str()), Some(MAJA));
    assert_eq!(stage.count("audit_entries where act = 'email.change' and outcome = 'refused'").await, 1);
    assert!(!stage.last_letter(MAJA).await.0.contains("was changed"));
}

#[tokio::test]
async fn the_old_address_stops_it_and_every_session_ends() {
    let stage = Stage::new().await;
    let thief = stage.sign_up("One", MAJA).await.unwrap();
    let joe = stage.sign_up("Acme", JOE).await.unwrap();
    let (token, stopping) = asked(&stage, &thief, NEW).await;
    for _ in 0..2 {
        let found = stage.services.find_email_stop(&stopping).await.unwrap();
        assert_eq!((found.from.as_str(), found.to.as_str()), (MAJA, NEW), "looking stops nothing");
    }
    let unknown = stop(&stage, &token).await.unwrap_err();
    assert_eq!(unknown.code, ErrorCode::NotFound, "the one link is not the other");
    for none in NONE {
        assert_eq!(stop(&stage, none).await.unwrap_err(), unknown, "{none:?}");
        assert_eq!(stage.services.find_email_stop(none).await.unwrap_err(), unknown, "{none:?}");
    }
    stop(&stage, &stopping).await.unwrap();
    assert!(stage.visitor(&thief).await.session().is_none() && stage.visitor(&joe).await.session().is_some());
    assert_eq!(stop(&stage, &stopping).await.unwrap_err(), unknown);
    let maja = stage.sign_in(MAJA, PASSWORD).await.unwrap();
    assert_eq!(change(&stage, &maja, &token).await.unwrap_err().code, ErrorCode::NotFound);
    let told = format!("audit_entries where act = 'email.stop_change' and before->>'asked_for' = '{NEW}'");
    assert_eq!(stage.count(&told).await, 1);
}

#[tokio::test]
async fn every_letter_of_the_hour_stops_what_waits_now() {
    let stage = Stage::new().await;
    let thief = stage.sign_up("One", MAJA).await.unwrap();
    let here = stage.visitor(&thief).await;
    let (_, first) = asked(&stage, &thief, "first@evil.example").await;
    // Asked again, and taken back and asked again.
    let (_, second) = asked(&stage, &thief, "second@evil.example").await;
    stage.services.withdraw_email_change(&here, &client()).await.unwrap();
    for ended in [&first, &second] {
        assert_eq!(stop(&stage, ended).await.unwrap_err().code, ErrorCode::NotFound, "nothing waits");
    }
    let (token, third) = asked(&stage, &thief, NEW).await;
    for link in [&first, &second, &third] {
        let found = stage.services.find_email_stop(link).await.unwrap();
        assert_eq!((found.from.as_str(), found.to.as_str()), (MAJA, NEW));
    }
    stop(&stage, &first).await.unwrap();
    assert!(stage.visitor(&thief).await.session().is_none());
    assert_eq!(stage.count("auth.email_changes").await + stage.count("auth.email_stops").await, 0);
    let told = format!("audit_entries where act = 'email.stop_change' and before->>'asked_for' = '{NEW}'");
    assert_eq!(stage.count(&told).await, 1);
    for ended in [&first, &second, &third] {
        assert_eq!(stop(&stage, ended).await.unwrap_err().code, ErrorCode::NotFound);
    }
    let maja = stage.sign_in(MAJA, PASSWORD).await.unwrap();
    assert_eq!(change(&stage, &maja, &token).await.unwrap_err().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_letter_stops_nothing_after_its_hour_nor_once_its_address_is_not_theirs() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("One", MAJA).await.unwrap();
    let (_, old) = asked(&stage, &maja, "first@nordmark.example").await;
    stage.sql("update auth.email_stops set expires_at = now() - interval '1 second'").await;
    let (token, stopping) = asked(&stage, &maja, NEW).await;
    assert_eq!(stop(&stage, &old).await.unwrap_err().code, ErrorCode::NotFound, "its hour is over");
    change(&stage, &maja, &token).await.unwrap();
    // What is asked for next is none of the mailbox that was left.
    ask(&stage, &maja, "third@nordmark.example").await.unwrap();
    for left in [&old, &stopping] {
        assert_eq!(stop(&stage, left).await.unwrap_err().code, ErrorCode::NotFound);
    }
    assert_eq!(waiting(&stage, &maja).await.as_deref(), Some("third@nordmark.example"));
}

#[tokio::test]
async fn its_person_takes_it_back_and_a_new_password_ends_it() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("One", MAJA).await.unwrap();
    let here = stage.visitor(&maja).await;
    let (token, _) = asked(&stage, &maja, NEW).await;
    stage.services.withdraw_email_change(&here, &client()).await.unwrap();
    assert_eq!(waiting(&stage, &maja).await, None);
    assert_eq!(change(&stage, &maja, &token).await.unwrap_err().code, ErrorCode::NotFound);
    // Once more does nothing, and is not written down.
    stage.services.withdraw_email_change(&here, &client()).await.unwrap();
    assert_eq!(stage.count("audit_entries where act = 'email.stop_change'").await, 1);

    asked(&stage, &maja, NEW).await;
    let new = "another four plain words";
    stage.services.change_password(&here, PASSWORD.into(), new.into(), &client()).await.unwrap();
    assert_eq!(waiting(&stage, &maja).await, None);

    let (token, _) = asked(&stage, &maja, NEW).await;
    stage.services.ask_password_reset(MAJA, &client()).await.unwrap();
    stage.comes_to("auth.password_resets", 1).await;
    let reset = stage.token_in_letter(MAJA, "/reset/").await;
    stage.services.reset_password(&reset, PASSWORD.into(), &client()).await.unwrap();
    let again = stage.sign_in(MAJA, PASSWORD).await.unwrap();
    assert_eq!(change(&stage, &again, &token).await.unwrap_err().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn it_is_asked_for_by_somebody_who_has_just_shown_that_it_is_them() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("One", MAJA).await.unwrap();
    for (email, words) in [
        ("nonsense", "Enter an e-mail"),
        ("a@b.example\r\nBcc: eve@evil.example", "Enter an e-mail"),
        ("a@b.example,eve@evil.example", "Enter an e-mail"),
        ("MAJA@nordmark.example", "your e-mail address already"),
    ] {
        let wrong = ask(&stage, &maja, email).await.unwrap_err();
        assert_eq!((wrong.code, wrong.field.as_deref()), (ErrorCode::Invalid, Some("email")), "{email:?}");
        assert!(wrong.message.contains(words), "{email:?}: {wrong}");
    }
    let nobody = stage.services.ask_email_change(&Visitor::Anonymous, NEW, &client()).await.unwrap_err();
    assert_eq!(nobody.code, ErrorCode::Unauthenticated);
    stage.sql("update auth.sessions set confirmed_at = now() - interval '16 minutes'").await;
    assert_eq!(ask(&stage, &maja, NEW).await.unwrap_err().code, ErrorCode::ConfirmNeeded);
    // The page asks for it before anything is typed, and for no more than a moment.
    for (ago, asks) in [("16 minutes", true), ("3 minutes", true), ("1 minute", false)] {
        stage.sql(&format!("update auth.sessions set confirmed_at = now() - interval '{ago}'")).await;
        let own = stage.services.open_sessions(&stage.visitor(&maja).await).await.unwrap().email;
        assert_eq!(own.confirmed, !asks, "{ago}");
    }
    stage.sql("update auth.sessions set confirmed_at = now()").await;
    let (token, _) = asked(&stage, &maja, NEW).await;
    // Whom a workspace's provider vouches for neither asks, nor makes it, nor learns of it.
    stage.sql("update auth.sessions set sso_workspace_id = (select id from auth.workspaces)").await;
    assert_eq!(ask(&stage, &maja, NEW).await.unwrap_err().code, ErrorCode::Forbidden);
    assert_eq!(change(&stage, &maja, &token).await.unwrap_err().code, ErrorCode::Forbidden);
    let own = stage.services.open_sessions(&stage.visitor(&maja).await).await.unwrap().email;
    assert!(own.by_sso && own.waiting.is_none() && own.address == MAJA);
    assert_eq!(stage.count(&format!("auth.users where email = '{MAJA}'")).await, 1);
}

#[tokio::test]
async fn nobody_writes_to_others_without_end_by_asking() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("One", MAJA).await.unwrap();
    let mut codes = Vec::new();
    for n in 0..7 {
        codes.push(ask(&stage, &maja, &format!("a{n}@nordmark.example")).await.err().map(|error| error.code));
    }
    assert_eq!(codes[..5], [None::<ErrorCode>; 5]);
    assert_eq!(codes[5..], [Some(ErrorCode::RateLimited); 2]);
    assert_eq!(stage.count("auth.mails where to_address like 'a_@nordmark.example'").await, 5);
    // Each that was asked for was told to the old address.
    assert_eq!(
        stage.count(&format!("auth.mails where kind = 'email_change_asked' and to_address = '{MAJA}'")).await,
        5
    );
}

#[tokio::test]
async fn a_link_to_a_new_password_dies_with_the_address_that_it_went_to() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("One", MAJA).await.unwrap();
    let (token, _) = asked(&stage, &maja, NEW).await;
    stage.services.ask_password_reset(MAJA, &client()).await.unwrap();
    stage.comes_to("auth.password_resets", 1).await;
    let reset = stage.token_in_letter(MAJA, "/reset/").await;
    assert_eq!(stage.services.find_password_reset(&reset).await.unwrap().email, MAJA);
    change(&stage, &maja, &token).await.unwrap();
    assert_eq!(stage.services.find_password_reset(&reset).await.unwrap_err().code, ErrorCode::NotFound);
    let dead = stage.services.reset_password(&reset, "another four plain words".into(), &client()).await;
    assert_eq!(dead.unwrap_err().code, ErrorCode::NotFound);
    assert!(stage.visitor(&maja).await.session().is_some(), "and ends nothing");
    stage.sign_in(NEW, PASSWORD).await.unwrap();
    // Nor is another sent there: nobody has that address any more. One to the new address is.
    stage.services.ask_password_reset(MAJA, &client()).await.unwrap();
    stage.services.ask_password_reset(NEW, &client()).await.unwrap();
    stage.comes_to("auth.password_resets", 1).await;
    let reset = stage.token_in_letter(NEW, "/reset/").await;
    assert_eq!(stage.services.find_password_reset(&reset).await.unwrap().email, NEW);
}

#[tokio::test]
async fn invitations_of_the_old_address_are_no_longer_theirs() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("One", MAJA).await.unwrap();
    let owner = stage.owner("Acme", JOE).await;
    let mut links = Vec::new();
    for address in [MAJA, NEW] {
        stage.services.invite(&owner, address, Role::Viewer).await.unwrap();
        links.push(stage.invitation_token(address).await);
    }
    let (token, _) = asked(&stage, &maja, NEW).await;
    change(&stage, &maja, &token).await.unwrap();
    let here = stage.visitor(&maja).await;
    let card = stage.services.find_invitation(&here, &links[0]).await.unwrap();
    assert_eq!(card.visitor, Invitee::SomebodyElse { email: NEW.into() });
    let refused = stage.services.accept_invitation(&here, &links[0], None, &client()).await.err().unwrap();
    assert_eq!(refused.code, ErrorCode::Conflict);
    stage.services.accept_invitation(&here, &links[1], None, &client()).await.unwrap();
    assert_eq!(stage.visitor(&maja).await.session().map(|session| session.workspaces.len()), Some(2));
}

//! A second factor: added, asked for, used once, lost; the step before dangerous acts; and what a workspace asks of its members.

use std::time::Duration;

use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::{AgentId, PairingId, ServiceAccountId};
use clarity_domain::retention::DataClass;
use clarity_domain::role::Role;
use clarity_domain::scope::Scope;
use clarity_domain::view::second_factor::SecondFactor;
use clarity_service::tokens::{NewAccountToken, NewTokenForm};
use clarity_service::{ConfirmSession, FirstStep, Limits, SignedIn, Visitor};
use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use uuid::Uuid;

use crate::stage::{PASSWORD, Stage, client};

const MAJA: &str = "maja@nordmark.example";

/// What an app would show so many steps from now, by the standard and not by the code under test.
fn code(secret: &str, steps: i64) -> String {
    let key = BASE32_NOPAD.decode(secret.replace(' ', "").as_bytes()).unwrap();
    let seconds = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64;
    let step = seconds / 30 + steps;
    let mac = Hmac::<Sha1>::new_from_slice(&key).unwrap().chain_update(step.to_be_bytes()).finalize().into_bytes();
    let at = usize::from(mac[19] & 15);
    let number = u32::from_be_bytes([mac[at] & 0x7f, mac[at + 1], mac[at + 2], mac[at + 3]]);
    format!("{:06}", number % 1_000_000)
}

/// None of the codes around now.
fn wrong(secret: &str) -> String {
    let near: Vec<String> = (-3..=3).map(|steps| code(secret, steps)).collect();
    (0..10).map(|n| format!("{n:06}")).find(|code| !near.contains(code)).unwrap()
}

/// Somebody with a second factor.
struct Person {
    secret: String,
    /// The code that was used to add it.
    first: String,
    codes: Vec<String>,
}

/// The app's current code is used up by it.
async fn add(stage: &Stage, signed_in: &SignedIn) -> Person {
    let visitor = stage.visitor(signed_in).await;
    let secret = stage.services.begin_enrolment(&visitor).await.unwrap().secret;
    let first = code(&secret, 0);
    let codes = stage.services.confirm_enrolment(&visitor, &first, &client()).await.unwrap();
    Person { secret, first, codes }
}

async fn maja(stage: &Stage) -> (SignedIn, Person) {
    let signed_in = stage.sign_up("Nordmark", MAJA).await.unwrap();
    let person = add(stage, &signed_in).await;
    (signed_in, person)
}

/// The right password; what the cookie holds.
async fn pending(stage: &Stage, password: &str) -> String {
    match stage.first_step(MAJA, password).await.unwrap() {
        FirstStep::CodeNeeded(pending) => pending.token,
        FirstStep::SignedIn(_) => panic!("nothing asked for a code"),
    }
}

async fn finish(stage: &Stage, token: &str, code: &str) -> Result<SignedIn, AppError> {
    stage.services.finish_sign_in(token, code, &client()).await
}

async fn refused(stage: &Stage, token: &str, code: &str) -> AppError {
    finish(stage, token, code).await.err().expect("a refusal")
}

/// Codes of the last steps count as new again, as if time had passed.
async fn forget_steps(stage: &Stage) {
    stage.sql("update auth.totp set last_step = 0").await;
}

async fn left_alone(stage: &Stage) {
    stage.sql("update auth.sessions set confirmed_at = now() - interval '16 minutes'").await;
}

async fn confirm(stage: &Stage, visitor: &Visitor, password: &str, code: Option<&str>) -> Result<(), AppError> {
    let form = ConfirmSession { password: password.into(), code: code.map(str::to_owned) };
    stage.services.confirm_session(visitor, form, &client()).await
}

#[tokio::test]
async fn it_is_added_by_a_first_code_and_asked_for_from_then_on() {
    let stage = Stage::new().await;
    let signed_in = stage.sign_up("Nordmark", MAJA).await.unwrap();
    let other = stage.sign_in(MAJA, PASSWORD).await.unwrap();
    let visitor = stage.visitor(&signed_in).await;
    assert_eq!(stage.services.second_factor(&visitor).await.unwrap().state, SecondFactor::Off);
    let first = stage.services.begin_enrolment(&visitor).await.unwrap();
    assert!(first.url.starts_with("otpauth://totp/Clarity%20Stream:maja%40nordmark.example?secret="), "{}", first.url);
    assert_eq!((first.secret.len(), first.secret.split(' ').count()), (39, 8), "{}", first.secret);
    // Nothing is asked for yet, and a new secret takes the place of the first.
    stage.sign_in(MAJA, PASSWORD).await.unwrap();
    let enrolment = stage.services.begin_enrolment(&visitor).await.unwrap();
    assert_ne!(first.secret, enrolment.secret);
    let shown = stage.services.second_factor(&visitor).await.unwrap().state;
    assert_eq!(shown, SecondFactor::Enrolling(enrolment.clone()));
    for not_it in ["", "12345", "no code", &wrong(&enrolment.secret)] {
        let error = stage.services.confirm_enrolment(&visitor, not_it, &client()).await.unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::Invalid, Some("code")), "{not_it}");
    }
    let codes = stage.services.confirm_enrolment(&visitor, &code(&enrolment.secret, 0), &client()).await.unwrap();
    assert_eq!(codes.len(), 10);

    let page = stage.services.second_factor(&visitor).await.unwrap();
    assert!(matches!(page.state, SecondFactor::On { codes_left: 10, .. }), "{:?}", page.state);
    assert!(stage.visitor(&other).await.session().is_none(), "a session without a code has ended");
    assert!(stage.visitor(&signed_in).await.session().is_some());
    let (subject, _) = stage.last_letter(MAJA).await;
    assert!(subject.contains("second factor was added"), "{subject}");
    assert_eq!(stage.count("audit_entries where act = 'second_factor.enrol' and outcome = 'done'").await, 1);
    // There is one, and one is enough.
    let again = stage.services.begin_enrolment(&stage.visitor(&signed_in).await).await.unwrap_err();
    assert_eq!(again.code, ErrorCode::Conflict);
    let token = pending(&stage, PASSWORD).await;
    assert!(stage.services.visitor(Some(&token)).await.unwrap().session().is_none(), "a pending sign-in is no session");
    let done = finish(&stage, &token, &code(&enrolment.secret, 1)).await.unwrap();
    assert_eq!(stage.visitor(&done).await.session().unwrap().user.email, MAJA);
    assert_eq!(refused(&stage, &token, &codes[0]).await.code, ErrorCode::NotFound, "a sign-in is finished once");
}

#[tokio::test]
async fn no_two_secrets_are_alike_and_each_has_160_bits() {
    let stage = Stage::new().await;
    let signed_in = stage.sign_up("One", "maja@nordmark.example").await.unwrap();
    let visitor = stage.visitor(&signed_in).await;
    let mut secrets = Vec::new();
    for _ in 0..20 {
        let shown = stage.services.begin_enrolment(&visitor).await.unwrap().secret;
        let base32: String = shown.chars().filter(|c| !c.is_whitespace()).collect();
        assert_eq!(BASE32_NOPAD.decode(base32.as_bytes()).unwrap().len(), 20);
        secrets.push(base32);
    }
    secrets.sort_unstable();
    secrets.dedup();
    assert_eq!(secrets.len(), 20);
    // Each digit of the alphabet stands in them somewhere: none is left out by how they are made.
    let mut digits: Vec<char> = secrets.iter().flat_map(|secret| secret.chars()).collect();
    digits.sort_unstable();
    digits.dedup();
    assert_eq!(digits.len(), 32);
}

#[tokio::test]
async fn a_secret_that_waited_too_long_for_its_first_code_is_none() {
    let stage = Stage::new().await;
    let signed_in = stage.sign_up("Nordmark", MAJA).await.unwrap();
    let visitor = stage.visitor(&signed_in).await;
    let none = stage.services.confirm_enrolment(&visitor, "123456", &client()).await.unwrap_err();
    assert_eq!(none.code, ErrorCode::Conflict);
    let secret = stage.services.begin_enrolment(&visitor).await.unwrap().secret;
    stage.sql("update auth.totp set begun_at = now() - interval '31 minutes'").await;
    assert_eq!(stage.services.second_factor(&visitor).await.unwrap().state, SecondFactor::Off);
    let late = stage.services.confirm_enrolment(&visitor, &code(&secret, 0), &client()).await.unwrap_err();
    assert_eq!(late.code, ErrorCode::Conflict);
    stage.sign_in(MAJA, PASSWORD).await.unwrap();
    for page in [
        stage.services.second_factor(&Visitor::Anonymous).await.err(),
        stage.services.begin_enrolment(&Visitor::Anonymous).await.err(),
    ] {
        assert_eq!(page.unwrap().code, ErrorCode::Unauthenticated);
    }
}

#[tokio::test]
async fn a_code_works_once_and_the_next_one_after_it() {
    let stage = Stage::new().await;
    let (_, person) = maja(&stage).await;
    // The step that the enrolment took is spent.
    let used = person.first.clone();
    let token = pending(&stage, PASSWORD).await;
    let next = code(&person.secret, 1);
    let error = refused(&stage, &token, &used).await;
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::Invalid, Some("code")));
    // An app whose clock is one step ahead.
    finish(&stage, &token, &next).await.unwrap();
    let token = pending(&stage, PASSWORD).await;
    for spent in [&next, &used] {
        assert_eq!(refused(&stage, &token, spent).await.code, ErrorCode::Invalid, "{spent}");
    }
    forget_steps(&stage).await;
    let far = code(&person.secret, 4);
    assert_eq!(refused(&stage, &token, &far).await.code, ErrorCode::Invalid, "four steps ahead");
    finish(&stage, &token, &code(&person.secret, 0)).await.unwrap();
}

#[tokio::test]
async fn of_two_who_show_the_same_code_at_once_one_is_in() {
    let stage = Stage::new().await;
    let (_, person) = maja(&stage).await;
    let (one, other) = (pending(&stage, PASSWORD).await, pending(&stage, PASSWORD).await);
    let next = code(&person.secret, 1);
    let (a, b) = futures::join!(finish(&stage, &one, &next), finish(&stage, &other, &next));
    assert_eq!([a.is_ok(), b.is_ok()].into_iter().filter(|ok| *ok).count(), 1);
    let recovery = &person.codes[0];
    let (one, other) = (pending(&stage, PASSWORD).await, pending(&stage, PASSWORD).await);
    let (a, b) = futures::join!(finish(&stage, &one, recovery), finish(&stage, &other, recovery));
    assert_eq!([a.is_ok(), b.is_ok()].into_iter().filter(|ok| *ok).count(), 1);
}

#[tokio::test]
async fn a_recovery_code_works_once_and_is_told_by_letter() {
    let stage = Stage::new().await;
    let (signed_in, person) = maja(&stage).await;
    let token = pending(&stage, PASSWORD).await;
    let typed = person.codes[3].to_lowercase().replace('-', " ");
    finish(&stage, &token, &typed).await.unwrap();
    let (subject, text) = stage.last_letter(MAJA).await;
    assert!(subject.contains("recovery code") && text.contains("9 are left"), "{subject}: {text}");
    assert!(text.contains("https://clarity.example/second-factor"), "{text}");
    assert_eq!(stage.count("audit_entries where act = 'second_factor.use_code'").await, 1);
    let token = pending(&stage, PASSWORD).await;
    for spent in ["ABCDE-23456", &typed] {
        assert_eq!(refused(&stage, &token, spent).await.field.as_deref(), Some("code"), "{spent}");
    }
    // New ones end the old ones.
    let visitor = stage.visitor(&signed_in).await;
    let made = stage.services.new_recovery_codes(&visitor, &client()).await.unwrap();
    assert!(made.iter().all(|code| !person.codes.contains(code)) && made.len() == 10);
    assert_eq!(refused(&stage, &token, &person.codes[0]).await.code, ErrorCode::Invalid);
    finish(&stage, &token, &made[0]).await.unwrap();
    assert_eq!(stage.count("audit_entries where act = 'second_factor.new_codes'").await, 1);
}

#[tokio::test]
async fn five_wrong_codes_end_a_sign_in_and_count_like_wrong_passwords() {
    let stage = Stage::new().await;
    let (_, person) = maja(&stage).await;
    let token = pending(&stage, PASSWORD).await;
    for attempt in 1..=4 {
        assert_eq!(refused(&stage, &token, &wrong(&person.secret)).await.code, ErrorCode::Invalid, "{attempt}");
    }
    assert_eq!(refused(&stage, &token, &wrong(&person.secret)).await.code, ErrorCode::NotFound, "the fifth");
    let right = refused(&stage, &token, &code(&person.secret, 1)).await;
    assert_eq!(right.code, ErrorCode::NotFound, "it is over");
    let blocked = stage.first_step(MAJA, PASSWORD).await.err().expect("a refusal");
    assert_eq!(blocked.code, ErrorCode::RateLimited);
    // The right password alone forgives nothing, or codes could be guessed without end.
    stage.sql("update auth.users set sign_in_blocked_until = null").await;
    let token = pending(&stage, PASSWORD).await;
    assert_eq!(stage.count("auth.users where failed_sign_ins = 5").await, 1);
    stage.comes_to("audit_entries where act = 'session.sign_in' and outcome = 'refused'", 5).await;
    finish(&stage, &token, &code(&person.secret, 1)).await.unwrap();
    assert_eq!(stage.count("auth.users where failed_sign_ins = 0").await, 1, "the whole sign-in does");
}

#[tokio::test]
async fn a_hundred_codes_at_once_are_five_attempts() {
    let stage = Stage::with(Limits { attempts_per_minute: std::num::NonZeroU32::MAX, ..Limits::default() }).await;
    let (_, person) = maja(&stage).await;
    let token = pending(&stage, PASSWORD).await;
    let wrong = wrong(&person.secret);
    let all = futures::future::join_all((0..100).map(|_| refused(&stage, &token, &wrong))).await;
    let looked_at = all.iter().filter(|error| error.code == ErrorCode::Invalid).count();
    assert!(looked_at <= 4, "{looked_at} codes were looked at");
    assert_eq!(stage.count("auth.pending_sign_ins where attempts = 5").await, 1);
}

#[tokio::test]
async fn a_sign_in_waits_five_minutes_for_its_code() {
    let stage = Stage::new().await;
    let (_, person) = maja(&stage).await;
    let token = pending(&stage, PASSWORD).await;
    assert_eq!(stage.count("auth.pending_sign_ins where expires_at > now() + interval '301 seconds'").await, 0);
    assert_eq!(
        stage.count(&format!("auth.pending_sign_ins p where p::text like '%{token}%'")).await,
        0,
        "only its hash"
    );
    stage.sql("update auth.pending_sign_ins set expires_at = now() - interval '1 second'").await;
    for gone in [token.as_str(), "", "0", &"ab".repeat(32)] {
        assert_eq!(refused(&stage, gone, &code(&person.secret, 1)).await.code, ErrorCode::NotFound, "{gone}");
    }
    pending(&stage, PASSWORD).await;
    assert_eq!(stage.count("auth.pending_sign_ins").await, 1, "what is over is forgotten");
}

#[tokio::test]
async fn a_new_password_by_letter_does_not_pass_by_it() {
    let stage = Stage::new().await;
    let (_, person) = maja(&stage).await;
    let before = pending(&stage, PASSWORD).await;
    stage.services.ask_password_reset(MAJA, &client()).await.unwrap();
    stage.comes_to("auth.password_resets", 1).await;
    let token = stage.token_in_letter(MAJA, "/reset/").await;
    let new = "another four plain words";
    stage.services.reset_password(&token, new.into(), &client()).await.unwrap();
    // A sign-in with the old password is over, and the new one is asked for a code as well.
    assert_eq!(refused(&stage, &before, &code(&person.secret, 1)).await.code, ErrorCode::NotFound);
    let token = pending(&stage, new).await;
    assert_eq!(refused(&stage, &token, &wrong(&person.secret)).await.code, ErrorCode::Invalid);
    finish(&stage, &token, &code(&person.secret, 1)).await.unwrap();
}

#[tokio::test]
async fn it_is_removed_by_somebody_who_has_just_shown_that_it_is_them() {
    let stage = Stage::new().await;
    let (signed_in, person) = maja(&stage).await;
    left_alone(&stage).await;
    let visitor = stage.visitor(&signed_in).await;
    let late = stage.services.remove_second_factor(&visitor, &client()).await.unwrap_err();
    let codes = stage.services.new_recovery_codes(&visitor, &client()).await.unwrap_err();
    assert_eq!((late.code, codes.code), (ErrorCode::ConfirmNeeded, ErrorCode::ConfirmNeeded));
    // Of whoever has one, the code is asked for too.
    for missing in [None, Some(""), Some(wrong(&person.secret).as_str())] {
        let error = confirm(&stage, &visitor, PASSWORD, missing).await.unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::Invalid, Some("code")), "{missing:?}");
    }
    confirm(&stage, &visitor, PASSWORD, Some(&code(&person.secret, 1))).await.unwrap();
    let visitor = stage.visitor(&signed_in).await;
    stage.services.remove_second_factor(&visitor, &client()).await.unwrap();
    let (subject, _) = stage.last_letter(MAJA).await;
    assert!(subject.contains("was removed"), "{subject}");
    assert_eq!(stage.count("audit_entries where act = 'second_factor.remove'").await, 1);
    assert_eq!((stage.count("auth.totp").await, stage.count("auth.recovery_codes").await), (0, 0));
    stage.sign_in(MAJA, PASSWORD).await.unwrap();
    let none = stage.services.remove_second_factor(&visitor, &client()).await.unwrap_err();
    assert_eq!(none.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn dangerous_acts_need_a_recent_confirmation() {
    // Both ways to a seat: as it was read with the visitor, and read again.
    for seats_hold in [Duration::from_secs(1), Duration::ZERO] {
        let stage = Stage::with(Limits { seats_hold, ..Limits::default() }).await;
        let signed_in = stage.sign_up("Nordmark", MAJA).await.unwrap();
        let fresh = stage.seat(&signed_in).await;
        let joes = stage.member(&fresh, "joe@nordmark.example", Role::Viewer).await;
        let joe = joes.session.user.id;
        stage.services.offer_ownership(&fresh, joe).await.unwrap();
        let hold = stage.services.place_hold(&fresh, "case 7").await.unwrap();
        left_alone(&stage).await;
        let offered = stage.seat(&joes).await;
        let seat = stage.seat(&signed_in).await;
        let visitor = stage.visitor(&signed_in).await;
        let services = &stage.services;
        let pairing = PairingId(Uuid::now_v7());
        let agent = AgentId(Uuid::now_v7());
        let scopes = vec![Scope::ReadAssets];
        let account = NewAccountToken { name: "Grafana".into(), role: Role::Viewer, scopes: scopes.clone(), days: 90 };
        let another = NewTokenForm { account: ServiceAccountId(Uuid::now_v7()), name: "Next".into(), scopes, days: 90 };
        for (act, answer) in [
            ("role", services.change_role(&seat, joe, Role::Operator).await.err()),
            ("remove", services.remove_member(&seat, joe).await.err()),
            ("offer", services.offer_ownership(&seat, joe).await.err()),
            ("approve", services.approve_pairing(&seat, pairing).await.err()),
            ("revoke", services.revoke_agent(&seat, agent).await.err()),
            ("policy", services.require_second_factor(&seat, false).await.err()),
            ("enrol", services.begin_enrolment(&visitor).await.err()),
            ("shorter", services.set_retention(&seat, DataClass::DeadLetters, "30", Some(0)).await.err()),
            ("lift", services.lift_hold(&seat, hold).await.err()),
            ("admin", services.invite(&seat, "ann@nordmark.example", Role::Admin).await.err()),
            ("token", services.create_service_account(&seat, account.clone()).await.err()),
            ("another token", services.add_token(&seat, another.clone()).await.err()),
            ("accept", services.accept_ownership(&offered).await.err()),
        ] {
            assert_eq!(answer.expect("a refusal").code, ErrorCode::ConfirmNeeded, "{act}");
        }
        // All else goes on.
        assert!(services.members(&seat).await.is_ok() && services.begin_pairing(&seat).await.is_ok());
        let error = confirm(&stage, &visitor, "not the password", None).await.unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::Invalid, Some("password")));
        stage.comes_to("audit_entries where act = 'session.confirm' and outcome = 'refused'", 1).await;
        confirm(&stage, &visitor, PASSWORD, None).await.unwrap();
        assert_eq!(stage.count("audit_entries where act = 'session.confirm' and outcome = 'done'").await, 1);
        let seat = stage.seat(&signed_in).await;
        services.change_role(&seat, joe, Role::Operator).await.unwrap();
        assert_eq!(services.approve_pairing(&seat, pairing).await.unwrap_err().code, ErrorCode::NotFound);
        // A command of the platform's operator has no session to confirm.
        let command = services.operator_seat("nordmark", "approve-pairing").await.unwrap();
        assert_eq!(services.approve_pairing(&command, pairing).await.unwrap_err().code, ErrorCode::NotFound);
        let nobody = confirm(&stage, &Visitor::Anonymous, PASSWORD, None).await.unwrap_err();
        assert_eq!(nobody.code, ErrorCode::Unauthenticated);
    }
}

#[tokio::test]
async fn a_workspace_asks_its_members_for_one_and_stops_asking() {
    for seats_hold in [Duration::from_secs(1), Duration::ZERO] {
        let stage = Stage::with(Limits { seats_hold, ..Limits::default() }).await;
        let signed_in = stage.sign_up("Nordmark", MAJA).await.unwrap();
        let owner = stage.seat(&signed_in).await;
        let joe = stage.member(&owner, "joe@nordmark.example", Role::Admin).await;
        let open = stage.seat(&joe).await;
        let services = &stage.services;
        assert_eq!(services.require_second_factor(&open, true).await.unwrap_err().code, ErrorCode::Forbidden);
        let without = services.require_second_factor(&owner, true).await.unwrap_err();
        assert_eq!(without.code, ErrorCode::Conflict, "the owner would be asked as well");
        add(&stage, &signed_in).await;
        let owner = stage.seat(&signed_in).await;
        services.require_second_factor(&owner, true).await.unwrap();
        let page = services.membership(&stage.seat(&signed_in).await).await.unwrap();
        assert!(page.second_factor_required && page.second_factor);

        let visitor = stage.visitor(&joe).await;
        let led = services.enter(&visitor, "nordmark", &client()).await.unwrap_err();
        assert_eq!(led.code, ErrorCode::SecondFactorNeeded);
        assert!(!services.still_seated(&open).await.unwrap(), "open pages stop");
        assert_eq!(services.second_factor(&visitor).await.unwrap().required_by, ["Nordmark"]);
        add(&stage, &joe).await;
        assert!(services.still_seated(&stage.seat(&joe).await).await.unwrap());
        // Without it again, they are out again, until nobody asks any more.
        services.remove_second_factor(&stage.visitor(&joe).await, &client()).await.unwrap();
        let again = services.enter(&stage.visitor(&joe).await, "nordmark", &client()).await.unwrap_err();
        assert_eq!(again.code, ErrorCode::SecondFactorNeeded);
        services.require_second_factor(&stage.seat(&signed_in).await, false).await.unwrap();
        stage.seat(&joe).await;
        let written = "audit_entries where act = 'workspace.require_second_factor' and outcome = 'done'";
        assert_eq!(stage.count(&format!("{written} and after ->> 'second_factor_required' = 'true'")).await, 1);
        assert_eq!(stage.count(&format!("{written} and after ->> 'second_factor_required' = 'false'")).await, 1);
    }
}

#[tokio::test]
async fn no_secret_stands_in_the_database_or_the_log() {
    let stage = Stage::new().await;
    let (_, person) = maja(&stage).await;
    let token = pending(&stage, PASSWORD).await;
    finish(&stage, &token, &person.codes[0]).await.unwrap();
    let plain = person.secret.replace(' ', "");
    let raw = hex::encode(BASE32_NOPAD.decode(plain.as_bytes()).unwrap());
    let code = person.codes[0].replace('-', "");
    for secret in [&plain, &person.secret, &raw, &person.codes[0], &code, &token] {
        for table in ["audit_entries", "auth.totp", "auth.recovery_codes", "auth.pending_sign_ins", "auth.mails"] {
            let held = format!("{table} t where t::text ilike '%{secret}%'");
            assert_eq!(stage.count(&held).await, 0, "{table} holds {secret}");
        }
    }
}

#[tokio::test]
async fn under_another_key_nothing_opens() {
    let stage = Stage::new().await;
    let (_, person) = maja(&stage).await;
    let Stage { db, .. } = stage;
    let stage = Stage::on(db, Limits::default(), "another key").await;
    let token = pending(&stage, PASSWORD).await;
    assert_eq!(refused(&stage, &token, &code(&person.secret, 1)).await.code, ErrorCode::Internal);
    assert_eq!(refused(&stage, &token, &person.codes[0]).await.code, ErrorCode::Invalid);
}

#[tokio::test]
async fn a_sealed_secret_is_of_no_use_in_anothers_row() {
    let stage = Stage::new().await;
    let (_, person) = maja(&stage).await;
    stage.sign_up("Acme", "joe@acme.example").await.unwrap();
    stage
        .sql(
            "insert into auth.totp (user_id, secret_box, confirmed_at)
             select u.id, t.secret_box, now() from auth.users u, auth.totp t where u.email = 'joe@acme.example'",
        )
        .await;
    let FirstStep::CodeNeeded(joes) = stage.first_step("joe@acme.example", PASSWORD).await.unwrap() else {
        panic!("nothing asked for a code")
    };
    assert_eq!(refused(&stage, &joes.token, &code(&person.secret, 1)).await.code, ErrorCode::Internal);
    assert_eq!(refused(&stage, &joes.token, &person.codes[0]).await.code, ErrorCode::Invalid);
}

#[tokio::test]
async fn an_operator_takes_a_lost_one_away_and_all_are_told() {
    let stage = Stage::new().await;
    let (_, person) = maja(&stage).await;
    // In a second workspace too; and somebody else with one of their own.
    let signed_in = finish(&stage, &pending(&stage, PASSWORD).await, &person.codes[0]).await.unwrap();
    stage.services.add_workspace(&stage.visitor(&signed_in).await, "Second", &client()).await.unwrap();
    let user = signed_in.session.user.id;
    stage
        .sql(&format!(
            "insert into auth.passkeys (id, user_id, credential_id, credential, name)
             values (gen_random_uuid(), '{user}', '\\x0102030405060708090a0b0c0d0e0f10', '{{}}', 'Phone')"
        ))
        .await;
    let joe = stage.sign_up("Acme", "joe@acme.example").await.unwrap();
    add(&stage, &joe).await;

    let reset = async |email: &str, because: &str| {
        stage.services.reset_second_factor(email, because, "https://clarity.example/").await
    };
    for (email, because, code) in [
        (MAJA, "  ", ErrorCode::Invalid),
        ("no address", "Phone lost", ErrorCode::Invalid),
        ("nobody@nordmark.example", "Phone lost", ErrorCode::NotFound),
    ] {
        assert_eq!(reset(email, because).await.unwrap_err().code, code, "{email} {because}");
    }
    reset(" Maja@Nordmark.example ", "Phone lost; confirmed by an owner").await.unwrap();

    assert!(stage.visitor(&signed_in).await.session().is_none(), "every session has ended");
    let left = format!(
        "(select user_id from auth.totp union all select user_id from auth.passkeys
                         union all select user_id from auth.recovery_codes) t where user_id = '{user}'"
    );
    assert_eq!(stage.count(&left).await, 0);
    stage.sign_in(MAJA, PASSWORD).await.unwrap();
    let told = "audit_entries e join auth.workspaces w on w.id = e.workspace_id
                where w.slug in ('nordmark', 'second') and e.act = 'second_factor.reset' and e.actor_kind = 'support'
                  and e.actor_name = 'command: reset-second-factor' and e.object_name like '%maja@nordmark.example%'
                  and e.before->>'passkeys' = '1' and e.after->>'because' = 'Phone lost; confirmed by an owner'";
    assert_eq!(stage.count(told).await, 2);
    assert_eq!(stage.count("audit_entries where act = 'second_factor.reset'").await, 2, "nobody else's log");
    let (subject, text) = stage.last_letter(MAJA).await;
    assert!(subject.contains("was reset") && text.contains("https://clarity.example/reset"), "{subject}: {text}");
    // Nobody else's is gone, and there is nothing left to take.
    assert!(stage.visitor(&joe).await.session().is_some());
    assert_eq!(stage.count("auth.totp").await, 1);
    assert_eq!(reset(MAJA, "Again").await.unwrap_err().code, ErrorCode::NotFound);
}

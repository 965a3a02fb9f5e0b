//! Passkeys: made, shown in place of a code and of a password, to confirm, lost and removed; and all the answers that are
//! none.
//!
//! The devices' answers were signed beforehand (`answers.mjs`): the tests put the question they answer into the database.

mod refused;

use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::PasskeyId;
use clarity_domain::view::second_factor::{SecondFactor, SecondFactorPage};
use clarity_service::{ConfirmSession, FirstStep, SignedIn, Visitor};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::stage::{PASSWORD, Stage, client};

const MAJA: &str = "maja@nordmark.example";

/// What a device answers, as a browser writes it.
fn answer(name: &str) -> String {
    answers()[name].to_string()
}

fn answers() -> Value {
    serde_json::from_str(include_str!("answers.json")).unwrap()
}

/// The same, of a device that says whose the passkey is.
fn answer_of(name: &str, whose: &SignedIn) -> String {
    let mut answer = answers()[name].clone();
    let handle = BASE64URL_NOPAD.encode(whose.session.user.id.0.as_bytes());
    answer["response"]["userHandle"] = json!(handle);
    answer.to_string()
}

/// From now on the questions that wait are the one that the answers were made for.
async fn fix_question(stage: &Stage) {
    let challenge = answers()["challenge"].clone();
    stage
        .sql(&format!(
            "update auth.passkey_ceremonies set state = jsonb_set(state, '{{rs,challenge}}', '{challenge}') where kind = 'register';
             update auth.passkey_ceremonies set state = jsonb_set(state, '{{ast,challenge}}', '{challenge}') where kind <> 'register'"
        ))
        .await;
}

async fn add(stage: &Stage, visitor: &Visitor, name: &str, device: &str) -> Result<Option<Vec<String>>, AppError> {
    stage.services.begin_passkey(visitor).await?;
    fix_question(stage).await;
    stage.services.add_passkey(visitor, name, &answer(device), &client()).await
}

/// Maja with the phone, and her recovery codes.
async fn maja(stage: &Stage) -> (SignedIn, Vec<String>) {
    let signed_in = stage.sign_up("Nordmark", MAJA).await.unwrap();
    let visitor = stage.visitor(&signed_in).await;
    let codes = add(stage, &visitor, "iPhone", "phone").await.unwrap().expect("recovery codes");
    (signed_in, codes)
}

async fn page(stage: &Stage, signed_in: &SignedIn) -> SecondFactorPage {
    stage.services.second_factor(&stage.visitor(signed_in).await).await.unwrap()
}

/// The right password, and the question to a device.
async fn asked(stage: &Stage) -> String {
    let token = match stage.first_step(MAJA, PASSWORD).await.unwrap() {
        FirstStep::CodeNeeded(pending) => pending.token,
        FirstStep::SignedIn(_) => panic!("nothing was asked for"),
    };
    stage.services.begin_second_step(&token, &client()).await.unwrap();
    fix_question(stage).await;
    token
}

async fn finish(stage: &Stage, token: &str, answer: &str) -> Result<SignedIn, AppError> {
    stage.services.finish_second_step(token, answer, &client()).await
}

/// A question to whoever sits before the browser.
async fn asked_alone(stage: &Stage) -> String {
    let (begun, _) = stage.services.begin_passkey_sign_in(&client()).await.unwrap();
    fix_question(stage).await;
    begun.token
}

async fn left_alone(stage: &Stage) {
    stage.sql("update auth.sessions set confirmed_at = now() - interval '16 minutes'").await;
}

fn code_and_field(error: &AppError) -> (ErrorCode, Option<&str>) {
    (error.code, error.field.as_deref())
}

#[tokio::test]
async fn a_passkey_is_added_with_recovery_codes_and_asked_for_from_then_on() {
    let stage = Stage::new().await;
    let signed_in = stage.sign_up("Nordmark", MAJA).await.unwrap();
    let other = stage.sign_in(MAJA, PASSWORD).await.unwrap();
    let visitor = stage.visitor(&signed_in).await;
    let options: Value = serde_json::from_str(&stage.services.begin_passkey(&visitor).await.unwrap()).unwrap();
    assert_eq!(options["rp"]["id"], "clarity.example");
    assert_eq!(options["user"]["name"], MAJA);
    assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(options["authenticatorSelection"]["residentKey"], "preferred");
    // A made-up name is refused before the question is used up.
    let unnamed = stage.services.add_passkey(&visitor, " ", &answer("phone"), &client()).await.unwrap_err();
    assert_eq!(code_and_field(&unnamed), (ErrorCode::Invalid, Some("name")));
    fix_question(&stage).await;
    let codes = stage.services.add_passkey(&visitor, " iPhone ", &answer("phone"), &client()).await.unwrap();
    assert_eq!(codes.map(|codes| codes.len()), Some(10));
    let shown = page(&stage, &signed_in).await;
    assert!(shown.is_on() && !shown.has_app() && shown.state == SecondFactor::Off);
    assert_eq!((shown.passkeys.list.len(), shown.passkeys.codes_left), (1, 10));
    let passkey = &shown.passkeys.list[0];
    assert_eq!((passkey.name.as_str(), passkey.used_at), ("iPhone", None));
    assert!(stage.visitor(&other).await.session().is_none(), "a session that has shown none has ended");
    let (subject, text) = stage.last_letter(MAJA).await;
    assert!(subject.contains("passkey was added") && text.contains("iPhone"), "{subject}: {text}");
    assert_eq!(stage.count("audit_entries where act = 'passkey.add' and object_name = 'iPhone'").await, 1);

    // A second one brings no codes, and ends no session.
    assert_eq!(add(&stage, &stage.visitor(&signed_in).await, "Laptop", "laptop").await.unwrap(), None);
    let token = asked(&stage).await;
    let step = stage.services.second_step(Some(&token)).await.unwrap();
    assert!(step.passkey && !step.app);
    let done = finish(&stage, &token, &answer("phone_2")).await.unwrap();
    assert_eq!(stage.visitor(&done).await.session().unwrap().user.email, MAJA);
    let used: Vec<bool> = page(&stage, &done).await.passkeys.list.iter().map(|one| one.used_at.is_some()).collect();
    assert_eq!(used, [true, false]);
    assert_eq!(stage.count("audit_entries where act = 'passkey.use' and outcome = 'done'").await, 1);
    let laptop = asked(&stage).await;
    finish(&stage, &laptop, &answer("laptop_2")).await.unwrap();
}

#[tokio::test]
async fn a_passkey_that_says_whose_it_is_needs_no_password() {
    let stage = Stage::new().await;
    let (signed_in, _) = maja(&stage).await;
    let token = asked_alone(&stage).await;
    let alone = answer_of("phone_2", &signed_in);
    let done = stage.services.sign_in_by_passkey(&token, &alone, &client()).await.unwrap();
    assert_eq!(stage.visitor(&done).await.session().unwrap().user.email, MAJA);
    let again = stage.services.sign_in_by_passkey(&token, &alone, &client()).await.err().expect("a refusal");
    assert_eq!(again.code, ErrorCode::Conflict, "a question is answered once");
    // What is enough to sign in is a second factor as well.
    stage.services.require_second_factor(&stage.seat(&done).await, true).await.unwrap();
    stage.seat(&done).await;
    assert_eq!(stage.count("auth.users where failed_sign_ins = 0").await, 1);
}

#[tokio::test]
async fn a_session_is_confirmed_by_a_passkey_alone() {
    let stage = Stage::new().await;
    let (signed_in, codes) = maja(&stage).await;
    left_alone(&stage).await;
    let visitor = stage.visitor(&signed_in).await;
    let id = page(&stage, &signed_in).await.passkeys.list[0].id;
    let services = &stage.services;
    for late in
        [services.begin_passkey(&visitor).await.err(), services.remove_passkey(&visitor, id, &client()).await.err()]
    {
        assert_eq!(late.unwrap().code, ErrorCode::ConfirmNeeded);
    }
    services.begin_passkey_confirm(&visitor).await.unwrap();
    fix_question(&stage).await;
    services.confirm_by_passkey(&visitor, &answer("phone_2"), &client()).await.unwrap();
    assert_eq!(stage.count("audit_entries where act = 'session.confirm' and outcome = 'done'").await, 1);
    services.begin_passkey(&stage.visitor(&signed_in).await).await.unwrap();
    // By password it needs a code as well, and there is only a recovery code.
    let by = |code: Option<&str>| ConfirmSession { password: PASSWORD.into(), code: code.map(str::to_owned) };
    let without = services.confirm_session(&visitor, by(None), &client()).await.unwrap_err();
    assert_eq!(code_and_field(&without), (ErrorCode::Invalid, Some("code")));
    services.confirm_session(&visitor, by(Some(&codes[1])), &client()).await.unwrap();
    let nobody = services.begin_passkey_confirm(&Visitor::Anonymous).await.unwrap_err();
    assert_eq!(nobody.code, ErrorCode::Unauthenticated);
}

#[tokio::test]
async fn a_lost_device_is_replaced_by_a_recovery_code_and_removed() {
    let stage = Stage::new().await;
    let (first, codes) = maja(&stage).await;
    let token = asked(&stage).await;
    let signed_in = stage.services.finish_sign_in(&token, &codes[0], &client()).await.unwrap();
    let visitor = stage.visitor(&signed_in).await;
    assert_eq!(add(&stage, &visitor, "Laptop", "laptop").await.unwrap(), None, "nine codes are left");
    let list = page(&stage, &signed_in).await.passkeys.list;
    let waiting = asked(&stage).await;
    stage.services.remove_passkey(&visitor, list[0].id, &client()).await.unwrap();
    let over = finish(&stage, &waiting, &answer("phone_2")).await.err().expect("a refusal");
    assert_eq!(over.code, ErrorCode::NotFound, "sign-ins that wait begin anew");
    let (subject, text) = stage.last_letter(MAJA).await;
    assert!(subject.contains("passkey of your account") && text.contains("iPhone"), "{subject}: {text}");
    let token = asked(&stage).await;
    let gone = finish(&stage, &token, &answer("phone_2")).await.err().expect("a refusal");
    assert_eq!(code_and_field(&gone), (ErrorCode::Invalid, Some("credential")));
    // With the last one go the codes, and what sessions have shown.
    stage.services.require_second_factor(&stage.seat(&first).await, true).await.unwrap();
    stage.services.remove_passkey(&visitor, list[1].id, &client()).await.unwrap();
    assert_eq!((stage.count("auth.recovery_codes").await, stage.count("auth.passkeys").await), (0, 0));
    let led = stage.services.enter(&stage.visitor(&first).await, "nordmark", &client()).await.unwrap_err();
    assert_eq!(led.code, ErrorCode::SecondFactorNeeded);
    assert_eq!(stage.count("audit_entries where act = 'passkey.remove' and outcome = 'done'").await, 2);
    let none = stage.services.remove_passkey(&visitor, list[1].id, &client()).await.unwrap_err();
    assert_eq!(none.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_passkey_is_renamed_by_its_person_alone() {
    let stage = Stage::new().await;
    let (signed_in, _) = maja(&stage).await;
    // Late as well: it opens nothing.
    left_alone(&stage).await;
    let visitor = stage.visitor(&signed_in).await;
    let id = page(&stage, &signed_in).await.passkeys.list[0].id;
    let services = &stage.services;
    services.rename_passkey(&visitor, id, "  Phone of the night shift ", &client()).await.unwrap();
    assert_eq!(page(&stage, &signed_in).await.passkeys.list[0].name, "Phone of the night shift");
    let written = "audit_entries where act = 'passkey.rename' and object_name = 'Phone of the night shift'
                   and before ->> 'name' = 'iPhone' and after ->> 'name' = 'Phone of the night shift'";
    assert_eq!(stage.count(written).await, 1);
    services.rename_passkey(&visitor, id, "Phone of the night shift", &client()).await.unwrap();
    assert_eq!(stage.count("audit_entries where act = 'passkey.rename'").await, 1, "the same name is no change");
    let empty = services.rename_passkey(&visitor, id, " ", &client()).await.unwrap_err();
    assert_eq!(code_and_field(&empty), (ErrorCode::Invalid, Some("name")));
    let joe = stage.sign_up("Acme", "joe@acme.example").await.unwrap();
    let others = services.rename_passkey(&stage.visitor(&joe).await, id, "Mine", &client()).await.unwrap_err();
    assert_eq!(others.code, ErrorCode::NotFound);
    let nobody = services.rename_passkey(&Visitor::Anonymous, id, "Mine", &client()).await.unwrap_err();
    assert_eq!(nobody.code, ErrorCode::Unauthenticated);
}

#[tokio::test]
async fn a_person_keeps_twenty_and_removes_only_their_own() {
    let stage = Stage::new().await;
    let (signed_in, _) = maja(&stage).await;
    let joe = stage.sign_up("Acme", "joe@acme.example").await.unwrap();
    let id: PasskeyId = page(&stage, &signed_in).await.passkeys.list[0].id;
    let others = stage.services.remove_passkey(&stage.visitor(&joe).await, id, &client()).await.unwrap_err();
    assert_eq!(others.code, ErrorCode::NotFound);
    let visitor = stage.visitor(&signed_in).await;
    stage.services.begin_passkey(&visitor).await.unwrap();
    fix_question(&stage).await;
    let more = "insert into auth.passkeys (id, user_id, credential_id, credential, name)
                select gen_random_uuid(), user_id, sha256(n::text::bytea), credential, n::text
                from auth.passkeys, generate_series(1, 19) n";
    stage.sql(more).await;
    let late = stage.services.add_passkey(&visitor, "One more", &answer("laptop"), &client()).await.unwrap_err();
    assert_eq!(late.code, ErrorCode::LimitExceeded);
    assert_eq!(stage.services.begin_passkey(&visitor).await.unwrap_err().code, ErrorCode::LimitExceeded);
}

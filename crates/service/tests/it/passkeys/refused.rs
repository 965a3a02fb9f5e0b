//! Answers that are none: replayed, late, another's, of a device that was not unlocked, of a copy, for another site.

use clarity_domain::error::ErrorCode;
use clarity_service::Visitor;

use super::{MAJA, add, answer, answer_of, asked, asked_alone, code_and_field, finish, fix_question, maja};
use crate::stage::{PASSWORD, Stage, client};

const NOT_RIGHT: (ErrorCode, Option<&str>) = (ErrorCode::Invalid, Some("credential"));

#[tokio::test]
async fn an_answer_counts_once() {
    let stage = Stage::new().await;
    maja(&stage).await;
    let token = asked(&stage).await;
    let right = answer("phone_2");
    let (a, b) = futures::join!(finish(&stage, &token, &right), finish(&stage, &token, &right));
    assert_eq!([a.is_ok(), b.is_ok()].into_iter().filter(|ok| *ok).count(), 1);
    // To another question of the same kind, by the same browser or another.
    let token = asked(&stage).await;
    stage.services.begin_second_step(&token, &client()).await.unwrap();
    let stale = finish(&stage, &token, &answer("phone_3")).await.err().expect("a refusal");
    assert_eq!(code_and_field(&stale), NOT_RIGHT, "it answers the question before");
    let used_up = finish(&stage, &token, &answer("phone_3")).await.err().expect("a refusal");
    assert_eq!(used_up.code, ErrorCode::Conflict, "a wrong answer uses the question up");
}

#[tokio::test]
async fn a_counter_that_goes_back_is_refused_and_written_down() {
    let stage = Stage::new().await;
    let (signed_in, _) = maja(&stage).await;
    finish(&stage, &asked(&stage).await, &answer("phone_3")).await.unwrap();
    for copy in ["phone_2", "phone_3"] {
        let token = asked(&stage).await;
        let error = finish(&stage, &token, &answer(copy)).await.err().expect("a refusal");
        assert_eq!(code_and_field(&error), NOT_RIGHT, "{copy}");
        assert!(error.message.contains("copied"), "{}", error.message);
    }
    let alone = asked_alone(&stage).await;
    let error = stage.services.sign_in_by_passkey(&alone, &answer_of("phone_2", &signed_in), &client()).await;
    assert!(error.err().expect("a refusal").message.contains("copied"));
    let written = "audit_entries where act = 'passkey.use' and outcome = 'refused' and object_name = 'iPhone'";
    assert_eq!(stage.count(written).await, 3);
    stage.comes_to("audit_entries where act = 'session.sign_in' and outcome = 'refused'", 3).await;
    finish(&stage, &asked(&stage).await, &answer("phone_4")).await.unwrap();
}

#[tokio::test]
async fn a_locked_device_another_site_and_nonsense_are_refused() {
    let stage = Stage::new().await;
    maja(&stage).await;
    let tampered = answer("phone_2").replace("\"signature\":\"M", "\"signature\":\"N");
    let mut wrong: Vec<String> =
        ["phone_locked", "phone_elsewhere", "phone_of_another_host", "laptop_2"].map(answer).into();
    wrong.push(tampered);
    for wrong in &wrong {
        let token = asked(&stage).await;
        let error = finish(&stage, &token, wrong).await.err().expect("a refusal");
        assert_eq!(code_and_field(&error), NOT_RIGHT, "{wrong}");
        stage.sql("update auth.users set failed_sign_ins = 0, sign_in_blocked_until = null").await;
    }
    let token = asked(&stage).await;
    for nonsense in ["", "{}", "[]", "null", &answer("phone")] {
        let error = finish(&stage, &token, nonsense).await.err().expect("a refusal");
        assert_eq!(code_and_field(&error), NOT_RIGHT, "{nonsense}");
    }
    // Deeper than anybody reads: alone, cut off, and in the place of what is read.
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let within = |field: &str| {
        let mut answer: serde_json::Value = serde_json::from_str(&answer("phone_2")).unwrap();
        answer[field] = serde_json::json!("DEEP");
        answer.to_string().replace("\"DEEP\"", &deep(100_000))
    };
    for nonsense in [deep(100_000), "[".repeat(500_000), within("response"), within("clientExtensionResults")] {
        let error = finish(&stage, &token, &nonsense).await.err().expect("a refusal");
        assert_eq!(code_and_field(&error), NOT_RIGHT);
    }
    // None of it was looked at, so the question still waits.
    finish(&stage, &token, &answer("phone_2")).await.unwrap();
}

#[tokio::test]
async fn answers_count_like_codes() {
    let stage = Stage::new().await;
    maja(&stage).await;
    let token = asked(&stage).await;
    for attempt in 1..=5 {
        stage.services.begin_second_step(&token, &client()).await.unwrap();
        let error = finish(&stage, &token, &answer("phone_2")).await.err().expect("a refusal");
        let over = if attempt == 5 { ErrorCode::NotFound } else { ErrorCode::Invalid };
        assert_eq!(error.code, over, "{attempt}");
    }
    let blocked = stage.first_step(MAJA, PASSWORD).await.err().expect("a refusal");
    assert_eq!(blocked.code, ErrorCode::RateLimited);
}

#[tokio::test]
async fn a_question_waits_five_minutes_for_whom_it_was_asked() {
    let stage = Stage::new().await;
    let (signed_in, _) = maja(&stage).await;
    let visitor = stage.visitor(&signed_in).await;
    let services = &stage.services;
    let token = asked(&stage).await;
    assert_eq!(stage.count("auth.passkey_ceremonies where expires_at > now() + interval '301 seconds'").await, 0);
    assert_eq!(
        stage.count(&format!("auth.passkey_ceremonies c where c::text like '%{token}%'")).await,
        0,
        "only its hash"
    );
    stage.sql("update auth.passkey_ceremonies set expires_at = now() - interval '1 second'").await;
    let late = finish(&stage, &token, &answer("phone_2")).await.err().expect("a refusal");
    assert_eq!(late.code, ErrorCode::Conflict);
    // One that was asked for something else, or in another session, is no question here.
    services.begin_passkey(&visitor).await.unwrap();
    fix_question(&stage).await;
    let kind = services.confirm_by_passkey(&visitor, &answer("phone_2"), &client()).await.unwrap_err();
    assert_eq!(kind.code, ErrorCode::Conflict);
    let elsewhere = finish(&stage, &asked(&stage).await, &answer("phone_2")).await.unwrap();
    let there = stage.visitor(&elsewhere).await;
    let session = services.add_passkey(&there, "Laptop", &answer("laptop"), &client()).await.unwrap_err();
    assert_eq!(session.code, ErrorCode::Conflict);
    services.add_passkey(&visitor, "Laptop", &answer("laptop"), &client()).await.unwrap();
    for nobody in [
        services.begin_passkey(&Visitor::Anonymous).await.err(),
        services.add_passkey(&Visitor::Anonymous, "N", &answer("laptop"), &client()).await.err(),
    ] {
        assert_eq!(nobody.unwrap().code, ErrorCode::Unauthenticated);
    }
    for token in ["", "0", &"ab".repeat(32)] {
        assert_eq!(services.begin_second_step(token, &client()).await.unwrap_err().code, ErrorCode::NotFound);
        let alone = services.sign_in_by_passkey(token, &answer("phone_3"), &client()).await.err().expect("a refusal");
        assert_eq!(alone.code, ErrorCode::Conflict);
    }
}

#[tokio::test]
async fn a_passkey_opens_its_persons_account_alone() {
    let stage = Stage::new().await;
    let (signed_in, _) = maja(&stage).await;
    let joe = stage.sign_up("Acme", "joe@acme.example").await.unwrap();
    let visitor = stage.visitor(&joe).await;
    let taken = add(&stage, &visitor, "iPhone", "phone").await.unwrap_err();
    assert_eq!(taken.code, ErrorCode::Conflict, "Maja's is not Joe's as well");
    add(&stage, &visitor, "Laptop", "laptop").await.unwrap();
    // Joe's device at Maja's sign-in, whoever it says it belongs to.
    for answer in [answer("laptop_2"), answer_of("laptop_2", &joe), answer_of("laptop_2", &signed_in)] {
        let error = finish(&stage, &asked(&stage).await, &answer).await.err().expect("a refusal");
        assert_eq!(code_and_field(&error), NOT_RIGHT);
        stage.sql("update auth.users set failed_sign_ins = 0, sign_in_blocked_until = null").await;
    }
    // Alone, a device has to say whose it is, and it has to be so.
    for answer in [answer("laptop_2"), answer_of("laptop_2", &signed_in), answer_of("phone_2", &joe)] {
        let token = asked_alone(&stage).await;
        let error = stage.services.sign_in_by_passkey(&token, &answer, &client()).await.err().expect("a refusal");
        assert_eq!(code_and_field(&error), NOT_RIGHT);
    }
    let token = asked_alone(&stage).await;
    let done = stage.services.sign_in_by_passkey(&token, &answer_of("laptop_2", &joe), &client()).await.unwrap();
    assert_eq!(done.session.user.email, "joe@acme.example");
    let step = stage.services.second_step(None).await.unwrap();
    assert!(step.app && !step.passkey, "of nobody nothing is told");
}

#[tokio::test]
async fn no_passkey_opens_an_account_that_was_disabled() {
    let stage = Stage::new().await;
    let (signed_in, _) = maja(&stage).await;
    let token = asked(&stage).await;
    stage.services.disable_account(MAJA).await.unwrap();
    let waiting = finish(&stage, &token, &answer("phone_2")).await.err().expect("a refusal");
    assert_eq!(waiting.code, ErrorCode::NotFound, "what waited for its second step is over");
    let token = asked_alone(&stage).await;
    let alone = answer_of("phone_2", &signed_in);
    let refused = stage.services.sign_in_by_passkey(&token, &alone, &client()).await.err().expect("a refusal");
    assert_eq!(code_and_field(&refused), NOT_RIGHT, "as one that nobody knows");
    assert_eq!(stage.count("auth.sessions where revoked_at is null").await, 0);
    stage.services.enable_account(MAJA).await.unwrap();
    let token = asked_alone(&stage).await;
    assert!(stage.services.sign_in_by_passkey(&token, &alone, &client()).await.is_ok());
}

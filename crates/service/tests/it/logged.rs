//! What the process log says of attempts, refusals and failures, for which docs/security/logs.md is the list.

use crate::stage::{Stage, client};
use clarity_domain::error::ErrorCode;
use clarity_runtime::telemetry;
use clarity_service::SignIn;
use clarity_testkit::Log;

/// Keeps what is logged on this thread, where a test's tasks run.
fn listen() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let kept = log.clone();
    let guard = tracing::subscriber::set_default(telemetry::text("info".into(), move || kept.clone()));
    (log, guard)
}

#[tokio::test]
async fn attempts_that_fail_or_have_to_wait_are_in_the_log_without_what_was_typed() {
    let (log, _guard) = listen();
    let stage = Stage::new().await;
    stage.sign_up("Nordmark", "maja@nordmark.example").await.unwrap();
    let attempt = async |email: &str| {
        let form = SignIn { email: email.into(), password: "typed with no account".into() };
        stage.services.sign_in(form, &client()).await.err().map(|error| error.code)
    };
    attempt("nobody@nordmark.example").await;
    let mut last = None;
    for _ in 0..8 {
        last = attempt("maja@nordmark.example").await;
    }
    assert_eq!(last, Some(ErrorCode::RateLimited));
    let text = log.text();
    assert!(text.contains("an attempt to sign in") && text.contains("an attempt has to wait"), "{text}");
    for typed in ["nobody@nordmark.example", "maja@nordmark.example", "typed with no account"] {
        assert!(!text.contains(typed), "{typed}: {text}");
    }
}

#[tokio::test]
async fn who_looks_around_in_others_workspaces_is_in_the_log() {
    let (log, _guard) = listen();
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await.unwrap();
    stage.sign_up("Acme", "joe@acme.example").await.unwrap();
    let visitor = stage.visitor(&maja).await;
    for slug in ["acme", "nothing"] {
        let error = stage.services.enter(&visitor, slug, &client()).await.expect_err("refused");
        assert_eq!(error.code, ErrorCode::NotFound);
    }
    let words = "a workspace was asked for that is not there for this person";
    assert_eq!(log.text().matches(words).count(), 2, "{}", log.text());
    assert!(log.text().contains(&maja.session.user.id.to_string()));
}

#[tokio::test]
async fn a_failure_that_nobody_foresaw_is_in_the_log_without_the_databases_words() {
    let (log, _guard) = listen();
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await.unwrap();
    let visitor = stage.visitor(&maja).await;
    let seat = stage.services.enter(&visitor, "nordmark", &client()).await.unwrap();
    stage.sql("alter table assets rename to hidden_assets").await;
    let error = stage.services.frame(&visitor, &seat).await.expect_err("it fails");
    assert_eq!(error.code, ErrorCode::Internal);
    let text = log.text();
    assert!(text.contains("ERROR") && text.contains("unexpected failure of the store"), "{text}");
    assert!(text.contains("42P01") && !text.contains("relation"), "{text}");
}

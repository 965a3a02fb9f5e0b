//! What the platform's operator does about a person by a command: ends their sessions, disables and enables their account.

use crate::stage::{PASSWORD, Stage, client};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::role::Role;
use clarity_service::{Seat, SignedIn};

const MAJA: &str = "maja@nordmark.example";
const JOE: &str = "joe@nordmark.example";

async fn is_in(stage: &Stage, signed_in: &SignedIn) -> bool {
    stage.visitor(signed_in).await.session().is_some()
}

async fn refused(stage: &Stage, password: &str) -> AppError {
    // Mistakes of before slow nobody down here.
    stage.sql("update auth.users set failed_sign_ins = 0, sign_in_blocked_until = null").await;
    stage.first_step(JOE, password).await.err().expect("a refusal")
}

/// How often this stands in the logs of how many workspaces, as done by the operator's command.
async fn written(stage: &Stage, act: &str, command: &str) -> (i64, i64) {
    let of = format!(
        "audit_entries where act = '{act}' and outcome = 'done' and actor_kind = 'support'
         and actor_name = 'command: {command}' and object_name like '%<{JOE}>'"
    );
    let workspaces = format!("(select distinct workspace_id from {of}) w");
    (stage.count(&of).await, stage.count(&workspaces).await)
}

/// Nordmark with Maja as its owner and Joe, who has a workspace of his own as well.
async fn world(stage: &Stage) -> (Seat, SignedIn) {
    let owner = stage.owner("Nordmark", MAJA).await;
    let joe = stage.member(&owner, JOE, Role::Operator).await;
    stage.services.add_workspace(&stage.visitor(&joe).await, "Joes Works", &client()).await.unwrap();
    (owner, joe)
}

#[tokio::test]
async fn every_session_of_a_person_ends_and_each_workspace_reads_of_it() {
    let stage = Stage::new().await;
    let (owner, first) = world(&stage).await;
    let second = stage.sign_in(JOE, PASSWORD).await.unwrap();
    let visitor = stage.visitor(&second).await;
    let seat = stage.services.enter(&visitor, "nordmark", &client()).await.unwrap();
    assert_eq!(stage.services.end_sessions_of(" Joe@Nordmark.example ").await.unwrap(), 2);
    assert!(!is_in(&stage, &first).await && !is_in(&stage, &second).await);
    assert!(!stage.services.still_seated(&seat).await.unwrap(), "an open connection sees it too");
    assert!(stage.services.still_seated(&owner).await.unwrap(), "nobody else's");
    assert_eq!(written(&stage, "session.end_all", "end-sessions").await, (2, 2));
    assert!(stage.sign_in(JOE, PASSWORD).await.is_ok(), "they sign in anew");
    for (email, code) in [("nobody@nordmark.example", ErrorCode::NotFound), ("nobody", ErrorCode::Invalid)] {
        assert_eq!(stage.services.end_sessions_of(email).await.unwrap_err().code, code);
        assert_eq!(stage.services.disable_account(email).await.unwrap_err().code, code);
        assert_eq!(stage.services.enable_account(email).await.unwrap_err().code, code);
    }
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once_and_reads_as_a_wrong_password() {
    let stage = Stage::new().await;
    let (owner, joe) = world(&stage).await;
    let wrong = refused(&stage, "another long password").await;
    assert_eq!(stage.services.disable_account(JOE).await.unwrap(), 1);
    assert!(!is_in(&stage, &joe).await);
    assert!(stage.services.still_seated(&owner).await.unwrap(), "nobody else's");
    assert_eq!(refused(&stage, PASSWORD).await, wrong, "the right password");
    assert_eq!(refused(&stage, "another long password").await, wrong);
    assert_eq!(
        stage.count("auth.sessions s join auth.users u on u.id = s.user_id where s.revoked_at is null").await,
        1
    );
    assert_eq!(written(&stage, "account.disable", "disable-account").await, (2, 2));
    // No letter tells, nor does one help.
    let letters = stage.count(&format!("auth.mails where to_address = '{JOE}'")).await;
    stage.services.ask_password_reset(JOE, &client()).await.unwrap();
    stage.services.ask_password_reset(MAJA, &client()).await.unwrap();
    stage.comes_to(&format!("auth.mails where to_address = '{MAJA}' and body_text like '%/reset/%'"), 1).await;
    assert_eq!(stage.count(&format!("auth.mails where to_address = '{JOE}'")).await, letters);
    // Again, nothing new happens.
    assert_eq!(stage.services.disable_account(JOE).await.unwrap(), 0);

    stage.services.enable_account(JOE).await.unwrap();
    stage.sql("update auth.users set failed_sign_ins = 0, sign_in_blocked_until = null").await;
    let again = stage.sign_in(JOE, PASSWORD).await.unwrap();
    assert!(is_in(&stage, &again).await && !is_in(&stage, &joe).await, "what ended stays ended");
    assert_eq!(stage.visitor(&again).await.session().unwrap().workspaces.len(), 2, "they have their places still");
    assert_eq!(written(&stage, "account.enable", "enable-account").await, (2, 2));
}

#[tokio::test]
async fn no_session_begins_while_an_account_is_being_disabled() {
    let stage = Stage::new().await;
    let (_, joe) = world(&stage).await;
    // The password was right, and then the account was closed: as if between two statements of one sign-in.
    stage
        .sql(
            "create function close_it() returns trigger language plpgsql as $$
               begin update auth.users set disabled_at = now() where id = new.id; return null; end $$;
             create trigger close_it after update of failed_sign_ins on auth.users
               for each row when (old.failed_sign_ins = 1 and new.failed_sign_ins = 0) execute function close_it();",
        )
        .await;
    stage.services.sign_out(&stage.visitor(&joe).await, &client()).await.unwrap();
    let error = stage.first_step(JOE, PASSWORD).await.err().expect("a refusal");
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::Invalid, Some("password")));
    let open = format!(
        "auth.sessions s join auth.users u on u.id = s.user_id where u.email = '{JOE}' and s.revoked_at is null"
    );
    assert_eq!(stage.count(&open).await, 0);
}

//! Whose sessions are marked for a new token, and by what.

use crate::stage::{PASSWORD, Stage, client};
use clarity_domain::role::Role;
use clarity_service::ConfirmSession;

const MAJA: &str = "maja@nordmark.example";
const JOE: &str = "joe@nordmark.example";
const EVE: &str = "eve@acme.example";

/// Who has a marked session since this was asked last.
async fn marked(stage: &Stage) -> Vec<String> {
    let sql = "select distinct u.email from auth.sessions s join auth.users u on u.id = s.user_id
               where s.renew_since is not null
               order by u.email";
    let rows = stage.db.admin().await.query(sql, &[]).await.unwrap();
    stage.sql("update auth.sessions set renew_since = null").await;
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn what_changes_a_role_marks_the_sessions_of_that_person_and_nobody_elses() {
    let stage = Stage::new().await;
    let services = &stage.services;
    let maja = stage.sign_up("Nordmark", MAJA).await.unwrap();
    let owner = stage.seat(&maja).await;
    let joe = stage.member(&owner, JOE, Role::Viewer).await;
    let eve = stage.sign_up("Acme", EVE).await.unwrap();
    assert!(marked(&stage).await.is_empty(), "who has just signed in has a new token");

    let elsewhere = stage.sign_in(JOE, PASSWORD).await.unwrap();
    services.change_role(&owner, joe.session.user.id, Role::Operator).await.unwrap();
    assert_eq!(stage.count("auth.sessions where renew_since is not null").await, 2, "each of their sessions");
    assert_eq!(marked(&stage).await, [JOE], "another role");
    services.sign_out(&stage.visitor(&elsewhere).await, &client()).await.unwrap();

    services.change_role(&owner, joe.session.user.id, Role::Operator).await.unwrap();
    assert!(marked(&stage).await.is_empty(), "the role they had");

    services.offer_ownership(&owner, joe.session.user.id).await.unwrap();
    assert!(marked(&stage).await.is_empty(), "an offer is none yet");
    services.accept_ownership(&stage.seat(&joe).await).await.unwrap();
    assert_eq!(marked(&stage).await, [JOE], "an owner");

    services.invite(&owner, EVE, Role::Admin).await.unwrap();
    let token = stage.invitation_token(EVE).await;
    services.accept_invitation(&stage.visitor(&eve).await, &token, None, &client()).await.unwrap();
    assert_eq!(marked(&stage).await, [EVE], "joined");
    services.remove_member(&owner, eve.session.user.id).await.unwrap();
    assert_eq!(marked(&stage).await, [EVE], "removed");

    services.leave(&owner).await.unwrap();
    assert_eq!(marked(&stage).await, [MAJA], "left");
    services.add_workspace(&stage.visitor(&maja).await, "Another", &client()).await.unwrap();
    assert_eq!(marked(&stage).await, [MAJA], "the owner of a new one");
}

#[tokio::test]
async fn a_confirmation_marks_the_session_it_was_made_in() {
    let stage = Stage::new().await;
    let here = stage.sign_up("Nordmark", MAJA).await.unwrap();
    stage.sign_in(MAJA, PASSWORD).await.unwrap();
    let form = |password: &str| ConfirmSession { password: password.into(), code: None };
    let visitor = stage.visitor(&here).await;
    stage.services.confirm_session(&visitor, form("another long password"), &client()).await.unwrap_err();
    assert!(marked(&stage).await.is_empty(), "a wrong password");
    stage.services.confirm_session(&visitor, form(PASSWORD), &client()).await.unwrap();
    assert_eq!(stage.count("auth.sessions where renew_since is not null").await, 1);

    // A new token is given once, whoever asks, and nobody else gets one.
    let before = stage.visitor(&here).await;
    let new = stage.services.renew_session(&before).await.unwrap().expect("a new token");
    assert!(stage.services.renew_session(&before).await.unwrap().is_none());
    let after = stage.services.visitor(Some(&new.token)).await.unwrap();
    assert!(after.session().is_some());
    assert!(stage.services.renew_session(&after).await.unwrap().is_none());
    let open = stage.services.open_sessions(&after).await.unwrap().sessions;
    assert_eq!(open.iter().map(|s| s.current).collect::<Vec<_>>(), [true, false], "the list knows which one this is");
    stage.services.end_other_sessions(&after, &client()).await.unwrap();
    assert!(stage.services.visitor(Some(&new.token)).await.unwrap().session().is_some());
    assert!(stage.visitor(&here).await.session().is_some(), "the old token is of the same session");
}

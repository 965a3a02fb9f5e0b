//! Owners: made by an offer and its acceptance, never fewer than one.

use crate::stage::{Stage, client};
use clarity_domain::error::ErrorCode;
use clarity_domain::role::Role;
use clarity_service::{Seat, SignedIn};

async fn role(stage: &Stage, signed_in: &SignedIn) -> Role {
    stage.seat(signed_in).await.role()
}

async fn offered(stage: &Stage, seat: &Seat) -> bool {
    stage.services.membership(seat).await.unwrap().offer_to_you.is_some()
}

/// An owner, and a member who has become one too.
async fn two_owners(stage: &Stage) -> (SignedIn, SignedIn) {
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await.unwrap();
    let owner = stage.seat(&maja).await;
    let joe = stage.member(&owner, "joe@nordmark.example", Role::Operator).await;
    stage.services.offer_ownership(&owner, joe.session.user.id).await.unwrap();
    stage.services.accept_ownership(&stage.seat(&joe).await).await.unwrap();
    (maja, joe)
}

#[tokio::test]
async fn an_owner_is_made_in_two_steps() {
    let stage = Stage::new().await;
    let (maja, joe) = two_owners(&stage).await;
    assert_eq!((role(&stage, &maja).await, role(&stage, &joe).await), (Role::Owner, Role::Owner));
    let (_, text) = stage.last_letter("joe@nordmark.example").await;
    assert!(text.contains("Nordmark") && text.contains("https://clarity.example/w/nordmark/members"), "{text}");
    // Whoever offered may step down now, and the new one is the last.
    let seat = stage.seat(&maja).await;
    stage.services.change_role(&seat, maja.session.user.id, Role::Admin).await.unwrap();
    assert_eq!(role(&stage, &maja).await, Role::Admin);
    let joes = stage.seat(&joe).await;
    assert!(stage.services.membership(&joes).await.unwrap().last_owner);
    assert_eq!(stage.services.leave(&joes).await.unwrap_err().code, ErrorCode::Conflict);
    for act in ["ownership.offer", "ownership.accept"] {
        assert_eq!(stage.count(&format!("audit_entries where act = '{act}' and outcome = 'done'")).await, 1, "{act}");
    }
    let accepted = "audit_entries where act = 'ownership.accept' and before ->> 'role' = 'operator' and after ->> 'role' = 'owner'";
    assert_eq!(stage.count(accepted).await, 1);
}

#[tokio::test]
async fn an_offer_is_for_one_person_once_and_can_be_withdrawn() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let joe = stage.member(&owner, "joe@nordmark.example", Role::Viewer).await;
    let eve = stage.member(&owner, "eve@nordmark.example", Role::Admin).await;
    let (joes, eves) = (stage.seat(&joe).await, stage.seat(&eve).await);
    let services = &stage.services;
    assert_eq!(services.accept_ownership(&joes).await.unwrap_err().code, ErrorCode::NotFound);
    assert_eq!(services.withdraw_offer(&owner).await.unwrap_err().code, ErrorCode::NotFound);

    services.offer_ownership(&owner, joe.session.user.id).await.unwrap();
    assert!(offered(&stage, &joes).await && !offered(&stage, &eves).await);
    let rows = services.members(&owner).await.unwrap().members;
    assert_eq!(rows.iter().filter(|row| row.offered).map(|row| row.id).collect::<Vec<_>>(), [joe.session.user.id]);
    assert!(rows.iter().all(|row| !row.may.offer), "one offer at a time");
    assert_eq!(services.accept_ownership(&eves).await.unwrap_err().code, ErrorCode::NotFound, "not theirs");
    for to in [&joe, &eve] {
        let second = services.offer_ownership(&owner, to.session.user.id).await.unwrap_err();
        assert_eq!(second.code, ErrorCode::Conflict);
    }
    services.withdraw_offer(&owner).await.unwrap();
    assert_eq!(services.accept_ownership(&joes).await.unwrap_err().code, ErrorCode::NotFound, "withdrawn");

    services.offer_ownership(&owner, joe.session.user.id).await.unwrap();
    stage.sql("update auth.ownership_offers set expires_at = now()").await;
    assert!(!offered(&stage, &joes).await);
    assert_eq!(services.accept_ownership(&joes).await.unwrap_err().code, ErrorCode::NotFound, "over");
    services.offer_ownership(&owner, eve.session.user.id).await.unwrap();
    services.remove_member(&owner, eve.session.user.id).await.unwrap();
    assert_eq!(stage.count("auth.ownership_offers").await, 0, "an offer goes with the member");
    assert_eq!(services.accept_ownership(&eves).await.unwrap_err().code, ErrorCode::NotFound);
    let own = services.membership(&owner).await.unwrap().you;
    assert_eq!(services.offer_ownership(&owner, own).await.unwrap_err().code, ErrorCode::Conflict, "an owner already");
    assert_eq!(stage.count("auth.memberships where role = 'owner'").await, 1);
    assert_eq!(stage.count("audit_entries where act = 'ownership.withdraw'").await, 1);
}

#[tokio::test]
async fn what_an_owner_offered_ends_with_their_ownership() {
    let stage = Stage::new().await;
    let (maja, joe) = two_owners(&stage).await;
    let (majas, joes) = (stage.seat(&maja).await, stage.seat(&joe).await);
    let eve = stage.member(&majas, "eve@nordmark.example", Role::Viewer).await;
    let eves = stage.seat(&eve).await;
    stage.services.offer_ownership(&joes, eve.session.user.id).await.unwrap();
    // Owners may take each other's place away: the workspace has one whatever comes.
    stage.services.change_role(&majas, joe.session.user.id, Role::Admin).await.unwrap();
    assert_eq!(stage.services.accept_ownership(&eves).await.unwrap_err().code, ErrorCode::NotFound);
    stage.services.offer_ownership(&majas, joe.session.user.id).await.unwrap();
    stage.services.accept_ownership(&stage.seat(&joe).await).await.unwrap();
    stage.services.offer_ownership(&stage.seat(&joe).await, eve.session.user.id).await.unwrap();
    stage.services.remove_member(&majas, joe.session.user.id).await.unwrap();
    assert_eq!(stage.services.accept_ownership(&eves).await.unwrap_err().code, ErrorCode::NotFound);
    assert_eq!(role(&stage, &eve).await, Role::Viewer);
}

#[tokio::test]
async fn two_owners_who_go_at_once_leave_one() {
    let stage = Stage::new().await;
    let (maja, joe) = two_owners(&stage).await;
    let (one, other) = (stage.seat(&maja).await, stage.seat(&joe).await);
    let (a, b) = tokio::join!(stage.services.leave(&one), stage.services.leave(&other));
    assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1, "{a:?} {b:?}");
    assert_eq!([a, b].into_iter().find_map(Result::err).unwrap().code, ErrorCode::Conflict);
    assert_eq!(stage.count("auth.memberships where role = 'owner'").await, 1);
}

#[tokio::test]
async fn two_owners_who_remove_or_lower_each_other_at_once_leave_one() {
    let stage = Stage::new().await;
    let (maja, joe) = two_owners(&stage).await;
    let (majas, joes) = (stage.seat(&maja).await, stage.seat(&joe).await);
    let (a, b) = tokio::join!(
        stage.services.change_role(&majas, joe.session.user.id, Role::Viewer),
        stage.services.change_role(&joes, maja.session.user.id, Role::Viewer)
    );
    assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1, "{a:?} {b:?}");
    assert_eq!(stage.count("auth.memberships where role = 'owner'").await, 1);

    stage.sql("update auth.memberships set role = 'owner'").await;
    let (majas, joes) = (stage.seat(&maja).await, stage.seat(&joe).await);
    let (a, b) = tokio::join!(
        stage.services.remove_member(&majas, joe.session.user.id),
        stage.services.remove_member(&joes, maja.session.user.id)
    );
    assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1, "{a:?} {b:?}");
    assert_eq!(stage.count("auth.memberships where role = 'owner'").await, 1);

    // Both step down at once: the second finds themselves the last.
    stage.sql("delete from auth.memberships").await;
    stage
        .sql("insert into auth.memberships (workspace_id, user_id, role) select w.id, u.id, 'owner' from auth.workspaces w, auth.users u")
        .await;
    let (majas, joes) = (stage.seat(&maja).await, stage.seat(&joe).await);
    let (a, b) = tokio::join!(
        stage.services.change_role(&majas, maja.session.user.id, Role::Admin),
        stage.services.change_role(&joes, joe.session.user.id, Role::Admin)
    );
    assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1, "{a:?} {b:?}");
    assert_eq!(stage.count("auth.memberships where role = 'owner'").await, 1);
}

#[tokio::test]
async fn somebody_elses_offer_is_not_there() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let joe = stage.member(&owner, "joe@nordmark.example", Role::Viewer).await;
    stage.services.offer_ownership(&owner, joe.session.user.id).await.unwrap();
    // Joe has a workspace of his own: the offer is none of it.
    stage.sign_up("Acme", "joe@nordmark.example").await.unwrap();
    let own = stage.services.enter(&stage.visitor(&joe).await, "acme", &client()).await.unwrap();
    assert!(!offered(&stage, &own).await);
    assert_eq!(stage.services.accept_ownership(&own).await.unwrap_err().code, ErrorCode::NotFound);
    assert_eq!(stage.services.withdraw_offer(&own).await.unwrap_err().code, ErrorCode::NotFound);
    assert!(
        offered(&stage, &stage.services.enter(&stage.visitor(&joe).await, "nordmark", &client()).await.unwrap()).await
    );
}

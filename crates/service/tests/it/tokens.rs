//! Service accounts and API tokens: who makes them, what they open, and what the log has of it.

use crate::stage::{Stage, client};
use clarity_domain::error::ErrorCode;
use clarity_domain::ids::{ApiTokenId, ServiceAccountId};
use clarity_domain::role::Role;
use clarity_domain::scope::Scope;
use clarity_domain::view::tokens::TokenState;
use clarity_service::Seat;
use clarity_service::tokens::{NewAccountToken, NewTokenForm, is_token};
use sha2::{Digest, Sha256};
use uuid::Uuid;

fn form(name: &str) -> NewAccountToken {
    NewAccountToken { name: name.into(), role: Role::Viewer, scopes: vec![Scope::ReadAssets], days: 90 }
}

async fn account(stage: &Stage, seat: &Seat) -> ServiceAccountId {
    stage.services.api_access(seat).await.unwrap().accounts[0].id
}

async fn enters(stage: &Stage, text: &str) -> bool {
    stage.services.enter_by_token(Some(text), &client()).await.is_ok()
}

#[tokio::test]
async fn a_token_is_shown_once_and_kept_hashed() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let new = stage.services.create_service_account(&owner, form("Grafana")).await.unwrap();
    assert!(is_token(&new.text) && !format!("{new:?}").contains(&new.text));
    let hash = hex::encode(Sha256::digest(new.text.as_bytes()));
    assert_eq!(stage.count(&format!("auth.api_tokens where encode(token_hash, 'hex') = '{hash}'")).await, 1);

    let access = stage.services.api_access(&owner).await.unwrap();
    let (of, token) = (&access.accounts[0], &access.accounts[0].tokens[0]);
    assert_eq!((of.name.as_str(), of.role, of.created_by.as_str()), ("Grafana", Role::Viewer, "Maja"));
    assert_eq!((token.id, token.state, token.last_used_at), (new.id, TokenState::Live, None));
    assert_eq!(token.scopes, [Scope::ReadAssets]);
    assert_eq!((access.new, access.api_url.as_str()), (None, "https://clarity.example/api/v1"));
    assert!(enters(&stage, &new.text).await);
    let used = stage.services.api_access(&owner).await.unwrap();
    assert!(used.accounts[0].tokens[0].last_used_at.is_some());

    // Neither the text nor its hash stands in the log.
    let entry = "audit_entries where act = 'token.create' and after ->> 'service_account' = 'Grafana'
                 and after ->> 'scopes' = '[\"read:assets\"]'";
    assert_eq!(stage.count(entry).await, 1);
    for secret in [new.text.as_str(), &hash, &new.text[4..20]] {
        assert_eq!(stage.count(&format!("audit_entries e where e::text like '%{secret}%'")).await, 0);
    }
}

#[tokio::test]
async fn a_token_does_what_its_scopes_say_and_a_refusal_is_written_down() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let new = stage.services.create_service_account(&owner, form("Grafana")).await.unwrap();
    let api = stage.services.enter_by_token(Some(&new.text), &client()).await.unwrap();
    let seat = stage.services.allow(&api, Scope::ReadAssets).await.unwrap();
    assert_eq!((seat.role(), seat.frame_card().id), (Role::Viewer, owner.frame_card().id));
    assert!(stage.services.assets(seat, None, 10).await.unwrap().0.is_empty());
    let refused = stage.services.allow(&api, Scope::ReadSeries).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Forbidden);
    assert!(refused.message.contains("read:series"), "{refused}");
    let entry = "audit_entries where act = 'token.use' and outcome = 'refused' and actor_kind = 'service'
                 and actor_name = 'Grafana' and after ->> 'needed' = 'read:series'";
    assert_eq!(stage.count(entry).await, 1);
    // A program is no member: what members manage is closed to it, whatever its scopes.
    assert_eq!(stage.services.api_access(seat).await.unwrap_err().code, ErrorCode::Forbidden);
    assert_eq!(stage.services.members(seat).await.unwrap_err().code, ErrorCode::Forbidden);
}

#[tokio::test]
async fn only_who_manages_tokens_makes_them_and_none_is_above_an_operator() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let admin = stage.member(&owner, "eve@nordmark.example", Role::Admin).await;
    let operator = stage.member(&owner, "joe@nordmark.example", Role::Operator).await;
    let (admin, operator) = (stage.seat(&admin).await, stage.seat(&operator).await);
    let services = &stage.services;
    services.create_service_account(&admin, NewAccountToken { role: Role::Operator, ..form("MES") }).await.unwrap();
    for role in [Role::Admin, Role::Owner] {
        let form = NewAccountToken { role, ..form("Boss") };
        assert_eq!(
            services.create_service_account(&owner, form).await.unwrap_err().code,
            ErrorCode::Forbidden,
            "{role:?}"
        );
    }
    let id = account(&stage, &owner).await;
    let token = services.api_access(&owner).await.unwrap().accounts[0].tokens[0].id;
    let more = NewTokenForm { account: id, name: "Next".into(), scopes: vec![Scope::ReadAssets], days: 30 };
    let refused = [
        services.create_service_account(&operator, form("Grafana")).await.err(),
        services.add_token(&operator, more).await.err(),
        services.revoke_token(&operator, token).await.err(),
        services.remove_service_account(&operator, id).await.err(),
        services.api_access(&operator).await.err(),
    ];
    assert!(refused.iter().flatten().all(|error| error.code == ErrorCode::Forbidden));
    assert_eq!(refused.iter().flatten().count(), 5);
    let written = "audit_entries where outcome = 'refused' and act in
                   ('token.create', 'token.revoke', 'service_account.remove', 'tokens.read')";
    assert_eq!(stage.count(written).await, 7);
    assert_eq!(stage.count("auth.service_accounts").await, 1);
    // The role that counts is the one of now, not the one the request came with.
    stage.sql("update auth.memberships set role = 'viewer' where role = 'admin'").await;
    assert_eq!(services.create_service_account(&admin, form("Late")).await.unwrap_err().code, ErrorCode::Forbidden);
}

#[tokio::test]
async fn a_token_ends_by_revoking_by_time_and_with_its_account() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let services = &stage.services;
    let first = services.create_service_account(&owner, form("Grafana")).await.unwrap();
    let id = account(&stage, &owner).await;
    let more = |name: &str| NewTokenForm { account: id, name: name.into(), scopes: vec![Scope::ReadSeries], days: 30 };
    let second = services.add_token(&owner, more("Second")).await.unwrap();
    let third = services.add_token(&owner, more("Third")).await.unwrap();
    for token in [&first, &second, &third] {
        assert!(enters(&stage, &token.text).await);
    }
    services.revoke_token(&owner, first.id).await.unwrap();
    services.revoke_token(&owner, first.id).await.unwrap();
    assert!(!enters(&stage, &first.text).await && enters(&stage, &second.text).await);
    let id_of_second = second.id;
    stage.sql(&format!("update auth.api_tokens set created_at = now() - interval '2 days', expires_at = now() where id = '{id_of_second}'")).await;
    assert!(!enters(&stage, &second.text).await && enters(&stage, &third.text).await);
    let states: Vec<TokenState> =
        services.api_access(&owner).await.unwrap().accounts[0].tokens.iter().map(|token| token.state).collect();
    assert!(states.contains(&TokenState::Expired) && states.contains(&TokenState::Revoked), "{states:?}");

    services.remove_service_account(&owner, id).await.unwrap();
    assert!(!enters(&stage, &third.text).await);
    assert!(services.api_access(&owner).await.unwrap().accounts.is_empty());
    assert_eq!(services.remove_service_account(&owner, id).await.unwrap_err().code, ErrorCode::NotFound);
    assert_eq!(services.add_token(&owner, more("Late")).await.unwrap_err().code, ErrorCode::NotFound);
    // Its name is free again.
    services.create_service_account(&owner, form("grafana")).await.unwrap();
    let again = services.create_service_account(&owner, form("GRAFANA")).await.unwrap_err();
    assert_eq!(again.field.as_deref(), Some("name"));
    for (act, count) in [("token.revoke", 2), ("service_account.remove", 1)] {
        assert_eq!(
            stage.count(&format!("audit_entries where act = '{act}' and outcome = 'done'")).await,
            count,
            "{act}"
        );
    }
}

#[tokio::test]
async fn another_workspaces_tokens_are_not_there() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let other = stage.owner("Acme", "joe@acme.example").await;
    let services = &stage.services;
    let new = services.create_service_account(&owner, form("Grafana")).await.unwrap();
    let id = account(&stage, &owner).await;
    let none = (ServiceAccountId(Uuid::now_v7()), ApiTokenId(Uuid::now_v7()));
    for (account, token) in [(id, new.id), none] {
        let more = NewTokenForm { account, name: "X".into(), scopes: vec![Scope::ReadAssets], days: 30 };
        let answers = [
            services.add_token(&other, more).await.err(),
            services.revoke_token(&other, token).await.err(),
            services.remove_service_account(&other, account).await.err(),
        ];
        assert!(answers.iter().flatten().all(|error| error.code == ErrorCode::NotFound), "{answers:?}");
        assert_eq!(answers.iter().flatten().count(), 3);
    }
    assert!(services.api_access(&other).await.unwrap().accounts.is_empty());
    assert!(enters(&stage, &new.text).await, "nothing was done to it");
}

#[tokio::test]
async fn forms_say_which_field_is_wrong() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    for (wrong, field) in [
        (form(" \n"), "name"),
        (NewAccountToken { scopes: Vec::new(), ..form("A") }, "scopes"),
        (NewAccountToken { days: 0, ..form("A") }, "days"),
        (NewAccountToken { days: 3_650, ..form("A") }, "days"),
    ] {
        let error = stage.services.create_service_account(&owner, wrong).await.unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::Invalid, Some(field)));
    }
    assert_eq!(stage.count("auth.service_accounts").await, 0, "nothing was half made");
    for _ in 0..2 {
        stage.services.enter_by_token(None, &client()).await.unwrap_err();
    }
    for wrong in ["", "cst_", &"x".repeat(10_000)] {
        let error = stage.services.enter_by_token(Some(wrong), &client()).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::Unauthenticated);
    }
}

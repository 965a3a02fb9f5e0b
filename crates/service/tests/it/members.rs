//! Members: how one comes in, what each may do to the others, and how one goes.

use crate::stage::{PASSWORD, Stage, client};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::{InvitationId, UserId};
use clarity_domain::role::Role;
use clarity_domain::view::members::{InvitationRow, Invitee, MemberRow, Members};
use clarity_service::{Accepted, Limits, NewAccount, Seat, SignedIn, Visitor};
use uuid::Uuid;

const OVER: &str = "This invitation is not valid any more. Ask for a new one.";

fn account() -> NewAccount {
    NewAccount { name: "Joe Berg".into(), password: PASSWORD.into() }
}

async fn accept(stage: &Stage, visitor: &Visitor, token: &str) -> Result<Accepted, AppError> {
    stage.services.accept_invitation(visitor, token, Some(account()), &client()).await
}

/// An invitation to this address; its token.
async fn invited(stage: &Stage, seat: &Seat, email: &str, role: Role) -> String {
    stage.services.invite(seat, email, role).await.unwrap();
    stage.invitation_token(email).await
}

async fn all(stage: &Stage, seat: &Seat) -> Members {
    stage.services.members(seat).await.unwrap()
}

async fn row(stage: &Stage, seat: &Seat, of: &SignedIn) -> MemberRow {
    let members = all(stage, seat).await.members;
    members.into_iter().find(|row| row.id == of.session.user.id).expect("a member")
}

/// A link that leads nowhere: looking and using are answered alike, whatever is wrong with it.
async fn is_dead(stage: &Stage, token: &str, why: &str) {
    let found = stage.services.find_invitation(&Visitor::Anonymous, token).await.unwrap_err();
    let used = accept(stage, &Visitor::Anonymous, token).await.err().unwrap();
    assert_eq!((found.code, found.message.as_str()), (ErrorCode::NotFound, OVER), "{why}");
    assert_eq!(found, used, "{why}");
}

async fn is_alive(stage: &Stage, token: &str) -> bool {
    stage.services.find_invitation(&Visitor::Anonymous, token).await.is_ok()
}

#[tokio::test]
async fn an_invitation_leads_a_new_person_into_the_workspace() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let sent = stage.services.invite(&owner, " Joe@Nordmark.Example ", Role::Operator).await.unwrap();
    assert_eq!(sent, "joe@nordmark.example");
    let InvitationRow { email, role, invited_by, expired, may_resend, .. } =
        all(&stage, &owner).await.invitations.remove(0);
    assert_eq!((email.as_str(), role, invited_by.as_str()), ("joe@nordmark.example", Role::Operator, "Maja"));
    assert!(!expired && may_resend);

    let token = stage.invitation_token("joe@nordmark.example").await;
    assert_eq!(token.len(), 64);
    // Mail scanners look too: looking uses nothing up.
    for _ in 0..3 {
        let card = stage.services.find_invitation(&Visitor::Anonymous, &token).await.unwrap();
        assert_eq!((card.workspace.as_str(), card.inviter.as_str(), card.role), ("Nordmark", "Maja", Role::Operator));
        assert_eq!((card.email.as_str(), card.visitor), ("joe@nordmark.example", Invitee::NeedsAccount));
    }
    let accepted = accept(&stage, &Visitor::Anonymous, &token).await.unwrap();
    assert_eq!(accepted.slug, "nordmark");
    let joe = accepted.signed_in.unwrap();
    assert_eq!(joe.session.user.name, "Joe Berg");
    assert_eq!(stage.seat(&joe).await.role(), Role::Operator);
    assert_eq!(stage.count("auth.users where email like 'joe@%' and email_verified_at is not null").await, 1);
    stage.sign_in("joe@nordmark.example", PASSWORD).await.unwrap();

    let members = all(&stage, &owner).await;
    let roles: Vec<_> = members.members.iter().map(|row| (row.name.as_str(), row.role)).collect();
    assert_eq!(roles, [("Maja", Role::Owner), ("Joe Berg", Role::Operator)]);
    assert!(members.invitations.is_empty());
    assert_eq!(members.members_total, 2);

    for (act, actor) in
        [("member.invite", "Maja%"), ("invitation.accept", "Joe Berg <joe@%"), ("session.sign_in", "Joe%")]
    {
        let written = format!("audit_entries where act = '{act}' and actor_name like '{actor}' and outcome = 'done'");
        assert!(stage.count(&written).await > 0, "{act}");
    }
    assert_eq!(
        stage.count(&format!("audit_entries e where e::text like '%{token}%'")).await,
        0,
        "a token is in the log"
    );
    assert_eq!(
        stage.count(&format!("auth.invitations i where i::text like '%{token}%'")).await,
        0,
        "only its hash is kept"
    );
    is_dead(&stage, &token, "used").await;
    refused_because(&stage, "used", "joe@nordmark.example").await;
}

/// The log of the invitation's workspace says that the link was tried, why it led nowhere, and by whom, as far as that is known.
async fn refused_because(stage: &Stage, why: &str, actor: &str) {
    let of = format!(
        "audit_entries e join auth.workspaces w on w.id = e.workspace_id
         where w.slug = 'nordmark' and e.act = 'invitation.accept' and e.outcome = 'refused'
           and e.after->>'why' = '{why}' and e.actor_name like '%{actor}%'"
    );
    assert_eq!(stage.count(&of).await, 1, "{why}");
}

#[tokio::test]
async fn a_link_is_dead_when_it_was_used_revoked_replaced_changed_or_is_over() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    for nonsense in ["", "0", "../../w/nordmark", &"0".repeat(64), &"g".repeat(64), &"a".repeat(4000)] {
        is_dead(&stage, nonsense, nonsense).await;
    }
    let token = invited(&stage, &owner, "a@nordmark.example", Role::Viewer).await;
    let last = if token.ends_with('0') { '1' } else { '0' };
    is_dead(&stage, &format!("{}{last}", &token[..63]), "changed").await;
    is_dead(&stage, &token.to_uppercase(), "in capitals").await;

    let id = all(&stage, &owner).await.invitations[0].id;
    stage.services.resend_invitation(&owner, id).await.unwrap();
    let newer = stage.invitation_token("a@nordmark.example").await;
    assert_ne!(newer, token);
    let (_, text) = stage.last_letter("a@nordmark.example").await;
    assert!(text.contains("72 hours from this letter") && text.contains("works no more"), "{text}");
    is_dead(&stage, &token, "a newer letter").await;
    assert!(is_alive(&stage, &newer).await);

    stage.sql("update auth.invitations set expires_at = now()").await;
    is_dead(&stage, &newer, "over").await;
    refused_because(&stage, "expired", "a@nordmark.example").await;
    assert!(all(&stage, &owner).await.invitations[0].expired);
    stage.services.resend_invitation(&owner, id).await.unwrap();
    let newest = stage.invitation_token("a@nordmark.example").await;
    assert!(is_alive(&stage, &newest).await, "sent again it is valid again");
    assert_eq!(stage.count("auth.invitations where expires_at > now() + interval '71 hours 59 minutes'").await, 1);

    stage.services.revoke_invitation(&owner, id).await.unwrap();
    is_dead(&stage, &newest, "revoked").await;
    refused_because(&stage, "revoked", "a@nordmark.example").await;
    for gone in [
        stage.services.resend_invitation(&owner, id).await.map(drop),
        stage.services.revoke_invitation(&owner, id).await,
    ] {
        assert_eq!(gone.unwrap_err().code, ErrorCode::NotFound);
    }
    // The address can be asked again.
    assert!(is_alive(&stage, &invited(&stage, &owner, "a@nordmark.example", Role::Viewer).await).await);
    assert_eq!(stage.count("auth.memberships").await, 1);
    let written =
        "audit_entries where act in ('invitation.resend', 'invitation.revoke') and object_name = 'a@nordmark.example'";
    assert_eq!(stage.count(written).await, 3);
}

#[tokio::test]
async fn two_who_open_one_link_at_once_make_one_member() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let token = invited(&stage, &owner, "joe@nordmark.example", Role::Viewer).await;
    let nobody = Visitor::Anonymous;
    let both = futures::future::join_all((0..2).map(|_| accept(&stage, &nobody, &token))).await;
    assert_eq!(both.iter().filter(|one| one.is_ok()).count(), 1);
    assert_eq!((stage.count("auth.memberships").await, stage.count("auth.users").await), (2, 2));
}

#[tokio::test]
async fn an_account_that_exists_joins_once_it_is_signed_in() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let joe = stage.sign_up("Acme", "joe@acme.example").await.unwrap();
    let token = invited(&stage, &owner, "joe@acme.example", Role::Admin).await;
    let card = stage.services.find_invitation(&Visitor::Anonymous, &token).await.unwrap();
    assert_eq!(card.visitor, Invitee::HasAccount);
    // Whoever has the link alone may not give the account another password.
    let refused = accept(&stage, &Visitor::Anonymous, &token).await.err().unwrap();
    assert_eq!(refused.code, ErrorCode::Conflict);

    let visitor = stage.visitor(&joe).await;
    let card = stage.services.find_invitation(&visitor, &token).await.unwrap();
    assert_eq!(card.visitor, Invitee::You);
    let accepted = stage.services.accept_invitation(&visitor, &token, None, &client()).await.unwrap();
    assert!(accepted.signed_in.is_none(), "they are signed in already");
    let visitor = stage.visitor(&joe).await;
    let slugs: Vec<_> = visitor.session().unwrap().workspaces.iter().map(|w| (w.slug.as_str(), w.role)).collect();
    assert_eq!(slugs, [("acme", Role::Owner), ("nordmark", Role::Admin)], "one person in two workspaces");
    for slug in ["acme", "nordmark"] {
        stage.services.enter(&visitor, slug, &client()).await.unwrap();
    }
    let theirs = "audit_entries e join auth.workspaces w on w.id = e.workspace_id
                  where w.slug = 'acme' and e.act = 'invitation.accept'";
    assert_eq!(stage.count(theirs).await, 0, "their other workspace hears nothing of it");
}

#[tokio::test]
async fn a_wrong_account_uses_nothing_up() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let eve = stage.sign_up("Acme", "eve@acme.example").await.unwrap();
    let token = invited(&stage, &owner, "joe@nordmark.example", Role::Admin).await;
    let visitor = stage.visitor(&eve).await;
    let card = stage.services.find_invitation(&visitor, &token).await.unwrap();
    assert_eq!(card.visitor, Invitee::SomebodyElse { email: "eve@acme.example".into() });
    let refused = accept(&stage, &visitor, &token).await.err().unwrap();
    assert_eq!(refused.code, ErrorCode::Conflict);
    assert!(refused.message.contains("joe@nordmark.example"), "{refused}");
    refused_because(&stage, "another account", "eve@acme.example").await;
    assert_eq!(stage.count("auth.memberships").await, 2);
    assert!(accept(&stage, &Visitor::Anonymous, &token).await.is_ok(), "the right person still comes in");
}

#[tokio::test]
async fn a_new_account_has_a_name_and_a_good_password() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let token = invited(&stage, &owner, "joe@nordmark.example", Role::Viewer).await;
    for (name, password, field) in [
        (" ", PASSWORD, "name"),
        ("Joe\u{202e}", PASSWORD, "name"),
        ("Joe", "short", "password"),
        ("Joe", "joe@nordmark.example", "password"),
    ] {
        let new = NewAccount { name: name.into(), password: password.into() };
        let wrong = stage.services.accept_invitation(&Visitor::Anonymous, &token, Some(new), &client()).await;
        assert_eq!(wrong.err().unwrap().field.as_deref(), Some(field), "{name:?} {password:?}");
    }
    let empty = stage.services.accept_invitation(&Visitor::Anonymous, &token, None, &client()).await;
    assert_eq!(empty.err().unwrap().field.as_deref(), Some("name"));
    assert_eq!(stage.count("auth.users").await, 1);
    assert!(is_alive(&stage, &token).await);
}

#[tokio::test]
async fn a_network_may_not_try_links_without_end() {
    let stage = Stage::new().await;
    let mut last = None;
    for _ in 0..61 {
        last = accept(&stage, &Visitor::Anonymous, "no link").await.err().map(|e| e.code);
    }
    assert_eq!(last, Some(ErrorCode::RateLimited));
}

#[tokio::test]
async fn what_is_no_address_or_is_here_already_is_told_at_the_field() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    invited(&stage, &owner, "joe@nordmark.example", Role::Viewer).await;
    for (email, words) in [
        ("", "Enter an e-mail"),
        ("joe", "Enter an e-mail"),
        ("joe@nordmark.example\r\nBcc: eve@evil.example", "Enter an e-mail"),
        ("joe@nordmark.example,eve@evil.example", "Enter an e-mail"),
        ("Joe <joe@nordmark.example>", "Enter an e-mail"),
        ("MAJA@nordmark.example", "is a member of this workspace already"),
        ("Joe@nordmark.example", "Resend that invitation"),
    ] {
        let error = stage.services.invite(&owner, email, Role::Viewer).await.unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::Invalid, Some("email")), "{email:?}");
        assert!(error.message.contains(words), "{email:?}: {error}");
    }
    assert_eq!(stage.count("auth.invitations").await, 1);
    assert_eq!(stage.count("auth.mails where to_address <> 'maja@nordmark.example'").await, 1);
    // Also when its time is over: it is resent, not doubled.
    stage.sql("update auth.invitations set expires_at = now()").await;
    let again = stage.services.invite(&owner, "joe@nordmark.example", Role::Viewer).await.unwrap_err();
    assert!(again.message.contains("Resend"), "{again}");
}

#[tokio::test]
async fn invitations_and_letters_have_a_limit() {
    let limits = Limits { open_invitations: 2, member_letters_per_hour: 4, ..Limits::default() };
    let stage = Stage::with(limits).await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    invited(&stage, &owner, "a@nordmark.example", Role::Viewer).await;
    invited(&stage, &owner, "b@nordmark.example", Role::Viewer).await;
    let third = stage.services.invite(&owner, "c@nordmark.example", Role::Viewer).await.unwrap_err();
    assert_eq!(third.code, ErrorCode::LimitExceeded);
    let id = all(&stage, &owner).await.invitations[0].id;
    for _ in 0..2 {
        stage.services.resend_invitation(&owner, id).await.unwrap();
    }
    let token = stage.invitation_token("b@nordmark.example").await;
    let fifth = stage.services.resend_invitation(&owner, id).await.unwrap_err();
    assert_eq!(fifth.code, ErrorCode::RateLimited);
    assert!(is_alive(&stage, &token).await, "a letter that was not sent leaves the link of the last one alive");
    assert_eq!(stage.count("auth.mails where to_address like '_@nordmark.example'").await, 4);
    // Another workspace has its own.
    let other = stage.owner("Acme", "eve@acme.example").await;
    invited(&stage, &other, "a@nordmark.example", Role::Viewer).await;
    stage.sql("update auth.member_letters set sent_at = now() - interval '61 minutes'").await;
    stage.services.resend_invitation(&owner, id).await.unwrap();
}

#[tokio::test]
async fn nobody_reaches_above_themselves() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let target = stage.member(&owner, "target@nordmark.example", Role::Viewer).await.session.user.id;
    invited(&stage, &owner, "waiting@nordmark.example", Role::Viewer).await;
    let invitation = all(&stage, &owner).await.invitations[0].id;
    let people = [("op@nordmark.example", Role::Operator), ("viewer@nordmark.example", Role::Viewer)];
    for (email, role) in people {
        let seat = stage.seat(&stage.member(&owner, email, role).await).await;
        let services = &stage.services;
        for refused in [
            services.members(&seat).await.map(drop),
            services.invite(&seat, "new@nordmark.example", Role::Viewer).await.map(drop),
            services.resend_invitation(&seat, invitation).await.map(drop),
            services.revoke_invitation(&seat, invitation).await,
            services.change_role(&seat, target, Role::Admin).await,
            services.change_role(&seat, seat_user(&seat, &stage).await, Role::Owner).await,
            services.remove_member(&seat, target).await,
            services.offer_ownership(&seat, target).await,
            services.withdraw_offer(&seat).await,
        ] {
            assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden, "{role:?}");
        }
        assert_eq!(stage.services.membership(&seat).await.unwrap().role, role, "their own place they see");
    }
    assert_eq!(stage.count("audit_entries where outcome = 'refused'").await, 18);

    let admin = stage.seat(&stage.member(&owner, "admin@nordmark.example", Role::Admin).await).await;
    let own = seat_user(&admin, &stage).await;
    let maja = seat_user(&owner, &stage).await;
    for refused in [
        stage.services.invite(&admin, "new@nordmark.example", Role::Owner).await.map(drop),
        stage.services.change_role(&admin, target, Role::Owner).await,
        stage.services.change_role(&admin, own, Role::Owner).await,
        stage.services.change_role(&admin, maja, Role::Viewer).await,
        stage.services.remove_member(&admin, maja).await,
        stage.services.offer_ownership(&admin, own).await,
        stage.services.withdraw_offer(&admin).await,
        // Not an owner either: that is an offer.
        stage.services.change_role(&owner, target, Role::Owner).await,
        stage.services.invite(&owner, "new@nordmark.example", Role::Owner).await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden);
    }
    assert_eq!(stage.count("audit_entries where outcome = 'refused'").await, 27, "each is written down");
    assert_eq!(stage.count("auth.memberships where role = 'owner'").await, 1);
    // Up to their own role they may.
    stage.services.change_role(&admin, target, Role::Admin).await.unwrap();
    stage.services.change_role(&admin, target, Role::Operator).await.unwrap();
    invited(&stage, &admin, "new@nordmark.example", Role::Admin).await;
    let changed = "audit_entries where act = 'member.change_role' and outcome = 'done' and before ->> 'role' = 'admin'
                   and after ->> 'role' = 'operator' and object_name = 'Joe <target@nordmark.example>'";
    assert_eq!(stage.count(changed).await, 1);
}

/// Whose seat it is.
async fn seat_user(seat: &Seat, stage: &Stage) -> UserId {
    stage.services.membership(seat).await.unwrap().you
}

#[tokio::test]
async fn a_role_that_was_lost_since_the_request_came_is_not_acted_on() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let signed_in = stage.member(&owner, "admin@nordmark.example", Role::Admin).await;
    let target = stage.member(&owner, "target@nordmark.example", Role::Viewer).await.session.user.id;
    let old = stage.seat(&signed_in).await;
    stage.services.change_role(&owner, signed_in.session.user.id, Role::Viewer).await.unwrap();
    assert_eq!(stage.services.change_role(&old, target, Role::Admin).await.unwrap_err().code, ErrorCode::Forbidden);
    let invite = stage.services.invite(&old, "new@nordmark.example", Role::Viewer).await.unwrap_err();
    assert_eq!(invite.code, ErrorCode::Forbidden);
    stage.services.remove_member(&owner, signed_in.session.user.id).await.unwrap();
    assert_eq!(stage.services.remove_member(&old, target).await.unwrap_err().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_removed_member_is_out_and_stays_in_other_workspaces() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let joe = stage.sign_up("Acme", "joe@acme.example").await.unwrap();
    let token = invited(&stage, &owner, "joe@acme.example", Role::Operator).await;
    stage.services.accept_invitation(&stage.visitor(&joe).await, &token, None, &client()).await.unwrap();
    let seat = stage.services.enter(&stage.visitor(&joe).await, "nordmark", &client()).await.unwrap();
    assert!(stage.services.still_seated(&seat).await.unwrap());

    stage.services.change_role(&owner, joe.session.user.id, Role::Viewer).await.unwrap();
    assert!(!stage.services.still_seated(&seat).await.unwrap(), "an open connection has the old role");
    let seat = stage.services.enter(&stage.visitor(&joe).await, "nordmark", &client()).await.unwrap();
    assert_eq!(seat.role(), Role::Viewer);

    stage.services.remove_member(&owner, joe.session.user.id).await.unwrap();
    assert!(!stage.services.still_seated(&seat).await.unwrap(), "an open connection sees it");
    let visitor = stage.visitor(&joe).await;
    let gone = stage.services.enter(&visitor, "nordmark", &client()).await.err().unwrap();
    assert_eq!(gone.code, ErrorCode::NotFound);
    assert!(stage.services.enter(&visitor, "acme", &client()).await.is_ok());
    let twice = stage.services.remove_member(&owner, joe.session.user.id).await.unwrap_err();
    assert_eq!(twice.code, ErrorCode::NotFound);
    let written = "audit_entries where act = 'member.remove' and before ->> 'role' = 'viewer'";
    assert_eq!(stage.count(written).await, 1);
    // They can be asked again.
    assert!(is_alive(&stage, &invited(&stage, &owner, "joe@acme.example", Role::Viewer).await).await);
}

#[tokio::test]
async fn everybody_may_leave_but_the_last_owner() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    for role in [Role::Viewer, Role::Operator, Role::Admin] {
        let joe = stage.member(&owner, &format!("{}@nordmark.example", role.as_str()), role).await;
        let seat = stage.seat(&joe).await;
        stage.services.leave(&seat).await.unwrap();
        assert!(!stage.services.still_seated(&seat).await.unwrap());
        assert_eq!(stage.services.leave(&seat).await.unwrap_err().code, ErrorCode::NotFound);
        assert!(stage.visitor(&joe).await.session().is_some(), "still somebody");
    }
    assert_eq!(stage.count("audit_entries where act = 'member.leave'").await, 3);
    assert!(stage.services.membership(&owner).await.unwrap().last_owner);
    let own = seat_user(&owner, &stage).await;
    for stays in [
        stage.services.leave(&owner).await,
        stage.services.change_role(&owner, own, Role::Admin).await,
        stage.services.remove_member(&owner, own).await,
    ] {
        assert_eq!(stays.unwrap_err().code, ErrorCode::Conflict);
    }
    assert_eq!(stage.services.membership(&owner).await.unwrap().role, Role::Owner);
}

#[tokio::test]
async fn who_may_not_invite_any_more_has_no_invitations_out() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let admin = stage.member(&owner, "admin@nordmark.example", Role::Admin).await;
    let seat = stage.seat(&admin).await;
    let token = invited(&stage, &seat, "joe@nordmark.example", Role::Admin).await;
    stage.services.change_role(&owner, admin.session.user.id, Role::Operator).await.unwrap();
    is_dead(&stage, &token, "its sender is no admin any more").await;
    let row = all(&stage, &owner).await.invitations.remove(0);
    assert!(row.expired);
    stage.services.change_role(&owner, admin.session.user.id, Role::Admin).await.unwrap();
    assert!(is_alive(&stage, &token).await);
    stage.services.remove_member(&owner, admin.session.user.id).await.unwrap();
    is_dead(&stage, &token, "its sender is no member any more").await;
    // Whoever sends it again answers for it.
    stage.services.resend_invitation(&owner, row.id).await.unwrap();
    let row = all(&stage, &owner).await.invitations.remove(0);
    assert_eq!((row.expired, row.invited_by.as_str()), (false, "Maja"));
    let token = stage.invitation_token("joe@nordmark.example").await;
    accept(&stage, &Visitor::Anonymous, &token).await.map(drop).unwrap();
}

#[tokio::test]
async fn another_workspaces_people_and_invitations_are_not_there() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let other = stage.owner("Acme", "eve@acme.example").await;
    let theirs = stage.member(&other, "joe@acme.example", Role::Viewer).await.session.user.id;
    invited(&stage, &other, "waiting@acme.example", Role::Viewer).await;
    let invitation = all(&stage, &other).await.invitations[0].id;
    let services = &stage.services;
    let (nobody, nothing) = (UserId(Uuid::now_v7()), InvitationId(Uuid::now_v7()));
    for (foreign, missing) in [
        (
            services.change_role(&owner, theirs, Role::Admin).await,
            services.change_role(&owner, nobody, Role::Admin).await,
        ),
        (services.remove_member(&owner, theirs).await, services.remove_member(&owner, nobody).await),
        (services.offer_ownership(&owner, theirs).await, services.offer_ownership(&owner, nobody).await),
        (services.revoke_invitation(&owner, invitation).await, services.revoke_invitation(&owner, nothing).await),
        (
            services.resend_invitation(&owner, invitation).await.map(drop),
            services.resend_invitation(&owner, nothing).await.map(drop),
        ),
    ] {
        let foreign = foreign.unwrap_err();
        assert_eq!((foreign.code, &foreign), (ErrorCode::NotFound, &missing.unwrap_err()));
    }
    let members = all(&stage, &owner).await;
    assert_eq!((members.members.len(), members.invitations.len()), (1, 0));
    // The same address in two workspaces: each has its own invitation.
    invited(&stage, &owner, "waiting@acme.example", Role::Admin).await;
    assert_eq!(all(&stage, &other).await.invitations[0].role, Role::Viewer);
    assert_eq!(stage.count("auth.memberships").await, 3);
}

#[tokio::test]
async fn the_list_says_what_may_be_done_to_whom() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let admin = stage.member(&owner, "admin@nordmark.example", Role::Admin).await;
    let viewer = stage.member(&owner, "viewer@nordmark.example", Role::Viewer).await;
    let seat = stage.seat(&admin).await;
    let by_owner = row(&stage, &owner, &viewer).await.may;
    assert_eq!(by_owner.roles, [Role::Admin, Role::Operator, Role::Viewer]);
    assert!(by_owner.remove && by_owner.offer);
    let by_admin = row(&stage, &seat, &viewer).await.may;
    assert_eq!((by_admin.roles, by_admin.remove, by_admin.offer), (by_owner.roles, true, false));
    let own = row(&stage, &seat, &admin).await.may;
    assert_eq!((own.roles.len(), own.remove), (3, false), "one may step down, and leave instead of being removed");
    let members = all(&stage, &seat).await.members;
    let maja = members.iter().find(|row| row.role == Role::Owner).unwrap();
    assert_eq!(maja.may, Default::default(), "admins do not touch owners");
    let members = all(&stage, &owner).await.members;
    assert_eq!(members[0].may, Default::default(), "the last owner stays one");
}

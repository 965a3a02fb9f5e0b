//! Name, address and sites of a workspace: who changes them, what is refused, and where an old address leads whom.

use crate::stage::{PASSWORD, Stage, client};
use clarity_domain::error::ErrorCode;
use clarity_domain::ids::SiteId;
use clarity_domain::role::Role;
use clarity_service::{Seat, Visitor};
use uuid::Uuid;

/// The line of the audit log as one text: before and after.
async fn told(stage: &Stage, act: &str) -> String {
    let sql = "select coalesce(before::text, '-') || ' > ' || coalesce(after::text, '-')
               from audit_entries where act = $1 and outcome = 'done' order by seq desc limit 1";
    let row = stage.db.admin().await.query_one(sql, &[&act]).await.unwrap_or_else(|e| panic!("{act}: {e:?}"));
    row.get(0)
}

async fn slug_of(stage: &Stage, seat: &Seat) -> String {
    stage.services.workspace_settings(seat).await.unwrap().slug
}

#[tokio::test]
async fn an_admin_renames_the_workspace_and_its_address_stays() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let admin = stage.seat(&stage.member(&owner, "ada@nordmark.example", Role::Admin).await).await;
    let operator = stage.seat(&stage.member(&owner, "olaf@nordmark.example", Role::Operator).await).await;
    assert_eq!(stage.services.workspace_settings(&operator).await.unwrap_err().code, ErrorCode::Forbidden);
    let refused = stage.services.rename_workspace(&operator, "Olaf's").await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Forbidden);
    for wrong in ["", "  ", "a\u{202e}b", &"x".repeat(121)] {
        let refused = stage.services.rename_workspace(&admin, wrong).await.unwrap_err();
        assert_eq!(refused.field.as_deref(), Some("name"), "{wrong:?}");
    }
    stage.services.rename_workspace(&admin, " Nordmark Gießerei ").await.unwrap();
    let page = stage.services.workspace_settings(&admin).await.unwrap();
    assert_eq!((page.name.as_str(), page.slug.as_str()), ("Nordmark Gießerei", "nordmark"));
    assert!(!page.may_change_address && page.former.is_empty());
    let written = told(&stage, "workspace.rename").await;
    assert!(written.contains("\"Nordmark\"} > ") && written.contains("Nordmark Gießerei"), "{written}");
    // The same again is no change.
    stage.services.rename_workspace(&owner, "Nordmark Gießerei").await.unwrap();
    assert_eq!(stage.count("audit_entries where act = 'workspace.rename' and outcome = 'done'").await, 1);
}

#[tokio::test]
async fn an_old_address_leads_members_on_and_is_nothing_to_others() {
    let stage = Stage::new().await;
    let signed_in = stage.sign_up("Nordmark", "maja@nordmark.example").await.unwrap();
    let owner = stage.seat(&signed_in).await;
    let viewer = stage.member(&owner, "vera@nordmark.example", Role::Viewer).await;
    let stranger = stage.sign_up("Acme", "joe@acme.example").await.unwrap();
    let watching = stage.seat(&viewer).await;
    assert_eq!(stage.services.change_address(&owner, "Nord-Works").await.unwrap(), "nord-works");
    assert!(stage.services.still_seated(&watching).await.unwrap(), "live connections go on");
    let written = told(&stage, "workspace.change_address").await;
    assert!(written.contains("\"nordmark\"} > ") && written.contains("\"nord-works\""), "{written}");

    let viewer = stage.visitor(&viewer).await;
    assert_eq!(stage.services.moved_to(&viewer, "nordmark").await.unwrap().as_deref(), Some("nord-works"));
    assert_eq!(stage.services.moved_to(&viewer, "nord-works").await.unwrap(), None, "that is where it is");
    // A page that was open goes on.
    let seat = stage.services.enter(&viewer, "nordmark", &client()).await.unwrap();
    assert_eq!((seat.frame_card().slug.as_str(), seat.role()), ("nord-works", Role::Viewer));

    let stranger = stage.visitor(&stranger).await;
    for visitor in [&stranger, &Visitor::Anonymous] {
        for slug in ["nordmark", "nord-works", "nobodys"] {
            assert_eq!(stage.services.moved_to(visitor, slug).await.unwrap(), None, "{slug}");
        }
    }
    let former = stage.services.enter(&stranger, "nordmark", &client()).await.unwrap_err();
    let never = stage.services.enter(&stranger, "nobodys", &client()).await.unwrap_err();
    assert_eq!(former, never);

    // Whoever is removed is led nowhere.
    stage.sql("delete from auth.memberships where role = 'viewer'").await;
    assert!(!stage.services.still_seated(&watching).await.unwrap());
    let session = stage.sign_in("vera@nordmark.example", PASSWORD).await.unwrap();
    assert_eq!(stage.services.moved_to(&stage.visitor(&session).await, "nordmark").await.unwrap(), None);
}

#[tokio::test]
async fn an_address_that_is_or_was_anothers_cannot_be_had() {
    let stage = Stage::new().await;
    let nordmark = stage.owner("Nordmark", "maja@nordmark.example").await;
    let acme = stage.owner("Acme", "joe@acme.example").await;
    stage.services.change_address(&nordmark, "nord-works").await.unwrap();
    for wrong in ["nordmark", "nord-works", "api", "ab", "a--b", "n\u{43e}rdmark", "größe"] {
        let refused = stage.services.change_address(&acme, wrong).await.unwrap_err();
        assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Invalid, Some("address")), "{wrong}");
    }
    assert_eq!(slug_of(&stage, &acme).await, "acme");
    let taken = stage.services.change_address(&acme, "nord-works").await.unwrap_err();
    assert_eq!(stage.services.change_address(&acme, "nordmark").await.unwrap_err(), taken, "both read alike");
    // A new workspace of that name does not get it either.
    let third = stage.sign_up("Nordmark", "eve@eve.example").await.unwrap();
    assert!(third.session.workspaces[0].slug.starts_with("nordmark-"), "{}", third.session.workspaces[0].slug);
    // Its own it takes again, and leaves the other one.
    stage.services.change_address(&nordmark, "nordmark").await.unwrap();
    assert_eq!(stage.services.workspace_settings(&nordmark).await.unwrap().former, ["nord-works"]);
    assert!(stage.services.change_address(&acme, "nord-works").await.is_err());
}

#[tokio::test]
async fn an_address_is_changed_by_an_owner_who_is_there_and_not_without_end() {
    let stage = Stage::new().await;
    let signed_in = stage.sign_up("Nordmark", "maja@nordmark.example").await.unwrap();
    let owner = stage.seat(&signed_in).await;
    let admin = stage.seat(&stage.member(&owner, "ada@nordmark.example", Role::Admin).await).await;
    let refused = stage.services.change_address(&admin, "adas").await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Forbidden);
    stage.sql("update auth.sessions set confirmed_at = now() - interval '16 minutes'").await;
    let late = stage.seat(&signed_in).await;
    assert!(!stage.services.workspace_settings(&late).await.unwrap().confirmed);
    assert_eq!(stage.services.change_address(&late, "nord-works").await.unwrap_err().code, ErrorCode::ConfirmNeeded);
    assert_eq!(slug_of(&stage, &late).await, "nordmark");

    stage.sql("update auth.sessions set confirmed_at = now()").await;
    stage
        .sql(
            "insert into auth.former_slugs (slug, workspace_id)
             select 'nordmark-' || n, w.id from auth.workspaces w, generate_series(10, 19) n where w.slug = 'nordmark'",
        )
        .await;
    let refused = stage.services.change_address(&owner, "one-more").await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Conflict);
    assert_eq!(stage.services.change_address(&owner, "nordmark-12").await.unwrap(), "nordmark-12");
}

#[tokio::test]
async fn sites_are_added_changed_and_removed_when_nothing_hangs_on_them() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let other = stage.owner("Acme", "joe@acme.example").await;
    let services = &stage.services;
    services.add_site(&owner, "Werk 2", "europe/oslo").await.unwrap();
    assert_eq!(services.add_site(&owner, "Werk 2", "UTC").await.unwrap_err().field.as_deref(), Some("site"));
    assert_eq!(services.add_site(&owner, "W", "Nowhere").await.unwrap_err().field.as_deref(), Some("site_zone"));
    let sites = services.workspace_settings(&owner).await.unwrap().sites;
    let [first, second] = &sites[..] else { panic!("{sites:?}") };
    assert_eq!((first.name.as_str(), first.first, first.may_remove), ("Nordmark", true, false));
    assert_eq!((second.name.as_str(), second.time_zone.as_str()), ("Werk 2", "Europe/Oslo"));
    assert!(second.may_remove && !second.name_fixed && !second.zone_fixed);

    services.set_site(&owner, second.id, "Mill", "Europe/Stockholm").await.unwrap();
    assert!(told(&stage, "site.change").await.contains("Werk 2"));
    let taken = services.set_site(&owner, second.id, "Nordmark", "UTC").await.unwrap_err();
    assert_eq!(taken.field.as_deref(), Some("name"));
    // Another's site, and none, read alike.
    let never = SiteId(Uuid::now_v7());
    for id in [second.id, never] {
        assert_eq!(services.set_site(&other, id, "X", "UTC").await.unwrap_err().code, ErrorCode::NotFound);
        assert_eq!(services.remove_site(&other, id).await.unwrap_err().code, ErrorCode::NotFound);
    }
    assert_eq!(services.remove_site(&owner, first.id).await.unwrap_err().code, ErrorCode::Conflict);

    // A machine that its data says to be there.
    stage
        .sql(&format!(
            "insert into assets (workspace_id, id, number, key, name, site_id) values ('{}', '{never}', 1, 'A', 'A', '{}')",
            owner.frame_card().id,
            second.id
        ))
        .await;
    let fixed = services.set_site(&owner, second.id, "Another", "Europe/Stockholm").await.unwrap_err();
    assert!(fixed.code == ErrorCode::Conflict && fixed.message.contains("1 machine"), "{fixed:?}");
    services.set_site(&owner, second.id, "Mill", "Europe/Oslo").await.unwrap();
    assert_eq!(services.remove_site(&owner, second.id).await.unwrap_err().code, ErrorCode::Conflict);
    stage.sql("delete from assets").await;
    services.remove_site(&owner, second.id).await.unwrap();
    assert_eq!(services.workspace_settings(&owner).await.unwrap().sites.len(), 1);
    assert!(told(&stage, "site.remove").await.ends_with(" > -"));
}

//! Members who are limited to sites: they see the machines of these alone, wherever they look, from the moment it is said.

use crate::stage::{PASSWORD, Stage, client};
use clarity_domain::error::ErrorCode;
use clarity_domain::ids::{AssetId, SiteId};
use clarity_domain::role::Role;
use clarity_domain::view::overview::OverviewQuery;
use clarity_domain::view::search::SearchTarget;
use clarity_domain::view::set_up::WaitingFor;
use clarity_domain::view::sites::SitesQuery;
use clarity_service::live::{LiveKey, LivePage};
use clarity_service::{NewAccount, Seat, SeriesRequest, SignedIn, Visitor};
use uuid::Uuid;

const NORTH: u128 = 0x11;
const SOUTH: u128 = 0x22;

/// Two sites with a machine each, and one machine at none.
const DATA: &str = "
  insert into sites (workspace_id, id, name) values
    ('{w}', '00000000-0000-0000-0000-000000000011', 'Plant North'),
    ('{w}', '00000000-0000-0000-0000-000000000022', 'Plant South');
  insert into assets (workspace_id, id, number, key, name, site_id) values
    ('{w}', '00000000-0000-0000-0000-000000000001', 1, 'N1', 'Press north', '00000000-0000-0000-0000-000000000011'),
    ('{w}', '00000000-0000-0000-0000-000000000002', 2, 'S1', 'Press south', '00000000-0000-0000-0000-000000000022'),
    ('{w}', '00000000-0000-0000-0000-000000000003', 3, 'X1', 'Press nowhere', null);
  insert into metrics (workspace_id, id, number, stream_id, column_name, name, unit, sample_type)
    values ('{w}', '{stream}', 1, '{stream}', 'speed', 'Speed', 'rpm', 'float');
  insert into latest_samples (workspace_id, stream_id, asset_number, at, epoch, seq, metric_numbers, ats, snapshots, numbers)
    select '{w}', '{stream}', n, now(), 1, n, '{1}', array[now()], '{false}', array[n] from generate_series(1, 3) n;
  insert into state_intervals (workspace_id, asset_number, from_at, stream_id, state, category, epoch, seq)
    select '{w}', n, now() - interval '10 minutes', '{stream}', 'down', 'down', 1, n from generate_series(1, 3) n;
  insert into dead_letters (workspace_id, source_id, epoch, seq, stream_name, fingerprint, cause, payload, segment_first_seq, line_number)
    values ('{w}', '{source}', 1, 1, 'public.telemetry', 'aa', 'no such unit', 'x', 1, 0);";

fn asset(n: u128) -> AssetId {
    AssetId(Uuid::from_u128(n))
}

fn site(n: u128) -> SiteId {
    SiteId(Uuid::from_u128(n))
}

async fn plant() -> (Stage, Seat) {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    stage.with_source(&owner, DATA).await;
    (stage, owner)
}

/// Somebody new, by an invitation to these sites.
async fn limited(stage: &Stage, owner: &Seat, email: &str, sites: &[SiteId]) -> SignedIn {
    stage.services.invite_to(owner, email, Role::Viewer, Some(sites)).await.unwrap();
    let token = stage.invitation_token(email).await;
    let new = NewAccount { name: "Joe".into(), password: PASSWORD.into() };
    let accepted = stage.services.accept_invitation(&Visitor::Anonymous, &token, Some(new), &client()).await;
    accepted.unwrap().signed_in.unwrap()
}

/// Names of the machines on the Overview.
async fn machines(stage: &Stage, seat: &Seat) -> Vec<String> {
    let overview = stage.services.overview(seat, &OverviewQuery::default()).await.unwrap();
    assert_eq!(overview.assets_total as usize, overview.assets.len());
    assert_eq!(overview.kpis.machines_total as usize, overview.assets.len());
    let mut names: Vec<String> = overview.assets.into_iter().map(|row| row.name).collect();
    names.sort();
    names
}

#[tokio::test]
async fn an_invitation_to_a_site_shows_its_machines_and_nothing_else() {
    let (stage, owner) = plant().await;
    let joe = limited(&stage, &owner, "joe@nordmark.example", &[site(NORTH)]).await;
    let seat = stage.seat(&joe).await;
    assert_eq!(machines(&stage, &seat).await, ["Press north"]);
    assert_eq!(machines(&stage, &owner).await, ["Press north", "Press nowhere", "Press south"]);

    let (page, more) = stage.services.assets(&seat, None, 10).await.unwrap();
    assert_eq!((page.iter().map(|machine| machine.id).collect::<Vec<_>>(), more), (vec![asset(1)], false));
    assert!(stage.services.asset(&seat, asset(1)).await.is_ok());
    for other in [asset(2), asset(3), asset(9)] {
        let error = stage.services.asset(&seat, other).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::NotFound, "another site's machine is there as little as none");
        let only = OverviewQuery { asset: Some(other), ..OverviewQuery::default() };
        assert_eq!(stage.services.overview(&seat, &only).await.unwrap_err().code, ErrorCode::NotFound);
        let request = SeriesRequest { asset: other, metric: "Speed".into(), from: 0, to: 60_000_000, points: 10 };
        assert_eq!(stage.services.series(&seat, &request).await.unwrap_err().code, ErrorCode::NotFound);
    }
    let hits = stage.services.search(&seat, "press").await.unwrap();
    assert_eq!(hits.iter().map(|hit| hit.target).collect::<Vec<_>>(), [SearchTarget::Asset(asset(1))]);

    // What belongs to no machine is neither counted nor shown.
    let visitor = stage.visitor(&joe).await;
    let frame = stage.services.frame(&visitor, &seat).await.unwrap();
    assert_eq!((frame.sites, frame.assets, frame.sources, frame.dead_letters), (1, 1, 1, None));
    assert_eq!(frame.limited_to, Some(vec!["Plant North".to_owned()]));
    assert_eq!(stage.services.dead_letters(&seat).await.unwrap_err().code, ErrorCode::Forbidden);
    assert_eq!(stage.services.dead_letters(&owner).await.unwrap().total, 1);
}

#[tokio::test]
async fn a_limit_holds_at_once_and_for_whom_it_can() {
    let (stage, owner) = plant().await;
    let joe = stage.member(&owner, "joe@nordmark.example", Role::Operator).await;
    let before = stage.seat(&joe).await;
    assert_eq!(machines(&stage, &before).await.len(), 3);
    let user = joe.session.user.id;
    assert_eq!(stage.count("auth.sessions where renew_since is not null").await, 0);
    stage.services.limit_member(&owner, user, Some(&[site(SOUTH)])).await.unwrap();
    let renewed = format!("auth.sessions where renew_since is not null and user_id = '{user}'");
    assert_eq!(stage.count(&renewed).await, 1, "other rights, another token");
    assert_eq!(stage.count("auth.sessions where renew_since is not null").await, 1, "nobody else's");
    let seat = stage.seat(&joe).await;
    assert_eq!(machines(&stage, &seat).await, ["Press south"]);
    // A stream that was open is closed within seconds, and what is shared is shared with nobody of other sites.
    assert!(!stage.services.still_seated(&before).await.unwrap() && stage.services.still_seated(&seat).await.unwrap());
    let page = LivePage::Overview(OverviewQuery::default());
    assert_ne!(LiveKey::new(&before, &page), LiveKey::new(&seat, &page));
    assert_eq!(LiveKey::new(&seat, &page), LiveKey::new(&stage.seat(&joe).await, &page));
    let snapshot = stage.services.snapshot(&seat, &page).await.unwrap().full();
    assert!(snapshot.values.iter().all(|value| value.asset_id == asset(2)) && !snapshot.values.is_empty());
    assert!(snapshot.states.iter().all(|state| state.asset_id == asset(2)) && !snapshot.states.is_empty());

    let written = "audit_entries where act = 'member.limit' and before = '{\"sites\": \"every site\"}'
                   and after = '{\"sites\": [\"Plant South\"]}'";
    assert_eq!(stage.count(written).await, 1);
    let listed = stage.services.members(&owner).await.unwrap();
    let row = listed.members.iter().find(|row| row.id == user).unwrap();
    assert!(row.may.limit && row.sites == Some(vec![site(SOUTH)]));
    assert!(listed.members.iter().all(|row| row.role < Role::Admin || !row.may.limit));
    assert_eq!(listed.sites.len(), 3, "with the first site, which every workspace has");

    // Without a machine of theirs it is said so, and no sample data is shown.
    stage.sql("update assets set site_id = null").await;
    let overview = stage.services.overview(&stage.seat(&joe).await, &OverviewQuery::default()).await.unwrap();
    assert_eq!((overview.waiting.map(|w| w.cause), overview.sample), (Some(WaitingFor::OwnSites), None));

    // A higher role lifts it, in so many words.
    stage.services.change_role(&owner, user, Role::Admin).await.unwrap();
    assert_eq!(machines(&stage, &stage.seat(&joe).await).await.len(), 3);
    let written = "audit_entries where act = 'member.change_role' and after->>'sites' = 'every site'";
    assert_eq!(stage.count(written).await, 1);
    let wrong = stage.services.limit_member(&owner, user, Some(&[site(SOUTH)])).await.unwrap_err();
    assert_eq!(wrong.field.as_deref(), Some("sites"), "an admin is never limited");
    stage.services.change_role(&owner, user, Role::Viewer).await.unwrap();
    assert_eq!(machines(&stage, &stage.seat(&joe).await).await.len(), 3, "nor is what was lifted there again");
}

#[tokio::test]
async fn a_limit_that_names_nothing_is_refused_and_never_opens_everything() {
    let (stage, owner) = plant().await;
    for sites in [vec![], vec![site(0x99)], vec![site(NORTH), site(0x99)]] {
        let wrong = stage
            .services
            .invite_to(&owner, "joe@nordmark.example", Role::Viewer, Some(sites.as_slice()))
            .await
            .unwrap_err();
        assert_eq!(wrong.field.as_deref(), Some("sites"), "{sites:?}");
    }
    let admin = stage.services.invite_to(&owner, "ann@nordmark.example", Role::Admin, Some(&[site(NORTH)])).await;
    assert_eq!(admin.unwrap_err().field.as_deref(), Some("sites"));
    // The site goes while the letter is on its way.
    stage.services.invite_to(&owner, "joe@nordmark.example", Role::Viewer, Some(&[site(NORTH)])).await.unwrap();
    stage.sql("update assets set site_id = null; delete from sites where name = 'Plant North'").await;
    let token = stage.invitation_token("joe@nordmark.example").await;
    let new = NewAccount { name: "Joe".into(), password: PASSWORD.into() };
    let accepted = stage.services.accept_invitation(&Visitor::Anonymous, &token, Some(new), &client()).await;
    let joe = accepted.unwrap().signed_in.unwrap();
    let seat = stage.seat(&joe).await;
    assert!(machines(&stage, &seat).await.is_empty());
    let frame = stage.services.frame(&stage.visitor(&joe).await, &seat).await.unwrap();
    assert_eq!((frame.sites, frame.limited_to), (0, Some(Vec::new())));

    // Nobody below an admin says who sees what.
    let ann = stage.member(&owner, "ann@nordmark.example", Role::Operator).await;
    let ann = stage.seat(&ann).await;
    let refused = stage.services.limit_member(&ann, joe.session.user.id, None).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Forbidden);
}

#[tokio::test]
async fn a_machine_is_put_at_a_site_by_those_who_manage_sources() {
    let (stage, owner) = plant().await;
    let joe = limited(&stage, &owner, "joe@nordmark.example", &[site(NORTH)]).await;
    let seat = stage.seat(&joe).await;
    assert_eq!(stage.services.move_asset(&seat, asset(1), None).await.unwrap_err().code, ErrorCode::Forbidden);
    stage.services.move_asset(&owner, asset(3), Some(site(NORTH))).await.unwrap();
    stage.services.move_asset(&owner, asset(1), None).await.unwrap();
    assert_eq!(machines(&stage, &seat).await, ["Press nowhere"]);
    for (machine, to) in [(asset(9), None), (asset(1), Some(site(0x99)))] {
        let error = stage.services.move_asset(&owner, machine, to).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::NotFound);
    }
    stage.services.add_site(&owner, "Plant West", "Europe/Stockholm").await.unwrap();
    let page = stage.services.sites(&owner, &SitesQuery::default()).await.unwrap();
    assert_eq!((page.sites.len(), page.machines_total, page.without_site), (4, 3, 1));
    assert_eq!(stage.count("audit_entries where act in ('asset.move', 'site.add') and outcome = 'done'").await, 3);
}

#[tokio::test]
async fn a_machine_and_a_site_beyond_the_first_pages_are_reached() {
    let (stage, owner) = plant().await;
    let services = &stage.services;
    let many = "
      insert into assets (workspace_id, id, number, key, name)
        select w.id, gen_random_uuid(), n, 'M' || n, 'Mill ' || n from auth.workspaces w, generate_series(4, 253) n;
      insert into sites (workspace_id, id, name)
        select w.id, gen_random_uuid(), 'Yard ' || n from auth.workspaces w, generate_series(1, 250) n;";
    stage.sql(many).await;
    let first = services.sites(&owner, &SitesQuery::default()).await.unwrap();
    assert_eq!((first.machines.len(), first.found, first.machines_total, first.without_site), (50, 253, 253, 251));
    assert!(first.before.is_none() && first.after.is_some());
    let mut seen: Vec<AssetId> = first.machines.iter().map(|machine| machine.id).collect();
    let mut after = first.after;
    while after.is_some() {
        let page = services.sites(&owner, &SitesQuery { after, ..SitesQuery::default() }).await.unwrap();
        seen.extend(page.machines.iter().map(|machine| machine.id));
        after = page.after;
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 253, "each machine is on a page");

    let find = Some("mill 253".to_owned());
    let found = services.sites(&owner, &SitesQuery { find, ..SitesQuery::default() }).await.unwrap();
    assert_eq!((found.found, found.machines.len()), (1, 1));
    services.move_asset(&owner, found.machines[0].id, Some(site(NORTH))).await.unwrap();
    assert_eq!(stage.count("assets where name = 'Mill 253' and site_id is not null").await, 1);

    let last = "select id::text from sites order by created_at desc, id desc limit 1";
    let last: String = stage.db.admin().await.query_one(last, &[]).await.unwrap().get(0);
    let last: SiteId = last.parse().unwrap();
    services.set_site(&owner, last, "Far yard", "UTC").await.unwrap();
    assert_eq!(stage.count("sites where name = 'Far yard'").await, 1);
    services.remove_site(&owner, last).await.unwrap();
    assert_eq!(stage.count("sites where name = 'Far yard'").await, 0);
}

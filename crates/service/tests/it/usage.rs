//! Plan and usage as people meet them: the page, seats, exports, and the notices over the pages.

use crate::stage::{PASSWORD, SOURCE, Stage, client};
use clarity_domain::error::ErrorCode;
use clarity_domain::plan::{Agreed, Limit, Plan, Standing, Terms};
use clarity_domain::role::Role;
use clarity_domain::view::audit::AuditFilter;
use clarity_domain::view::usage::{Meter, PlanNotice, Usage};
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::Secret;
use clarity_service::{ExportFormat, Limits, NewAccount, Seat, Visitor};
use clarity_store::{StoreError, plan};

/// As `clarity-server set-plan` does it.
async fn set(stage: &Stage, slug: &str, plan: Plan, agreed: &[(Limit, u64)]) -> Result<Option<Terms>, StoreError> {
    let role = DbRole::Owner;
    let password = Secret::new(stage.db.cluster().password());
    let login = DbLogin { role, url: stage.db.url(role.name()), password };
    let agreed: Agreed = agreed.iter().map(|(limit, most)| (*limit, Some(*most))).collect();
    plan::set_as_owner(&login, slug, &Terms { plan, agreed }).await
}

async fn page(stage: &Stage, seat: &Seat) -> Usage {
    stage.services.usage(seat).await.unwrap()
}

fn meter(page: &Usage, limit: Limit) -> Meter {
    page.meters.iter().find(|meter| meter.limit == limit).unwrap().clone()
}

#[tokio::test]
async fn the_page_says_what_is_used_of_what() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    let fresh = page(&stage, &seat).await;
    assert_eq!((fresh.plan, fresh.days.len(), fresh.slowed_since), (Plan::Unlimited, 30, None));
    assert!(fresh.meters.iter().all(|meter| meter.at_most.is_none() && meter.standing == Standing::Fine));
    assert!(fresh.days.iter().all(|day| (day.events, day.bytes, day.exports) == (0, 0, 0)));
    assert!(fresh.month_ends_at > fresh.as_of);

    // A source that was there for two days: 100 events before, 250 yesterday, 900 today.
    stage
        .with_source(
            &seat,
            "insert into source_cursors (workspace_id, source_id, durable_events, durable_bytes) values ('{w}', '{source}', 1250, 12500);
             insert into usage_openings (workspace_id, source_id, day, events_before, bytes_before)
             values ('{w}', '{source}', (now() at time zone 'utc')::date - 1, 100, 1000),
                    ('{w}', '{source}', (now() at time zone 'utc')::date, 350, 3500);
             insert into assets (workspace_id, id, number, key, name) values ('{w}', '{source}', 1, 'A', 'A');
             insert into slowdowns (workspace_id) values ('{w}')",
        )
        .await;
    set(&stage, "nordmark", Plan::Trial, &[(Limit::Assets, 1)]).await.unwrap();
    let used = page(&stage, &seat).await;
    let by_day: Vec<_> = used.days.iter().take(3).map(|day| (day.events, day.bytes)).collect();
    assert_eq!(by_day, [(900, 9_000), (250, 2_500), (0, 0)]);
    let month = meter(&used, Limit::EventsPerMonth);
    // On the first of a month yesterday is another's.
    let all = if used.days[0].day.ends_with("-01") { 900 } else { 1_150 };
    assert_eq!((month.used, month.at_most, month.agreed), (Some(all), Some(100_000_000), false));
    let assets = meter(&used, Limit::Assets);
    assert_eq!((assets.used, assets.at_most, assets.standing), (Some(1), Some(1), Standing::Reached));
    assert!(assets.agreed && used.slowed_since.is_some());
    assert_eq!(meter(&used, Limit::EventsPerSecond).used, None, "no figure that nobody measured");
    let codes = async || {
        let sources = stage.services.sources(&seat).await.unwrap().sources;
        sources[0].problems.iter().map(|problem| problem.code.clone()).collect::<Vec<_>>()
    };
    assert_eq!(codes().await, ["plan_rate"], "the source's page says it too");
    stage.sql("update slowdowns set seen_at = now() - interval '2 minutes'").await;
    assert_eq!(page(&stage, &seat).await.slowed_since, None);
    assert!(codes().await.is_empty());

    let admin = stage.seat(&stage.member(&seat, "admin@nordmark.example", Role::Admin).await).await;
    assert_eq!(stage.services.usage(&admin).await.unwrap_err().code, ErrorCode::Forbidden);
    assert_eq!(stage.count("audit_entries where act = 'usage.read' and outcome = 'refused'").await, 1);
    // Another workspace sees nothing of it.
    let other = stage.owner("Acme", "eve@acme.example").await;
    let theirs = page(&stage, &other).await;
    assert_eq!((theirs.plan, meter(&theirs, Limit::EventsPerMonth).used), (Plan::Unlimited, Some(0)));
    assert_eq!(stage.count(&format!("usage_openings where source_id = '{SOURCE}'")).await, 2);
}

#[tokio::test]
async fn a_plan_is_set_by_the_owner_of_the_tables_alone_and_written_down() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    assert_eq!(set(&stage, "nordmark", Plan::Trial, &[]).await.unwrap(), None);
    let before = set(&stage, "nordmark", Plan::Standard, &[(Limit::Seats, 7)]).await.unwrap();
    assert_eq!(before, Some(Plan::Trial.into()));
    assert!(matches!(set(&stage, "nowhere", Plan::Trial, &[]).await, Err(StoreError::NotFound)));
    assert_eq!(meter(&page(&stage, &seat).await, Limit::Seats).at_most, Some(7));
    let written = "audit_entries where act = 'plan.set' and actor_kind = 'support' and before->>'plan' = 'trial'
                     and after->>'plan' = 'standard' and after->'agreed'->>'seats' = '7'";
    assert_eq!(stage.count(written).await, 1);
    for role in ["clarity_app", "clarity_ingest", "clarity_worker"] {
        let may =
            format!("(select 1 where has_table_privilege('{role}', 'workspace_plans', 'insert, update, delete')) x");
        assert_eq!(stage.count(&may).await, 0, "{role}");
    }
}

#[tokio::test]
async fn seats_are_members_and_open_invitations() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    set(&stage, "nordmark", Plan::Unlimited, &[(Limit::Seats, 3)]).await.unwrap();
    stage.member(&owner, "joe@nordmark.example", Role::Viewer).await;
    stage.services.invite(&owner, "ann@nordmark.example", Role::Viewer).await.unwrap();
    let token = stage.invitation_token("ann@nordmark.example").await;
    let full = stage.services.invite(&owner, "bob@nordmark.example", Role::Viewer).await.unwrap_err();
    assert_eq!(full.code, ErrorCode::LimitExceeded);
    assert!(full.message.contains("plan (3) are taken") && full.message.contains("Plan and usage"), "{full}");
    assert_eq!(stage.count("auth.mails where to_address = 'bob@nordmark.example'").await, 0);
    assert_eq!(meter(&page(&stage, &owner).await, Limit::Seats).used, Some(3));

    // The plan shrinks: who was invited cannot join, and can once there is a seat.
    set(&stage, "nordmark", Plan::Unlimited, &[(Limit::Seats, 2)]).await.unwrap();
    let join = async || {
        let new = NewAccount { name: "Ann".into(), password: PASSWORD.into() };
        stage.services.accept_invitation(&Visitor::Anonymous, &token, Some(new), &client()).await
    };
    let refused = join().await.err().unwrap();
    assert_eq!(refused.code, ErrorCode::LimitExceeded);
    assert!(refused.message.starts_with("All seats of this workspace are taken."), "{refused}");
    assert_eq!(stage.count("auth.users where email like 'ann@%'").await, 0, "nothing of it stays");
    set(&stage, "nordmark", Plan::Unlimited, &[(Limit::Seats, 3)]).await.unwrap();
    join().await.unwrap();
    assert_eq!(stage.count("auth.memberships").await, 3);
}

#[tokio::test]
async fn exports_are_counted_by_day() {
    let limits = Limits { default_plan: Plan::Trial, ..Limits::default() };
    let stage = Stage::with(limits).await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    let export =
        async || stage.services.export_audit(&seat, &AuditFilter::default(), ExportFormat::Csv).await.map(drop);
    for _ in 0..10 {
        export().await.unwrap();
    }
    let eleventh = export().await.unwrap_err();
    assert_eq!(eleventh.code, ErrorCode::LimitExceeded);
    assert!(
        eleventh.message.contains("10 exports of today") && eleventh.message.contains("midnight UTC"),
        "{eleventh}"
    );
    assert_eq!(
        stage.count("audit_entries where act = 'audit.export'").await,
        10,
        "what was not taken is not in the log"
    );
    let today = &page(&stage, &seat).await.days[0];
    assert_eq!(today.exports, 10);
    stage.sql("update export_days set day = day - 1").await;
    export().await.unwrap();
    // None at all.
    set(&stage, "nordmark", Plan::Trial, &[(Limit::ExportsPerDay, 0)]).await.unwrap();
    assert_eq!(export().await.unwrap_err().code, ErrorCode::LimitExceeded);
}

#[tokio::test]
async fn owners_and_admins_are_told_over_every_page_and_others_are_not() {
    let stage = Stage::new().await;
    let owner = stage.sign_up("Nordmark", "maja@nordmark.example").await.unwrap();
    let seat = stage.seat(&owner).await;
    let workspace = seat.frame_card().id;
    set(&stage, "nordmark", Plan::Trial, &[(Limit::Assets, 1)]).await.unwrap();
    stage
        .sql(&format!(
            "insert into usage_notices (workspace_id, month, what, share)
             select '{workspace}', date_trunc('month', now() at time zone 'utc')::date - months * interval '1 month', what, share
             from (values (0, 'events_per_month', 80), (0, 'events_per_month', 100), (1, 'bytes_per_month', 120)) v (months, what, share);
             insert into assets (workspace_id, id, number, key, name) values ('{workspace}', '{workspace}', 1, 'A', 'A')"
        ))
        .await;
    let told = [
        PlanNotice { limit: Limit::EventsPerMonth, standing: Standing::Reached },
        PlanNotice { limit: Limit::Assets, standing: Standing::Reached },
    ];
    let frame = stage.services.frame(&stage.visitor(&owner).await, &seat).await.unwrap();
    assert_eq!(frame.notices, told, "the highest of this month, and nothing of the last");
    for (role, expected) in [(Role::Admin, &told[..]), (Role::Operator, &told[..0]), (Role::Viewer, &told[..0])] {
        let member = stage.member(&seat, &format!("{}@nordmark.example", role.as_str()), role).await;
        let frame = stage.services.frame(&stage.visitor(&member).await, &stage.seat(&member).await).await.unwrap();
        assert_eq!(frame.notices, expected, "{role:?}");
    }
    // Another plan has no such limits: there is nothing to tell any more.
    set(&stage, "nordmark", Plan::Unlimited, &[]).await.unwrap();
    let frame = stage.services.frame(&stage.visitor(&owner).await, &seat).await.unwrap();
    assert_eq!(frame.notices, []);
}

#[tokio::test]
async fn seats_and_exports_are_told_of_before_their_limit() {
    let stage = Stage::new().await;
    let owner = stage.sign_up("Nordmark", "maja@nordmark.example").await.unwrap();
    let seat = stage.seat(&owner).await;
    set(&stage, "nordmark", Plan::Unlimited, &[(Limit::Seats, 5), (Limit::ExportsPerDay, 5)]).await.unwrap();
    let notices = async || stage.services.frame(&stage.visitor(&owner).await, &seat).await.unwrap().notices;
    // Invitations that nobody has accepted take seats as well.
    for email in ["a@nordmark.example", "b@nordmark.example"] {
        stage.services.invite(&seat, email, Role::Viewer).await.unwrap();
    }
    assert_eq!(notices().await, []);
    stage.services.invite(&seat, "c@nordmark.example", Role::Viewer).await.unwrap();
    let near = |limit| PlanNotice { limit, standing: Standing::Near };
    assert_eq!(notices().await, [near(Limit::Seats)]);
    for _ in 0..4 {
        stage.services.export_audit(&seat, &AuditFilter::default(), ExportFormat::Csv).await.unwrap();
    }
    assert_eq!(notices().await, [near(Limit::ExportsPerDay), near(Limit::Seats)]);
    stage.services.export_audit(&seat, &AuditFilter::default(), ExportFormat::Csv).await.unwrap();
    assert_eq!(notices().await[0].standing, Standing::Reached);
}

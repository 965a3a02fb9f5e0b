//! Retention as members see and change it: roles, the preview before a shorter time, and legal holds.

use crate::stage::{SOURCE, Stage};
use clarity_domain::error::ErrorCode;
use clarity_domain::ids::LegalHoldId;
use clarity_domain::retention::DataClass;
use clarity_domain::role::Role;
use clarity_domain::view::retention::{Retention, RetentionQuery, RetentionRow};
use clarity_service::Seat;
use uuid::Uuid;

const LETTERS: &str = "insert into dead_letters
    (workspace_id, source_id, epoch, seq, stream_name, fingerprint, cause, payload, segment_first_seq, line_number, created_at)
  select '{w}', '{source}', 1, n, 'public.telemetry', 'aa', 'no such unit', '\\x00', 1, n, now() - n * interval '20 days'
  from generate_series(1, 5) n;";

async fn page(stage: &Stage, seat: &Seat) -> Retention {
    stage.services.retention(seat, &RetentionQuery::default()).await.unwrap()
}

fn row(page: &Retention, class: DataClass) -> RetentionRow {
    page.rows.iter().find(|row| row.class == class).unwrap().clone()
}

fn query(class: &str, days: &str) -> RetentionQuery {
    RetentionQuery { class: Some(class.into()), days: Some(days.into()) }
}

#[tokio::test]
async fn a_shorter_time_needs_its_preview_and_is_written_down() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    stage.with_source(&seat, LETTERS).await;
    let letters = row(&page(&stage, &seat).await, DataClass::DeadLetters);
    assert_eq!((letters.keep, letters.is_default, letters.rows), (None, true, None), "no run has been yet");
    let preview = stage.services.retention(&seat, &query("dead_letters", "30")).await.unwrap().preview.unwrap();
    assert_eq!((preview.rows, preview.shorter, preview.keep), (4, true, Some(30)));
    assert!(preview.bytes > 0 && preview.oldest_at < preview.cut_at);

    let set = async |days: &str, previewed| {
        stage.services.set_retention(&seat, DataClass::DeadLetters, days, previewed).await
    };
    assert_eq!(set("30", None).await.unwrap_err().code, ErrorCode::Conflict);
    let more = set("30", Some(3)).await.unwrap_err();
    assert_eq!(more.code, ErrorCode::Conflict);
    assert!(more.message.contains("4 rows, and it showed 3"), "{more}");
    assert_eq!(row(&page(&stage, &seat).await, DataClass::DeadLetters).keep, None, "nothing was said by that");
    // What stands in the log is what was counted here, whatever the form says.
    set("30", Some(400)).await.unwrap();
    let letters = row(&page(&stage, &seat).await, DataClass::DeadLetters);
    assert_eq!((letters.keep, letters.is_default), (Some(30), false));
    // A longer time takes nothing away.
    set("forever", None).await.unwrap();
    assert_eq!(row(&page(&stage, &seat).await, DataClass::DeadLetters).keep, None);
    let told =
        "audit_entries where act = 'retention.set' and object_id = 'dead_letters' and before->>'keep' = 'for ever'
                and after->>'keep' = '30 days' and after->>'preview_rows' = '4'";
    assert_eq!(stage.count(told).await, 1);
    assert_eq!(stage.count("audit_entries where act = 'retention.set'").await, 2);
    assert_eq!(stage.count("dead_letters").await, 5, "the workers remove, not the page");
}

#[tokio::test]
async fn every_class_has_a_preview() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    stage.with_source(&seat, LETTERS).await;
    for class in DataClass::ALL {
        let preview = stage.services.retention(&seat, &query(class.as_str(), "90")).await.unwrap().preview.unwrap();
        let letters = u64::from(class == DataClass::DeadLetters);
        assert_eq!((preview.class, preview.rows), (class, letters), "{class:?}");
    }
    for (class, days) in [("everything", "90"), ("audit", "30"), ("bronze", "1"), ("audit", "soon"), ("audit", "99999")]
    {
        let refused = stage.services.retention(&seat, &query(class, days)).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Invalid, "{class} {days}");
    }
    let refused = stage.services.set_retention(&seat, DataClass::Audit, "30", Some(0)).await.unwrap_err();
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Invalid, Some("days")));
}

#[tokio::test]
async fn admins_change_times_and_owners_alone_hold() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let admin = stage.seat(&stage.member(&owner, "ada@nordmark.example", Role::Admin).await).await;
    let operator = stage.seat(&stage.member(&owner, "olaf@nordmark.example", Role::Operator).await).await;
    let services = &stage.services;
    services.set_retention(&admin, DataClass::Bronze, "90", Some(0)).await.unwrap();
    assert!(!page(&stage, &admin).await.may_hold && page(&stage, &owner).await.may_hold);
    for refused in [
        services.retention(&operator, &RetentionQuery::default()).await.map(drop),
        services.set_retention(&operator, DataClass::Bronze, "90", None).await,
        services.place_hold(&admin, "case 7").await.map(drop),
        services.lift_hold(&admin, LegalHoldId(Uuid::now_v7())).await,
    ] {
        assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden);
    }
    assert_eq!(stage.count("audit_entries where act like 'retention.%' and outcome = 'refused'").await, 4);
    assert_eq!(services.place_hold(&owner, "  ").await.unwrap_err().field.as_deref(), Some("reason"));

    let hold = services.place_hold(&owner, " case 7 ").await.unwrap();
    let other = services.place_hold(&owner, "case 8").await.unwrap();
    let reasons: Vec<String> = page(&stage, &admin).await.holds.into_iter().map(|hold| hold.reason).collect();
    assert_eq!(reasons, ["case 7", "case 8"]);
    services.lift_hold(&owner, hold).await.unwrap();
    assert_eq!(services.lift_hold(&owner, hold).await.unwrap_err().code, ErrorCode::NotFound, "once");
    let foreign = stage.owner("Acme", "joe@acme.example").await;
    assert_eq!(services.lift_hold(&foreign, other).await.unwrap_err().code, ErrorCode::NotFound);
    assert!(page(&stage, &foreign).await.holds.is_empty());
    assert_eq!(page(&stage, &owner).await.holds.len(), 1);
    assert_eq!(
        stage.count("audit_entries where act in ('retention.hold', 'retention.lift') and outcome = 'done'").await,
        3
    );
}

#[tokio::test]
async fn another_workspaces_rows_are_in_no_preview() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    stage.with_source(&seat, LETTERS).await;
    stage
        .sql(&format!(
            "insert into bronze_segments (workspace_id, source_id, epoch, first_seq, event_count, raw_bytes, hash, body)
               select workspace_id, id, 1, 1, 10, 9, '\\x00', '\\x0102' from sources where id = '{SOURCE}'"
        ))
        .await;
    let other = stage.owner("Acme", "joe@acme.example").await;
    for class in DataClass::ALL {
        let preview = stage.services.retention(&other, &query(class.as_str(), "90")).await.unwrap().preview.unwrap();
        assert_eq!((preview.rows, preview.bytes, preview.oldest_at), (0, 0, None), "{class:?}");
    }
}

#[tokio::test]
async fn the_page_shows_what_the_last_run_left() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    let other = stage.owner("Acme", "joe@acme.example").await;
    // As the workers note them: an older run that took much, the last one, and one that is not over.
    let runs = "insert into retention_runs
        (workspace_id, id, data_class, started_at, finished_at, cut_at, rows_removed, bytes_freed, oldest_kept_at, rows_kept, bytes_kept)
      values
        ('{w}', gen_random_uuid(), 'dead_letters', now() - interval '2 hours', now() - interval '2 hours', now() - interval '30 days',
         900, 9000, now() - interval '29 days', 7, 70),
        ('{w}', gen_random_uuid(), 'dead_letters', now() - interval '1 hour', '2026-01-02T03:04:05Z', now() - interval '30 days',
         4, 400, '2026-01-01T00:00:00Z', 3, 30),
        ('{w}', gen_random_uuid(), 'dead_letters', now(), null, now() - interval '30 days', 1, 1, null, null, null);";
    stage.sql(&runs.replace("{w}", &seat.frame_card().id.to_string())).await;
    let letters = row(&page(&stage, &seat).await, DataClass::DeadLetters);
    let run = letters.last_run.expect("a run");
    assert_eq!((run.at, run.removed, run.freed_bytes), (1_767_323_045_000_000, 4, 400));
    assert_eq!((letters.rows, letters.bytes, letters.oldest_at), (Some(3), Some(30), Some(1_767_225_600_000_000)));
    assert!(row(&page(&stage, &seat).await, DataClass::Audit).last_run.is_none(), "of this class alone");
    assert!(row(&page(&stage, &other).await, DataClass::DeadLetters).last_run.is_none(), "and of this workspace");
}

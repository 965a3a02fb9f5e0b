//! The end of a workspace as owners see it: asking, taking back, letters, the file, the certificate.

use crate::stage::{PASSWORD, Stage, client};
use clarity_domain::error::ErrorCode;
use clarity_domain::role::Role;
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::Secret;
use clarity_service::{Limits, Seat, Visitor};
use clarity_store::{SystemStore, WorkerStore, erasure};
use std::time::Duration;
use uuid::Uuid;

const MAJA: &str = "maja@nordmark.example";

const ROWS: &str = "
  insert into assets (workspace_id, id, number, key, name) values ('{w}', '{source}', 1, 'M-1', 'Press');
  insert into records (workspace_id, stream_id, key, image, epoch, seq, changed_at)
    select '{w}', '{stream}', n::text, '{\"a\": \"canary\"}', 1, n, now() from generate_series(1, 250) n;
  insert into bronze_segments (workspace_id, source_id, epoch, first_seq, event_count, raw_bytes, hash, body)
    select '{w}', '{source}', 1, n, 1, 9, '\\x00', '\\x0102' from generate_series(1, 20) n;";

/// Does what the worker does.
async fn erase(stage: &Stage) {
    let login = |role: DbRole| DbLogin {
        role,
        url: stage.db.url(role.name()),
        password: Secret::new(stage.db.cluster().password()),
    };
    let worker = WorkerStore::connect(&login(DbRole::Worker), 1).await.unwrap();
    let system = SystemStore::connect_as(Uuid::now_v7(), &login(DbRole::System), 1).await.unwrap();
    let mut tx = system.begin().await.unwrap();
    let due = erasure::list_due(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    for scope in due {
        let mut tx = worker.begin(&scope).await.unwrap();
        erasure::begin(&mut tx).await.unwrap();
        let tables = erasure::list_tables(&mut tx).await.unwrap();
        for table in tables {
            assert!(erasure::remove_batch(&mut tx, &table, 50_000).await.unwrap().is_some(), "{table}");
        }
        assert!(erasure::finish(&mut tx, 0).await.unwrap());
        tx.commit().await.unwrap();
    }
}

async fn soon() -> Stage {
    Stage::with(Limits { deletion_grace: Duration::ZERO, ..Limits::default() }).await
}

async fn exported(stage: &Stage, seat: &Seat) -> String {
    let mut export = stage.services.export_workspace(seat).await.unwrap();
    let mut whole = String::new();
    while let Some(piece) = export.next().await.unwrap() {
        whole += &piece;
    }
    whole
}

#[tokio::test]
async fn an_owner_asks_for_the_end_and_any_owner_takes_it_back() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", MAJA).await;
    let services = &stage.services;
    let page = services.deletion(&owner).await.unwrap();
    assert_eq!((page.name.as_str(), page.pending, page.held, page.confirmed), ("Nordmark", None, false, true));
    assert_eq!(page.grace_s, 30 * 86_400);
    assert!(page.kinds.iter().any(|kind| kind.name == "Members" && kind.count == Some(1)));

    for typed in ["", "nordmark", "Nordmark works"] {
        let refused = services.request_deletion(&owner, typed).await.unwrap_err();
        assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Invalid, Some("name")), "{typed}");
    }
    assert_eq!(services.cancel_deletion(&owner).await.unwrap_err().code, ErrorCode::Conflict);
    services.request_deletion(&owner, " Nordmark ").await.unwrap();
    let (subject, text) = stage.last_letter(MAJA).await;
    assert_eq!(subject, "“Nordmark” at Clarity Stream will be deleted");
    assert!(text.contains("https://clarity.example/w/nordmark/delete") && text.contains(" UTC"), "{text}");
    let pending = services.deletion(&owner).await.unwrap().pending.unwrap();
    let days = (pending.due_at - pending.requested_at) / 86_400_000_000;
    assert!((29..=30).contains(&days), "{days}");
    assert_eq!(services.request_deletion(&owner, "Nordmark").await.unwrap_err().code, ErrorCode::Conflict, "once");
    // Every page tells of it, and nothing else has changed.
    let maja = stage.sign_in(MAJA, PASSWORD).await.unwrap();
    let visitor = stage.visitor(&maja).await;
    assert_eq!(services.frame(&visitor, &owner).await.unwrap().deleted_at, Some(pending.due_at));
    let admin = stage.seat(&stage.member(&owner, "ada@nordmark.example", Role::Admin).await).await;

    for refused in [
        services.deletion(&admin).await.map(drop),
        services.request_deletion(&admin, "Nordmark").await,
        services.cancel_deletion(&admin).await,
        services.export_workspace(&admin).await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden);
    }
    services.cancel_deletion(&owner).await.unwrap();
    assert_eq!(stage.last_letter(MAJA).await.0, "“Nordmark” at Clarity Stream stays");
    assert_eq!(services.frame(&visitor, &owner).await.unwrap().deleted_at, None);
    for (act, outcome, count) in
        [("workspace.delete", "done", 1), ("workspace.keep", "done", 1), ("workspace.delete", "refused", 1)]
    {
        let told = format!("audit_entries where act = '{act}' and outcome = '{outcome}'");
        assert_eq!(stage.count(&told).await, count, "{act} {outcome}");
    }
}

#[tokio::test]
async fn whoever_asks_has_just_shown_that_it_is_them() {
    let stage = Stage::new().await;
    stage.owner("Nordmark", MAJA).await;
    let maja = stage.sign_in(MAJA, PASSWORD).await.unwrap();
    stage.sql("update auth.sessions set confirmed_at = now() - interval '16 minutes'").await;
    let seat = stage.seat(&maja).await;
    assert!(!stage.services.deletion(&seat).await.unwrap().confirmed);
    let refused = stage.services.request_deletion(&seat, "Nordmark").await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::ConfirmNeeded);
    let refused = stage.services.export_workspace(&seat).await.map(drop).unwrap_err();
    assert_eq!(refused.code, ErrorCode::ConfirmNeeded);
    assert_eq!(stage.count("auth.deletions").await, 0);
}

#[tokio::test]
async fn a_legal_hold_refuses_it() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", MAJA).await;
    let hold = stage.services.place_hold(&owner, "case 7").await.unwrap();
    assert!(stage.services.deletion(&owner).await.unwrap().held);
    let refused = stage.services.request_deletion(&owner, "Nordmark").await.unwrap_err();
    assert!(refused.code == ErrorCode::Conflict && refused.message.contains("legal hold"), "{refused}");
    stage.services.lift_hold(&owner, hold).await.unwrap();
    stage.services.request_deletion(&owner, "Nordmark").await.unwrap();
}

#[tokio::test]
async fn the_file_has_everything_of_one_workspace() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", MAJA).await;
    stage.with_source(&owner, ROWS).await;
    let other = stage.owner("Acme", "joe@acme.example").await;
    let file = exported(&stage, &owner).await;
    let lines: Vec<serde_json::Value> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).count();
    let rows = |table: &str| lines.iter().filter(|line| line["table"] == table).count();
    assert_eq!((of("workspace"), of("member"), of("bronze"), of("end")), (1, 1, 20, 1));
    assert_eq!((rows("records"), rows("assets"), rows("sources")), (250, 1, 1));
    assert!(rows("audit_entries") > 0);
    let last = lines.last().unwrap();
    assert_eq!(last["lines_before"], lines.len() - 1, "it says that it is whole");
    assert_eq!(lines.iter().find(|line| line["kind"] == "bronze").unwrap()["body_base64"], "AQI=");
    assert!(!file.contains("password") && !file.contains("argon2"));
    let theirs = exported(&stage, &other).await;
    assert!(!theirs.contains("canary") && !theirs.contains("nordmark"), "another's");
    assert_eq!(stage.count("audit_entries where act = 'workspace.export'").await, 2);
}

#[tokio::test]
async fn few_files_are_made_at_a_time_and_of_a_workspace_one() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", MAJA).await;
    let acme = stage.owner("Acme", "joe@acme.example").await;
    let third = stage.owner("Third", "ada@third.example").await;
    let one = stage.services.export_workspace(&owner).await.unwrap();
    let again = stage.services.export_workspace(&owner).await.map(drop);
    assert_eq!(again.unwrap_err().code, ErrorCode::RateLimited);
    let two = stage.services.export_workspace(&acme).await.expect("another workspace has its turn");
    let no_place = stage.services.export_workspace(&third).await.map(drop);
    assert_eq!(no_place.unwrap_err().code, ErrorCode::RateLimited);
    assert_eq!(stage.count("audit_entries where act = 'workspace.export'").await, 2, "what was refused is not counted");
    drop((one, two));
    for seat in [&owner, &third] {
        stage.services.export_workspace(seat).await.map(drop).unwrap();
    }
}

#[tokio::test]
async fn a_file_is_one_of_the_plans_until_the_workspace_is_to_go() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", MAJA).await;
    stage
        .sql(
            "insert into workspace_plans (workspace_id, plan, agreed)
               select id, 'trial', '{\"exports_per_day\": 1}' from auth.workspaces",
        )
        .await;
    exported(&stage, &owner).await;
    let refused = stage.services.export_workspace(&owner).await.map(drop).unwrap_err();
    assert_eq!(refused.code, ErrorCode::LimitExceeded);
    stage.services.request_deletion(&owner, "Nordmark").await.unwrap();
    exported(&stage, &owner).await;
    assert_eq!(stage.count("audit_entries where act = 'workspace.export'").await, 2);
}

#[tokio::test]
async fn nothing_holds_up_what_has_begun() {
    let stage = soon().await;
    let owner = stage.owner("Nordmark", MAJA).await;
    stage.services.request_deletion(&owner, "Nordmark").await.unwrap();
    erase(&stage).await;
    // Of a seat that was taken before.
    let late = stage.services.place_hold(&owner, "case 7").await.unwrap_err();
    assert_eq!(late.code, ErrorCode::Conflict, "{late}");
    assert_eq!(stage.count("legal_holds").await, 0);
}

#[tokio::test]
async fn its_owners_are_sent_a_certificate_that_says_nothing_to_others() {
    let stage = soon().await;
    let maja = stage.sign_up("Nordmark", MAJA).await.unwrap();
    let owner = stage.seat(&maja).await;
    stage.with_source(&owner, ROWS).await;
    stage.member(&owner, "ada@nordmark.example", Role::Admin).await;
    let other = stage.owner("Acme", "joe@acme.example").await;
    let services = &stage.services;
    services.request_deletion(&owner, "Nordmark").await.unwrap();
    assert_eq!(services.post_certificates().await.unwrap(), 0, "not yet");
    erase(&stage).await;
    assert_eq!(services.post_certificates().await.unwrap(), 1, "owners alone");
    assert_eq!(services.post_certificates().await.unwrap(), 0, "once");
    assert_eq!(stage.last_letter(MAJA).await.0, "“Nordmark” at Clarity Stream is deleted");
    let token = stage.token_in_letter(MAJA, "/deleted/").await;
    let certificate = services.find_certificate(&token).await.unwrap();
    assert_eq!(certificate.name, "Nordmark");
    assert!(certificate.requested_by.contains(MAJA) && certificate.last_audit_hash.is_some());
    let count = |name: &str| certificate.tables.iter().find(|table| table.name == name).map(|table| table.rows);
    assert_eq!((count("public.records"), count("auth.memberships")), (Some(250), Some(2)));
    assert_eq!(count("public.bronze_segments"), Some(20));
    for unknown in ["", "ab", &"ab".repeat(32), &token[1..]] {
        assert_eq!(services.find_certificate(unknown).await.unwrap_err().code, ErrorCode::NotFound, "{unknown}");
    }
    assert_eq!(stage.count("auth.certificate_links where to_address is not null").await, 0, "to whom is not kept");

    // Whoever was in it is in no such workspace; their account stays, and so does everybody else's.
    let visitor = services.visitor(Some(&maja.token)).await.unwrap();
    assert!(matches!(visitor, Visitor::Member(_)));
    let gone = services.enter(&visitor, "nordmark", &client()).await.unwrap_err();
    let never = services.enter(&visitor, "never-was", &client()).await.unwrap_err();
    assert_eq!(gone, never);
    assert!(services.deletion(&other).await.unwrap().pending.is_none());
    // Its address is nobody's for a time.
    services.add_workspace(&visitor, "Nordmark", &client()).await.unwrap();
    assert_eq!(stage.count("auth.workspaces where slug = 'nordmark'").await, 0);
    assert_eq!(stage.count("auth.workspaces where name = 'Nordmark'").await, 1);
}

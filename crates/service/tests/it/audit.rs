//! The audit log: what stands in it, who reads it, how it leaves, and whether it is whole.

use crate::stage::{PASSWORD, Stage, client};
use clarity_domain::audit::{Act, ActorKind, ChainBreak, Outcome};
use clarity_domain::error::ErrorCode;
use clarity_domain::view::audit::{AuditFilter, AuditLog, AuditQuery, AuditRow};
use clarity_service::{ExportFormat, Seat};

async fn log(stage: &Stage, seat: &Seat) -> AuditLog {
    stage.services.audit(seat, &AuditQuery::default()).await.unwrap()
}

fn acts(log: &AuditLog) -> Vec<&str> {
    log.rows.iter().map(|row| row.act.as_str()).collect()
}

async fn all_of(stage: &Stage, seat: &Seat, filter: &AuditFilter, format: ExportFormat) -> String {
    let mut export = stage.services.export_audit(seat, filter, format).await.unwrap();
    let mut text = String::new();
    while let Some(piece) = export.next().await.unwrap() {
        text.push_str(&piece);
    }
    text
}

#[tokio::test]
async fn acts_stand_in_the_log_with_who_from_where_and_what_changed() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    let begun = stage.services.begin_named_pairing(&seat, "press hall").await.unwrap();
    stage.services.refuse_pairing(&seat, begun.id).await.unwrap();
    let read = log(&stage, &seat).await;
    assert_eq!(acts(&read), ["pairing.refuse", "pairing.begin", "session.sign_in", "workspace.create"]);
    let AuditRow { actor_kind, actor, object, object_kind, address, outcome, seq, .. } = &read.rows[0];
    assert_eq!((*actor_kind, actor.as_str()), (ActorKind::Person, "Maja <maja@nordmark.example>"));
    assert_eq!((object_kind.as_str(), object.as_str(), address.as_str()), ("pairing", "press hall", "192.0.2.1"));
    assert_eq!((*outcome, *seq, read.older, read.newer), (Outcome::Done, 4, None, None));

    let query = AuditQuery { entry: Some(4), ..AuditQuery::default() };
    let entry = stage.services.audit(&seat, &query).await.unwrap().entry.unwrap();
    assert_eq!(entry.request_id.as_deref(), Some("00000000000000000000000000000007"));
    let change = &entry.changes[0];
    assert_eq!(
        (change.field.as_str(), change.before.as_deref(), change.after.as_deref()),
        ("state", Some("waiting"), Some("refused"))
    );
    let code = begun.code.unwrap();
    for secret in [PASSWORD, code.as_str()] {
        let of = format!("audit_entries e where e::text like '%{secret}%'");
        assert_eq!(stage.count(&of).await, 0, "a secret is in the log");
    }
}

#[tokio::test]
async fn coming_and_going_stand_in_each_workspace_of_the_person() {
    let stage = Stage::new().await;
    stage.sign_up("One", "maja@nordmark.example").await.unwrap();
    let signed_in = stage.sign_up("Two", "maja@nordmark.example").await.unwrap();
    // Another's workspace hears nothing of it.
    stage.sign_up("Acme", "joe@acme.example").await.unwrap();
    let of = |act: &str, outcome: &str| format!("audit_entries where act = '{act}' and outcome = '{outcome}'");
    // Joe's; Maja's to One, twice; Maja's to One and Two.
    assert_eq!(stage.count(&of("session.sign_in", "done")).await, 5);
    stage.sign_in("maja@nordmark.example", PASSWORD).await.unwrap();
    assert_eq!(stage.count(&of("session.sign_in", "done")).await, 7);
    assert!(stage.sign_in("maja@nordmark.example", "not the password").await.is_err());
    assert!(stage.sign_in("nobody@nordmark.example", "not the password").await.is_err());
    stage.comes_to(&of("session.sign_in", "refused"), 2).await;
    assert!(stage.command("Three", "maja@nordmark.example", "not the password").await.is_err());
    stage.comes_to(&of("session.sign_in", "refused"), 4).await;
    let visitor = stage.visitor(&signed_in).await;
    stage.services.sign_out(&visitor, &client()).await.unwrap();
    assert_eq!(stage.count(&of("session.sign_out", "done")).await, 2);
    let theirs = "audit_entries e join auth.workspaces w on w.id = e.workspace_id where w.slug = 'acme' and e.actor_name like '%maja%'";
    assert_eq!(stage.count(theirs).await, 0);
}

#[tokio::test]
async fn refusals_are_written_down_and_only_admins_and_owners_read() {
    let stage = Stage::new().await;
    let signed_in = stage.sign_up("One", "maja@nordmark.example").await.unwrap();
    for role in ["viewer", "operator"] {
        stage.sql(&format!("update auth.memberships set role = '{role}'")).await;
        let seat = stage.seat(&signed_in).await;
        let filter = AuditFilter::default();
        for refused in [
            stage.services.audit(&seat, &AuditQuery::default()).await.err(),
            stage.services.verify_audit(&seat).await.err(),
            stage.services.export_audit(&seat, &filter, ExportFormat::Csv).await.err(),
            stage.services.begin_pairing(&seat).await.err(),
        ] {
            assert_eq!(refused.unwrap().code, ErrorCode::Forbidden, "{role}");
        }
        assert!(stage.services.search(&seat, "audit").await.unwrap().is_empty());
    }
    stage.sql("update auth.memberships set role = 'admin'").await;
    let seat = stage.seat(&signed_in).await;
    assert_eq!(stage.services.search(&seat, "audit").await.unwrap().len(), 1);
    let query = AuditQuery {
        filter: AuditFilter { outcome: Some(Outcome::Refused), ..AuditFilter::default() },
        ..AuditQuery::default()
    };
    let refused = stage.services.audit(&seat, &query).await.unwrap();
    let each = ["pairing.begin", "audit.export", "audit.verify", "audit.read"];
    assert_eq!(acts(&refused), [each, each].concat());
    let report = stage.services.verify_audit(&seat).await.unwrap();
    assert_eq!((report.entries, report.broken), (11, None), "with the read that was not refused");
    // Who asks without end fills nothing.
    stage.sql("update auth.memberships set role = 'viewer'").await;
    let seat = stage.seat(&signed_in).await;
    for _ in 0..40 {
        assert!(stage.services.begin_pairing(&seat).await.is_err());
    }
    let written = stage.count("audit_entries where outcome = 'refused'").await;
    assert!((20..30).contains(&written), "{written}");
}

#[tokio::test]
async fn pages_go_down_and_up() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    let w = seat.frame_card().id;
    // Written down once: the reads below add nothing.
    log(&stage, &seat).await;
    stage
        .sql(&format!(
            "begin; select set_config('app.workspace_id', '{w}', true);
             insert into audit_entries (actor_kind, actor_name, act) select 'service', 'test', 'test.act' from generate_series(1, 127);
             commit"
        ))
        .await;
    let page = |before, after| {
        let (stage, seat) = (&stage, &seat);
        async move {
            let query = AuditQuery { before, after, ..AuditQuery::default() };
            let log = stage.services.audit(seat, &query).await.unwrap();
            (log.rows.first().map(|r| r.seq), log.rows.last().map(|r| r.seq), log.newer, log.older)
        }
    };
    assert_eq!(page(None, None).await, (Some(130), Some(81), None, Some(81)));
    assert_eq!(page(Some(81), None).await, (Some(80), Some(31), Some(80), Some(31)));
    assert_eq!(page(Some(31), None).await, (Some(30), Some(1), Some(30), None));
    assert_eq!(page(None, Some(30)).await, (Some(80), Some(31), Some(80), Some(31)));
    assert_eq!(page(None, Some(80)).await, (Some(130), Some(81), None, Some(81)));
    assert_eq!(page(None, Some(130)).await, (Some(130), Some(81), None, Some(81)));
    let filter =
        AuditFilter { act: Some("session.sign_in".into()), from: Some("2020-01-01".into()), ..AuditFilter::default() };
    let found = stage.services.audit(&seat, &AuditQuery { filter, ..AuditQuery::default() }).await.unwrap();
    assert_eq!((found.rows.len(), found.older), (1, None));
    let filter = AuditFilter { to: Some("yesterday".into()), ..AuditFilter::default() };
    let wrong = stage.services.audit(&seat, &AuditQuery { filter, ..AuditQuery::default() }).await.err().unwrap();
    assert_eq!((wrong.code, wrong.field.as_deref()), (ErrorCode::Invalid, Some("to")));
}

#[tokio::test]
async fn the_export_is_whole_guarded_and_stands_in_the_log_itself() {
    let stage = Stage::new().await;
    let seat = stage.owner("=cmd|' /C calc'!A0, Inc", "maja@nordmark.example").await;
    let w = seat.frame_card().id;
    stage
        .sql(&format!(
            "begin; select set_config('app.workspace_id', '{w}', true);
             insert into audit_entries (actor_kind, actor_name, act, after)
               select 'service', '+test', 'test.act', jsonb_build_object('n', n, 'line', E'a\nb') from generate_series(1, 1203) n;
             commit"
        ))
        .await;
    let csv = all_of(&stage, &seat, &AuditFilter::default(), ExportFormat::Csv).await;
    let head = "seq,at,actor_kind,actor_id,actor,act,outcome,object_kind,object_id,object,before,after,address,request_id,previous_hash,hash\r\n";
    assert!(csv.starts_with(head), "{}", &csv[..200]);
    assert_eq!(
        csv.matches("\r\n").count(),
        1 + 2 + 1203 + 1,
        "the head, what the sign-up wrote, the rows, and this export"
    );
    assert!(csv.contains(r#","'=cmd|' /C calc'!A0, Inc","#) && csv.contains(",'+test,"));
    assert!(csv.contains(r#""{""n"": 1203, ""line"": ""a\nb""}""#), "a line end in JSON stays escaped");
    let last = csv.trim_end().rsplit("\r\n").next().unwrap();
    assert!(last.starts_with("1206,") && last.contains("audit.export"), "{last}");

    let filter = AuditFilter { act: Some("test.act".into()), ..AuditFilter::default() };
    let lines = all_of(&stage, &seat, &filter, ExportFormat::Ndjson).await;
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1203);
    assert_eq!((&lines[0]["seq"], &lines[0]["after"]["n"]), (&3.into(), &1.into()));
    assert_eq!((&lines[1]["previous_hash"], &lines[1]["actor"]["kind"]), (&lines[0]["hash"], &"service".into()));
    let exports =
        stage.services.audit(&seat, &AuditQuery { entry: Some(1207), ..AuditQuery::default() }).await.unwrap();
    let changes = exports.entry.unwrap().changes;
    assert_eq!(changes[0].after.as_deref(), Some(r#"{"act":"test.act"}"#));
    assert_eq!(exports.rows[0].act, Act::ExportAudit.as_str());

    // The right is looked at again while the file is on its way.
    let mut export = stage.services.export_audit(&seat, &AuditFilter::default(), ExportFormat::Csv).await.unwrap();
    export.next().await.unwrap();
    stage.sql("update auth.sessions set revoked_at = now()").await;
    assert_eq!(export.next().await.err().unwrap().code, ErrorCode::Unauthenticated);
}

#[tokio::test]
async fn others_neither_see_nor_verify_it_and_a_changed_row_is_told() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    let other = stage.owner("Acme", "joe@acme.example").await;
    for _ in 0..3 {
        stage.services.begin_pairing(&seat).await.unwrap();
    }
    assert_eq!(log(&stage, &other).await.rows.len(), 2);
    let query = AuditQuery { entry: Some(5), ..AuditQuery::default() };
    assert!(stage.services.audit(&seat, &query).await.unwrap().entry.is_some());
    assert!(stage.services.audit(&other, &query).await.unwrap().entry.is_none());
    let csv = all_of(&stage, &other, &AuditFilter::default(), ExportFormat::Csv).await;
    assert!(!csv.contains("nordmark"));
    stage
        .sql(&format!(
            "update audit_entries set actor_name = 'Eve' where seq = 3 and workspace_id = '{}'",
            seat.frame_card().id
        ))
        .await;
    let (ours, theirs) =
        (stage.services.verify_audit(&seat).await.unwrap(), stage.services.verify_audit(&other).await.unwrap());
    assert_eq!((ours.broken, theirs.broken), (Some(ChainBreak::Changed { seq: 3 }), None));
}

#[tokio::test]
async fn reading_it_stands_in_it_once_in_a_quarter_of_an_hour() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    let reads = "audit_entries where act = 'audit.read' and outcome = 'done' and actor_name like 'Maja%'";
    assert_eq!(acts(&log(&stage, &seat).await), ["session.sign_in", "workspace.create"], "as it was before the read");
    assert_eq!(acts(&log(&stage, &seat).await)[0], "audit.read");
    assert_eq!(stage.count(reads).await, 1);
    stage.sql("update audit_entries set at = at - interval '16 minutes'").await;
    log(&stage, &seat).await;
    assert_eq!(stage.count(reads).await, 2);
}

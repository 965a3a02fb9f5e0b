//! Masks as admins make and remove them: who may, what cannot be masked, and which agents apply it.

use crate::stage::{SOURCE, Stage};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::masking::{MaskPlace, MaskRule};
use clarity_domain::role::Role;
use clarity_domain::view::masking::MaskRow;
use clarity_service::{NewMask, Seat};
use uuid::Uuid;

/// Telemetry of presses, as refine would have noted it.
const PRESSES: &str = r#"
    update streams set schema = '{"name": "public.telemetry", "columns": [
        {"n": "press", "t": "text", "k": true}, {"n": "at", "t": "timestamptz", "k": true},
        {"n": "force", "t": "float8"}, {"n": "worker", "t": "text"}]}' where id = '{stream}';
    insert into mappings (workspace_id, id, stream_id, version, from_epoch, from_seq, spec)
      values ('{w}', '{stream}', '{stream}', 1, 0, 0, '{"kind": "telemetry", "key": ["press", "at"], "asset": "press", "time": "at",
        "metrics": [{"column": "force", "name": "Force", "unit": "kN", "sample_type": "float"}]}');"#;

fn mask(field: &str, rule: &str, amount: &str) -> NewMask {
    NewMask {
        of: format!("{SOURCE} public.telemetry"),
        field: field.into(),
        rule: rule.into(),
        amount: amount.into(),
        place: MaskPlace::Agent,
        least_role: None,
    }
}

async fn refused(stage: &Stage, seat: &Seat, form: NewMask) -> AppError {
    stage.services.add_mask(seat, form).await.unwrap_err()
}

async fn rows(stage: &Stage, seat: &Seat) -> Vec<MaskRow> {
    stage.services.masking(seat).await.unwrap().policies
}

#[tokio::test]
async fn a_mask_is_made_applied_and_removed() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    stage.with_source(&seat, PRESSES).await;
    let page = stage.services.masking(&seat).await.unwrap();
    assert_eq!(page.streams[0].fields, ["press", "at", "force", "worker"]);

    let id = stage.services.add_mask(&seat, mask(" worker ", "hash", "")).await.unwrap();
    let row = rows(&stage, &seat).await.remove(0);
    assert_eq!((row.id, row.field.as_str(), row.rule), (id, "worker", MaskRule::Hash));
    assert_eq!(row.source.as_deref(), Some("plant-db"));
    assert!(row.created_by.starts_with("Maja"), "{}", row.created_by);
    assert_eq!((row.applied.len(), row.waiting), (0, vec!["a".to_owned()]));
    stage.sql("update agents set masks_version = 1, masks_at = now()").await;
    let row = rows(&stage, &seat).await.remove(0);
    assert_eq!((row.applied, row.waiting.len()), (vec!["a".to_owned()], 0));

    // A second one is waited for alone.
    stage.services.add_mask(&seat, mask("force", "bucket", "10")).await.unwrap();
    let all = rows(&stage, &seat).await;
    let waits: Vec<(&str, bool)> = all.iter().map(|row| (row.field.as_str(), !row.waiting.is_empty())).collect();
    assert_eq!(waits, [("force", true), ("worker", false)]);
    let again = stage.services.add_mask(&seat, mask("worker", "hide", "")).await.unwrap_err();
    assert_eq!((again.code, again.field.as_deref()), (ErrorCode::Invalid, Some("field")));

    stage.services.remove_mask(&seat, id).await.unwrap();
    assert_eq!(stage.services.remove_mask(&seat, id).await.unwrap_err().code, ErrorCode::NotFound, "once");
    stage.services.add_mask(&seat, mask("worker", "hide", "")).await.unwrap();
    let told = "audit_entries where act = 'masking.add' and after->>'rule' = 'hashed with a key' and after->>'field' = 'worker'";
    assert_eq!(stage.count(told).await, 1);
    assert_eq!(stage.count("audit_entries where act = 'masking.remove' and before->>'source' = 'plant-db'").await, 1);
}

#[tokio::test]
async fn what_cannot_be_masked_is_said_in_words() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    stage.with_source(&seat, PRESSES).await;
    for (form, field, words) in [
        (mask("press", "hash", ""), "field", "which machine"),
        (mask("at", "bucket", "60"), "field", "when"),
        (mask("force", "hash", ""), "field", "is measured"),
        (mask("wroker", "hash", ""), "field", "has a column wroker"),
        (mask("", "hash", ""), "field", "Name a column"),
        (mask("force", "bucket", "0"), "amount", "above 0"),
        (mask("worker", "blur", ""), "amount", "Say how many"),
        (NewMask { of: "public.telemetry".into(), ..mask("worker", "hide", "") }, "of", "Choose a stream"),
        (NewMask { place: MaskPlace::View, ..mask("worker", "hide", "") }, "least_role", "who still sees"),
    ] {
        let refused = stage.services.add_mask(&seat, form).await.unwrap_err();
        assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Invalid, Some(field)), "{refused}");
        assert!(refused.message.contains(words), "{refused}");
    }
    let nowhere = NewMask { of: format!("{} *", Uuid::now_v7()), ..mask("worker", "hide", "") };
    assert_eq!(stage.services.add_mask(&seat, nowhere).await.unwrap_err().code, ErrorCode::NotFound);
    // In a view machines may have their names hidden.
    let view = NewMask { place: MaskPlace::View, least_role: Some(Role::Admin), ..mask("press", "hash", "") };
    stage.services.add_mask(&seat, view).await.unwrap();
    assert_eq!(rows(&stage, &seat).await[0].least_role, Some(Role::Admin));
}

/// Telemetry in rows that name what they measure.
const TAGGED: &str = r#"
    update streams set schema = '{"name": "public.telemetry", "columns": [
        {"n": "press", "t": "text"}, {"n": "at", "t": "timestamptz"}, {"n": "tag", "t": "text"}, {"n": "value", "t": "float8"}]}'
      where id = '{stream}';
    insert into mappings (workspace_id, id, stream_id, version, from_epoch, from_seq, spec)
      values ('{w}', '{stream}', '{stream}', 1, 0, 0, '{"kind": "telemetry", "key": [], "asset": "press", "time": "at",
        "metric_name": "tag", "value": "value"}');
    insert into metrics (workspace_id, id, number, stream_id, column_name, name, unit, sample_type) values
      ('{w}', gen_random_uuid(), 1, '{stream}', 'value[Speed]', 'Speed', 'rpm', 'float'),
      ('{w}', gen_random_uuid(), 2, '{stream}', 'value[Oil.level]', 'Oil.level', 'l', 'float'),
      ('{w}', gen_random_uuid(), 3, '{stream}', 'plain', 'Plain', 'l', 'float');"#;

#[tokio::test]
async fn a_tag_is_masked_in_views_and_not_at_the_agent() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    stage.with_source(&seat, TAGGED).await;
    let page = stage.services.masking(&seat).await.unwrap();
    assert_eq!(page.streams[0].tags, ["Oil.level", "Speed"]);
    let view =
        |field: &str| NewMask { place: MaskPlace::View, least_role: Some(Role::Admin), ..mask(field, "hide", "") };
    for of in [format!("{SOURCE} public.telemetry"), format!("{SOURCE} *"), "*".to_owned()] {
        let told = refused(&stage, &seat, NewMask { of, ..mask("Speed", "hide", "") }).await;
        assert_eq!((told.code, told.field.as_deref()), (ErrorCode::Invalid, Some("field")), "{told}");
        assert!(told.message.starts_with("Speed is a tag") && told.message.contains("the column value"), "{told}");
    }
    let told = refused(&stage, &seat, view("Sped")).await;
    assert!(told.message.contains("has a column Sped, nor a tag Sped"), "{told}");
    stage.services.add_mask(&seat, view("Speed")).await.unwrap();
    stage.services.add_mask(&seat, view("Oil")).await.unwrap();
    stage.services.add_mask(&seat, mask("value", "hide", "")).await.unwrap();
    let made: Vec<String> = rows(&stage, &seat).await.into_iter().map(|row| row.field).collect();
    assert_eq!(made, ["Oil", "Speed", "value"]);
}

/// Notes of shifts, a table without a key, and orders, which have one.
const NOTES: &str = r#"
    insert into streams (workspace_id, id, source_id, name, schema) values
      ('{w}', '00000000-0000-7000-8000-0000000000b2', '{source}', 'public.notes',
       '{"name": "public.notes", "columns": [{"n": "at", "t": "timestamptz"}, {"n": "note", "t": "text"}, {"n": "detail", "t": "jsonb"}]}'),
      ('{w}', '00000000-0000-7000-8000-0000000000b3', '{source}', 'public.orders',
       '{"name": "public.orders", "columns": [{"n": "id", "t": "int8", "k": true}, {"n": "remark", "t": "text"}]}');
    insert into mappings (workspace_id, id, stream_id, version, from_epoch, from_seq, spec) values
      ('{w}', '00000000-0000-7000-8000-0000000000b2', '00000000-0000-7000-8000-0000000000b2', 1, 0, 0, '{"kind": "records", "key": []}'),
      ('{w}', '00000000-0000-7000-8000-0000000000b3', '00000000-0000-7000-8000-0000000000b3', 1, 0, 0, '{"kind": "records", "key": ["id"]}');"#;

#[tokio::test]
async fn records_without_a_key_are_hashed_and_never_made_one() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    stage.with_source(&seat, NOTES).await;
    let of = |stream: &str, form: NewMask| NewMask { of: format!("{SOURCE} {stream}"), ..form };
    for form in [
        of("public.notes", mask("note", "hide", "")),
        of("public.notes", mask("note", "partial", "4")),
        of("public.notes", mask("detail.badge", "bucket", "10")),
        of("*", mask("note", "hide", "")),
        NewMask { of: "*".into(), ..mask("note", "hide", "") },
    ] {
        let refused = stage.services.add_mask(&seat, form).await.unwrap_err();
        assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Invalid, Some("field")), "{refused}");
        assert!(refused.message.contains("public.notes has no key"), "{refused}");
    }
    let view = NewMask { place: MaskPlace::View, least_role: Some(Role::Admin), ..mask("note", "hide", "") };
    for form in [
        of("public.notes", mask("note", "hash", "")),
        of("public.notes", mask("detail.badge", "hash", "")),
        of("public.orders", mask("remark", "hide", "")),
        // It is no column of the table without a key.
        of("*", mask("remark", "hide", "")),
        // What is shown is another matter: nothing is known by it.
        of("public.notes", view),
    ] {
        let asked = format!("{form:?}");
        stage.services.add_mask(&seat, form).await.unwrap_or_else(|refused| panic!("{asked}: {refused}"));
    }
}

#[tokio::test]
async fn admins_mask_and_only_in_their_own_workspace() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    stage.with_source(&owner, PRESSES).await;
    let admin = stage.seat(&stage.member(&owner, "ada@nordmark.example", Role::Admin).await).await;
    let operator = stage.seat(&stage.member(&owner, "olaf@nordmark.example", Role::Operator).await).await;
    let services = &stage.services;
    let id = services.add_mask(&admin, mask("worker", "partial", "3")).await.unwrap();
    for refused in [
        services.masking(&operator).await.map(drop),
        services.add_mask(&operator, mask("worker", "hide", "")).await.map(drop),
        services.remove_mask(&operator, id).await,
    ] {
        assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden);
    }
    let foreign = stage.owner("Acme", "joe@acme.example").await;
    assert!(rows(&stage, &foreign).await.is_empty());
    assert_eq!(services.remove_mask(&foreign, id).await.unwrap_err().code, ErrorCode::NotFound);
    assert_eq!(services.add_mask(&foreign, mask("worker", "hide", "")).await.unwrap_err().code, ErrorCode::NotFound);

    services.remove_mask(&admin, id).await.unwrap();
    assert!(rows(&stage, &owner).await.is_empty());
}

#[tokio::test]
async fn removing_a_mask_needs_somebody_who_has_just_shown_that_it_is_them() {
    let stage = Stage::new().await;
    let signed_in = stage.sign_up("Nordmark", "maja@nordmark.example").await.unwrap();
    let seat = stage.seat(&signed_in).await;
    stage.with_source(&seat, PRESSES).await;
    let id = stage.services.add_mask(&seat, mask("worker", "hash", "")).await.unwrap();
    stage.sql("update auth.sessions set confirmed_at = now() - interval '16 minutes'").await;
    let late = stage.seat(&signed_in).await;
    assert_eq!(stage.services.remove_mask(&late, id).await.unwrap_err().code, ErrorCode::ConfirmNeeded);
    stage.services.add_mask(&late, mask("force", "hide", "")).await.unwrap();
}

//! Asking for a rewrite of history: who may, when it is refused and in which words, and what the page is told of it.

use crate::stage::Stage;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::role::Role;
use clarity_service::Seat;

const MASK: &str = "
  insert into masking_policies (workspace_id, id, stream, field, rule, place, least_role, created_by, created_by_name) values
    ('{w}', gen_random_uuid(), 'public.staff', 'name', '{\"kind\": \"hide\"}', 'agent', null, gen_random_uuid(), 'Maja'),
    ('{w}', gen_random_uuid(), 'public.staff', 'pay', '{\"kind\": \"hide\"}', 'view', 'owner', gen_random_uuid(), 'Maja');";

async fn refused(stage: &Stage, seat: &Seat) -> AppError {
    stage.services.start_rewrite(seat).await.expect_err("it has to be refused")
}

#[tokio::test]
async fn an_admin_asks_and_sees_how_far_it_is() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    stage.with_source(&seat, "").await;
    let nothing = refused(&stage, &seat).await;
    assert!(nothing.code == ErrorCode::Conflict && nothing.message.contains("nothing to apply"), "{nothing:?}");
    let of_workspace = MASK.replace("{w}", &seat.frame_card().id.to_string());
    stage.sql(&of_workspace).await;
    let before = stage.services.rewriting(&seat).await.unwrap();
    assert_eq!(
        (before.policies, before.held, before.last),
        (1, false, None),
        "masks of views are not for what is kept"
    );

    stage.services.start_rewrite(&seat).await.unwrap();
    let last = stage.services.rewriting(&seat).await.unwrap().last.unwrap();
    assert_eq!((last.segments_total, last.segments_done, last.finished_at), (None, 0, None));
    let job =
        "ops.jobs j join rewrites r on r.id = j.ref_id and r.workspace_id = j.workspace_id where j.kind = 'rewrite'";
    assert_eq!(stage.count(job).await, 1);
    assert_eq!(stage.count("rewrites where jsonb_array_length(policies) = 1 and hash_key is null").await, 1);
    let told = "audit_entries where act = 'masking.rewrite' and outcome = 'done' and after->>'masks' like '%public.staff.name: hidden%'";
    assert_eq!(stage.count(told).await, 1);
    let twice = refused(&stage, &seat).await;
    assert!(twice.code == ErrorCode::Conflict && twice.message.contains("running already"), "{twice:?}");
    assert_eq!(stage.count("ops.jobs").await, 1, "nothing is left of the second");

    stage
        .sql("update rewrites set segments_total = 7, segments_done = 7, values_masked = 30, finished_at = now()")
        .await;
    let ended = stage.services.rewriting(&seat).await.unwrap().last.unwrap();
    assert_eq!((ended.segments_total, ended.values, ended.finished_at.is_some()), (Some(7), 30, true));
    stage.services.start_rewrite(&seat).await.unwrap();
}

#[tokio::test]
async fn a_hold_and_a_cut_refuse_it_in_words() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    stage.with_source(&seat, MASK).await;
    let hold = stage.services.place_hold(&seat, "case 7").await.unwrap();
    assert!(stage.services.rewriting(&seat).await.unwrap().held);
    let held = refused(&stage, &seat).await;
    assert!(held.code == ErrorCode::Conflict && held.message.contains("legal hold"), "{held:?}");
    stage.services.lift_hold(&seat, hold).await.unwrap();
    stage.sql("insert into bronze_cuts (workspace_id, source_id, epoch, next_seq) select workspace_id, id, 1, 9 from sources").await;
    let cut = refused(&stage, &seat).await;
    assert!(cut.code == ErrorCode::Conflict && cut.message.contains("plant-db"), "{cut:?}");
    assert_eq!(stage.count("rewrites").await, 0);
}

#[tokio::test]
async fn who_may_not_or_has_not_just_confirmed_does_not() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    stage.with_source(&owner, MASK).await;
    let joe = stage.member(&owner, "joe@nordmark.example", Role::Operator).await;
    let operator = stage.seat(&joe).await;
    assert_eq!(refused(&stage, &operator).await.code, ErrorCode::Forbidden);
    assert_eq!(stage.services.rewriting(&operator).await.unwrap_err().code, ErrorCode::Forbidden);
    assert_eq!(stage.count("audit_entries where act = 'masking.rewrite' and outcome = 'refused'").await, 1);
    stage.sql("update auth.sessions set confirmed_at = now() - interval '1 hour'").await;
    let signed_in = stage.sign_in("maja@nordmark.example", crate::stage::PASSWORD).await.unwrap();
    stage.sql("update auth.sessions set confirmed_at = now() - interval '1 hour'").await;
    let late = stage.seat(&signed_in).await;
    assert_eq!(refused(&stage, &late).await.code, ErrorCode::ConfirmNeeded);
    let other = stage.owner("Acme", "eve@acme.example").await;
    assert_eq!(stage.services.rewriting(&other).await.unwrap().policies, 0, "another workspace's masks are its own");
}

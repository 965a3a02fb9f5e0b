//! Dead letters by cause, and a request to replay them.

use crate::stage::{SOURCE, STREAM, Stage};
use clarity_domain::error::ErrorCode;
use clarity_domain::ids::StreamId;
use clarity_domain::role::Role;

const LETTERS: &str = "insert into dead_letters
    (workspace_id, source_id, epoch, seq, stream_name, fingerprint, cause, payload, segment_first_seq, line_number)
  select '{w}', '{source}', 1, n, 'public.telemetry', case when n <= 4 then 'aa' else 'bb' end, 'no such unit',
         convert_to(repeat('x', 3000), 'UTF8'), 1, n
  from generate_series(1, 5) n;";

#[tokio::test]
async fn letters_are_grouped_and_replayed_once_at_a_time() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    stage.with_source(&seat, LETTERS).await;
    let all = stage.services.dead_letters(&seat).await.unwrap();
    assert_eq!((all.total, all.groups_total, all.groups.len()), (5, 2, 2));
    let group = &all.groups[0];
    assert_eq!((group.fingerprint.as_str(), group.count, group.source_id.to_string()), ("aa", 4, SOURCE.into()));
    assert_eq!(group.samples.iter().map(|s| s.seq).collect::<Vec<_>>(), [4, 3, 2], "newest first");
    assert!(group.samples[0].truncated && group.samples[0].payload.len() == 2048);

    let stream: StreamId = STREAM.parse().unwrap();
    let started = stage.services.replay_dead_letters(&seat, stream, "aa").await.unwrap();
    assert_eq!((started.total, started.landed, started.finished_at), (4, 0, None));
    assert_eq!(stage.count("ops.jobs j join replays r on r.id = j.ref_id where j.kind = 'replay' and j.workspace_id = r.workspace_id").await, 1);
    let second = stage.services.replay_dead_letters(&seat, stream, "aa").await.err().unwrap();
    assert_eq!(second.code, ErrorCode::Conflict);
    assert_eq!(stage.count("ops.jobs").await, 1, "nothing is left of the second");
    let progress = stage.services.dead_letters(&seat).await.unwrap().groups[0].replay.clone().unwrap();
    assert_eq!(progress.total, 4);
    stage.sql("update replays set finished_at = now(), landed = 3, failed = 1").await;
    stage.services.replay_dead_letters(&seat, stream, "aa").await.unwrap();
    let missing = stage.services.replay_dead_letters(&seat, stream, "zz").await.err().unwrap();
    assert_eq!(missing.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn others_neither_see_nor_replay_them() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    stage.with_source(&seat, LETTERS).await;
    let other = stage.owner("Acme", "joe@acme.example").await;
    assert_eq!(stage.services.dead_letters(&other).await.unwrap().total, 0);
    let stream: StreamId = STREAM.parse().unwrap();
    let refused = stage.services.replay_dead_letters(&other, stream, "aa").await.err().unwrap();
    assert_eq!(refused.code, ErrorCode::NotFound);
    assert_eq!(stage.count("ops.jobs").await, 0);
}

#[tokio::test]
async fn who_manages_no_sources_reads_none_and_a_read_is_written_down_once() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    stage.with_source(&owner, LETTERS).await;
    let operator = stage.seat(&stage.member(&owner, "joe@nordmark.example", Role::Operator).await).await;
    assert_eq!(stage.services.dead_letters(&operator).await.unwrap_err().code, ErrorCode::Forbidden);
    assert!(stage.services.search(&operator, "dead letters").await.unwrap().is_empty());
    assert_eq!(stage.services.search(&owner, "dead letters").await.unwrap().len(), 1);
    let of = |outcome: &str| format!("audit_entries where act = 'dead_letters.list' and outcome = '{outcome}'");
    assert_eq!((stage.count(&of("refused")).await, stage.count(&of("done")).await), (1, 0));

    for _ in 0..3 {
        stage.services.dead_letters(&owner).await.unwrap();
    }
    assert_eq!(stage.count(&of("done")).await, 1, "a page that reads itself again fills nothing");
    // Somebody else's read is another.
    let admin = stage.seat(&stage.member(&owner, "ann@nordmark.example", Role::Admin).await).await;
    stage.services.dead_letters(&admin).await.unwrap();
    assert_eq!(stage.count(&of("done")).await, 2);
}

#[tokio::test]
async fn the_frame_counts_them_for_those_who_may_read_them_alone() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await.unwrap();
    let owner = stage.seat(&maja).await;
    stage.with_source(&owner, LETTERS).await;
    let frame = stage.services.frame(&stage.visitor(&maja).await, &owner).await.unwrap();
    assert_eq!(frame.dead_letters, Some(5));
    for (role, told) in [(Role::Admin, Some(5)), (Role::Operator, None), (Role::Viewer, None)] {
        let joe = stage.member(&owner, &format!("{}@nordmark.example", role.as_str()), role).await;
        let (visitor, seat) = (stage.visitor(&joe).await, stage.seat(&joe).await);
        assert_eq!(stage.services.frame(&visitor, &seat).await.unwrap().dead_letters, told, "{role:?}");
    }
}

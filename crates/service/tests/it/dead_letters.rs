//! Dead letters by cause, and a request to replay them.

use crate::stage::{SOURCE, STREAM, Stage};
use clarity_domain::error::ErrorCode;
use clarity_domain::ids::StreamId;

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

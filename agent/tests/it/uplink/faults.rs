//! Connections that break, refusals, divergence, loss.

use super::ingest::{Cursor, Ingest, Mischief, source_id};
use super::{Agent, SMALL, SOON, append, arrived, block, durable};
use clarity_agent::spool::{Limits, SpoolError};
use clarity_agent::uplink::ConnectionState;
use clarity_testkit::wait_until;
use clarity_wire::frame::{Command, Denied, DenyCode, RefuseReason};
use clarity_wire::hash::BatchHash;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_break_anywhere_lose_and_double_nothing() {
    let (dir, ingest) = (tempfile::tempdir().unwrap(), Ingest::start().await);
    ingest.with(|s| {
        for i in 0..60 {
            s.mischief.push_back(Mischief::HangUp { committed: i % 2 == 0 });
        }
    });
    let agent = Agent::start(dir.path(), &ingest, &["a", "b"]).await;
    let (mut a, mut b) = (agent.writer(0).await, agent.writer(1).await);
    append(&mut a, 0, 100, 3).await;
    append(&mut b, 0, 50, 4).await;
    arrived(&ingest, "a", 300).await;
    arrived(&ingest, "b", 200).await;
    assert_eq!(ingest.with(|s| s.connections), 61);
    assert!(ingest.with(|s| s.epochs.is_empty() && s.lost.is_empty()));
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn busy_refusals_are_waited_out() {
    let (dir, ingest) = (tempfile::tempdir().unwrap(), Ingest::start().await);
    ingest.with(|s| s.mischief.extend([Mischief::Refuse(RefuseReason::Busy), Mischief::Refuse(RefuseReason::Other)]));
    let agent = Agent::start(dir.path(), &ingest, &["a"]).await;
    let mut writer = agent.writer(0).await;
    append(&mut writer, 0, 30, 5).await;
    arrived(&ingest, "a", 150).await;
    assert_eq!(ingest.with(|s| s.connections), 1);
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_inside_a_block_gets_the_rest_of_it() {
    let (dir, ingest) = (tempfile::tempdir().unwrap(), Ingest::start().await);
    ingest.with(|s| s.mischief.extend([Mischief::TakeOnly(3)]));
    let agent = Agent::start(dir.path(), &ingest, &["a"]).await;
    let mut writer = agent.writer(0).await;
    append(&mut writer, 0, 10, 8).await;
    arrived(&ingest, "a", 80).await;
    assert!(ingest.with(|s| s.epochs.is_empty()));
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_past_a_limit_goes_in_pieces() {
    let (dir, ingest) = (tempfile::tempdir().unwrap(), Ingest::start().await);
    ingest.with(|s| s.most_events = Some(7));
    let agent = Agent::start(dir.path(), &ingest, &["a"]).await;
    let mut writer = agent.writer(0).await;
    let next = append(&mut writer, 0, 3, 5).await;
    let next = append(&mut writer, next, 2, 40).await;
    let next = append(&mut writer, next, 3, 5).await;
    arrived(&ingest, "a", next).await;
    durable(&agent, 0, next as u64 + 1).await;
    assert!(ingest.with(|s| s.lost.is_empty() && s.epochs.is_empty()));
    agent.stop().await;
    // The pieces' hashes were kept: the next connection finds the same spool.
    let agent = Agent::start(dir.path(), &ingest, &["a"]).await;
    let mut writer = agent.writer(0).await;
    append(&mut writer, next, 1, 5).await;
    arrived(&ingest, "a", next + 5).await;
    assert!(ingest.with(|s| s.epochs.is_empty()));
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_refused_for_ever_is_marked_lost_and_the_rest_follows() {
    let (dir, ingest) = (tempfile::tempdir().unwrap(), Ingest::start().await);
    let agent = Agent::start(dir.path(), &ingest, &["a"]).await;
    let mut writer = agent.writer(0).await;
    append(&mut writer, 0, 1, 4).await;
    arrived(&ingest, "a", 4).await;
    ingest.with(|s| s.most_events = Some(0));
    append(&mut writer, 4, 1, 1).await;
    wait_until("the event is given up", SOON, || async { ingest.with(|s| s.lost.len() == 1) }).await;
    ingest.with(|s| s.most_events = None);
    append(&mut writer, 5, 2, 4).await;
    wait_until("the rest follows", SOON, || async { ingest.events("a").len() == 12 }).await;
    let lost = ingest.with(|s| s.lost.clone());
    assert_eq!((lost[0].from_seq, lost[0].to_seq), (5, 6));
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_is_left() {
    let (dir, ingest) = (tempfile::tempdir().unwrap(), Ingest::start().await);
    ingest.with(|s| s.mischief.push_back(Mischief::FallSilent));
    let agent = Agent::start(dir.path(), &ingest, &["a"]).await;
    let mut writer = agent.writer(0).await;
    append(&mut writer, 0, 5, 5).await;
    arrived(&ingest, "a", 25).await;
    assert_eq!(ingest.with(|s| s.connections), 2);
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_spool_begins_a_new_epoch_at_the_durable_position() {
    let (dir, ingest) = (tempfile::tempdir().unwrap(), Ingest::start().await);
    let agent = Agent::start(dir.path(), &ingest, &["a"]).await;
    let mut writer = agent.writer(0).await;
    append(&mut writer, 0, 10, 5).await;
    arrived(&ingest, "a", 50).await;
    agent.stop().await;
    std::fs::remove_dir_all(dir.path().join("spool")).unwrap();
    let agent = Agent::start(dir.path(), &ingest, &["a"]).await;
    let mut writer = agent.writer(0).await;
    assert_eq!((writer.epoch(), writer.next_seq(), writer.position()), (2, 1, Some(json!({"after": 50}))));
    append(&mut writer, 50, 10, 5).await;
    arrived(&ingest, "a", 100).await;
    let epochs = ingest.with(|s| s.epochs.clone());
    assert_eq!((epochs.len(), epochs[0].epoch, epochs[0].gap), (1, 2, false), "the source still had everything");
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_source_has_forgotten_the_new_epoch_says_gap() {
    let (dir, ingest) = (tempfile::tempdir().unwrap(), Ingest::start().await);
    let position = Some(json!({"after": 50}));
    let cursor = Cursor { epoch: 3, next_seq: 51, hash: BatchHash([1; 32]), position };
    ingest.with(|s| s.cursors.insert("a".into(), cursor));
    let agent = Agent::start_with(dir.path(), &ingest, &["a"], SMALL, true).await;
    let writer = agent.writer(0).await;
    assert_eq!(writer.epoch(), 4);
    wait_until("the epoch is open", SOON, || async { ingest.with(|s| s.epochs.len() == 1) }).await;
    assert!(ingest.with(|s| s.epochs[0].gap));
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_restored_from_a_copy_has_diverged() {
    let (dir, ingest) = (tempfile::tempdir().unwrap(), Ingest::start().await);
    let agent = Agent::start(dir.path(), &ingest, &["a"]).await;
    let mut writer = agent.writer(0).await;
    append(&mut writer, 0, 10, 5).await;
    arrived(&ingest, "a", 50).await;
    // The cursor goes on under another hash: as if a copy of this machine had sent.
    ingest.with(|s| {
        let cursor = s.cursors.get_mut("a").unwrap();
        cursor.hash = BatchHash([5; 32]);
    });
    append(&mut writer, 50, 1, 5).await;
    wait_until("a new epoch", SOON, || async { ingest.with(|s| s.epochs.len() == 1) }).await;
    assert!(matches!(writer.append(block(0, 1)).await, Err(SpoolError::EpochClosed(2))));
    let mut writer = agent.writer(0).await;
    assert_eq!((writer.epoch(), writer.position()), (2, Some(json!({"after": 50}))));
    append(&mut writer, 50, 4, 5).await;
    arrived(&ingest, "a", 70).await;
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_restored_from_a_backup_is_served_again_or_told_what_is_gone() {
    let (dir, ingest) = (tempfile::tempdir().unwrap(), Ingest::start().await);
    let agent = Agent::start(dir.path(), &ingest, &["a"]).await;
    let mut writer = agent.writer(0).await;
    append(&mut writer, 0, 10, 5).await;
    arrived(&ingest, "a", 50).await;
    let backup = ingest.with(|s| (s.cursors.clone(), s.events.clone()));
    append(&mut writer, 50, 10, 5).await;
    arrived(&ingest, "a", 100).await;
    durable(&agent, 0, 101).await;
    agent.stop().await;
    ingest.with(|s| (s.cursors, s.events) = backup.clone());
    let agent = Agent::start(dir.path(), &ingest, &["a"]).await;
    arrived(&ingest, "a", 100).await;
    // Much later the old events are no longer kept.
    let mut writer = agent.writer(0).await;
    append(&mut writer, 100, 200, 5).await;
    arrived(&ingest, "a", 1100).await;
    durable(&agent, 0, 1101).await;
    agent.stop().await;
    ingest.with(|s| (s.cursors, s.events) = backup);
    let agent = Agent::start(dir.path(), &ingest, &["a"]).await;
    wait_until("the kept ones arrived", SOON, || async { ingest.events("a").last() == Some(&1099) }).await;
    let (lost, events) = (ingest.with(|s| s.lost.clone()), ingest.events("a"));
    assert_eq!((lost.len(), lost[0].from_seq), (1, 51));
    let kept = lost[0].to_seq as i64 - 1;
    assert!(kept > 50);
    assert_eq!(events, (0..50).chain(kept..1100).collect::<Vec<_>>());
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_on_disk_ends_the_epoch_after_what_is_whole() {
    let (dir, ingest) = (tempfile::tempdir().unwrap(), Ingest::start().await);
    let agent = Agent::start(dir.path(), &ingest, &["a"]).await;
    let mut writer = agent.writer(0).await;
    append(&mut writer, 0, 2, 5).await;
    arrived(&ingest, "a", 10).await;
    agent.stop().await;
    let away = Ingest { url: "ws://127.0.0.1:9".into(), ..ingest.clone() };
    let one_file = Limits { segment_bytes: 1 << 20, ..SMALL };
    let agent = Agent::start_with(dir.path(), &away, &["a"], one_file, false).await;
    let mut writer = agent.writer(0).await;
    append(&mut writer, 10, 10, 5).await;
    agent.stop().await;
    let folder = dir.path().join("spool/a");
    let spooled = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path());
    let path = spooled.filter(|p| p.extension().is_some_and(|e| e == "spool")).max().unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let agent = Agent::start_with(dir.path(), &ingest, &["a"], one_file, false).await;
    wait_until("a new epoch", SOON, || async { ingest.with(|s| s.epochs.len() == 1) }).await;
    let whole = ingest.events("a").len() as i64;
    assert!((10..60).contains(&whole) && whole % 5 == 0, "{whole}");
    let mut writer = agent.writer(0).await;
    assert_eq!(writer.position(), Some(json!({ "after": whole })), "the source reads the rest again");
    append(&mut writer, whole, 3, 5).await;
    arrived(&ingest, "a", whole + 15).await;
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_agent_says_so_and_does_not_hammer() {
    let (dir, ingest) = (tempfile::tempdir().unwrap(), Ingest::start().await);
    let denied = Denied { code: DenyCode::Revoked, message: "This agent was revoked.".into(), retry_after_s: None };
    ingest.with(|s| s.deny = Some(denied));
    let mut agent = Agent::start(dir.path(), &ingest, &["a"]).await;
    let wait = agent.connection.wait_for(|c| c.state == ConnectionState::Denied);
    let connection = tokio::time::timeout(SOON, wait).await.unwrap().unwrap().clone();
    assert_eq!(connection.denied, Some(DenyCode::Revoked));
    assert_eq!(connection.message.as_deref(), Some("This agent was revoked."));
    assert_eq!(ingest.with(|s| s.connections), 1);
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_pauses_and_resumes() {
    let (dir, ingest) = (tempfile::tempdir().unwrap(), Ingest::start().await);
    let agent = Agent::start(dir.path(), &ingest, &["a"]).await;
    drop(agent.writer(0).await);
    let mut paused = agent.sources[0].paused();
    ingest.command(Command::Pause { source_id: source_id("a") });
    tokio::time::timeout(SOON, paused.wait_for(|p| *p)).await.unwrap().unwrap();
    agent.sources[0].spool.settle().await.unwrap();
    assert!(agent.sources[0].spool.snapshot().paused, "it holds while the platform is out of reach");
    ingest.command(Command::Resume { source_id: source_id("a") });
    tokio::time::timeout(SOON, paused.wait_for(|p| !*p)).await.unwrap().unwrap();
    let mut commands = agent.sources[0].listen();
    let order = Command::Resnapshot { source_id: source_id("a"), streams: vec!["public.t".into()] };
    ingest.command(order.clone());
    assert_eq!(tokio::time::timeout(SOON, commands.recv()).await.unwrap(), Some(order));
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn status_is_told_at_once_when_it_changes() {
    let (dir, ingest) = (tempfile::tempdir().unwrap(), Ingest::start().await);
    let agent = Agent::start(dir.path(), &ingest, &["a"]).await;
    drop(agent.writer(0).await);
    agent.sources[0].reporter.update(|s| s.state = "streaming".into());
    wait_until("the platform knows", SOON, || async {
        ingest.with(|s| {
            s.statuses
                .iter()
                .any(|t| t.sources.iter().any(|x| x.state == "streaming" && x.source_id == Some(source_id("a"))))
        })
    })
    .await;
    agent.stop().await;
}

//! The spool against a model: whatever happens to process and disk, nothing synced is lost, nothing comes twice.

use clarity_agent::spool::{
    AppendedAt, Block, Boundary, Limits, Opening, Record, Spool, SpoolError, SpoolKey, SpoolReader, Verdict,
};
use clarity_wire::hash::BatchHash;
use proptest::prelude::*;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

const SMALL: Limits = Limits {
    limit_bytes: 1 << 20,
    limit_age: Duration::from_secs(3600),
    keep_bytes: 1000,
    segment_bytes: 900,
    memory_bytes: 600,
};

async fn open_with(folder: &Path, limits: Limits) -> Arc<Spool> {
    Spool::open(folder, "plant", SpoolKey::from_bytes(&[3; 32]), limits, Arc::new(Notify::new())).await.unwrap()
}

async fn fresh(folder: &Path, limits: Limits) -> Arc<Spool> {
    let spool = open_with(folder, limits).await;
    assert!(spool.writer().is_none(), "a new spool waits for ingest");
    spool.open_epoch(1, None, None).await.unwrap();
    spool
}

fn block(tag: u64, count: u32, size: usize) -> Block {
    let mut body = tag.to_le_bytes().to_vec();
    body.resize(size.max(8), tag as u8);
    Block { body, raw_bytes: 10, count, position: json!({ "at": tag }), last_commit_us: Some(tag as i64) }
}

async fn synced(spool: &Spool, seq: u64) {
    let mut progress = spool.subscribe();
    let wait = progress.wait_for(|p| p.spooled_next_seq >= seq);
    tokio::time::timeout(Duration::from_secs(10), wait).await.expect("synced in time").unwrap();
}

async fn read_all(reader: &mut SpoolReader) -> Vec<Record> {
    let mut records = Vec::new();
    while let Some(record) = reader.next().await.unwrap() {
        records.push(record);
    }
    records
}

fn tags(records: &[Record]) -> Vec<u64> {
    records.iter().map(|r| u64::from_le_bytes(r.body[..8].try_into().unwrap())).collect()
}

/// Records chained as the uplink does; the boundary after each.
fn chain(epoch: u32, mut hash: BatchHash, records: &[Record]) -> Vec<Boundary> {
    let step = |r: &Record| {
        hash = BatchHash::chain(hash, epoch, r.first_seq, r.count, &r.body_hash);
        Boundary { next_seq: r.next_seq(), hash, file: r.file, end: r.end }
    };
    records.iter().map(step).collect()
}

fn newest_file(folder: &Path) -> PathBuf {
    files(folder).pop().unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "spool"));
    files.sort();
    files
}

fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.path().join(path.file_name().unwrap())).unwrap();
    }
    to
}

#[tokio::test]
async fn what_was_appended_is_read_back_in_order_across_files_and_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    {
        let spool = fresh(dir.path(), SMALL).await;
        let mut writer = spool.writer().unwrap();
        for tag in 0..50 {
            let at = writer.append(block(tag, 1 + tag as u32 % 3, 100)).await.unwrap();
            assert_eq!(at.next_seq, writer.next_seq());
            expected.push(tag);
        }
        synced(&spool, writer.next_seq()).await;
        assert_eq!(tags(&read_all(&mut spool.reader(1, 1)).await), expected);
        spool.settle().await.unwrap();
    }
    assert!(files(dir.path()).len() > 5);
    let spool = open_with(dir.path(), SMALL).await;
    let mut writer = spool.writer().unwrap();
    assert_eq!((writer.epoch(), writer.position()), (1, Some(json!({"at": 49}))));
    writer.append(block(50, 1, 100)).await.unwrap();
    expected.push(50);
    synced(&spool, writer.next_seq()).await;
    let records = read_all(&mut spool.reader(1, 1)).await;
    assert_eq!(tags(&records), expected);
    assert!(records.windows(2).all(|w| w[0].next_seq() == w[1].first_seq));
}

#[tokio::test]
async fn a_start_inside_a_record_gives_that_record() {
    let dir = tempfile::tempdir().unwrap();
    let spool = fresh(dir.path(), Limits { memory_bytes: 0, ..SMALL }).await;
    let mut writer = spool.writer().unwrap();
    for tag in 0..5 {
        writer.append(block(tag, 10, 100)).await.unwrap();
    }
    synced(&spool, 51).await;
    let record = spool.reader(1, 37).next().await.unwrap().unwrap();
    assert_eq!((record.first_seq, record.next_seq()), (31, 41));
}

#[tokio::test]
async fn at_its_bound_append_waits_until_something_is_durable() {
    let dir = tempfile::tempdir().unwrap();
    let spool = fresh(dir.path(), Limits { limit_bytes: 3000, ..SMALL }).await;
    let mut writer = spool.writer().unwrap();
    let appended = tokio::spawn(async move {
        for tag in 0..30 {
            writer.append(block(tag, 1, 300)).await.unwrap();
        }
    });
    let mut reader = spool.reader(1, 1);
    let mut hash = BatchHash::ZERO;
    let mut waited = false;
    let work = async {
        let mut seen = 0;
        while seen < 30 {
            clarity_testkit::wait_until("there is something to read", Duration::from_secs(5), || async {
                reader.has_more() && (spool.snapshot().full.is_some() || seen + 12 > 30)
            })
            .await;
            waited |= spool.snapshot().full.is_some();
            assert!(spool.snapshot().unconfirmed_bytes <= 3000 + 32);
            let record = reader.next().await.unwrap().unwrap();
            let boundary = chain(1, hash, std::slice::from_ref(&record));
            hash = boundary[0].hash;
            spool.advance(1, &boundary, Some(record.position));
            seen += 1;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), work).await.unwrap();
    appended.await.unwrap();
    assert!(waited, "the bound was never reached");
    let state = spool.snapshot();
    assert_eq!((state.full, state.unconfirmed_bytes, state.unconfirmed_age), (None, 0, None));
}

#[tokio::test]
async fn old_events_stop_reading_too() {
    let dir = tempfile::tempdir().unwrap();
    let spool = fresh(dir.path(), Limits { limit_age: Duration::from_millis(50), ..SMALL }).await;
    let mut writer = spool.writer().unwrap();
    writer.append(block(0, 1, 100)).await.unwrap();
    synced(&spool, 2).await;
    clarity_testkit::wait_until("the event is old", Duration::from_secs(5), || async {
        spool.snapshot().unconfirmed_age.is_some_and(|age| age > Duration::from_millis(50))
    })
    .await;
    let next = tokio::spawn(async move { writer.append(block(1, 1, 100)).await });
    clarity_testkit::wait_until("append waits", Duration::from_secs(5), || async { spool.snapshot().full.is_some() })
        .await;
    let records = read_all(&mut spool.reader(1, 1)).await;
    spool.advance(1, &chain(1, BatchHash::ZERO, &records), None);
    assert_eq!(next.await.unwrap().unwrap().first_seq, 2);
}

#[tokio::test]
async fn durable_files_go_but_the_last_of_them_stay() {
    let dir = tempfile::tempdir().unwrap();
    let spool = fresh(dir.path(), SMALL).await;
    let mut writer = spool.writer().unwrap();
    for tag in 0..60 {
        writer.append(block(tag, 1, 200)).await.unwrap();
    }
    synced(&spool, 61).await;
    let before = files(dir.path()).len();
    let records = read_all(&mut spool.reader(1, 1)).await;
    let boundaries = chain(1, BatchHash::ZERO, &records);
    spool.advance(1, &boundaries[..50], Some(json!({"at": 49})));
    spool.settle().await.unwrap();
    assert!(files(dir.path()).len() < before);
    // The platform, restored from a backup, is 5 events back: they are still here, and proven to be the same.
    let back = boundaries[44];
    assert_eq!(spool.verify(1, 46, back.hash, None).await.unwrap(), Verdict::Same);
    assert_eq!(tags(&read_all(&mut spool.reader(1, 46)).await), (45..60).collect::<Vec<_>>());
    // 49 events back they are not.
    let verdict = spool.verify(1, 2, boundaries[0].hash, None).await.unwrap();
    assert!(matches!(verdict, Verdict::Missing { first_kept } if first_kept > 2 && first_kept <= 51), "{verdict:?}");
}

#[tokio::test]
async fn a_cursor_is_compared_by_its_hash() {
    let dir = tempfile::tempdir().unwrap();
    let spool = fresh(dir.path(), SMALL).await;
    let mut writer = spool.writer().unwrap();
    for tag in 0..20 {
        writer.append(block(tag, 2, 100)).await.unwrap();
    }
    synced(&spool, 41).await;
    let boundaries = chain(1, BatchHash::ZERO, &read_all(&mut spool.reader(1, 1)).await);
    assert_eq!(spool.verify(1, 21, boundaries[9].hash, None).await.unwrap(), Verdict::Same);
    assert_eq!(spool.snapshot().durable_next_seq, 21);
    assert!(matches!(spool.verify(1, 31, boundaries[9].hash, None).await.unwrap(), Verdict::Diverged(_)));
    assert_eq!(spool.verify(1, 30, boundaries[13].hash, None).await.unwrap(), Verdict::Inside);
    assert!(matches!(spool.verify(1, 43, boundaries[19].hash, None).await.unwrap(), Verdict::Diverged(_)));
    assert!(matches!(spool.verify(1, 21, BatchHash::ZERO, None).await.unwrap(), Verdict::Diverged(_)));
}

#[tokio::test]
async fn a_new_epoch_closes_the_writer_of_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let spool = fresh(dir.path(), SMALL).await;
    let mut old = spool.writer().unwrap();
    old.append(block(0, 1, 100)).await.unwrap();
    let opening = Opening { reason: "test".into(), gap: true };
    spool.open_epoch(2, Some(json!({"at": 7})), Some(opening.clone())).await.unwrap();
    assert!(matches!(old.append(block(1, 1, 100)).await, Err(SpoolError::EpochClosed(2))));
    let mut new = spool.writer().unwrap();
    assert_eq!((new.epoch(), new.next_seq(), new.position()), (2, 1, Some(json!({"at": 7}))));
    new.append(block(2, 1, 100)).await.unwrap();
    spool.settle().await.unwrap();
    drop((spool, new, old));
    let spool = open_with(dir.path(), SMALL).await;
    assert_eq!(spool.snapshot().unannounced, Some(opening));
    assert_eq!(tags(&read_all(&mut spool.reader(2, 1)).await), [2]);
}

#[tokio::test]
async fn another_key_reads_nothing_and_asks_for_a_new_epoch() {
    let dir = tempfile::tempdir().unwrap();
    {
        let spool = fresh(dir.path(), SMALL).await;
        spool.writer().unwrap().append(block(0, 1, 100)).await.unwrap();
        spool.settle().await.unwrap();
    }
    let key = SpoolKey::from_bytes(&[4; 32]);
    let spool = Spool::open(dir.path(), "plant", key, SMALL, Arc::new(Notify::new())).await.unwrap();
    assert_eq!(spool.snapshot().damaged_at, Some(1));
    assert!(spool.writer().is_none());
}

async fn filled(dir: &Path, events: &[(u32, usize)], unsynced_tail: bool) -> (Vec<AppendedAt>, u64) {
    // One large file, so that the cut may fall anywhere.
    let limits = Limits { segment_bytes: 1 << 20, ..SMALL };
    let spool = fresh(dir, limits).await;
    let mut writer = spool.writer().unwrap();
    let mut at = Vec::new();
    for (tag, &(count, size)) in events.iter().enumerate() {
        at.push(writer.append(block(tag as u64, count, size)).await.unwrap());
    }
    if !unsynced_tail {
        spool.settle().await.unwrap();
    }
    (at, 1)
}

fn any_events() -> impl Strategy<Value = Vec<(u32, usize)>> {
    proptest::collection::vec((1..5_u32, 8..300_usize), 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// A power failure leaves any prefix of what was not synced. Whole records before the cut are all there; sequences
    /// go on without a gap.
    #[test]
    fn a_torn_tail_is_cut_and_nothing_before_it_is_lost(events in any_events(), cut in any::<prop::sample::Index>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            filled(dir.path(), &events, false).await;
            let torn = copy(dir.path());
            let path = newest_file(torn.path());
            let cut = cut.index(fs::metadata(&path).unwrap().len() as usize + 1) as u64;
            fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(cut).unwrap();

            let whole = open_with(dir.path(), SMALL).await;
            let records = read_all(&mut whole.reader(1, 1)).await;
            let expected: Vec<_> = records.iter().filter(|r| r.end <= cut).collect();

            let spool = open_with(torn.path(), SMALL).await;
            let state = spool.snapshot();
            assert_eq!(state.damaged_at, None);
            assert_eq!(state.next_seq, expected.last().map_or(1, |r| r.next_seq()));
            let mut writer = spool.writer().unwrap();
            assert_eq!(writer.position(), expected.last().map(|r| r.position.clone()));
            writer.append(block(999, 1, 50)).await.unwrap();
            spool.settle().await.unwrap();
            let after = read_all(&mut spool.reader(1, 1)).await;
            assert!(after.windows(2).all(|w| w[0].next_seq() == w[1].first_seq));
            let mut all: Vec<u64> = (0..expected.len() as u64).collect();
            all.push(999);
            assert_eq!(tags(&after), all);
        });
    }

    /// Rot anywhere in the records is found; what stands before it is still read, what follows is never given out.
    #[test]
    fn a_flipped_bit_is_found(events in any_events(), at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            filled(dir.path(), &events, false).await;
            let whole = copy(dir.path());
            let path = newest_file(dir.path());
            let mut bytes = fs::read(&path).unwrap();
            let at = 32 + at.index(bytes.len() - 32);
            bytes[at] ^= 1_u8 << bit;
            fs::write(&path, &bytes).unwrap();

            let spool = open_with(whole.path(), SMALL).await;
            let records = read_all(&mut spool.reader(1, 1)).await;
            let hit = records.iter().position(|r| (r.start..r.end).contains(&(at as u64))).unwrap();

            let spool = open_with(dir.path(), SMALL).await;
            let state = spool.snapshot();
            let read = read_all(&mut spool.reader(1, 1)).await;
            assert_eq!(read.len(), hit, "what stands before the damage is read, nothing after it");
            if hit + 1 == records.len() {
                assert_eq!(state.next_seq, records[hit].first_seq, "the last record looks torn: cut");
            } else {
                assert_eq!(state.damaged_at, Some(records[hit].first_seq));
                assert!(spool.writer().is_none());
            }
        });
    }

    /// Random appends, confirmations, restarts and crashes against a list in memory.
    #[test]
    fn model(steps in proptest::collection::vec((0..6_u8, 1..4_u32, 8..400_usize), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(model_run(steps));
    }
}

async fn model_run(steps: Vec<(u8, u32, usize)>) {
    let mut dir = tempfile::tempdir().unwrap();
    let mut spool = fresh(dir.path(), SMALL).await;
    let mut writer = spool.writer().unwrap();
    // (tag, next_seq) of every block in the spool's order; how many of them are known synced; how many confirmed.
    let mut model: Vec<(u64, u64)> = Vec::new();
    let (mut known_synced, mut confirmed) = (0, 0);
    let mut hash = BatchHash::ZERO;
    for (tag, (step, count, size)) in steps.into_iter().enumerate() {
        match step {
            0..=2 => {
                let at = writer.append(block(tag as u64, count, size)).await.unwrap();
                assert_eq!(at.first_seq, model.last().map_or(1, |m| m.1));
                model.push((tag as u64, at.next_seq));
            }
            3 => {
                spool.settle().await.unwrap();
                known_synced = model.len();
            }
            4 => {
                let from = if confirmed == 0 { 1 } else { model[confirmed - 1].1 };
                let records = read_all(&mut spool.reader(1, from)).await;
                let boundaries = chain(1, hash, &records);
                let some = &boundaries[..boundaries.len().min(count as usize)];
                if let Some(last) = some.last() {
                    spool.advance(1, some, Some(records[some.len() - 1].position.clone()));
                    hash = last.hash;
                    confirmed += some.len();
                    known_synced = known_synced.max(confirmed);
                }
            }
            _ => {
                // The machine stops: the folder as it is now, less any part of what was not synced.
                let after = copy(dir.path());
                let path = newest_or_none(after.path());
                drop((spool, writer));
                if let Some(path) = path {
                    let keep = if known_synced == model.len() { 0 } else { size as u64 };
                    let length = fs::metadata(&path).unwrap().len();
                    let floor = synced_length(dir.path(), &path, &model, known_synced).await;
                    let length = length.saturating_sub(keep).max(floor);
                    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length).unwrap();
                }
                dir = after;
                spool = open_with(dir.path(), SMALL).await;
                let state = spool.snapshot();
                assert_eq!(state.damaged_at, None);
                let kept = model.iter().filter(|m| m.1 <= state.next_seq).count();
                assert!(kept >= known_synced, "lost what was synced: {kept} < {known_synced}");
                model.truncate(kept);
                assert_eq!(state.next_seq, model.last().map_or(1, |m| m.1));
                writer = spool.writer().unwrap();
                known_synced = kept;
            }
        }
    }
    spool.settle().await.unwrap();
    let from = if confirmed == 0 { 1 } else { model[confirmed - 1].1 };
    let rest = read_all(&mut spool.reader(1, from)).await;
    assert_eq!(tags(&rest), model[confirmed..].iter().map(|m| m.0).collect::<Vec<_>>());
    assert_eq!(spool.verify(1, from, hash, None).await.unwrap(), Verdict::Same);
}

fn newest_or_none(folder: &Path) -> Option<PathBuf> {
    files(folder).pop()
}

/// Bytes of the newest file that hold synced records.
async fn synced_length(folder: &Path, newest: &Path, model: &[(u64, u64)], known_synced: usize) -> u64 {
    let Some(&(_, end)) = known_synced.checked_sub(1).and_then(|i| model.get(i)) else { return 0 };
    let name = newest.file_name().unwrap().to_str().unwrap();
    let first: u64 = name.trim_end_matches(".spool").split_once('-').unwrap().1.parse().unwrap();
    if end <= first {
        return 0;
    }
    let whole = copy(folder);
    let spool = open_with(whole.path(), SMALL).await;
    let records = read_all(&mut spool.reader(1, first)).await;
    records.iter().filter(|r| r.next_seq() <= end).map(|r| r.end).max().unwrap_or(0)
}

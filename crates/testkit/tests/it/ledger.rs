//! The ledger's writer against a real database: what its file says is what was committed.

use std::collections::BTreeMap;

use clarity_testkit::CustomerDb;
use clarity_testkit::ledger::{self, Write};
use serde::Deserialize;
use tokio::sync::watch;

#[derive(Deserialize)]
struct Line {
    x: u64,
    o: char,
    id: i64,
    v: i64,
}

/// Replaying the file gives the table, but for what a change of key leaves open: the file names only the new key.
#[tokio::test]
async fn the_file_replays_to_the_table() {
    let db = CustomerDb::new().await;
    let owner = db.owner().await;
    ledger::init(&owner).await.unwrap();
    ledger::init(&owner).await.expect("making it again changes nothing");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("ledger.jsonl");
    let (_stop, stopped) = watch::channel(false);
    let write = |transactions, seed| Write {
        url: db.owner_url(),
        out: out.clone(),
        seconds: None,
        transactions: Some(transactions),
        rate: 10_000,
        seed,
    };
    // Twice: a second run goes on with the rows of the first.
    let first = ledger::write(write(150, 1), stopped.clone()).await.unwrap();
    let second = ledger::write(write(150, 2), stopped).await.unwrap();
    for written in [first, second] {
        assert!(written.committed > 100 && written.rolled_back > 3 && written.large > 3, "{written:?}");
    }

    let text = std::fs::read_to_string(&out).unwrap();
    let lines: Vec<Line> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len() as u64, first.changes + second.changes);
    let transactions: std::collections::BTreeSet<u64> = lines.iter().map(|line| line.x).collect();
    assert!(transactions.len() as u64 <= first.committed + second.committed);
    let mut replayed: BTreeMap<i64, i64> = BTreeMap::new();
    for line in &lines {
        match line.o {
            'd' => assert!(replayed.remove(&line.id).is_some(), "{} was deleted and is not known", line.id),
            'i' => assert!(replayed.insert(line.id, line.v).is_none()),
            _ => drop(replayed.insert(line.id, line.v)),
        }
    }
    let rows = owner.query("select id, version::bigint, length(note) from ledger", &[]).await.unwrap();
    assert_eq!(rows.len() as u64, second.live_rows);
    for row in &rows {
        assert_eq!(replayed.get(&row.get(0)), Some(&row.get(1)), "row {}", row.get::<_, i64>(0));
    }
    let large = "select count(*) from ledger where length(note) > 2500";
    assert!(owner.query_one(large, &[]).await.unwrap().get::<_, i64>(0) > 0, "some notes are out of line");
    for kind in ['i', 'u', 'd'] {
        assert!(lines.iter().any(|line| line.o == kind), "no {kind}");
    }
}

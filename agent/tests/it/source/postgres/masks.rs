//! Masks in front of the spool: a masked value stands in no event, no position, no status and no file, whatever happens to
//! its row, and what has to stay equal stays equal.

use super::{PATIENCE, Plant, Running};
use crate::source::harness::{Cell, Event};
use clarity_agent::config::ConfiguredSource;
use clarity_agent::identity::StateDir;
use clarity_agent::masks::{Hasher, Masks, SourceMasks};
use clarity_agent::sources::Policy;
use clarity_agent::status::StatusReporter;
use clarity_agent::supervisor::supervise;
use clarity_agent::uplink::SourceHandle;
use clarity_domain::masking::{MaskKey, MaskRule};
use clarity_testkit::wait_until;
use clarity_wire::body::Op;
use clarity_wire::frame::{Mask, Masks as Ordered};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What must not be found anywhere.
const CANARY: &str = "zqcanary";

const STAFF: &str = "create table staff (id int primary key, name text, badge text, pay numeric(10,2), detail jsonb);
    create table shifts (id int primary key, badge varchar(40));
    alter table staff replica identity full";

fn masks(rules: &[(&str, &str, MaskRule)]) -> SourceMasks {
    let mask = |(stream, field, rule): &(&str, &str, MaskRule)| Mask {
        source: None,
        stream: (*stream).into(),
        field: (*field).into(),
        rule: *rule,
    };
    SourceMasks::new(rules.iter().map(mask).collect(), Hasher::new(&MaskKey::new([7; 32])).unwrap())
}

fn staff_masks() -> SourceMasks {
    masks(&[
        ("public.staff", "name", MaskRule::Hide),
        ("*", "badge", MaskRule::Hash),
        ("public.staff", "pay", MaskRule::Bucket { width: 500.0 }),
        ("public.staff", "detail.phone", MaskRule::Partial { keep_last: 2 }),
    ])
}

/// Looks for the canary in all that is kept and told.
fn search(plant: &Plant, running: &Running) {
    for event in plant.platform.events() {
        let said = format!("{event:?}");
        assert!(!said.contains(CANARY) && !said.contains(&hex::encode(CANARY)), "an event: {said}");
    }
    let position = running.opened.spool.snapshot().durable_position;
    assert!(position.is_some() && !format!("{position:?}").contains(CANARY), "the position: {position:?}");
    let status = format!("{:?}", running.status());
    assert!(!status.contains(CANARY), "the status: {status}");
    files(plant.folder.path());
}

fn files(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(CANARY.len()).any(|part| part == CANARY.as_bytes());
            assert!(!found, "{} holds it", path.display());
        }
    }
}

fn of<'a>(events: &'a [Event], table: &str, op: Op) -> Vec<&'a Event> {
    events.iter().filter(|e| e.op == op && e.is_of(table)).collect()
}

fn text(event: &Event, column: &str) -> Option<String> {
    event.cell(column).and_then(Cell::text).map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_masked_value_leaves_the_source() {
    let mut plant = Plant::new(STAFF).await;
    plant.masks = staff_masks();
    plant
        .sql(&format!(
            "insert into staff values (1, '{CANARY} one', '{CANARY}-7', 4321.5, '{{\"phone\": \"{CANARY}-42\", \"shift\": 2}}');
             insert into shifts values (1, '{CANARY}-7')"
        ))
        .await;
    let running = plant.start().await;
    plant.snapshot_done(&running, "public.staff").await;
    plant.snapshot_done(&running, "public.shifts").await;
    plant
        .sql(&format!(
            "insert into staff values (2, '{CANARY} two', '{CANARY}-8', 999.99, null), (3, null, null, null, null);
             update staff set name = '{CANARY} new', badge = '{CANARY}-7', pay = 1000 where id = 2;
             delete from staff where id = 1;
             insert into shifts values (2, '{CANARY}-8')"
        ))
        .await;
    plant.quiesce().await;
    search(&plant, &running);

    let events = plant.platform.events();
    let first = of(&events, "public.staff", Op::Read)[0];
    assert_eq!(first.cell("name"), Some(&Cell::Null));
    assert_eq!(text(first, "pay").as_deref(), Some("4000"));
    assert_eq!(text(first, "detail").as_deref(), Some(r#"{"phone":"•••42","shift":2}"#));
    let badge = text(first, "badge").unwrap();
    assert!(badge.starts_with("h:") && badge.len() == 24, "{badge}");
    let types: Vec<&str> = first.stream.as_ref().unwrap().columns.iter().map(|c| c.type_name.as_str()).collect();
    assert_eq!(types, ["int4", "text", "text", "numeric(10,2)", "jsonb"]);

    // The same person elsewhere, and after a change, has the same hash.
    assert_eq!(text(of(&events, "public.shifts", Op::Read)[0], "badge").as_ref(), Some(&badge));
    let inserts = of(&events, "public.staff", Op::Insert);
    let other = text(inserts[0], "badge").unwrap();
    assert_ne!(other, badge);
    assert_eq!(text(of(&events, "public.shifts", Op::Insert)[0], "badge").as_ref(), Some(&other));
    assert!(inserts[1].row[1..].iter().all(|cell| *cell == Cell::Null), "nothing stays nothing");
    let update = of(&events, "public.staff", Op::Update)[0];
    assert_eq!(
        (update.old[1].clone(), update.old[2].text(), update.old[3].text()),
        (Cell::Null, Some(&*other), Some("500"))
    );
    assert_eq!((text(update, "badge").as_ref(), text(update, "pay").as_deref()), (Some(&badge), Some("1000")));
    let delete = of(&events, "public.staff", Op::Delete)[0];
    assert_eq!((delete.old[0].text(), delete.old[2].text()), (Some("1"), Some(&*badge)));
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_masked_key_is_hashed_and_stands_in_no_position() {
    let mut plant = Plant::new("create table k (code text primary key, v text)").await;
    plant.masks = masks(&[("public.k", "code", MaskRule::Hide)]);
    plant.sql(&format!("insert into k select '{CANARY}-' || i, i from generate_series(1, 3000) i")).await;
    let running = plant.start().await;
    wait_until("some rows are read", PATIENCE, || async { plant.platform.has(|e| e.op == Op::Read) }).await;
    running.kill().await;
    let running = plant.start().await;
    plant.snapshot_done(&running, "public.k").await;
    plant
        .sql(&format!(
            "update k set v = 'new' where code = '{CANARY}-7'; delete from k where code = '{CANARY}-8';
             alter table k alter v set storage external;
             insert into k values ('{CANARY}-big', repeat('x', 1500000))"
        ))
        .await;
    plant.quiesce().await;
    search(&plant, &running);
    let problem = running.problem("mask_key").await;
    assert!(problem.message.contains("code of public.k") && !problem.fatal, "{problem:?}");
    let events = plant.platform.events();
    let keys: BTreeSet<String> =
        of(&events, "public.k", Op::Read).into_iter().filter_map(|event| text(event, "code")).collect();
    assert_eq!(keys.len(), 3000, "each row is told apart, and none is missing");
    let changed = text(of(&events, "public.k", Op::Update)[0], "code").unwrap();
    assert!(keys.contains(&changed));
    let deleted = of(&events, "public.k", Op::Delete)[0].old[0].text().unwrap().to_owned();
    assert!(keys.contains(&deleted) && deleted != changed);
    let stub = of(&events, "public.k", Op::Stub)[0];
    assert!(stub.old[0].text().unwrap().starts_with("h:"));
    assert_eq!(stub.message.as_deref(), Some("masked"), "no hash that values could be tried against");
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_masks_hold_from_the_next_change_on_and_nothing_is_doubled() {
    let plant = Plant::new("create table t (id int primary key, v text)").await;
    plant.sql("grant select on t to clarity_reader; create publication clarity_test for table t").await;
    let dir = StateDir::new(plant.folder.path().join("agent"));
    dir.create().unwrap();
    let masks = Masks::open(&dir, Vec::new()).unwrap();
    let opened = plant.platform.open(plant.folder.path(), plant.limits).await;
    let handle = Arc::new(SourceHandle::new("test", "postgres", opened.spool.clone(), StatusReporter::new(), false));
    let configured = ConfiguredSource { name: "test".into(), config: plant.config(), confirms_spooled: false };
    let shutdown = CancellationToken::new();
    let supervised = supervise(configured, handle.clone(), Policy::default(), masks.clone(), shutdown.clone());
    let task = tokio::spawn(supervised);
    let arrived = |id: &'static str| {
        let plant = &plant;
        wait_until("the row is durable", PATIENCE, move || async move {
            plant.platform.has(|e| e.op == Op::Insert && e.row[0].text() == Some(id))
        })
    };
    wait_until("the snapshot is done", PATIENCE, || async { plant.platform.has(|e| e.op == Op::SnapshotEnd) }).await;
    plant.sql("insert into t values (1, 'in the clear')").await;
    arrived("1").await;

    let mask = Mask { source: Some("test".into()), stream: "public.t".into(), field: "v".into(), rule: MaskRule::Hide };
    masks.take(Ordered { version: 1, masks: vec![mask] }).unwrap();
    wait_until("it is read by the new list", PATIENCE, || async { masks.applied() == 1 }).await;
    for id in 2..50 {
        plant.sql(&format!("insert into t values ({id}, '{CANARY}')")).await;
    }
    arrived("49").await;
    let events = plant.platform.events();
    let rows = of(&events, "public.t", Op::Insert);
    let ids: Vec<u32> = rows.iter().map(|event| event.row[0].text().unwrap().parse().unwrap()).collect();
    assert_eq!(ids, (1..50).collect::<Vec<u32>>(), "each once, in order");
    assert_eq!(rows[0].row[1].text(), Some("in the clear"));
    assert!(rows[1..].iter().all(|event| event.row[1] == Cell::Null));
    files(plant.folder.path());
    shutdown.cancel();
    task.await.unwrap();
    opened.close().await;
}

//! A spool in a temporary folder, and a platform that takes everything from it and says that it is durable.

use clarity_agent::spool::{Boundary, Limits, Spool, SpoolKey};
use clarity_wire::body::{self, Op, SnapshotChunk, StreamSchema};
use clarity_wire::hash::BatchHash;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// A cell as text, exactly as the source wrote it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    Absent,
    Null,
    Text(String),
}

impl Cell {
    fn of(raw: &RawValue) -> Self {
        match raw.get() {
            "[]" => Self::Absent,
            "null" => Self::Null,
            "true" => Self::Text("t".into()),
            "false" => Self::Text("f".into()),
            text if text.starts_with('"') => Self::Text(serde_json::from_str(text).unwrap()),
            number => Self::Text(number.to_owned()),
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Event {
    pub op: Op,
    pub stream: Option<Arc<StreamSchema>>,
    pub row: Vec<Cell>,
    pub old: Vec<Cell>,
    pub xid: u64,
    pub lsn: u64,
    pub commit_us: i64,
    pub snapshot: Option<String>,
    pub count: Option<u64>,
    pub message: Option<String>,
}

impl Event {
    pub fn is_of(&self, table: &str) -> bool {
        self.stream.as_ref().is_some_and(|s| s.name == table)
    }

    pub fn cell(&self, column: &str) -> Option<&Cell> {
        let place = self.stream.as_ref()?.columns.iter().position(|c| c.name == column)?;
        self.row.get(place)
    }
}

#[derive(Deserialize)]
struct Line<'a> {
    o: Op,
    #[serde(default)]
    s: u32,
    #[serde(default)]
    t: i64,
    #[serde(default)]
    x: u64,
    #[serde(default)]
    l: u64,
    #[serde(default, borrow)]
    r: Vec<&'a RawValue>,
    #[serde(default, borrow)]
    k: Vec<&'a RawValue>,
    #[serde(default)]
    c: Option<u32>,
    #[serde(default)]
    n: Option<u64>,
    #[serde(default)]
    m: Option<String>,
}

fn events_of(bytes: &[u8]) -> Vec<Event> {
    let raw = body::decompress(bytes).unwrap();
    let (header, lines) = body::read(&raw).unwrap();
    let streams: Vec<_> = header.streams.into_iter().map(Arc::new).collect();
    lines
        .map(|line| {
            // The contract's own reader must take every line too.
            body::read_event(line).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(line)));
            let line: Line<'_> = serde_json::from_slice(line).unwrap();
            let chunk: Option<&SnapshotChunk> = line.c.map(|c| &header.chunks[c as usize]);
            Event {
                op: line.o,
                stream: (line.o != Op::Heartbeat).then(|| streams.get(line.s as usize).cloned()).flatten(),
                row: line.r.iter().map(|r| Cell::of(r)).collect(),
                old: line.k.iter().map(|r| Cell::of(r)).collect(),
                xid: line.x,
                lsn: line.l,
                commit_us: line.t,
                snapshot: chunk.map(|c| c.snapshot.clone()),
                count: line.n,
                message: line.m,
            }
        })
        .collect()
}

/// What became durable, in order.
#[derive(Default)]
pub struct Log {
    pub events: Vec<Event>,
    pub next_seq: u64,
}

/// The platform's side: it outlives the agent's restarts.
pub struct Platform {
    pub log: Arc<Mutex<Log>>,
    /// While false, nothing becomes durable.
    pub takes: watch::Sender<bool>,
}

impl Platform {
    pub fn new() -> Self {
        Self { log: Arc::default(), takes: watch::Sender::new(true) }
    }

    pub fn events(&self) -> Vec<Event> {
        self.log.lock().unwrap().events.clone()
    }

    pub fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.log.lock().unwrap().events.iter().filter(|e| wanted(e)).count()
    }

    pub fn has(&self, wanted: impl Fn(&Event) -> bool) -> bool {
        self.count(wanted) > 0
    }

    /// Opens the spool of `folder`, as an agent does at its start, and takes from it from now on.
    pub async fn open(&self, folder: &Path, limits: Limits) -> Opened {
        let key = SpoolKey::load_or_create(&folder.join("spool.key")).unwrap();
        let wake = Arc::new(Notify::new());
        let spool = Spool::open(&folder.join("spool"), "test", key, limits, wake).await.unwrap();
        if spool.snapshot().epoch.is_none() {
            spool.open_epoch(1, None, None).await.unwrap();
        }
        let task = tokio::spawn(take(spool.clone(), self.log.clone(), self.takes.subscribe()));
        Opened { spool, task }
    }
}

pub struct Opened {
    pub spool: Arc<Spool>,
    task: JoinHandle<()>,
}

impl Opened {
    /// Ends taking, and waits until it has ended.
    pub async fn close(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

async fn take(spool: Arc<Spool>, log: Arc<Mutex<Log>>, mut takes: watch::Receiver<bool>) {
    let next_seq = log.lock().unwrap().next_seq.max(1);
    let mut reader = spool.reader(1, next_seq);
    let mut progress = spool.subscribe();
    loop {
        takes.wait_for(|takes| *takes).await.unwrap();
        while let Some(record) = reader.next().await.unwrap() {
            let events = events_of(&record.body);
            assert_eq!(events.len(), record.count as usize);
            {
                let mut log = log.lock().unwrap();
                // What was durable before a restart is not taken twice: sequences make that plain.
                assert_eq!(log.next_seq.max(1), record.first_seq, "sequences have no holes");
                log.next_seq = record.next_seq();
                log.events.extend(events);
            }
            let hash = BatchHash(BatchHash::of_body(&record.body));
            let boundary = Boundary { next_seq: record.next_seq(), hash, file: record.file, end: record.end };
            spool.advance(1, &[boundary], Some(record.position));
            if !*takes.borrow() {
                break;
            }
        }
        if progress.changed().await.is_err() {
            return;
        }
    }
}

//! Bronze, event by event, into tables.

use std::collections::HashMap;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use anyhow::{Context, Result};
use clarity_wire::body::{BodyHeader, Event, Op, read_event};

use super::changes::Change;
use super::image::Known;
use super::table::{Key, Places, Table};
use super::visibility::Visibility;

/// The table whose changes [`super::write`] keeps.
pub const LEDGER: &str = "public.ledger";

#[derive(Default)]
pub struct Fold {
    pub tables: Vec<Table>,
    by_name: HashMap<String, usize>,
    /// Streamed changes, by hash of all they say. The same one twice was sent twice: a change of a keyed row that says
    /// exactly what another of its transaction says does not occur in what we write.
    seen: HashSet<u64>,
    pub doubled: u64,
    pub doubled_examples: Vec<String>,
    /// Streamed changes of [`LEDGER`].
    pub ledger: Vec<Change>,
    pub events: u64,
    pub heartbeats: u64,
    /// Streamed events whose commit is before that of the event before them.
    pub disordered: u64,
    last_lsn: u64,
}

/// A batch's header, resolved.
struct Batch<'a> {
    header: &'a BodyHeader,
    /// Table and places of each stream.
    streams: Vec<(usize, Places)>,
    chunks: Vec<Visibility>,
}

impl Fold {
    /// Takes one decompressed body. Gives the number of its events.
    pub fn body(&mut self, raw: &[u8]) -> Result<u64> {
        let (header, lines) = clarity_wire::body::read(raw)?;
        let mut streams = Vec::with_capacity(header.streams.len());
        for schema in &header.streams {
            let index = self.table(&schema.name);
            streams.push((index, self.tables[index].describe(schema)));
        }
        let chunks = header.chunks.iter().map(|c| Visibility::parse(&c.snapshot)).collect::<Result<_>>()?;
        let batch = Batch { header: &header, streams, chunks };
        let mut count = 0;
        for line in lines {
            let event = read_event(line).with_context(|| format!("event {count} of a batch cannot be read"))?;
            self.event(&batch, &event).with_context(|| format!("event {count} of a batch"))?;
            count += 1;
        }
        self.events += count;
        Ok(count)
    }

    fn table(&mut self, name: &str) -> usize {
        if let Some(&index) = self.by_name.get(name) {
            return index;
        }
        let index = self.tables.len();
        self.tables.push(Table::named(name));
        self.by_name.insert(name.to_owned(), index);
        index
    }

    fn event(&mut self, batch: &Batch<'_>, event: &Event<'_>) -> Result<()> {
        let streamed = !matches!(event.op, Op::Read | Op::SnapshotEnd) && event.chunk.is_none();
        if streamed {
            if event.lsn < self.last_lsn {
                self.disordered += 1;
            }
            self.last_lsn = event.lsn;
        }
        if event.op == Op::Heartbeat {
            self.heartbeats += 1;
            return Ok(());
        }
        if event.op == Op::SnapshotEnd {
            return Ok(());
        }
        // An event of a table that could not be told.
        let Some((index, places)) = batch.streams.get(event.stream as usize) else {
            anyhow::ensure!(matches!(event.op, Op::Poison | Op::Stub), "it names stream {}", event.stream);
            return Ok(());
        };
        let schema = &batch.header.streams[event.stream as usize];
        let snapshot = match event.chunk {
            Some(chunk) => Some(batch.chunks.get(chunk as usize).context("it names a chunk that is not there")?),
            None => None,
        };
        let table = &mut self.tables[*index];
        let missing = if matches!(event.op, Op::Stub | Op::Poison) { Known::Withheld } else { Known::Absent };
        let cells = if event.op == Op::Stub { &event.old } else { &event.row };
        let image = table.image(cells, places, schema, missing);
        let old = (!event.old.is_empty()).then(|| table.image(&event.old, places, schema, Known::Absent));
        let old_key: Option<Key> = old.as_ref().and_then(|old| table.key_of(old));
        match event.op {
            Op::Stub => table.stubs += 1,
            Op::Poison => table.poisoned += 1,
            _ => {}
        }
        if streamed {
            table.streamed += 1;
            let mut hasher = DefaultHasher::new();
            (index, event.op, event.xid, event.lsn, &image, &old).hash(&mut hasher);
            if event.op != Op::Truncate && !self.seen.insert(hasher.finish()) {
                self.doubled += 1;
                if self.doubled_examples.len() < 5 {
                    let said = format!("{:?} of {} in transaction {}", event.op, table.name, event.xid);
                    self.doubled_examples.push(said);
                }
            }
            if table.name == LEDGER
                && let Some(change) = Change::of_event(event, schema)
            {
                self.ledger.push(change);
            }
        }
        match (event.op, snapshot) {
            (_, Some(snapshot)) => {
                table.read += 1;
                table.read(image, snapshot);
            }
            (Op::Insert | Op::Stub, None) => table.put(None, image, event.xid),
            (Op::Update, None) => {
                // With the whole old row, what the change did not carry stands there.
                let image = match &old {
                    Some(old) if schema.full_old_row => image.over(old, table.columns.len()),
                    _ => image,
                };
                table.put(old_key, image, event.xid);
            }
            (Op::Delete, None) => match old_key {
                Some(key) => table.delete(key, event.xid),
                None => table.unkeyed += 1,
            },
            (Op::Truncate, None) => table.truncate(event.xid),
            (Op::Poison, None) if table.key_of(&image).is_some() => table.put(None, image, event.xid),
            (Op::Poison, None) => table.unkeyed += 1,
            (Op::Read, None) => anyhow::bail!("a snapshot row names no chunk"),
            (Op::Heartbeat | Op::SnapshotEnd, None) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;

//! One table as bronze tells it: streamed changes and snapshot rows folded by key.
//!
//! A streamed change whose transaction the chunk's query could not see beats the chunk's row for that key, whatever the
//! order in bronze; a beaten row still fills columns that the changes did not carry.

use std::collections::HashMap;

use clarity_wire::body::{Cell, StreamSchema};

use super::image::{Image, Known, is_number, of_cell};
use super::visibility::Visibility;

/// The values of the key's columns.
pub type Key = Image;

#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    pub number: bool,
    pub key: bool,
}

/// What is known of a key.
#[derive(Debug, Default)]
pub struct Entry {
    /// None: deleted.
    pub image: Option<Image>,
    /// Transaction of the last streamed change; 0 when only snapshots have shown it.
    xid: u64,
    /// A change of the key took the row there.
    moved_to: Option<Key>,
}

#[derive(Debug, Default)]
pub struct Table {
    pub name: String,
    pub columns: Vec<Column>,
    by_name: HashMap<String, usize>,
    pub rows: HashMap<Key, Entry>,
    truncated_by: Vec<u64>,
    pub streamed: u64,
    pub read: u64,
    pub stubs: u64,
    pub poisoned: u64,
    /// Events without a key that could be folded by.
    pub unkeyed: u64,
}

/// Where a stream's columns stand in the table.
pub type Places = Vec<usize>;

impl Table {
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Takes in a stream's schema: a column stays where it was first seen.
    pub fn describe(&mut self, schema: &StreamSchema) -> Places {
        let mut places = Vec::with_capacity(schema.columns.len());
        for column in &schema.columns {
            let next = self.columns.len();
            let place = *self.by_name.entry(column.name.clone()).or_insert(next);
            let described = Column { name: column.name.clone(), number: is_number(&column.type_name), key: column.key };
            if place == next {
                self.columns.push(described);
            } else {
                self.columns[place] = described;
            }
            places.push(place);
        }
        places
    }

    pub fn image(&self, cells: &[Cell<'_>], places: &Places, schema: &StreamSchema, missing: Known<'static>) -> Image {
        let mut texts: Vec<Option<String>> = vec![None; self.columns.len()];
        let mut known = vec![missing; self.columns.len()];
        for ((cell, &place), column) in cells.iter().zip(places).zip(&schema.columns) {
            match cell {
                Cell::Absent => {}
                Cell::Null => known[place] = Known::Null,
                _ => texts[place] = of_cell(cell, &column.type_name),
            }
        }
        Image::of(texts.iter().zip(known).map(|(text, known)| text.as_deref().map_or(known, Known::Text)))
    }

    /// The key in an image; none when the table has no key or the image does not carry all of it.
    pub fn key_of(&self, image: &Image) -> Option<Key> {
        let cells: Vec<_> = image.columns().zip(&self.columns).filter(|(_, c)| c.key).map(|(cell, _)| cell).collect();
        let whole = !cells.is_empty() && cells.iter().all(|c| matches!(c, Known::Text(_)));
        whole.then(|| Image::of(cells))
    }

    /// The row's image after a streamed insert or update. `old_key` when the change also told the key from before.
    pub fn put(&mut self, old_key: Option<Key>, image: Image, xid: u64) {
        let Some(key) = self.key_of(&image).or_else(|| old_key.clone()) else {
            self.unkeyed += 1;
            return;
        };
        let from = old_key.as_ref().unwrap_or(&key);
        let columns = self.columns.len();
        let image = match self.rows.get(from).and_then(|entry| entry.image.as_ref()) {
            Some(base) if image.has_absent(columns) => image.over(base, columns),
            _ => image,
        };
        if let Some(old_key) = old_key.filter(|old| *old != key) {
            let gone = Entry { image: None, xid, moved_to: Some(key.clone()) };
            self.rows.insert(old_key, gone);
        }
        self.rows.insert(key, Entry { image: Some(image), xid, moved_to: None });
    }

    pub fn delete(&mut self, key: Key, xid: u64) {
        self.rows.insert(key, Entry { image: None, xid, moved_to: None });
    }

    pub fn truncate(&mut self, xid: u64) {
        self.rows.clear();
        self.truncated_by.push(xid);
    }

    /// A row that a snapshot chunk read.
    pub fn read(&mut self, image: Image, snapshot: &Visibility) {
        let Some(key) = self.key_of(&image) else {
            self.unkeyed += 1;
            return;
        };
        if self.truncated_by.iter().any(|xid| !snapshot.sees(*xid)) {
            return;
        }
        let entry = self.rows.entry(key).or_default();
        if entry.xid == 0 || snapshot.sees(entry.xid) {
            entry.image = Some(image);
            entry.moved_to = None;
            return;
        }
        let (columns, mut next) = (self.columns.len(), entry.moved_to.clone());
        if fill(entry, &image, columns) {
            return;
        }
        // Deleted since, or its key changed: then the row lives on elsewhere. A bound, for keys that go in a circle.
        for _ in 0..64 {
            let Some(entry) = next.take().and_then(|key| self.rows.get_mut(&key)) else { return };
            if fill(entry, &image, columns) {
                return;
            }
            next.clone_from(&entry.moved_to);
        }
    }
}

/// True when there is a row to fill, or nothing further to look for.
fn fill(entry: &mut Entry, beaten: &Image, columns: usize) -> bool {
    match &entry.image {
        Some(image) if image.has_absent(columns) => entry.image = Some(image.over(beaten, columns)),
        Some(_) => {}
        None => return entry.moved_to.is_none(),
    }
    true
}

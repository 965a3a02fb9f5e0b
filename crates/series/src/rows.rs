//! Rows of one stream, decoded: the row columns and the field columns beside them.

use std::ops::Range;

use crate::column::{Cell, Column, FieldId, FieldType, Version};
use crate::error::{ChunkError, Result};

/// Bits of a row's flags. Bits not named here are free and are carried unchanged.
pub mod flags {
    /// The row was read by a snapshot: it loses to any streamed row of the same key.
    pub const SNAPSHOT: u8 = 1;
    /// The row's time is more than ten minutes ahead of its receipt: kept, but never the last value.
    pub const FUTURE: u8 = 2;
}

/// Rows in columns. All row columns have the same length, and each field column has that length too.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// The asset's number within its workspace.
    pub asset: Vec<u32>,
    /// Microseconds since 1970, UTC.
    pub at: Vec<i64>,
    /// The spool epoch of the event.
    pub epoch: Vec<u32>,
    /// The event's sequence within its source and epoch.
    pub seq: Vec<u64>,
    /// See [`flags`].
    pub flags: Vec<u8>,
    /// Tells rows of the same asset and time apart; 0 where the source's key is (asset, time) itself.
    pub key_hash: Vec<u64>,
    pub columns: Vec<Column>,
}

impl Rows {
    pub fn len(&self) -> usize {
        self.at.len()
    }

    pub fn is_empty(&self) -> bool {
        self.at.is_empty()
    }

    /// The first column of a field. A field that changed its type has one column per type: see [`Rows::columns_of`].
    pub fn column(&self, field: FieldId) -> Option<&Column> {
        self.columns.iter().find(|column| column.field == field)
    }

    pub fn column_typed(&self, field: FieldId, field_type: FieldType) -> Option<&Column> {
        self.columns.iter().find(|column| column.field == field && column.field_type() == field_type)
    }

    pub fn columns_of(&self, field: FieldId) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(move |column| column.field == field)
    }

    /// The key that makes rows one: asset, time, source key.
    pub fn key(&self, row: usize) -> (u32, i64, u64) {
        (self.asset[row], self.at[row], self.key_hash[row])
    }

    /// The version of the row itself.
    pub fn version(&self, row: usize) -> Version {
        Version { streamed: self.flags[row] & flags::SNAPSHOT == 0, epoch: self.epoch[row], seq: self.seq[row] }
    }

    /// The version of one cell: its own where a merge kept one, else the row's.
    pub fn cell_version(&self, column: &Column, row: usize) -> Version {
        column.versions.as_ref().map_or_else(|| self.version(row), |versions| versions[row])
    }

    /// The rows at these indices, in this order. Panics on an index beyond the last row.
    pub fn select(&self, rows: &[u32]) -> Self {
        fn pick<T: Copy>(from: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().map(|row| from[*row as usize]).collect()
        }
        Self {
            asset: pick(&self.asset, rows),
            at: pick(&self.at, rows),
            epoch: pick(&self.epoch, rows),
            seq: pick(&self.seq, rows),
            flags: pick(&self.flags, rows),
            key_hash: pick(&self.key_hash, rows),
            columns: self.columns.iter().map(|column| column.select(rows)).collect(),
        }
    }

    /// A run of rows, without the columns that are absent in all of them.
    pub fn slice(&self, range: Range<usize>) -> Self {
        let rows: Vec<u32> = range.map(|row| row as u32).collect();
        let mut part = self.select(&rows);
        part.drop_absent_columns();
        part
    }

    /// The rows of each asset, ascending by asset, each in its present order and without columns the asset lacks.
    pub fn split_by_asset(&self) -> Vec<(u32, Self)> {
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        order.sort_by_key(|row| self.asset[*row as usize]);
        order
            .chunk_by(|a, b| self.asset[*a as usize] == self.asset[*b as usize])
            .map(|rows| {
                let mut part = self.select(rows);
                part.drop_absent_columns();
                (part.asset[0], part)
            })
            .collect()
    }

    pub fn drop_absent_columns(&mut self) {
        self.columns.retain(|column| column.cells.iter().any(|cell| *cell != Cell::Absent));
    }

    /// How many cells hold a value: what we count as samples.
    pub fn sample_count(&self) -> u64 {
        self.columns.iter().map(|column| column.cells.iter().filter(|cell| **cell == Cell::Value).count() as u64).sum()
    }

    /// Checks the lengths and that no field stands twice with one type.
    pub(crate) fn check(&self) -> Result<()> {
        let rows = self.len();
        let lengths = [self.asset.len(), self.epoch.len(), self.seq.len(), self.flags.len(), self.key_hash.len()];
        if let Some(actual) = lengths.into_iter().find(|length| *length != rows) {
            return Err(ChunkError::Ragged { field: 0, actual, rows });
        }
        let mut seen: Vec<(FieldId, FieldType)> = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let versions = column.versions.as_ref().map_or(rows, Vec::len);
            for actual in [column.cells.len(), column.values.len(), versions] {
                if actual != rows {
                    return Err(ChunkError::Ragged { field: column.field, actual, rows });
                }
            }
            seen.push((column.field, column.field_type()));
        }
        seen.sort_unstable();
        match seen.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(ChunkError::DuplicateField { field: pair[0].0 }),
            None => Ok(()),
        }
    }
}

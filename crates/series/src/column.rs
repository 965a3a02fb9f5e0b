//! One typed field over the rows of a chunk.
//!
//! Invariant: `cells`, `values` and `versions` (where present) are as long as the chunk has rows. What stands in
//! `values` at a cell that is not [`Cell::Value`] has no meaning.

use std::cmp::Ordering;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{ChunkError, Result};

/// The metric's number within its workspace.
pub type FieldId = u32;

/// The type of a column's values. An integer stays an integer: no column is widened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    Float,
    Int,
    Bool,
    /// UTF-8, stored by dictionary.
    Text,
    /// Microseconds since 1970, UTC.
    Time,
}

impl FieldType {
    /// The type's number in bytes; never to be changed.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Float => 0,
            Self::Int => 1,
            Self::Bool => 2,
            Self::Text => 3,
            Self::Time => 4,
        }
    }

    pub(crate) fn from_code(code: u8) -> Result<Self> {
        Ok(match code {
            0 => Self::Float,
            1 => Self::Int,
            2 => Self::Bool,
            3 => Self::Text,
            4 => Self::Time,
            _ => return Err(ChunkError::Corrupt("unknown field type")),
        })
    }
}

/// Whether a row carries the field. The order is the tie-break of a merge: a value beats null beats absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Cell {
    /// The event did not carry the field.
    #[default]
    Absent,
    /// The event said null.
    Null,
    Value,
}

/// What decides between two values of one cell: streamed beats snapshot, then the higher (epoch, sequence).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    pub streamed: bool,
    pub epoch: u32,
    pub seq: u64,
}

/// Text by dictionary. `codes[row]` is an index into `dictionary`.
#[derive(Debug, Clone, Default)]
pub struct TextValues {
    pub dictionary: Vec<Arc<str>>,
    pub codes: Vec<u32>,
}

impl TextValues {
    /// The text of a row that has a value; the empty text elsewhere.
    pub fn get(&self, row: usize) -> &str {
        self.codes.get(row).and_then(|code| self.dictionary.get(*code as usize)).map_or("", |text| text)
    }
}

/// The values of a column, one per row.
#[derive(Debug, Clone)]
pub enum Values {
    Float(Vec<f64>),
    Int(Vec<i64>),
    Bool(Vec<bool>),
    Text(TextValues),
    Time(Vec<i64>),
}

impl Values {
    pub fn new(field_type: FieldType) -> Self {
        match field_type {
            FieldType::Float => Self::Float(Vec::new()),
            FieldType::Int => Self::Int(Vec::new()),
            FieldType::Bool => Self::Bool(Vec::new()),
            FieldType::Text => Self::Text(TextValues::default()),
            FieldType::Time => Self::Time(Vec::new()),
        }
    }

    pub fn field_type(&self) -> FieldType {
        match self {
            Self::Float(_) => FieldType::Float,
            Self::Int(_) => FieldType::Int,
            Self::Bool(_) => FieldType::Bool,
            Self::Text(_) => FieldType::Text,
            Self::Time(_) => FieldType::Time,
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Float(values) => values.len(),
            Self::Int(values) | Self::Time(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::Text(values) => values.codes.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Grows with placeholders up to `rows`.
    pub(crate) fn pad(&mut self, rows: usize) {
        match self {
            Self::Float(values) => values.resize(rows, 0.0),
            Self::Int(values) | Self::Time(values) => values.resize(rows, 0),
            Self::Bool(values) => values.resize(rows, false),
            Self::Text(values) => values.codes.resize(rows, 0),
        }
    }

    fn select(&self, rows: &[u32]) -> Self {
        fn pick<T: Copy>(from: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().map(|row| from[*row as usize]).collect()
        }
        match self {
            Self::Float(values) => Self::Float(pick(values, rows)),
            Self::Int(values) => Self::Int(pick(values, rows)),
            Self::Time(values) => Self::Time(pick(values, rows)),
            Self::Bool(values) => Self::Bool(pick(values, rows)),
            Self::Text(values) => {
                Self::Text(TextValues { dictionary: values.dictionary.clone(), codes: pick(&values.codes, rows) })
            }
        }
    }
}

/// One cell, borrowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CellRef<'a> {
    Absent,
    Null,
    Float(f64),
    Int(i64),
    Bool(bool),
    Text(&'a str),
    Time(i64),
}

/// A field over all rows of a chunk.
#[derive(Debug, Clone)]
pub struct Column {
    pub field: FieldId,
    pub cells: Vec<Cell>,
    pub values: Values,
    /// Set where a merge took cells from events other than the row's own; `None` when every present cell has the
    /// row's version. At an absent cell the entry has no meaning.
    pub versions: Option<Vec<Version>>,
}

impl Column {
    pub fn new(field: FieldId, field_type: FieldType) -> Self {
        Self { field, cells: Vec::new(), values: Values::new(field_type), versions: None }
    }

    pub fn field_type(&self) -> FieldType {
        self.values.field_type()
    }

    /// The cell of a row; absent beyond the last row.
    pub fn get(&self, row: usize) -> CellRef<'_> {
        match self.cells.get(row) {
            None | Some(Cell::Absent) => CellRef::Absent,
            Some(Cell::Null) => CellRef::Null,
            Some(Cell::Value) => match &self.values {
                Values::Float(values) => CellRef::Float(values[row]),
                Values::Int(values) => CellRef::Int(values[row]),
                Values::Bool(values) => CellRef::Bool(values[row]),
                Values::Text(values) => CellRef::Text(values.get(row)),
                Values::Time(values) => CellRef::Time(values[row]),
            },
        }
    }

    /// The value of a row as a number to aggregate or draw: floats, integers (rounded above 2^53) and booleans as
    /// 0 or 1. `None` for text, time, null and absent.
    pub fn number(&self, row: usize) -> Option<f64> {
        match self.get(row) {
            CellRef::Float(value) => Some(value),
            CellRef::Int(value) => Some(value as f64),
            CellRef::Bool(value) => Some(f64::from(u8::from(value))),
            _ => None,
        }
    }

    pub(crate) fn pad(&mut self, rows: usize) {
        self.cells.resize(rows, Cell::Absent);
        self.values.pad(rows);
    }

    /// The rows at these indices, in this order.
    pub fn select(&self, rows: &[u32]) -> Self {
        Self {
            field: self.field,
            cells: rows.iter().map(|row| self.cells[*row as usize]).collect(),
            values: self.values.select(rows),
            versions: self.versions.as_ref().map(|versions| rows.iter().map(|row| versions[*row as usize]).collect()),
        }
    }

    /// A total order of two cells of columns of one type, by content only.
    pub(crate) fn compare(&self, row: usize, other: &Self, other_row: usize) -> Ordering {
        let by_cell = self.cells[row].cmp(&other.cells[other_row]);
        if by_cell.is_ne() || self.cells[row] != Cell::Value {
            return by_cell;
        }
        match (&self.values, &other.values) {
            (Values::Float(a), Values::Float(b)) => a[row].total_cmp(&b[other_row]),
            (Values::Int(a), Values::Int(b)) | (Values::Time(a), Values::Time(b)) => a[row].cmp(&b[other_row]),
            (Values::Bool(a), Values::Bool(b)) => a[row].cmp(&b[other_row]),
            (Values::Text(a), Values::Text(b)) => a.get(row).cmp(b.get(other_row)),
            (a, b) => a.field_type().cmp(&b.field_type()),
        }
    }
}

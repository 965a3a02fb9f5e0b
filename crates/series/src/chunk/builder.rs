//! Builds rows from events, one row at a time, without an allocation per row.

use std::collections::HashMap;
use std::sync::Arc;

use crate::column::{Cell, Column, FieldId, FieldType, Values};
use crate::rows::Rows;

/// Collects rows. Start a row with [`ChunkBuilder::push_row`], then push its cells in any order; what is not pushed
/// stays absent, and a cell pushed twice keeps the later value.
///
/// Pushing a value into a column of another type, or before the first row, is a defect of the caller and panics.
#[derive(Debug, Default)]
pub struct ChunkBuilder {
    rows: Rows,
    texts: Vec<HashMap<Arc<str>, u32>>,
}

macro_rules! push {
    ($(#[$doc:meta])* $name:ident, $variant:ident, $type:ty) => {
        $(#[$doc])*
        #[track_caller]
        pub fn $name(&mut self, column: usize, value: $type) {
            let row = self.current_row();
            let column = &mut self.rows.columns[column];
            let Values::$variant(values) = &mut column.values else {
                panic!("field {} is of type {:?}", column.field, column.values.field_type());
            };
            set(values, row, value);
            set(&mut column.cells, row, Cell::Value);
        }
    };
}

impl ChunkBuilder {
    /// Columns are numbered in the order given here.
    pub fn new(fields: &[(FieldId, FieldType)]) -> Self {
        let mut builder = Self::default();
        for (field, field_type) in fields {
            builder.rows.columns.push(Column::new(*field, *field_type));
            builder.texts.push(HashMap::new());
        }
        builder
    }

    /// The number of the column for this field and type, added when it is new. Rows so far lack it.
    pub fn field(&mut self, field: FieldId, field_type: FieldType) -> usize {
        let known = self.rows.columns.iter().position(|c| c.field == field && c.field_type() == field_type);
        known.unwrap_or_else(|| {
            self.rows.columns.push(Column::new(field, field_type));
            self.texts.push(HashMap::new());
            self.rows.columns.len() - 1
        })
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Starts a row. `at` in microseconds since 1970; `flags` as in [`crate::flags`].
    pub fn push_row(&mut self, asset: u32, at: i64, epoch: u32, seq: u64, flags: u8, key_hash: u64) {
        self.rows.asset.push(asset);
        self.rows.at.push(at);
        self.rows.epoch.push(epoch);
        self.rows.seq.push(seq);
        self.rows.flags.push(flags);
        self.rows.key_hash.push(key_hash);
    }

    push!(
        /// A float, kept to the bit (NaN and infinities too).
        push_float,
        Float,
        f64
    );
    push!(push_int, Int, i64);
    push!(push_bool, Bool, bool);
    push!(
        /// A time in microseconds since 1970, UTC.
        push_time,
        Time,
        i64
    );

    #[track_caller]
    pub fn push_text(&mut self, column: usize, value: &str) {
        let row = self.current_row();
        let known = &mut self.texts[column];
        let column = &mut self.rows.columns[column];
        let Values::Text(values) = &mut column.values else {
            panic!("field {} is of type {:?}", column.field, column.values.field_type());
        };
        let code = match known.get(value) {
            Some(code) => *code,
            None => {
                let (text, code) = (Arc::<str>::from(value), values.dictionary.len() as u32);
                values.dictionary.push(Arc::clone(&text));
                known.insert(text, code);
                code
            }
        };
        set(&mut values.codes, row, code);
        set(&mut column.cells, row, Cell::Value);
    }

    /// The event said null for this field.
    #[track_caller]
    pub fn push_null(&mut self, column: usize) {
        let row = self.current_row();
        set(&mut self.rows.columns[column].cells, row, Cell::Null);
    }

    /// The rows, in the order they were pushed.
    pub fn finish(mut self) -> Rows {
        let rows = self.rows.len();
        for column in &mut self.rows.columns {
            column.pad(rows);
        }
        self.rows
    }

    #[track_caller]
    fn current_row(&self) -> usize {
        match self.rows.len() {
            0 => panic!("push_row comes before the first cell"),
            rows => rows - 1,
        }
    }
}

#[inline]
fn set<T: Copy + Default>(values: &mut Vec<T>, row: usize, value: T) {
    if values.len() == row {
        values.push(value);
    } else {
        if values.len() < row {
            values.resize(row + 1, T::default());
        }
        values[row] = value;
    }
}

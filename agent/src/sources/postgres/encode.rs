//! From a decoded row to cells of a batch body, without an allocation of its own but for what is masked.

use super::decode::{Old, Tuple, Value};
use crate::masks::{ColumnMasks, SourceMasks};
use clarity_wire::body::{BodyWriter, StreamSchema};
use std::str;
use std::sync::Arc;

/// How a column's text becomes a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// Integers, floats and oids: the text is the number.
    Number,
    Bool,
    Text,
}

impl CellKind {
    /// By the oid of the type, or of the type a domain stands on.
    pub fn of_type(oid: u32) -> Self {
        match oid {
            16 => Self::Bool,
            20 | 21 | 23 | 26 | 700 | 701 => Self::Number,
            _ => Self::Text,
        }
    }
}

/// A table as one Relation message or one snapshot query described it.
#[derive(Clone, Debug)]
pub struct Shape {
    pub schema: StreamSchema,
    pub kinds: Vec<CellKind>,
    /// Columns of the replica identity, which old keys carry.
    pub identity: Vec<bool>,
    /// None: nothing of it is masked.
    pub masks: Option<Arc<ColumnMasks>>,
}

impl Shape {
    /// With what is masked of it: its columns have the types of what is left.
    #[must_use]
    pub fn masked(mut self, masks: &SourceMasks) -> Self {
        let Some(found) = masks.compile(&mut self.schema) else { return self };
        for (i, kind) in self.kinds.iter_mut().enumerate() {
            if found.of(i).is_some_and(|mask| mask.becomes_text) {
                *kind = CellKind::Text;
            }
        }
        self.masks = Some(Arc::new(found));
        self
    }

    /// Whether the key's values must not stand in positions.
    pub fn masks_key(&self) -> bool {
        self.masks.as_ref().is_some_and(|masks| masks.masks_key())
    }
}

/// Why a row's cells cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    #[error("column {0} is not UTF-8: bytes {1}")]
    NotUtf8(String, String),
    #[error("the row has {0} columns, the table's description {1}")]
    Columns(u16, usize),
}

/// Writes one value of a column, or what its mask leaves of it. False: it is not UTF-8, and nothing was written.
#[inline]
pub fn cell_of(writer: &mut BodyWriter, shape: &Shape, column: usize, kind: CellKind, text: &[u8]) -> bool {
    let Some((masks, mask)) = shape.masks.as_deref().and_then(|masks| Some((masks, masks.of(column)?))) else {
        return cell(writer, kind, text);
    };
    match masks.leave(mask, text) {
        Some(left) => cell(writer, kind, left.as_bytes()),
        None => {
            writer.cell_null();
            true
        }
    }
}

/// Writes one value. False: it is not UTF-8, and nothing was written.
#[inline]
fn cell(writer: &mut BodyWriter, kind: CellKind, text: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(text) else { return false };
    match kind {
        CellKind::Number => writer.cell_number(text),
        CellKind::Bool if text == "t" => writer.cell_bool(true),
        CellKind::Bool if text == "f" => writer.cell_bool(false),
        _ => writer.cell_text(text),
    }
    true
}

/// Writes the new row.
pub fn row(writer: &mut BodyWriter, shape: &Shape, tuple: &Tuple<'_>) -> Result<(), EncodeError> {
    writer.row();
    cells(writer, shape, tuple, |_| true)?;
    writer.end_cells();
    Ok(())
}

/// Writes the old row, or of a key only the key's columns.
pub fn old(writer: &mut BodyWriter, shape: &Shape, old: &Old<'_>) -> Result<(), EncodeError> {
    writer.old();
    if old.key_only {
        cells(writer, shape, &old.tuple, |i| shape.identity.get(i) == Some(&true))?;
    } else {
        cells(writer, shape, &old.tuple, |_| true)?;
    }
    writer.end_cells();
    Ok(())
}

fn cells(
    writer: &mut BodyWriter,
    shape: &Shape,
    tuple: &Tuple<'_>,
    carried: impl Fn(usize) -> bool,
) -> Result<(), EncodeError> {
    if usize::from(tuple.columns) != shape.kinds.len() {
        return Err(EncodeError::Columns(tuple.columns, shape.kinds.len()));
    }
    for (i, (value, &kind)) in tuple.values().zip(&shape.kinds).enumerate() {
        match value {
            _ if !carried(i) => writer.cell_absent(),
            Value::Null => writer.cell_null(),
            Value::Unchanged => writer.cell_absent(),
            Value::Text(text) => {
                if !cell_of(writer, shape, i, kind, text) {
                    let name = shape.schema.columns.get(i).map_or_else(String::new, |c| c.name.clone());
                    return Err(EncodeError::NotUtf8(name, hex::encode(&text[..text.len().min(64)])));
                }
            }
        }
    }
    Ok(())
}

/// Writes what can be read of a row that cannot be carried whole: with `key_only` its key, otherwise every readable
/// cell of moderate size.
pub fn remains<'a>(writer: &mut BodyWriter, shape: &Shape, values: impl Iterator<Item = Value<'a>>, key_only: bool) {
    const KEPT_BYTES: usize = 4096;
    let mut values = values.fuse();
    for (i, (column, &kind)) in shape.schema.columns.iter().zip(&shape.kinds).enumerate() {
        match values.next() {
            Some(Value::Text(text)) if text.len() <= KEPT_BYTES && (column.key || !key_only) => {
                if !cell_of(writer, shape, i, kind, text) {
                    writer.cell_absent();
                }
            }
            Some(Value::Null) if column.key || !key_only => writer.cell_null(),
            _ => writer.cell_absent(),
        }
    }
}

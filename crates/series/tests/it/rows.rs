//! Generated rows, and a comparison of rows by content.

use clarity_series::{CellRef, ChunkBuilder, FieldType, Rows, Version, flags};
use proptest::prelude::*;

pub const FIELDS: [(u32, FieldType); 6] = [
    (7, FieldType::Float),
    (8, FieldType::Int),
    (9, FieldType::Bool),
    (10, FieldType::Text),
    (300, FieldType::Time),
    (7, FieldType::Text),
];

/// What a cell may be in a generated row.
#[derive(Debug, Clone)]
pub enum Given {
    Absent,
    Null,
    Number(i32),
    Bits(u64),
}

#[derive(Debug, Clone)]
pub struct GivenRow {
    pub asset: u32,
    pub at: i64,
    pub epoch: u32,
    pub seq: u64,
    pub flags: u8,
    pub key_hash: u64,
    pub cells: Vec<Given>,
}

fn cell() -> impl Strategy<Value = Given> {
    prop_oneof![
        2 => Just(Given::Absent),
        1 => Just(Given::Null),
        4 => (-50i32..50).prop_map(Given::Number),
        1 => any::<u64>().prop_map(Given::Bits),
    ]
}

/// Rows that meet often: few assets, times and keys.
pub fn crowded(most: usize) -> impl Strategy<Value = Vec<GivenRow>> {
    let row = (0u32..2, 0i64..6, 0u32..2, 0u64..8, 0u8..4, 0u64..2, prop::collection::vec(cell(), FIELDS.len()))
        .prop_map(|(asset, at, epoch, seq, flags, key_hash, cells)| GivenRow {
            asset,
            at,
            epoch,
            seq,
            flags,
            key_hash,
            cells,
        });
    prop::collection::vec(row, 0..most)
}

/// Rows with any numbers at all.
pub fn wild(most: usize) -> impl Strategy<Value = Vec<GivenRow>> {
    let head = (any::<u32>(), any::<i64>(), any::<u32>(), any::<u64>(), any::<u8>(), any::<u64>());
    let row = (head, prop::collection::vec(cell(), FIELDS.len())).prop_map(
        |((asset, at, epoch, seq, flags, key_hash), cells)| GivenRow { asset, at, epoch, seq, flags, key_hash, cells },
    );
    prop::collection::vec(row, 0..most)
}

pub fn build(given: &[GivenRow]) -> Rows {
    let mut builder = ChunkBuilder::new(&FIELDS);
    for row in given {
        builder.push_row(row.asset, row.at, row.epoch, row.seq, row.flags, row.key_hash);
        for (column, cell) in row.cells.iter().enumerate() {
            let bits = match cell {
                Given::Absent => continue,
                Given::Null => {
                    builder.push_null(column);
                    continue;
                }
                Given::Number(number) => i64::from(*number) as u64,
                Given::Bits(bits) => *bits,
            };
            match FIELDS[column].1 {
                FieldType::Float if matches!(cell, Given::Number(_)) => {
                    builder.push_float(column, bits as i64 as f64 / 10.0);
                }
                FieldType::Float => builder.push_float(column, f64::from_bits(bits)),
                FieldType::Int => builder.push_int(column, bits as i64),
                FieldType::Bool => builder.push_bool(column, bits % 2 == 1),
                FieldType::Text => builder.push_text(column, &format!("é{}", bits as i64)),
                FieldType::Time => builder.push_time(column, bits as i64),
            }
        }
    }
    builder.finish()
}

/// One row's content: floats by their bits, cells with their versions, absent ones left out.
type Content = (u32, i64, u64, u32, u64, u8, Vec<(u32, FieldType, String, Version)>);

/// The content of rows, in order; equal for equal rows whatever the layout of columns and dictionaries.
pub fn content(rows: &Rows) -> Vec<Content> {
    (0..rows.len())
        .map(|row| {
            let mut cells: Vec<_> = rows
                .columns
                .iter()
                .filter_map(|column| {
                    let text = match column.get(row) {
                        CellRef::Absent => return None,
                        CellRef::Float(value) => format!("{:x}", value.to_bits()),
                        other => format!("{other:?}"),
                    };
                    Some((column.field, column.field_type(), text, rows.cell_version(column, row)))
                })
                .collect();
            cells.sort();
            let (asset, at, key_hash) = rows.key(row);
            (asset, at, key_hash, rows.epoch[row], rows.seq[row], rows.flags[row], cells)
        })
        .collect()
}

/// `count` rows of one asset, a minute apart from `from`, with one float and one text.
pub fn regular(asset: u32, from: i64, count: usize) -> Rows {
    let mut builder = ChunkBuilder::new(&[(1, FieldType::Float), (2, FieldType::Text)]);
    for i in 0..count {
        builder.push_row(asset, from + i as i64 * 60_000_000, 1, i as u64 * 100, 0, 0);
        builder.push_float(0, (i % 17) as f64 / 10.0);
        builder.push_text(1, if i % 2 == 0 { "running" } else { "idle" });
    }
    builder.finish()
}

#[test]
fn a_snapshot_row_says_so_in_its_version() {
    let mut builder = ChunkBuilder::new(&[]);
    builder.push_row(1, 0, 2, 3, flags::SNAPSHOT, 0);
    let rows = builder.finish();
    assert_eq!(rows.version(0), Version { streamed: false, epoch: 2, seq: 3 });
}

//! Merging: many chunks' rows into ordered, unique rows.
//!
//! Rows with the same (asset, time, key hash) are one row. Its cells are decided one by one: of the present cells
//! (null or value) the one with the highest [`Version`] wins, and an absent cell never overrides. Where two cells
//! claim the same version (a dead letter replayed under its own sequence with more fields) the content decides: a
//! value beats null, then the higher value in a total order. The row itself takes the highest version of its rows and
//! that row's flags (joined when several have that version).
//!
//! Each of these is the maximum of a total order, so a merge is commutative, associative and idempotent: late,
//! repeated, corrected and replayed samples end the same whatever the order of arrival.

use std::sync::Arc;

use crate::column::{Cell, Column, FieldId, FieldType, TextValues, Values, Version};
use crate::rows::Rows;

/// What a merge found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MergeReport {
    pub rows_in: u64,
    pub rows_out: u64,
    /// Rows that went into another row of the same asset, time and key: `rows_in - rows_out`.
    pub merged_rows: u64,
    /// Rows out that share asset and time with the row before them but have another source key.
    pub same_time_other_key: u64,
}

/// A row of one of the inputs.
type Source = (u32, u32);

/// Merges rows of one stream, in any order, repeated or not, of one or many assets. The result ascends by (asset,
/// time, key hash), its columns by field and type; columns absent everywhere are dropped.
///
/// A field that has two types in the inputs keeps a column for each.
pub fn merge(inputs: &[Rows]) -> (Rows, MergeReport) {
    let mut sources: Vec<Source> = Vec::with_capacity(inputs.iter().map(Rows::len).sum());
    for (input, rows) in inputs.iter().enumerate() {
        sources.extend((0..rows.len()).map(|row| (input as u32, row as u32)));
    }
    let key = |source: &Source| inputs[source.0 as usize].key(source.1 as usize);
    // The stable sort finds the runs that are ordered already, so sorted inputs cost one merge.
    sources.sort_by_key(key);
    let groups: Vec<&[Source]> = sources.chunk_by(|a, b| key(a) == key(b)).collect();

    let mut out = merge_row_columns(inputs, &groups);
    let mut fields: Vec<(FieldId, FieldType)> =
        inputs.iter().flat_map(|rows| rows.columns.iter().map(|c| (c.field, c.field_type()))).collect();
    fields.sort_unstable();
    fields.dedup();
    for (field, field_type) in fields {
        let columns: Vec<Option<&Column>> = inputs.iter().map(|rows| rows.column_typed(field, field_type)).collect();
        let column = merge_column(inputs, &groups, &columns, &out, field, field_type);
        out.columns.extend(column);
    }
    let same_time =
        (1..out.len()).filter(|row| out.asset[*row] == out.asset[row - 1] && out.at[*row] == out.at[row - 1]).count();
    let report = MergeReport {
        rows_in: sources.len() as u64,
        rows_out: out.len() as u64,
        merged_rows: (sources.len() - out.len()) as u64,
        same_time_other_key: same_time as u64,
    };
    (out, report)
}

fn merge_row_columns(inputs: &[Rows], groups: &[&[Source]]) -> Rows {
    let mut out = Rows::default();
    for group in groups {
        let mut version: Option<Version> = None;
        let mut flags = 0;
        for (input, row) in *group {
            let rows = &inputs[*input as usize];
            let own = rows.version(*row as usize);
            if version.is_none_or(|best| own > best) {
                version = Some(own);
                flags = rows.flags[*row as usize];
            } else if version == Some(own) {
                flags |= rows.flags[*row as usize];
            }
        }
        let (Some(version), Some((input, row))) = (version, group.first()) else { continue };
        let (asset, at, key_hash) = inputs[*input as usize].key(*row as usize);
        out.asset.push(asset);
        out.at.push(at);
        out.epoch.push(version.epoch);
        out.seq.push(version.seq);
        out.flags.push(flags);
        out.key_hash.push(key_hash);
    }
    out
}

/// `None` when no row has the field.
fn merge_column(
    inputs: &[Rows],
    groups: &[&[Source]],
    columns: &[Option<&Column>],
    out: &Rows,
    field: FieldId,
    field_type: FieldType,
) -> Option<Column> {
    let mut winners: Vec<Option<Source>> = Vec::with_capacity(groups.len());
    let mut versions: Vec<Version> = Vec::with_capacity(groups.len());
    let mut own_versions = false;
    for (row, group) in groups.iter().enumerate() {
        let mut best: Option<(Source, &Column, Version)> = None;
        for source in *group {
            let Some(column) = columns[source.0 as usize] else { continue };
            let at = source.1 as usize;
            if column.cells[at] == Cell::Absent {
                continue;
            }
            let version = inputs[source.0 as usize].cell_version(column, at);
            let wins = best.is_none_or(|(holder, held, held_version)| {
                version.cmp(&held_version).then_with(|| column.compare(at, held, holder.1 as usize)).is_gt()
            });
            if wins {
                best = Some((*source, column, version));
            }
        }
        let row_version = out.version(row);
        let version = best.map_or(row_version, |(_, _, version)| version);
        own_versions |= version != row_version;
        winners.push(best.map(|(source, ..)| source));
        versions.push(version);
    }
    if winners.iter().all(Option::is_none) {
        return None;
    }
    let cell_of = |winner: &Option<Source>| match winner {
        Some((input, row)) => columns[*input as usize].map_or(Cell::Absent, |column| column.cells[*row as usize]),
        None => Cell::Absent,
    };
    Some(Column {
        field,
        cells: winners.iter().map(cell_of).collect(),
        values: gather(columns, &winners, field_type),
        versions: own_versions.then_some(versions),
    })
}

fn gather(columns: &[Option<&Column>], winners: &[Option<Source>], field_type: FieldType) -> Values {
    macro_rules! pick {
        ($variant:ident) => {
            winners
                .iter()
                .map(|winner| match winner {
                    Some((input, row)) => match columns[*input as usize].map(|column| &column.values) {
                        Some(Values::$variant(values)) => values[*row as usize],
                        _ => Default::default(),
                    },
                    None => Default::default(),
                })
                .collect()
        };
    }
    match field_type {
        FieldType::Float => Values::Float(pick!(Float)),
        FieldType::Int => Values::Int(pick!(Int)),
        FieldType::Bool => Values::Bool(pick!(Bool)),
        FieldType::Time => Values::Time(pick!(Time)),
        FieldType::Text => Values::Text(gather_text(columns, winners)),
    }
}

/// One dictionary in order of first use. Codes are mapped once per input and entry, not once per row.
fn gather_text(columns: &[Option<&Column>], winners: &[Option<Source>]) -> TextValues {
    let mut known: std::collections::HashMap<Arc<str>, u32> = std::collections::HashMap::new();
    let mut renumbered: Vec<Vec<u32>> = columns
        .iter()
        .map(|column| match column.map(|column| &column.values) {
            Some(Values::Text(text)) => vec![u32::MAX; text.dictionary.len()],
            _ => Vec::new(),
        })
        .collect();
    let mut out = TextValues { dictionary: Vec::new(), codes: vec![0; winners.len()] };
    for (row, winner) in winners.iter().enumerate() {
        let Some((input, from)) = winner else { continue };
        let Some(column) = columns[*input as usize] else { continue };
        let Values::Text(text) = &column.values else { continue };
        if column.cells[*from as usize] != Cell::Value {
            continue;
        }
        let code = text.codes[*from as usize] as usize;
        let new = &mut renumbered[*input as usize][code];
        if *new == u32::MAX {
            *new = *known.entry(Arc::clone(&text.dictionary[code])).or_insert_with(|| {
                out.dictionary.push(Arc::clone(&text.dictionary[code]));
                out.dictionary.len() as u32 - 1
            });
        }
        out.codes[row] = *new;
    }
    out
}

//! Merging does not depend on order, grouping or repetition, and the right cell wins.

use clarity_series::{
    CellRef, ChunkBuilder, FieldType, MergeReport, Projection, Rows, Version, decode, encode_sealed, flags, merge,
};
use proptest::prelude::*;

use crate::rows::{build, content, crowded};

fn merged(inputs: &[Rows]) -> Rows {
    merge(inputs).0
}

proptest! {
    #[test]
    fn order_does_not_matter(a in crowded(30), b in crowded(30)) {
        let (a, b) = (build(&a), build(&b));
        let ab = merge(&[a.clone(), b.clone()]);
        let ba = merge(&[b, a]);
        prop_assert_eq!(content(&ab.0), content(&ba.0));
        prop_assert_eq!(ab.1, ba.1);
    }

    #[test]
    fn grouping_does_not_matter(a in crowded(30), b in crowded(30), c in crowded(30)) {
        let (a, b, c) = (build(&a), build(&b), build(&c));
        let left = merged(&[merged(&[a.clone(), b.clone()]), c.clone()]);
        let right = merged(&[a.clone(), merged(&[b.clone(), c.clone()])]);
        let flat = merged(&[c, a, b]);
        prop_assert_eq!(content(&left), content(&flat));
        prop_assert_eq!(content(&right), content(&flat));
    }

    #[test]
    fn repetition_does_not_matter(a in crowded(30), b in crowded(30)) {
        let (a, b) = (build(&a), build(&b));
        let once = merged(&[a.clone(), b]);
        prop_assert_eq!(content(&merged(std::slice::from_ref(&once))), content(&once));
        prop_assert_eq!(content(&merged(&[once.clone(), a, once.clone()])), content(&once));
    }

    #[test]
    fn storing_in_between_does_not_matter(a in crowded(30), b in crowded(30), c in crowded(30)) {
        let (a, b, c) = (build(&a), build(&b), build(&c));
        let stored = encode_sealed(&merged(&[a.clone(), b.clone()])).unwrap();
        let stored = decode(&stored.bytes, &Projection::all()).unwrap();
        prop_assert_eq!(content(&merged(&[stored, c.clone()])), content(&merged(&[a, b, c])));
    }

    /// Against the rule itself, cell by cell.
    #[test]
    fn the_highest_present_version_wins(given in crowded(40)) {
        let rows = build(&given);
        let out = merged(std::slice::from_ref(&rows));
        for row in 0..out.len() {
            let group: Vec<usize> = (0..rows.len()).filter(|r| rows.key(*r) == out.key(row)).collect();
            prop_assert_eq!(Some(out.version(row)), group.iter().map(|r| rows.version(*r)).max());
            for column in &rows.columns {
                let best = group.iter().filter(|r| column.get(**r) != CellRef::Absent).map(|r| rows.version(*r)).max();
                let merged = out.column_typed(column.field, column.field_type());
                match best {
                    None => prop_assert!(merged.is_none_or(|merged| merged.get(row) == CellRef::Absent)),
                    Some(best) => {
                        let merged = merged.expect("some row has the field");
                        prop_assert_eq!(out.cell_version(merged, row), best);
                        let bits = |cell: CellRef<'_>| match cell {
                            CellRef::Float(value) => format!("{:x}", value.to_bits()),
                            other => format!("{other:?}"),
                        };
                        let candidates: Vec<String> = group.iter().filter(|r| rows.version(**r) == best)
                            .map(|r| bits(column.get(*r))).collect();
                        prop_assert!(candidates.contains(&bits(merged.get(row))));
                    }
                }
            }
        }
    }
}

/// One row of asset 1 at time 10 with fields 1 and 2.
fn row(seq: u64, flags: u8, key: u64, first: Option<f64>, second: Option<f64>) -> Rows {
    let mut builder = ChunkBuilder::new(&[(1, FieldType::Float), (2, FieldType::Float)]);
    builder.push_row(1, 10, 1, seq, flags, key);
    for (column, value) in [first, second].into_iter().enumerate() {
        if let Some(value) = value {
            builder.push_float(column, value);
        }
    }
    builder.finish()
}

#[test]
fn a_streamed_row_beats_a_later_snapshot_but_takes_its_missing_fields() {
    let streamed = row(5, 0, 0, Some(1.0), None);
    let snapshot = row(90, flags::SNAPSHOT, 0, Some(2.0), Some(3.0));
    let (out, report) = merge(&[snapshot, streamed]);
    assert_eq!(out.columns[0].get(0), CellRef::Float(1.0));
    assert_eq!(out.columns[1].get(0), CellRef::Float(3.0));
    assert_eq!((out.seq[0], out.flags[0]), (5, 0));
    assert!(out.columns[0].versions.is_none(), "a column whose cells are all of the row's version keeps none");
    assert_eq!(out.cell_version(&out.columns[1], 0), Version { streamed: false, epoch: 1, seq: 90 });
    assert_eq!(report, MergeReport { rows_in: 2, rows_out: 1, merged_rows: 1, same_time_other_key: 0 });
}

#[test]
fn a_late_event_between_two_merged_ones_finds_its_place() {
    let merged_first = merged(&[row(1, 0, 0, Some(1.0), Some(1.0)), row(9, 0, 0, Some(9.0), None)]);
    let out = merged(&[merged_first, row(5, 0, 0, Some(5.0), Some(5.0))]);
    assert_eq!(out.columns[0].get(0), CellRef::Float(9.0));
    assert_eq!(out.columns[1].get(0), CellRef::Float(5.0));
}

#[test]
fn a_null_overrides_and_an_absent_field_does_not() {
    let mut builder = ChunkBuilder::new(&[(1, FieldType::Float), (2, FieldType::Float)]);
    builder.push_row(1, 10, 1, 2, 0, 0);
    builder.push_null(0);
    let out = merged(&[row(1, 0, 0, Some(1.0), Some(1.0)), builder.finish()]);
    assert_eq!(out.columns[0].get(0), CellRef::Null);
    assert_eq!(out.columns[1].get(0), CellRef::Float(1.0));
}

#[test]
fn other_keys_at_the_same_time_are_kept_and_reported() {
    let (out, report) =
        merge(&[row(1, 0, 7, Some(1.0), None), row(2, 0, 8, Some(2.0), None), row(3, 0, 7, Some(3.0), None)]);
    assert_eq!(out.len(), 2);
    assert_eq!(report, MergeReport { rows_in: 3, rows_out: 2, merged_rows: 1, same_time_other_key: 1 });
}

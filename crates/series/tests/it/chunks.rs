//! What is encoded comes back, whole or in part, and sealing splits where it must.

use clarity_series::{
    Bounds, Cell, ChunkBuilder, ChunkError, ChunkHeader, ChunkKind, FieldType, MAX_ROWS, Projection, SEALED_ROWS,
    decode, decode_stats, encode_hot, encode_sealed, encode_stats, merge, seal,
};
use proptest::prelude::*;

use crate::rows::{FIELDS, build, content, crowded, regular, wild};

const DAY: i64 = 86_400_000_000;

proptest! {
    #[test]
    fn every_row_comes_back(given in prop_oneof![crowded(60), wild(60)]) {
        let rows = build(&given);
        for chunk in [encode_hot(&rows).unwrap(), encode_sealed(&rows).unwrap()] {
            let back = decode(&chunk.bytes, &Projection::all()).unwrap();
            prop_assert_eq!(content(&back), content(&rows));
            prop_assert_eq!(chunk.stats.samples, rows.sample_count());
            prop_assert_eq!(decode_stats(&encode_stats(&chunk.stats)).unwrap(), chunk.stats);
        }
    }

    #[test]
    fn cells_of_other_versions_come_back(a in crowded(40), b in crowded(40)) {
        let (rows, _) = merge(&[build(&a), build(&b)]);
        let chunk = encode_sealed(&rows).unwrap();
        prop_assert_eq!(content(&decode(&chunk.bytes, &Projection::all()).unwrap()), content(&rows));
    }

    #[test]
    fn a_projection_is_the_same_part_of_the_whole(
        given in crowded(60), pick in any::<u8>(), from in 0i64..6, span in 0i64..6, asset in 0u32..3
    ) {
        let rows = build(&given);
        let fields: Vec<u32> =
            FIELDS.iter().enumerate().filter(|(i, _)| pick >> i & 1 == 1).map(|(_, field)| field.0).collect();
        let projection = Projection::all().fields(&fields).between(from, from + span).assets(std::slice::from_ref(&asset));
        let kept: Vec<u32> = (0..rows.len())
            .filter(|row| rows.at[*row] >= from && rows.at[*row] < from + span && rows.asset[*row] == asset)
            .map(|row| row as u32)
            .collect();
        let mut expected = rows.select(&kept);
        expected.columns.retain(|column| fields.contains(&column.field));
        for chunk in [encode_hot(&rows).unwrap(), encode_sealed(&rows).unwrap()] {
            let part = decode(&chunk.bytes, &projection).unwrap();
            prop_assert_eq!(content(&part), content(&expected));
        }
    }
}

#[test]
fn a_damaged_column_does_not_stop_reading_another() {
    let rows = regular(1, 0, 500);
    let mut bytes = encode_sealed(&rows).unwrap().bytes;
    *bytes.last_mut().unwrap() ^= 0xff;
    assert!(matches!(decode(&bytes, &Projection::all()), Err(ChunkError::Corrupt(_))));
    let part = decode(&bytes, &Projection::all().fields(&[1])).unwrap();
    assert_eq!(part.columns.len(), 1);
    assert_eq!(part.len(), 500);
}

#[test]
fn sealing_splits_by_asset_day_and_size() {
    // Crosses midnight after 100 rows; the second day has 4,400 rows, a row a minute would not fit: 10 s steps.
    let mut builder = ChunkBuilder::new(&[(1, FieldType::Float)]);
    for asset in [3, 4] {
        for i in 0..4_500i64 {
            builder.push_row(asset, 20 * DAY - 1_000_000_000 + i * 10_000_000, 1, i as u64, 0, 0);
            builder.push_float(0, i as f64);
        }
    }
    let rows = builder.finish();
    let chunks = seal(&rows).unwrap();
    let shape: Vec<_> = chunks.iter().map(|chunk| (chunk.asset, chunk.day, chunk.stats.rows)).collect();
    assert_eq!(
        shape,
        [3, 4]
            .into_iter()
            .flat_map(|a| [(a, 19, 100), (a, 20, 1466), (a, 20, 1467), (a, 20, 1467)])
            .collect::<Vec<_>>()
    );
    for chunk in &chunks {
        assert!(chunk.stats.rows as usize <= SEALED_ROWS);
        assert_eq!(chunk.stats.from.div_euclid(DAY), chunk.stats.to.div_euclid(DAY));
        assert_eq!(ChunkHeader::read(&chunk.bytes).unwrap().kind, ChunkKind::Sealed);
    }
    let back: Vec<_> = chunks.iter().map(|chunk| decode(&chunk.bytes, &Projection::all()).unwrap()).collect();
    assert_eq!(content(&merge(&back).0), content(&rows));
}

#[test]
fn times_before_1970_belong_to_their_own_day() {
    let chunks = seal(&regular(1, -60_000_000, 2)).unwrap();
    assert_eq!(chunks.iter().map(|chunk| chunk.day).collect::<Vec<_>>(), [-1, 0]);
}

#[test]
fn unmerged_rows_are_not_sealed() {
    let rows = regular(1, 0, 3).select(&[0, 2, 1]);
    assert_eq!(seal(&rows).unwrap_err(), ChunkError::Unordered { row: 2 });
    assert_eq!(seal(&regular(1, 0, 3).select(&[0, 0])).unwrap_err(), ChunkError::Unordered { row: 1 });
}

#[test]
fn regular_rows_cost_nearly_nothing() {
    let rows = regular(1, 1_700_000_000_000_000, 1_000);
    let bytes = encode_sealed(&rows).unwrap().bytes.len();
    assert!(bytes < 2_000, "{bytes} bytes for 1,000 rows of a repeating float and a two-word text");
    let mut bare = rows;
    bare.columns.clear();
    let bytes = encode_sealed(&bare).unwrap().bytes.len();
    assert!(bytes < 60, "{bytes} bytes for the row columns of 1,000 regular rows");
}

#[test]
fn a_constant_column_costs_a_few_bytes() {
    let build = |fields: &[(u32, FieldType)]| {
        let mut builder = ChunkBuilder::new(fields);
        for i in 0..2_000 {
            builder.push_row(1, i * 1_000_000, 1, i as u64, 0, 0);
            for column in 0..fields.len() {
                builder.push_float(column, 518.67);
            }
        }
        encode_sealed(&builder.finish()).unwrap().bytes.len()
    };
    let one = build(&[(1, FieldType::Float)]);
    let two = build(&[(1, FieldType::Float), (2, FieldType::Float)]);
    assert!(two - one <= 24, "{} bytes", two - one);
}

#[test]
fn what_cannot_be_read_back_is_not_written() {
    let too_many = regular(1, 0, MAX_ROWS + 1);
    assert!(matches!(encode_hot(&too_many), Err(ChunkError::TooLarge { actual, .. }) if actual == MAX_ROWS + 1));
    let twice = ChunkBuilder::new(&[(1, FieldType::Int), (1, FieldType::Int)]).finish();
    assert_eq!(encode_hot(&twice).unwrap_err(), ChunkError::DuplicateField { field: 1 });
    let mut ragged = regular(1, 0, 3);
    ragged.columns[0].cells.pop();
    assert_eq!(encode_hot(&ragged).unwrap_err(), ChunkError::Ragged { field: 1, actual: 2, rows: 3 });
}

#[test]
fn a_dictionary_that_cannot_be_read_back_is_not_written() {
    let fields: Vec<_> = (0..60).map(|field| (field, FieldType::Text)).collect();
    let mut builder = ChunkBuilder::new(&fields);
    for i in 0..MAX_ROWS {
        builder.push_row(1, i as i64, 1, i as u64, 0, 0);
        builder.push_text(0, &i.to_string());
    }
    // One column of texts that never repeat fits; sixty do not.
    let rows = builder.finish();
    let chunk = encode_hot(&rows).unwrap();
    assert_eq!(decode(&chunk.bytes, &Projection::all().fields(&[0])).unwrap().len(), MAX_ROWS);
    let mut many = rows.clone();
    for column in 1..60 {
        many.columns[column].cells = rows.columns[0].cells.clone();
        many.columns[column].values = rows.columns[0].values.clone();
    }
    assert!(matches!(encode_hot(&many), Err(ChunkError::TooLarge { .. })));
}

#[test]
fn integers_above_two_to_the_53_stay_exact() {
    let mut builder = ChunkBuilder::new(&[(1, FieldType::Int)]);
    for i in 0..100 {
        builder.push_row(1, i, 1, i as u64, 0, 0);
        builder.push_int(0, (1 << 53) + 1 + i * 3 * i);
    }
    let rows = builder.finish();
    let chunk = encode_sealed(&rows).unwrap();
    assert_eq!(content(&decode(&chunk.bytes, &Projection::all()).unwrap()), content(&rows));
    let bounds = chunk.stats.column(1).unwrap().bounds;
    assert_eq!(bounds, Some(Bounds::Int { min: (1 << 53) + 1, max: (1 << 53) + 1 + 99 * 99 * 3 }));
}

#[test]
fn bounds_leave_nan_out_and_keep_infinity() {
    let mut builder = ChunkBuilder::new(&[(1, FieldType::Float), (2, FieldType::Float)]);
    for (i, value) in [f64::NAN, 3.0, f64::INFINITY, -1.5].into_iter().enumerate() {
        builder.push_row(1, i as i64, 1, 0, 0, 0);
        builder.push_float(0, value);
        builder.push_float(1, f64::NAN);
    }
    let stats = encode_hot(&builder.finish()).unwrap().stats;
    assert_eq!(stats.columns[0].bounds, Some(Bounds::Float { min: -1.5, max: f64::INFINITY }));
    assert_eq!(stats.columns[1].bounds, None);
    assert_eq!(stats.samples, 8);
}

#[test]
fn the_builder_keeps_the_later_cell_and_takes_new_fields() {
    let mut builder = ChunkBuilder::new(&[(1, FieldType::Int)]);
    builder.push_row(1, 1, 1, 1, 0, 0);
    builder.push_int(0, 1);
    builder.push_null(0);
    builder.push_row(1, 2, 1, 2, 0, 0);
    let added = builder.field(5, FieldType::Text);
    assert_eq!(builder.field(5, FieldType::Text), added);
    builder.push_text(added, "x");
    builder.push_null(0);
    builder.push_int(0, 9);
    let rows = builder.finish();
    assert_eq!(rows.columns[0].cells, [Cell::Null, Cell::Value]);
    assert_eq!(rows.columns[added].cells, [Cell::Absent, Cell::Value]);
    assert_eq!(rows.columns[0].number(1), Some(9.0));
}

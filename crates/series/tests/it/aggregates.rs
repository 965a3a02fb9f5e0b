//! Aggregates: against the plain computation, under any split, and against the reference sketch.

use clarity_series::{ACCURACY, Aggregate, ChunkBuilder, FieldType, Point, Rows, Sketch, flags, last_value, reduce};
use proptest::prelude::*;
use sketches_ddsketch::{Config, DDSketch};

fn rows(points: &[(i64, f64)]) -> Rows {
    let mut builder = ChunkBuilder::new(&[(1, FieldType::Float)]);
    for (seq, (at, value)) in points.iter().enumerate() {
        builder.push_row(1, *at, 1, seq as u64, 0, 0);
        builder.push_float(0, *value);
    }
    builder.finish()
}

fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![-1e6..1e6f64, Just(0.0), Just(-0.0), -1e-3..1e-3f64, (-100i32..100).prop_map(|v| f64::from(v) / 4.0)]
}

fn of(points: &[(i64, f64)]) -> Aggregate {
    let mut aggregate = Aggregate::new();
    points.iter().for_each(|(at, value)| aggregate.add(*at, *value));
    aggregate
}

proptest! {
    #[test]
    fn buckets_are_what_a_plain_loop_says(
        points in prop::collection::vec((-1_000i64..1_000, finite()), 0..200), from in -1_200i64..1_000,
        span in 0i64..2_000, step in 1i64..700
    ) {
        let to = from + span;
        let buckets = reduce(&rows(&points), 1, from, to, step);
        prop_assert!(buckets.windows(2).all(|pair| pair[0].start < pair[1].start));
        let mut seen = 0;
        for bucket in &buckets {
            let inside: Vec<(i64, f64)> = points.iter().copied()
                .filter(|(at, _)| *at >= bucket.start && *at < bucket.start + step && *at < to).collect();
            seen += inside.len();
            prop_assert_eq!((bucket.start - from) % step, 0);
            prop_assert_eq!(bucket.aggregate.count(), inside.len() as u64);
            let values: Vec<f64> = inside.iter().map(|p| p.1).collect();
            prop_assert_eq!(bucket.aggregate.min(), values.iter().copied().reduce(f64::min));
            prop_assert_eq!(bucket.aggregate.max(), values.iter().copied().reduce(f64::max));
            let sum: f64 = values.iter().sum();
            let scale: f64 = values.iter().map(|v| v.abs()).sum();
            prop_assert!((bucket.aggregate.sum() - sum).abs() <= scale * 1e-12);
            prop_assert_eq!(bucket.aggregate.first().map(|p| p.at), inside.iter().map(|p| p.0).min());
            prop_assert_eq!(bucket.aggregate.last().map(|p| p.at), inside.iter().map(|p| p.0).max());
        }
        prop_assert_eq!(seen, points.iter().filter(|(at, _)| *at >= from && *at < to).count());
    }

    #[test]
    fn any_split_merges_to_the_same(
        points in prop::collection::vec((0i64..100, finite()), 0..100), split in any::<prop::sample::Index>()
    ) {
        let (left, right) = points.split_at(split.index(points.len() + 1));
        let (left, right, whole) = (of(left), of(right), of(&points));
        for (a, b) in [(&left, &right), (&right, &left)] {
            let mut merged = a.clone();
            merged.merge(b);
            prop_assert_eq!(merged.count(), whole.count());
            prop_assert_eq!((merged.first(), merged.last()), (whole.first(), whole.last()));
            prop_assert_eq!((merged.min(), merged.max()), (whole.min(), whole.max()));
            prop_assert_eq!(merged.sketch(), whole.sketch());
            let scale: f64 = points.iter().map(|p| p.1.abs()).sum();
            prop_assert!((merged.sum() - whole.sum()).abs() <= scale * 1e-13);
        }
    }

    #[test]
    fn bytes_come_back(points in prop::collection::vec((any::<i64>(), prop_oneof![finite(), any::<f64>()]), 0..60)) {
        let aggregate = of(&points);
        let back = Aggregate::decode(&aggregate.encode()).unwrap();
        prop_assert_eq!(back.encode(), aggregate.encode());
        prop_assert_eq!(back.sketch(), aggregate.sketch());
        prop_assert_eq!(back.sum().to_bits(), aggregate.sum().to_bits());
        let mut sketch = Vec::new();
        aggregate.sketch().encode(&mut sketch);
        prop_assert_eq!(&Sketch::decode(&sketch).unwrap(), aggregate.sketch());
    }

    #[test]
    fn quantiles_are_within_one_per_cent(values in prop::collection::vec(finite(), 1..300), q in 0.0..=1.0f64) {
        let aggregate = of(&values.iter().map(|v| (0, *v)).collect::<Vec<_>>());
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let exact = sorted[(q * (values.len() - 1) as f64) as usize];
        let found = aggregate.quantile(q).unwrap();
        prop_assert!((found - exact).abs() <= exact.abs() * ACCURACY * 1.000_001 + 1e-9, "{found} for {exact}");

        let mut reference = DDSketch::new(Config::new(ACCURACY, 2048, 1e-9));
        values.iter().for_each(|value| reference.add(*value));
        let reference = reference.quantile(q).unwrap().unwrap();
        prop_assert!((found - reference).abs() <= exact.abs() * ACCURACY * 2.1 + 1e-9);
    }
}

#[test]
fn nan_and_infinity_are_counted_and_nothing_more() {
    let aggregate = of(&[(1, f64::NAN), (2, 2.0), (3, f64::INFINITY), (4, 4.0), (5, f64::NEG_INFINITY)]);
    assert_eq!((aggregate.count(), aggregate.nan_count(), aggregate.infinite_count()), (2, 1, 2));
    assert_eq!((aggregate.sum(), aggregate.mean()), (6.0, Some(3.0)));
    assert_eq!((aggregate.min(), aggregate.max()), (Some(2.0), Some(4.0)));
    assert_eq!(aggregate.last(), Some(Point { at: 4, value: 4.0 }));
    assert_eq!(Aggregate::decode(&aggregate.encode()).unwrap(), aggregate);
    let none = of(&[(1, f64::NAN)]);
    assert_eq!((none.mean(), none.quantile(0.5), none.is_empty()), (None, None, false));
}

#[test]
fn the_sum_does_not_drift() {
    let mut aggregate = Aggregate::new();
    aggregate.add(0, 1e16);
    (0..10_000).for_each(|at| aggregate.add(at, 1.0));
    aggregate.add(0, -1e16);
    assert_eq!(aggregate.sum(), 10_000.0);
}

#[test]
fn a_bucket_of_one_value_is_small() {
    let bytes = of(&[(1_700_000_000_000_000, 21.5)]).encode();
    assert!(bytes.len() <= 14, "{} bytes", bytes.len());
}

#[test]
fn more_magnitudes_than_bins_still_merge_alike() {
    let values: Vec<(i64, f64)> =
        (-290..300).flat_map(|e| (1..10).map(move |m| (0, f64::from(m) * 10f64.powi(e)))).collect();
    let (left, right) = values.split_at(values.len() / 3);
    let (left, mut right, whole) = (of(left), of(right), of(&values));
    right.merge(&left);
    assert_eq!(right.sketch(), whole.sketch());
    assert_eq!(whole.sketch().count(), values.len() as u64);
}

#[test]
fn integers_and_booleans_aggregate_and_text_does_not() {
    let fields = [(1, FieldType::Int), (2, FieldType::Bool), (3, FieldType::Text), (4, FieldType::Time)];
    let mut builder = ChunkBuilder::new(&fields);
    for i in 0..10 {
        builder.push_row(1, i, 1, i as u64, 0, 0);
        builder.push_int(0, i);
        builder.push_bool(1, i % 2 == 0);
        builder.push_text(2, "x");
        builder.push_time(3, i);
    }
    let rows = builder.finish();
    assert_eq!(reduce(&rows, 1, 0, 10, 10)[0].aggregate.sum(), 45.0);
    assert_eq!(reduce(&rows, 2, 0, 10, 10)[0].aggregate.mean(), Some(0.5));
    assert!(reduce(&rows, 3, 0, 10, 10).is_empty() && reduce(&rows, 4, 0, 10, 10).is_empty());
    assert!(reduce(&rows, 1, 0, 10, 0).is_empty());
}

#[test]
fn the_widest_range_has_no_overflow() {
    let rows = rows(&[(i64::MIN, 1.0), (0, 2.0), (i64::MAX - 1, 3.0)]);
    let buckets = reduce(&rows, 1, i64::MIN, i64::MAX, i64::MAX);
    assert_eq!(
        buckets.iter().map(|b| (b.start, b.aggregate.sum())).collect::<Vec<_>>(),
        [(i64::MIN, 1.0), (-1, 2.0), (i64::MAX - 1, 3.0)]
    );
}

#[test]
fn a_future_row_is_never_the_last_value() {
    let mut builder = ChunkBuilder::new(&[(1, FieldType::Float)]);
    for (at, flag) in [(5, 0), (9, 0), (100, flags::FUTURE)] {
        builder.push_row(1, at, 1, 0, flag, 0);
        builder.push_float(0, at as f64);
    }
    assert_eq!(last_value(&builder.finish(), 1), Some(Point { at: 9, value: 9.0 }));
}

//! Downsampling keeps what an eye must see.

use clarity_series::{ChunkBuilder, FieldType, Points, lttb, m4};
use proptest::prelude::*;

fn points(values: &[f64]) -> Points {
    Points { at: (0..values.len() as i64).map(|i| i * 1_000).collect(), value: values.to_vec() }
}

proptest! {
    #[test]
    fn m4_keeps_bounds_and_ends_of_every_bucket(
        values in prop::collection::vec(-1e6..1e6f64, 1..500), buckets in 1usize..40
    ) {
        let all = points(&values);
        let to = values.len() as i64 * 1_000;
        let drawn = m4(&all, 0, to, buckets);
        prop_assert!(drawn.len() <= buckets * 4);
        prop_assert!(drawn.at.windows(2).all(|pair| pair[0] < pair[1]));
        let low = |points: &Points| points.value.iter().copied().reduce(f64::min);
        let high = |points: &Points| points.value.iter().copied().reduce(f64::max);
        prop_assert_eq!(low(&drawn), low(&all));
        prop_assert_eq!(high(&drawn), high(&all));
        prop_assert_eq!((drawn.at[0], *drawn.at.last().unwrap()), (all.at[0], *all.at.last().unwrap()));
    }

    #[test]
    fn lttb_gives_the_asked_number_in_order(
        values in prop::collection::vec(-1e6..1e6f64, 0..300), target in 0usize..350
    ) {
        let all = points(&values);
        let drawn = lttb(&all, target);
        prop_assert_eq!(drawn.len(), target.min(values.len()));
        prop_assert!(drawn.at.windows(2).all(|pair| pair[0] < pair[1]));
    }
}

#[test]
fn one_spike_in_a_day_is_drawn() {
    let mut values = vec![20.0; 86_400];
    values[40_001] = 95.0;
    let drawn = m4(&points(&values), 0, 86_400_000, 600);
    assert!(drawn.value.contains(&95.0));
    assert!(drawn.len() <= 2_400);
    assert!(lttb(&points(&values), 600).value.contains(&95.0));
}

#[test]
fn only_the_asked_span_is_drawn() {
    let drawn = m4(&points(&[1.0; 100]), 10_000, 20_000, 100);
    assert_eq!((drawn.at[0], drawn.at[drawn.len() - 1], drawn.len()), (10_000, 19_000, 10));
}

#[test]
fn points_are_finite_and_by_time() {
    let mut builder = ChunkBuilder::new(&[(1, FieldType::Float)]);
    for (at, value) in [(3, 3.0), (1, 1.0), (2, f64::NAN)] {
        builder.push_row(1, at, 1, 0, 0, 0);
        builder.push_float(0, value);
    }
    builder.push_row(1, 4, 1, 0, 0, 0);
    builder.push_null(0);
    assert_eq!(Points::of(&builder.finish(), 1), Points { at: vec![1, 3], value: vec![1.0, 3.0] });
}

//! What a bench says of many measurements: the middle one, and between which values it would lie if they were taken again.

/// How often a bootstrap draws.
pub const DRAWS: usize = 1_000;

/// The middle one, of an even number the mean of the two in the middle; no number of none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// Between which two 95 % of what [`DRAWS`] draws gave lie.
pub fn interval(mut drawn: Vec<f64>) -> (f64, f64) {
    drawn.sort_by(f64::total_cmp);
    let tail = drawn.len() / 40;
    (drawn[tail], drawn[drawn.len() - 1 - tail])
}

/// Places that are drawn, always the same ones: the same measurements give the same answer.
#[derive(Debug)]
pub struct Draws(u64);

impl Default for Draws {
    fn default() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }
}

impl Draws {
    /// One of the first `count` places.
    pub fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_what_lies_around_it() {
        assert_eq!((median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0, 2.0, 3.0])), (2.0, 2.5));
        assert!(median(&[]).is_nan());
        assert_eq!(interval((0..DRAWS).rev().map(|n| n as f64).collect()), (25.0, 974.0));
        let drawn = |mut draws: Draws| -> Vec<usize> { (0..100).map(|_| draws.below(7)).collect() };
        assert_eq!(drawn(Draws::default()), drawn(Draws::default()));
        assert!((0..7).all(|place| drawn(Draws::default()).contains(&place)));
    }
}

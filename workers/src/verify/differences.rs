//! What differs, counted by place; the first of each place is told.

use std::collections::BTreeMap;

/// Differences by where they are.
#[derive(Clone, Debug, Default)]
pub struct Differences {
    by_place: BTreeMap<String, (u64, String)>,
}

impl Differences {
    pub fn add(&mut self, place: String, first: impl FnOnce() -> String) {
        self.by_place.entry(place).or_insert_with(|| (0, first())).0 += 1;
    }

    pub fn count(&self) -> u64 {
        self.by_place.values().map(|d| d.0).sum()
    }

    /// A line a place, at most a hundred.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .by_place
            .iter()
            .take(100)
            .map(|(place, (count, first))| format!("{place}: {count} differ; first: {first}"))
            .collect();
        if self.by_place.len() > 100 {
            lines.push(format!("and {} more places", self.by_place.len() - 100));
        }
        lines
    }
}

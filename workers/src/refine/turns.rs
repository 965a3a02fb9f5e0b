//! Whose turn it is. Sources that have news wait by workspace, and the workspace that was served longest ago comes first: one
//! with a hundred sources and a day's backlog on each takes as many turns as one with a single change, while both wait.
//!
//! Turns are bounded in time ([`super::source::SourceRefiner::turn`]), and one workspace never has all places while another
//! waits, so nobody waits longer than a turn for each workspace before them.

use clarity_domain::ids::WorkspaceId;
use std::collections::HashMap;

#[derive(Debug, Default)]
pub struct Turns {
    given: u64,
    of: HashMap<WorkspaceId, Served>,
}

#[derive(Debug, Default)]
struct Served {
    running: usize,
    /// The number of its last turn; 0: never.
    last: u64,
}

impl Turns {
    /// Which of those that wait goes next, by its index; `None` when nobody waits.
    pub fn next(&self, waiting: &[WorkspaceId]) -> Option<usize> {
        let order = |workspace: &WorkspaceId| self.of.get(workspace).map_or((0, 0), |s| (s.running, s.last));
        (0..waiting.len()).min_by_key(|index| order(&waiting[*index]))
    }

    pub fn begin(&mut self, workspace: WorkspaceId) {
        self.given += 1;
        let served = self.of.entry(workspace).or_default();
        served.running += 1;
        served.last = self.given;
    }

    pub fn end(&mut self, workspace: WorkspaceId) {
        if let Some(served) = self.of.get_mut(&workspace) {
            served.running = served.running.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn workspace(n: u128) -> WorkspaceId {
        WorkspaceId(Uuid::from_u128(n))
    }

    /// One place, and each workspace has so many sources that never run dry: who is served, in order.
    fn served(sources: &[(u128, usize)], turns: usize) -> Vec<u128> {
        let waiting: Vec<WorkspaceId> =
            sources.iter().flat_map(|(n, count)| std::iter::repeat_n(workspace(*n), *count)).collect();
        let mut all = Turns::default();
        let mut order = Vec::new();
        for _ in 0..turns {
            let next = waiting[all.next(&waiting).unwrap()];
            all.begin(next);
            all.end(next);
            order.push(next.0.as_u128());
        }
        order
    }

    #[test]
    fn workspaces_take_turns_however_many_sources_each_has() {
        assert_eq!(served(&[(1, 100), (2, 1), (3, 5)], 7), [1, 2, 3, 1, 2, 3, 1]);
        assert_eq!(served(&[(1, 3)], 3), [1, 1, 1], "alone it has them all");
        assert_eq!(Turns::default().next(&[]), None);
    }

    #[test]
    fn who_has_no_place_comes_before_who_has_one() {
        let mut all = Turns::default();
        let (noisy, quiet) = (workspace(1), workspace(2));
        all.begin(quiet);
        all.end(quiet);
        all.begin(noisy);
        // The quiet one was served a moment ago, but the noisy one is being served.
        assert_eq!(all.next(&[noisy, quiet]), Some(1));
        all.begin(quiet);
        all.end(noisy);
        assert_eq!(all.next(&[quiet, noisy]), Some(1));
    }
}

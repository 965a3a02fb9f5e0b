//! A fair share of the connections: how many transactions of one workspace are at work at once.
//!
//! Whoever asks for more stands in the line of their own workspace, and comes to the pool when it is their turn. So however
//! much one workspace asks for, the next connection that is given back goes to whoever of another one asks. An ordinary
//! transaction pays a look into a map for it.
//!
//! A pool that is also there for whoever is in no workspace yet, who signs in or whose session is looked up, keeps some of
//! its connections for them: all workspaces together never have those.

use crate::error::StoreError;
use clarity_domain::ids::WorkspaceId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// A workspace has one in so many of the pool's connections at a time.
const PART: u32 = 2;
/// Of a small pool: one that reads and one that writes.
const LEAST: u32 = 2;
/// Of a pool that others use as well, one connection in so many is never a workspace's.
const KEPT: u32 = 4;
/// Who waited so long is told that the workspace is busy.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Workspaces that are remembered at a time, before those of which nothing is at work are forgotten.
const REMEMBERED: usize = 10_000;

/// The lines of all workspaces before one pool.
#[derive(Clone, Debug)]
pub(crate) struct Shares {
    at_once: usize,
    /// Places of all workspaces together, where some connections are kept from them.
    together: Option<Arc<Semaphore>>,
    longest_wait: Duration,
    lines: Arc<Mutex<HashMap<WorkspaceId, Arc<Semaphore>>>>,
}

/// A place among the transactions of a workspace, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _own: OwnedSemaphorePermit,
    _together: Option<OwnedSemaphorePermit>,
}

impl Shares {
    /// Before a pool of so many connections.
    pub(crate) fn of_pool(connections: u32) -> Self {
        let at_once = places((connections / PART).max(LEAST));
        Self { at_once, together: None, longest_wait: LONGEST_WAIT, lines: Arc::default() }
    }

    /// Before a pool of so many that is there for others as well: some of them no workspace has. One of a single connection
    /// has none to keep.
    pub(crate) fn keeping_some(connections: u32) -> Self {
        let kept = (connections / KEPT).max(1);
        let together = places(connections.saturating_sub(kept).max(1));
        let whole = Self::of_pool(connections);
        Self { at_once: whole.at_once.min(together), together: Some(Arc::new(Semaphore::new(together))), ..whole }
    }

    /// A place among the transactions of the workspace.
    ///
    /// # Errors
    /// `Busy` when there was none for long; `Unavailable` when other workspaces had all there are together.
    pub(crate) async fn turn(&self, workspace: WorkspaceId) -> Result<Turn, StoreError> {
        let own = self.place(self.line(workspace)).await.ok_or(StoreError::Busy)?;
        let together = match &self.together {
            None => None,
            Some(all) => {
                let place = self.place(Arc::clone(all)).await;
                Some(place.ok_or_else(|| StoreError::Unavailable("connection".into()))?)
            }
        };
        Ok(Turn { _own: own, _together: together })
    }

    /// `None` when it was waited for too long.
    async fn place(&self, line: Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        // Nobody overtakes: while others wait there is no place to be had like this.
        if let Ok(place) = Arc::clone(&line).try_acquire_owned() {
            return Some(place);
        }
        // A line is never closed.
        timeout(self.longest_wait, line.acquire_owned()).await.ok()?.ok()
    }

    fn line(&self, workspace: WorkspaceId) -> Arc<Semaphore> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= REMEMBERED && !lines.contains_key(&workspace) {
            // Whoever is at work or waits holds its line.
            lines.retain(|_, line| Arc::strong_count(line) > 1);
        }
        Arc::clone(lines.entry(workspace).or_insert_with(|| Arc::new(Semaphore::new(self.at_once))))
    }
}

fn places(connections: u32) -> usize {
    usize::try_from(connections).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(workspace: u128) -> WorkspaceId {
        WorkspaceId(Uuid::from_u128(workspace))
    }

    fn hasty(connections: u32) -> Shares {
        Shares { longest_wait: Duration::from_millis(10), ..Shares::of_pool(connections) }
    }

    #[test]
    fn a_workspace_has_half_of_the_connections() {
        for (connections, at_once) in [(16, 8), (6, 3), (4, 2), (1, 2)] {
            assert_eq!(Shares::of_pool(connections).at_once, at_once, "{connections}");
        }
    }

    #[tokio::test]
    async fn who_asks_for_more_waits_for_themselves_alone() {
        let shares = hasty(4);
        let mut held = vec![shares.turn(id(1)).await.unwrap(), shares.turn(id(1)).await.unwrap()];
        assert!(matches!(shares.turn(id(1)).await, Err(StoreError::Busy)));
        let _neighbour = shares.turn(id(2)).await.unwrap();
        drop(held.pop());
        held.push(shares.turn(id(1)).await.unwrap());
        assert!(shares.turn(id(1)).await.is_err(), "who gave up has left no place behind");
    }

    #[test]
    fn what_is_kept_is_no_workspaces() {
        for (connections, at_once, together) in [(16, 8, 12), (8, 4, 6), (4, 2, 3), (2, 1, 1), (1, 1, 1)] {
            let shares = Shares::keeping_some(connections);
            let places = shares.together.map(|all| all.available_permits());
            assert_eq!((shares.at_once, places), (at_once, Some(together)), "{connections}");
        }
    }

    #[tokio::test]
    async fn all_workspaces_together_leave_what_is_kept() {
        let shares = Shares { longest_wait: Duration::from_millis(10), ..Shares::keeping_some(4) };
        let first = [shares.turn(id(1)).await.unwrap(), shares.turn(id(1)).await.unwrap()];
        let _second = shares.turn(id(2)).await.unwrap();
        // It is not the third one's fault.
        assert!(matches!(shares.turn(id(3)).await, Err(StoreError::Unavailable(_))));
        drop(first);
        let _third = [shares.turn(id(3)).await.unwrap(), shares.turn(id(3)).await.unwrap()];
    }

    #[tokio::test]
    async fn workspaces_of_which_nothing_is_at_work_are_forgotten() {
        let shares = hasty(4);
        let held = shares.turn(id(0)).await.unwrap();
        let second = shares.turn(id(0)).await.unwrap();
        for workspace in 1..=REMEMBERED as u128 {
            drop(shares.turn(id(workspace)).await.unwrap());
        }
        assert!(shares.lines.lock().unwrap().len() < REMEMBERED);
        assert!(shares.turn(id(0)).await.is_err(), "one that is at work is remembered");
        drop((held, second));
    }
}

//! A fair share of the connections: how many transactions of one workspace are at work at once.
//!
//! Whoever asks for more stands in the line of their own workspace, and comes to the pool when it is their turn. So however
//! much one workspace asks for, the next connection that is given back goes to whoever of another one asks. An ordinary
//! transaction pays a look into a map for it.

use crate::error::StoreError;
use crate::scope::WorkspaceScope;
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
/// Who waited so long is told that the workspace is busy.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Workspaces that are remembered at a time, before those of which nothing is at work are forgotten.
const REMEMBERED: usize = 10_000;

/// The lines of all workspaces before one pool.
#[derive(Clone, Debug)]
pub(crate) struct Shares {
    at_once: usize,
    longest_wait: Duration,
    lines: Arc<Mutex<HashMap<WorkspaceId, Arc<Semaphore>>>>,
}

impl Shares {
    /// Before a pool of so many connections.
    pub(crate) fn of_pool(connections: u32) -> Self {
        let at_once = usize::try_from((connections / PART).max(LEAST)).unwrap_or(usize::MAX);
        Self { at_once, longest_wait: LONGEST_WAIT, lines: Arc::default() }
    }

    /// A place among the transactions of the scope's workspace, until it is dropped.
    ///
    /// # Errors
    /// `Busy` when there was none for long.
    pub(crate) async fn turn(&self, scope: &WorkspaceScope) -> Result<OwnedSemaphorePermit, StoreError> {
        let line = self.line(scope);
        // Nobody overtakes: while others wait there is no place to be had like this.
        if let Ok(turn) = Arc::clone(&line).try_acquire_owned() {
            return Ok(turn);
        }
        match timeout(self.longest_wait, line.acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            // Too long; a line is never closed.
            Ok(Err(_)) | Err(_) => Err(StoreError::Busy),
        }
    }

    fn line(&self, scope: &WorkspaceScope) -> Arc<Semaphore> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= REMEMBERED && !lines.contains_key(&scope.workspace_id()) {
            // Whoever is at work or waits holds its line.
            lines.retain(|_, line| Arc::strong_count(line) > 1);
        }
        Arc::clone(lines.entry(scope.workspace_id()).or_insert_with(|| Arc::new(Semaphore::new(self.at_once))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::Principal;
    use uuid::Uuid;

    fn scope(workspace: u128) -> WorkspaceScope {
        WorkspaceScope::new(WorkspaceId(Uuid::from_u128(workspace)), Principal::Worker)
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
        let mut held = vec![shares.turn(&scope(1)).await.unwrap(), shares.turn(&scope(1)).await.unwrap()];
        assert!(matches!(shares.turn(&scope(1)).await, Err(StoreError::Busy)));
        let _neighbour = shares.turn(&scope(2)).await.unwrap();
        drop(held.pop());
        held.push(shares.turn(&scope(1)).await.unwrap());
        assert!(shares.turn(&scope(1)).await.is_err(), "who gave up has left no place behind");
    }

    #[tokio::test]
    async fn workspaces_of_which_nothing_is_at_work_are_forgotten() {
        let shares = hasty(4);
        let held = shares.turn(&scope(0)).await.unwrap();
        let second = shares.turn(&scope(0)).await.unwrap();
        for workspace in 1..=REMEMBERED as u128 {
            drop(shares.turn(&scope(workspace)).await.unwrap());
        }
        assert!(shares.lines.lock().unwrap().len() < REMEMBERED);
        assert!(shares.turn(&scope(0)).await.is_err(), "one that is at work is remembered");
        drop((held, second));
    }
}

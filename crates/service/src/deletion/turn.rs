//! Whose turn it is to export: few at a time on a server, since each keeps a connection, and of a workspace one, so that nobody
//! takes all places.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::WorkspaceId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Whole workspaces that are exported at the same time.
const PLACES: usize = 2;

/// The places of this server.
#[derive(Clone)]
pub(crate) struct Exports {
    places: Arc<Semaphore>,
    under_way: Arc<Mutex<HashSet<WorkspaceId>>>,
}

/// A place, given back when it is dropped.
pub(crate) struct Turn {
    exports: Exports,
    workspace: WorkspaceId,
    _place: OwnedSemaphorePermit,
}

impl Default for Exports {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(PLACES)), under_way: Arc::default() }
    }
}

impl Exports {
    /// # Errors
    /// `RateLimited` while this workspace's own is under way, or no place is free.
    pub(crate) fn take(&self, workspace: WorkspaceId) -> Result<Turn, AppError> {
        let refused = |message: &str| AppError::new(ErrorCode::RateLimited, message);
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if under_way.contains(&workspace) {
            return Err(refused("An export of this workspace is under way. Try again when it has ended."));
        }
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| refused("Other exports are under way. Try again in a few minutes."))?;
        under_way.insert(workspace);
        drop(under_way);
        Ok(Turn { exports: self.clone(), workspace, _place: place })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.exports.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.workspace);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_workspace_has_one_place_and_leaves_the_other() {
        let exports = Exports::default();
        let [one, two, three] = [1, 2, 3].map(|n| WorkspaceId(Uuid::from_u128(n)));
        let first = exports.take(one).ok();
        assert!(first.is_some());
        assert_eq!(exports.take(one).err().map(|error| error.code), Some(ErrorCode::RateLimited));
        let second = exports.take(two).ok();
        assert!(second.is_some() && exports.take(three).is_err(), "no place is left");
        drop(first);
        assert!(exports.take(three).is_ok());
        assert!(exports.take(one).is_ok(), "what was refused kept nothing");
    }
}

//! What every role of this process shares.

use clarity_runtime::database::DbLogin;
use clarity_store::{SystemStore, WorkerStore};
use uuid::Uuid;

/// Handles for the roles that work on claimed sources: refine, rollup, compact, retain.
#[derive(Clone, Debug)]
pub struct WorkerContext {
    pub worker: WorkerStore,
    pub system: SystemStore,
    /// This process, as holder of leases.
    pub holder: Uuid,
    /// For LISTEN: a connection of its own as `clarity_system`.
    pub listener: DbLogin,
}

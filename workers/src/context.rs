//! What every role of this process shares.

use clarity_runtime::database::{DbLogin, DbRole};
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

/// Connections of the roles together: each works on a few sources at a time.
const CONNECTIONS: u32 = 16;

impl WorkerContext {
    /// As the environment says, with a holder of its own.
    pub async fn from_env() -> anyhow::Result<Self> {
        let (holder, login) = (Uuid::now_v7(), DbLogin::from_env(DbRole::System)?);
        Ok(Self {
            worker: WorkerStore::from_env(CONNECTIONS).await?,
            system: SystemStore::connect_as(holder, &login, 4).await?,
            holder,
            listener: login,
        })
    }
}

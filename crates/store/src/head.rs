//! Heads: how far each source's bronze reaches, and the wake-up call when one moves.

use crate::address;
use crate::error::StoreError;
use crate::scope::{Principal, WorkspaceScope};
use crate::tx::SystemTx;
use crate::{Result, SystemStore};
use clarity_domain::ids::{SourceId, WorkspaceId};
use clarity_runtime::database::DbLogin;
use sqlx::postgres::{PgListener, PgPoolOptions};

/// A source that has a head, with the right to work for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub scope: WorkspaceScope,
    pub source_id: SourceId,
    pub partition: i32,
    pub epoch: i32,
    pub next_seq: i64,
}

/// The heads of these partitions.
///
/// # Crosses workspaces
/// A worker that leases a partition works for every workspace with a source in it; ids and sequences only.
pub async fn list(tx: &mut SystemTx, partitions: &[i32]) -> Result<Vec<Head>> {
    let rows = sqlx::query!(
        "select source_id, workspace_id, partition, epoch, next_seq
         from ops.source_heads
         where partition = any($1)",
        partitions
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Head {
            scope: WorkspaceScope::new(WorkspaceId(r.workspace_id), Principal::Worker),
            source_id: SourceId(r.source_id),
            partition: r.partition,
            epoch: r.epoch,
            next_seq: r.next_seq,
        })
        .collect())
}

/// The heads of one workspace, by its slug: for commands that an operator runs on the platform's machine.
///
/// # Crosses workspaces
/// The command names the workspace; nothing else of it is read here.
pub async fn list_of_workspace(tx: &mut SystemTx, slug: &str) -> Result<(WorkspaceScope, Vec<Head>)> {
    let workspace = sqlx::query_scalar!("select auth.workspace_by_slug($1)", slug)
        .fetch_one(tx.conn())
        .await?
        .ok_or(StoreError::NotFound)?;
    let scope = WorkspaceScope::new(WorkspaceId(workspace), Principal::Worker);
    let rows = sqlx::query!(
        "select source_id, partition, epoch, next_seq from ops.source_heads where workspace_id = $1 order by source_id",
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    let heads = rows
        .into_iter()
        .map(|r| Head {
            scope: scope.clone(),
            source_id: SourceId(r.source_id),
            partition: r.partition,
            epoch: r.epoch,
            next_seq: r.next_seq,
        })
        .collect();
    Ok((scope, heads))
}

/// Hears when a head moves.
pub struct HeadListener(PgListener);

impl SystemStore {
    /// Opens a connection of its own for listening.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn listen_heads(login: &DbLogin) -> Result<HeadListener> {
        let options = address::of(login)?.application_name("clarity heads");
        let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen("clarity_heads").await?;
        Ok(HeadListener(listener))
    }
}

impl HeadListener {
    /// Waits for a head to move; gives its partition. `None` after a lost connection: then anything may have moved.
    ///
    /// # Errors
    /// When the database stays away.
    pub async fn next(&mut self) -> Result<Option<i32>> {
        let heard = self.0.try_recv().await?;
        Ok(heard.and_then(|n| n.payload().parse().ok()))
    }
}

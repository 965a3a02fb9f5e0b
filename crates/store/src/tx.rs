//! Transactions: the only thing a query runs in.

use crate::error::StoreError;
use crate::scope::WorkspaceScope;
use sqlx::{PgConnection, PgPool, Postgres, SqlSafeStr, Transaction};
use uuid::Uuid;

/// Begins a transaction, so that a caller who goes away meanwhile leaves none open. sqlx notes a transaction when the
/// database has answered `begin`: dropped before, it would give the pool a connection that is inside one, and the next
/// caller's transaction, of any workspace, would go on in it. So whoever waits for the answer is never dropped.
pub(crate) async fn begin(
    pool: &PgPool,
    statement: Option<&'static str>,
) -> Result<Transaction<'static, Postgres>, StoreError> {
    let connection = pool.acquire().await?;
    let begun = tokio::spawn(Transaction::begin(connection, statement.map(SqlSafeStr::into_sql_str)));
    Ok(begun.await.map_err(|_| StoreError::Unavailable("begin".into()))??)
}

/// A transaction inside one workspace. Dropped without [`Self::commit`], it is rolled back.
pub struct WorkspaceTx {
    tx: Transaction<'static, Postgres>,
    scope: WorkspaceScope,
}

impl WorkspaceTx {
    /// Its first statement says in which workspace and with which rank; both end with the transaction.
    pub(crate) async fn begin(pool: &PgPool, scope: &WorkspaceScope, read_only: bool) -> Result<Self, StoreError> {
        let statement = read_only.then_some("begin isolation level repeatable read, read only");
        let mut tx = begin(pool, statement).await?;
        sqlx::query("select set_config('app.workspace_id', $1, true), set_config('app.rank', $2, true)")
            .bind(scope.workspace_id().to_string())
            .bind(scope.rank().to_string())
            .execute(&mut *tx)
            .await?;
        Ok(Self { tx, scope: scope.clone() })
    }

    pub fn scope(&self) -> &WorkspaceScope {
        &self.scope
    }

    /// For the `workspace_id = $1` that every query says beside the policy: the planner needs it.
    pub(crate) fn workspace(&self) -> Uuid {
        self.scope.workspace_id().0
    }

    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.tx.commit().await?)
    }

    /// Commits without waiting for the disk: for what will be said again. A crash of the database may take the last
    /// second of it.
    pub async fn commit_unsynced(mut self) -> Result<(), StoreError> {
        sqlx::query("set local synchronous_commit = off").execute(&mut *self.tx).await?;
        self.commit().await
    }

    pub async fn rollback(self) -> Result<(), StoreError> {
        Ok(self.tx.rollback().await?)
    }
}

/// A transaction in schema `auth`, before a workspace is known.
pub struct AuthTx {
    pub(crate) tx: Transaction<'static, Postgres>,
}

impl AuthTx {
    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.tx.commit().await?)
    }
}

/// A transaction in schema `ops`: ids and numbers of all workspaces, no tenant rows. Each function that takes one has a
/// heading "Crosses workspaces" that says why.
pub struct SystemTx {
    pub(crate) tx: Transaction<'static, Postgres>,
}

impl SystemTx {
    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.tx.commit().await?)
    }
}

//! Transactions: what every query of a workspace runs in. The few statements outside one (who is there, a word to the
//! workers, whether the database answers) touch no tenant row and are transactions by themselves.

use crate::error::StoreError;
use crate::scope::{OpsScope, WorkspaceScope};
use crate::share::Turn;
use clarity_runtime::planted::planted;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, SqlSafeStr, SqlStr, Transaction};
use uuid::Uuid;

/// Begins a transaction, so that a caller who goes away meanwhile leaves none open. sqlx notes a transaction when the
/// database has answered `begin`: dropped before, it would give the pool a connection that is inside one, and the next
/// caller's transaction, of any workspace, would go on in it. So whoever waits for the answer is never dropped.
pub(crate) async fn begin(
    pool: &PgPool,
    statement: Option<SqlStr>,
) -> Result<Transaction<'static, Postgres>, StoreError> {
    let connection = pool.acquire().await?;
    let begun = tokio::spawn(Transaction::begin(connection, statement));
    Ok(begun.await.map_err(|_| StoreError::Unavailable("begin".into()))??)
}

/// A transaction inside one workspace. Dropped without [`Self::commit`], it is rolled back.
pub struct WorkspaceTx {
    tx: Transaction<'static, Postgres>,
    scope: WorkspaceScope,
    read_only: bool,
    /// Its place among those of its workspace, where they are counted; given back with it.
    _turn: Option<Turn>,
}

impl WorkspaceTx {
    /// Its first statements say in which workspace, with which rank and of which sites; all end with the transaction.
    pub(crate) async fn begin(pool: &PgPool, scope: &WorkspaceScope, read_only: bool) -> Result<Self, StoreError> {
        let mode = if read_only { " isolation level repeatable read, read only" } else { "" };
        // One round trip. All values are typed (UUIDs, a number, a star): nothing in this text came from outside.
        let every = planted("every-site-for-everybody");
        let sites = if every { "*".to_owned() } else { scope.sites().setting() };
        let (workspace, rank): (Uuid, i32) = (scope.workspace_id().0, scope.rank());
        let statement = format!(
            "begin{mode}; set local app.workspace_id = '{workspace}'; set local app.rank = '{rank}'; set local app.sites = '{sites}'"
        );
        let tx = begin(pool, Some(AssertSqlSafe(statement).into_sql_str())).await?;
        Ok(Self { tx, scope: scope.clone(), read_only, _turn: None })
    }

    /// The same, holding its place among those of its workspace.
    pub(crate) fn in_turn(self, turn: Turn) -> Self {
        Self { _turn: Some(turn), ..self }
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

    /// Ends it. One that only reads has nothing to wait for: it is rolled back behind the caller, and its connection is
    /// nobody's until the database has answered that.
    pub async fn commit(self) -> Result<(), StoreError> {
        if self.read_only {
            return Ok(());
        }
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

/// A transaction in schema `auth`: before a workspace is known, or of a workspace whose transactions there are counted.
pub struct AuthTx {
    tx: Transaction<'static, Postgres>,
    /// Its place among those of its workspace, where it is about one; given back with it.
    _turn: Option<Turn>,
}

impl AuthTx {
    pub(crate) async fn begin(pool: &PgPool, turn: Option<Turn>) -> Result<Self, StoreError> {
        Ok(Self { tx: begin(pool, None).await?, _turn: turn })
    }

    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.tx.commit().await?)
    }
}

/// A transaction of one of our own people about one workspace. What it shows of the workspace, the database decides with each
/// statement: nothing without a live grant.
pub struct OpsTx {
    tx: Transaction<'static, Postgres>,
    workspace: Uuid,
    user: Uuid,
}

impl OpsTx {
    /// Read committed: a grant that is ended meanwhile shows nothing to the next statement.
    pub(crate) async fn begin(pool: &PgPool, scope: &OpsScope) -> Result<Self, StoreError> {
        let (workspace, user): (Uuid, Uuid) = (scope.workspace_id().0, scope.user_id().0);
        // One round trip. Both values are UUIDs: nothing in this text came from outside.
        let statement = format!("begin; set local app.workspace_id = '{workspace}'; set local app.ops_user = '{user}'");
        let tx = begin(pool, Some(AssertSqlSafe(statement).into_sql_str())).await?;
        Ok(Self { tx, workspace, user })
    }

    pub(crate) fn workspace(&self) -> Uuid {
        self.workspace
    }

    pub(crate) fn user(&self) -> Uuid {
        self.user
    }

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

#[cfg(test)]
// Helpers of tests fail by panicking, as tests do.
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::scope::{Principal, Sites};
    use crate::{AppStore, OpsStore};
    use clarity_domain::ids::{OpsUserId, SiteId, UserId, WorkspaceId};
    use clarity_domain::role::Role;
    use clarity_runtime::database::{DbLogin, DbRole};
    use clarity_runtime::secret::Secret;
    use clarity_testkit::TestDb;
    use std::future::{Future as _, poll_fn};
    use std::task::Poll;

    /// Workspace, rank, sites, isolation and process of a connection.
    type Settings = (Option<String>, Option<String>, Option<String>, String, i32);
    const SETTINGS: &str = "select current_setting('app.workspace_id', true), current_setting('app.rank', true),
                                   current_setting('app.sites', true), current_setting('transaction_isolation'),
                                   pg_backend_pid()";

    /// A viewer is limited to two sites, an owner to none.
    fn scope(role: Role) -> WorkspaceScope {
        let principal = Principal::Member { user_id: UserId(Uuid::now_v7()), role };
        let two = || vec![SiteId(Uuid::now_v7()), SiteId(Uuid::now_v7())];
        let sites = Sites::of((role == Role::Viewer).then(two));
        WorkspaceScope::new(WorkspaceId(Uuid::now_v7()), principal).limited(sites)
    }

    /// A store of the app's role whose every transaction runs on the same connection.
    async fn one_connection() -> (TestDb, AppStore) {
        connections(1).await
    }

    async fn connections(count: u32) -> (TestDb, AppStore) {
        let db = TestDb::new().await;
        let password = Secret::new(db.cluster().password());
        let login = DbLogin { role: DbRole::App, url: db.url(DbRole::App.name()), password };
        let store = AppStore::connect(&login, count).await.unwrap();
        (db, store)
    }

    async fn inside(tx: &mut WorkspaceTx) -> Settings {
        sqlx::query_as(SETTINGS).fetch_one(tx.conn()).await.unwrap()
    }

    /// However a transaction ends, the next one on its connection is in its own workspace, and without one in none.
    #[tokio::test]
    async fn nothing_of_a_scope_stays_on_a_connection() {
        let (_db, store) = one_connection().await;
        let (_, _, _, _, process): Settings = sqlx::query_as(SETTINGS).fetch_one(&store.pool).await.unwrap();
        for end in ["commit", "rollback", "drop", "fail", "cancel"] {
            for read_only in [true, false] {
                let scope = scope(if read_only { Role::Viewer } else { Role::Owner });
                let mut tx = WorkspaceTx::begin(&store.pool, &scope, read_only).await.unwrap();
                let (workspace, rank, sites, isolation, _) = inside(&mut tx).await;
                assert_eq!(workspace, Some(scope.workspace_id().to_string()));
                assert_eq!(rank, Some(scope.rank().to_string()));
                assert_eq!(sites, Some(scope.sites().setting()));
                assert_eq!(isolation, if read_only { "repeatable read" } else { "read committed" });
                match end {
                    "commit" => tx.commit().await.unwrap(),
                    "rollback" => tx.rollback().await.unwrap(),
                    "fail" => {
                        assert!(sqlx::query("select 1 / 0").execute(tx.conn()).await.is_err());
                        drop(tx);
                    }
                    "cancel" => {
                        let slow = sqlx::query("select pg_sleep(0.2)").execute(tx.conn());
                        let stopped = tokio::time::timeout(std::time::Duration::from_millis(20), slow).await;
                        assert!(stopped.is_err(), "it still runs");
                        drop(tx);
                    }
                    _ => drop(tx),
                }
                let (workspace, rank, sites, isolation, same): Settings =
                    sqlx::query_as(SETTINGS).fetch_one(&store.pool).await.unwrap();
                assert_eq!(same, process, "after {end} the connection is used again");
                assert_eq!(isolation, "read committed", "after {end} no transaction is open");
                for left in [workspace, rank, sites] {
                    assert_eq!(left.unwrap_or_default(), "", "after {end}, read only: {read_only}");
                }
            }
        }
    }

    #[tokio::test]
    async fn nothing_of_our_own_people_stays_on_a_connection() {
        const SETTINGS: &str =
            "select current_setting('app.workspace_id', true), current_setting('app.ops_user', true)";
        type Settings = (Option<String>, Option<String>);
        let db = TestDb::new().await;
        let password = Secret::new(db.cluster().password());
        let login = DbLogin { role: DbRole::Ops, url: db.url(DbRole::Ops.name()), password };
        let store = OpsStore::connect(&login, 1).await.unwrap();
        for commits in [true, false] {
            let scope = OpsScope::new(WorkspaceId(Uuid::now_v7()), OpsUserId(Uuid::now_v7()));
            let mut tx = store.begin(&scope).await.unwrap();
            let (workspace, user): Settings = sqlx::query_as(SETTINGS).fetch_one(tx.conn()).await.unwrap();
            assert_eq!(workspace, Some(scope.workspace_id().to_string()));
            assert_eq!(user, Some(scope.user_id().to_string()));
            if commits {
                tx.commit().await.unwrap();
            } else {
                drop(tx);
            }
            let (workspace, user): Settings = sqlx::query_as(SETTINGS).fetch_one(&store.pool).await.unwrap();
            assert_eq!((workspace.unwrap_or_default(), user.unwrap_or_default()), Default::default(), "{commits}");
        }
    }

    /// A request that ends while its transaction begins leaves nothing open, at whatever moment it ends.
    #[tokio::test]
    async fn a_begin_that_is_given_up_leaves_no_transaction() {
        let (_db, store) = one_connection().await;
        let mut given_up = 0;
        for n in 0..200 {
            let scope = scope(Role::Viewer);
            let mut beginning = Box::pin(WorkspaceTx::begin(&store.pool, &scope, true));
            let mut polls = 0;
            let given = poll_fn(|task| {
                polls += 1;
                match beginning.as_mut().poll(task) {
                    Poll::Pending if polls <= n % 12 => Poll::Pending,
                    polled => Poll::Ready(polled.is_pending()),
                }
            });
            given_up += u32::from(given.await);
            drop(beginning);
            let (workspace, rank, sites, isolation, _): Settings =
                sqlx::query_as(SETTINGS).fetch_one(&store.pool).await.unwrap();
            for left in [workspace, rank, sites] {
                assert_eq!(left.unwrap_or_default(), "", "try {n}");
            }
            assert_eq!(isolation, "read committed", "try {n}");
        }
        assert!((20..180).contains(&given_up), "{given_up} were given up");
    }

    /// However many transactions of one workspace are asked for, another's begin at once.
    #[tokio::test]
    async fn a_workspace_that_asks_for_all_connections_waits_for_itself() {
        let (_db, store) = connections(4).await;
        let (flood, neighbour) = (scope(Role::Owner), scope(Role::Viewer));
        let slow = [store.begin(&flood).await.unwrap(), store.begin_read(&flood).await.unwrap()];
        let mut waiting: Vec<_> = (0..50).map(|_| Box::pin(store.begin(&flood))).collect();
        for one in &mut waiting {
            assert!(poll_fn(|task| Poll::Ready(one.as_mut().poll(task).is_pending())).await);
        }
        // All fifty asked before, and would be served before, if they stood in the pool's line.
        let mut others = Vec::new();
        for _ in 0..2 {
            let mut tx = store.begin(&neighbour).await.unwrap();
            let (workspace, ..) = inside(&mut tx).await;
            assert_eq!(workspace, Some(neighbour.workspace_id().to_string()));
            others.push(tx);
        }
        for tx in slow {
            tx.rollback().await.unwrap();
        }
        for one in waiting.drain(..2) {
            one.await.unwrap().rollback().await.unwrap();
        }
        drop(others);
    }
}

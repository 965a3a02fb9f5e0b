//! One pool a role. The pools are private to this crate, so that an unscoped query cannot be written elsewhere.

use crate::address;
use crate::error::StoreError;
use crate::lease::session_name;
use crate::scope::{OpsScope, WorkspaceScope};
use crate::share::Shares;
use crate::tx::{AuthTx, OpsTx, SystemTx, WorkspaceTx, begin};
use clarity_domain::ids::WorkspaceId;
use clarity_runtime::database::{DbLogin, DbRole};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgPool};
use std::time::Duration;
use uuid::Uuid;

/// A connection that rested longer is asked whether it still lives before it is used.
const RESTED: Duration = Duration::from_secs(1);

/// How a pool keeps its connections. Each is asked whether it lives when it comes back, after the rollback of what was
/// left open on it, so one that was used a moment ago is not asked again.
fn pool(connections: u32) -> PgPoolOptions {
    always_asked(connections).test_before_acquire(false).before_acquire(|connection, known| {
        Box::pin(async move {
            if known.idle_for > RESTED {
                connection.ping().await?;
            }
            Ok(true)
        })
    })
}

/// For leases, which hang on their sessions: a connection is asked each time before it is used.
fn always_asked(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(10))
        .max_lifetime(Duration::from_secs(1800))
}

/// Connects as the login says, and refuses a role that could look past the policies. `name` is what the database calls
/// the sessions.
async fn connect(login: &DbLogin, expected: DbRole, pool: PgPoolOptions, name: &str) -> Result<PgPool, StoreError> {
    if login.role != expected {
        return Err(StoreError::Setup(format!("{} was given where {} is needed", login.role.name(), expected.name())));
    }
    let options = address::of(login)?.application_name(name).options([("jit", "off"), ("timezone", "UTC")]);
    // What refine and its kin write follows from bronze, cursor and rows in one transaction: what a crash takes of the
    // last second is made again. So their commits do not wait for the disk, and ingest's, which are the promise, do not
    // wait behind theirs. Leases are `clarity_system`'s and stay: a fencing token is never given twice.
    let options = match expected {
        DbRole::Worker => options.options([("synchronous_commit", "off")]),
        _ => options,
    };
    let pool = pool.connect_with(options).await.map_err(|e| setup_error(expected, e))?;
    check_strength(&pool, expected).await?;
    Ok(pool)
}

fn setup_error(role: DbRole, e: sqlx::Error) -> StoreError {
    match e {
        sqlx::Error::Database(db) if db.code().is_some_and(|c| c.starts_with("28")) => StoreError::Setup(format!(
            "the database refused the login {}: check {}",
            role.name(),
            role.password_variable()
        )),
        other => address::unreachable(other),
    }
}

/// Superusers, BYPASSRLS and REPLICATION roles and owners of tables see everything: no service runs as one.
async fn check_strength(pool: &PgPool, expected: DbRole) -> Result<(), StoreError> {
    let (name, strong): (String, bool) = sqlx::query_as(
        "select current_user::text,
                (select rolsuper or rolbypassrls or rolreplication or rolcreaterole from pg_roles where rolname = current_user)
                or exists (select from pg_class where relowner = (select oid from pg_roles where rolname = current_user))
                or exists (select from pg_auth_members where member = (select oid from pg_roles where rolname = current_user))",
    )
    .fetch_one(pool)
    .await?;
    if name != expected.name() || strong {
        return Err(StoreError::Setup(format!(
            "refusing to start as database role {name}: expected {}, without superuser, bypassrls, replication, \
             memberships or tables of its own. `clarity-server bootstrap` sets the roles' attributes right; memberships \
             and tables a superuser takes away",
            expected.name()
        )));
    }
    Ok(())
}

macro_rules! store {
    ($(#[$doc:meta])* $name:ident, $role:ident $(, $extra:ident: $kind:ident::$made:ident)?) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            pub(crate) pool: PgPool,
            $($extra: $kind,)?
        }

        impl $name {
            /// Connects with at most `connections` connections.
            ///
            /// # Errors
            /// `Setup` when the login is refused or stronger than the role may be.
            pub async fn connect(login: &DbLogin, connections: u32) -> Result<Self, StoreError> {
                let role = DbRole::$role;
                let pool = connect(login, role, pool(connections), role.name()).await?;
                Ok(Self { pool, $($extra: $kind::$made(connections),)? })
            }

            /// A login of this role from the environment.
            pub async fn from_env(connections: u32) -> Result<Self, StoreError> {
                let login = DbLogin::from_env(DbRole::$role).map_err(|e| StoreError::Setup(e.to_string()))?;
                Self::connect(&login, connections).await
            }

            /// Whether the database answers.
            pub async fn ping(&self) -> Result<(), StoreError> {
                sqlx::query("select 1").execute(&self.pool).await?;
                Ok(())
            }

            /// What the database's clock shows, in microseconds since 1970-01-01 UTC.
            pub async fn clock_us(&self) -> Result<i64, StoreError> {
                let (clock_us,): (i64,) =
                    sqlx::query_as("select (extract(epoch from clock_timestamp()) * 1000000)::bigint")
                        .fetch_one(&self.pool)
                        .await?;
                Ok(clock_us)
            }
        }
    };
}

store!(
    /// Schema `auth`: users, sessions, agents' keys, pairings. The door to every scope; of each workspace so many at once,
    /// and some connections for whoever is in none yet.
    AuthStore,
    Auth,
    shares: Shares::keeping_some
);
store!(
    /// Tenant tables on behalf of members, of each workspace so many at once.
    AppStore,
    App,
    shares: Shares::of_pool
);
store!(
    /// Tenant tables on behalf of agents: segments in, cursors forward, no payload out.
    IngestStore,
    Ingest
);
store!(
    /// Tenant tables on behalf of claimed work.
    WorkerStore,
    Worker
);
store!(
    /// Schema `ops`: leases, heads, jobs.
    SystemStore,
    System
);
store!(
    /// On behalf of our own people: nothing of a workspace without a live grant.
    OpsStore,
    Ops
);

macro_rules! workspace_store {
    ($($name:ident),*) => {$(
        impl $name {
            /// Begins a transaction in the scope's workspace.
            pub async fn begin(&self, scope: &WorkspaceScope) -> Result<WorkspaceTx, StoreError> {
                WorkspaceTx::begin(&self.pool, scope, false).await
            }

            /// Begins a `repeatable read, read only` transaction: all its reads see one moment.
            pub async fn begin_read(&self, scope: &WorkspaceScope) -> Result<WorkspaceTx, StoreError> {
                WorkspaceTx::begin(&self.pool, scope, true).await
            }
        }
    )*};
}

workspace_store!(IngestStore, WorkerStore);

impl AppStore {
    /// Begins a transaction in the scope's workspace, when it is its turn.
    ///
    /// # Errors
    /// `Busy` when as many of this workspace as may be were at work for long.
    pub async fn begin(&self, scope: &WorkspaceScope) -> Result<WorkspaceTx, StoreError> {
        let turn = self.shares.turn(scope.workspace_id()).await?;
        Ok(WorkspaceTx::begin(&self.pool, scope, false).await?.in_turn(turn))
    }

    /// Begins a `repeatable read, read only` transaction: all its reads see one moment.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub async fn begin_read(&self, scope: &WorkspaceScope) -> Result<WorkspaceTx, StoreError> {
        let turn = self.shares.turn(scope.workspace_id()).await?;
        Ok(WorkspaceTx::begin(&self.pool, scope, true).await?.in_turn(turn))
    }
}

impl AuthStore {
    /// Begins a transaction of whoever is in no workspace yet: it waits behind no workspace's.
    pub async fn begin(&self) -> Result<AuthTx, StoreError> {
        AuthTx::begin(&self.pool, None).await
    }

    /// Begins a transaction about the scope's workspace, when it is its turn. Whoever holds one begins no second: of a small
    /// pool a workspace has one place.
    ///
    /// # Errors
    /// `Busy` when as many of this workspace as may be were at work for long.
    pub async fn begin_in(&self, scope: &WorkspaceScope) -> Result<AuthTx, StoreError> {
        self.begin_of(scope.workspace_id()).await
    }

    /// The same, for what knows its workspace and has no scope of it.
    pub(crate) async fn begin_of(&self, workspace: WorkspaceId) -> Result<AuthTx, StoreError> {
        let turn = self.shares.turn(workspace).await?;
        AuthTx::begin(&self.pool, Some(turn)).await
    }
}

impl OpsStore {
    /// Begins a transaction about the scope's workspace.
    pub async fn begin(&self, scope: &OpsScope) -> Result<OpsTx, StoreError> {
        OpsTx::begin(&self.pool, scope).await
    }
}

impl SystemStore {
    /// For a process that holds leases: its sessions carry its name and stay open as long as it lives, so that others
    /// see at once when it is gone ([`crate::lease`]).
    ///
    /// # Errors
    /// `Setup` when the login is refused or stronger than the role may be.
    pub async fn connect_as(holder: Uuid, login: &DbLogin, connections: u32) -> Result<Self, StoreError> {
        let pool = always_asked(connections).max_lifetime(None).idle_timeout(None);
        Ok(Self { pool: connect(login, DbRole::System, pool, &session_name(holder)).await? })
    }

    pub async fn begin(&self) -> Result<SystemTx, StoreError> {
        Ok(SystemTx { tx: begin(&self.pool, None).await? })
    }
}

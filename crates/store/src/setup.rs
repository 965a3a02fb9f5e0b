//! Making the database: roles (once a cluster, as a superuser), database (once), migrations (as the owner).

use crate::address;
use crate::error::StoreError;
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::Secret;
use sqlx::{ConnectOptions, Connection, PgConnection};

const ROLES: &str = include_str!("../../../migrations/bootstrap/roles.sql");
const DATABASE: &str = include_str!("../../../migrations/bootstrap/database.sql");

/// Makes the roles with these passwords, and the database. Running it again sets the passwords, and takes from the roles what
/// makes one stronger than it is meant to be.
///
/// `admin_url` is a superuser's, of any database of the cluster; `database` the platform's name.
///
/// # Errors
/// `Setup` with a sentence when the cluster refuses.
pub async fn bootstrap(admin_url: &str, database: &str, passwords: &[(DbRole, Secret)]) -> Result<(), StoreError> {
    let wrong = |what: &str, e: &sqlx::Error| StoreError::Setup(format!("{what}: {e}"));
    let options = address::read("the admin address", admin_url)?;
    let mut admin = options.connect().await.map_err(|e| wrong("cannot enter the cluster as its administrator", &e))?;
    let mut roles = ROLES.to_owned();
    for (role, password) in passwords {
        let place = format!(":'{}_password'", role.name().trim_start_matches("clarity_"));
        roles = roles.replace(&place, &quote_literal(password.expose()));
    }
    run(&mut admin, &roles).await.map_err(|e| wrong("cannot make the roles", &e))?;
    let exists: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(database)
        .fetch_one(&mut admin)
        .await?;
    let name = quote_identifier(database);
    if !exists {
        run(&mut admin, &format!("create database {name} owner clarity_owner"))
            .await
            .map_err(|e| wrong("cannot make the database", &e))?;
    }
    admin.close().await?;
    let mut inside =
        options.database(database).connect().await.map_err(|e| wrong("cannot enter the new database", &e))?;
    run(&mut inside, &DATABASE.replace(":\"database\"", &name))
        .await
        .map_err(|e| wrong("cannot set the database's rights", &e))?;
    inside.close().await?;
    Ok(())
}

/// Runs the migrations that have not run, as the owner.
pub async fn migrate(login: &DbLogin) -> Result<(), StoreError> {
    let mut owner = address::of(login)?.connect().await.map_err(address::unreachable)?;
    sqlx::migrate!("../../migrations")
        .run(&mut owner)
        .await
        .map_err(|e| StoreError::Setup(format!("a migration failed: {e}")))?;
    owner.close().await?;
    Ok(())
}

async fn run(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(connection).await.map(|_| ())
}

fn quote_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn quote_identifier(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

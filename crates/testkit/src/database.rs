//! A platform database per test, cloned from a template that is migrated once for each content of `migrations/`.
//!
//! The template is made as production makes a database: roles by a superuser, migrations as `clarity_owner`. Tests
//! connect as the service's own role: a superuser sees past every policy, and a test as one proves nothing.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection};
use tokio::sync::{Mutex, OnceCell};
use tokio_postgres::Client;

use crate::Cluster;
use crate::cluster::connect;
use crate::shared;

const PREFIX: &str = "platform";
/// How `database.sql` names the database.
const DATABASE: &str = ":\"database\"";
const TEMPLATES_KEPT: usize = 3;

/// The login roles of the platform, as `migrations/bootstrap/roles.sql` makes them.
pub const ROLES: &[&str] = &[
    "clarity_owner",
    "clarity_auth",
    "clarity_app",
    "clarity_ingest",
    "clarity_worker",
    "clarity_system",
    "clarity_global",
    "clarity_ops",
    "clarity_backup",
];

/// A migrated database of the test's own. Dropped at the end; `CLARITY_KEEP_DB=1` keeps it and says where it is.
#[derive(Debug)]
pub struct TestDb {
    cluster: Cluster,
    name: String,
    /// The superuser's connection that [`Self::sql`] keeps.
    kept: Mutex<Option<Client>>,
}

/// Found or made once per test process.
struct Template {
    cluster: Cluster,
    name: String,
    database_sql: String,
}

static TEMPLATE: OnceCell<Template> = OnceCell::const_new();

impl TestDb {
    /// Panics with the reason when the database cannot be made.
    pub async fn new() -> Self {
        Self::create().await.unwrap_or_else(|error| panic!("no test database: {error:#}"))
    }

    /// A second database with all that is in this one. Nobody may be connected to this one meanwhile. Panics as
    /// [`Self::new`] does.
    pub async fn copy(&self) -> Self {
        Self::clone_of(&self.name).await.unwrap_or_else(|error| panic!("no copy of {}: {error:#}", self.name))
    }

    async fn create() -> Result<Self> {
        let template = TEMPLATE.get_or_try_init(Template::prepare).await?;
        Self::clone_of(&template.name).await
    }

    async fn clone_of(source: &str) -> Result<Self> {
        let template = TEMPLATE.get_or_try_init(Template::prepare).await?;
        let admin = connect(&template.cluster.admin_url("postgres")).await?;
        let name = shared::fresh_name(PREFIX);
        admin
            .batch_execute(&format!("create database {name} owner clarity_owner template {source}"))
            .await
            .with_context(|| format!("cannot clone {source}"))?;
        let db = Self { cluster: template.cluster.clone(), name, kept: Mutex::new(None) };
        // Rights inside a database are cloned with it, rights on it are not. No need to go inside for them.
        admin
            .batch_execute(&named(&on_database(&template.database_sql), &db.name))
            .await
            .context("database.sql failed")?;
        Ok(db)
    }

    /// Connection string of one of [`ROLES`].
    pub fn url(&self, role: &str) -> String {
        assert!(ROLES.contains(&role), "there is no role {role}; the roles are {ROLES:?}");
        self.cluster.url(role, self.cluster.password(), &self.name)
    }

    /// Connection string of the superuser: for looking at what no role may see, and for faults.
    pub fn admin_url(&self) -> String {
        self.cluster.admin_url(&self.name)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// A connection as the superuser.
    pub async fn admin(&self) -> Client {
        connect(&self.admin_url()).await.unwrap_or_else(|error| panic!("the superuser cannot connect: {error:#}"))
    }

    /// Statements of the superuser, one text after the other on one connection, which stays: to connect takes longer than most
    /// of what is said here. Panics with what the database says.
    pub async fn sql(&self, sql: &str) {
        let mut kept = self.kept.lock().await;
        let client = match kept.take() {
            Some(client) if !client.is_closed() => client,
            _ => self.admin().await,
        };
        let done = client.batch_execute(sql).await;
        done.unwrap_or_else(|e| panic!("{e:?}\n{sql}"));
        *kept = Some(client);
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        shared::drop_database_in_background(&self.cluster, &self.name);
    }
}

impl Template {
    async fn prepare() -> Result<Self> {
        let migrations = shared::workspace_root()?.join("migrations");
        let name = format!("template_{}", &content_hash(&migrations)?[..16]);
        let cluster = shared::cluster("pg", false).await?;
        let read = |file: &str| {
            let path = migrations.join("bootstrap").join(file);
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        let (roles_sql, database_sql) = (read("roles.sql")?, read("database.sql")?);

        let admin = connect(&cluster.admin_url("postgres")).await?;
        // Held by this session alone: a process that dies while it builds leaves no lock behind.
        admin.execute("select pg_advisory_lock(720002)", &[]).await?;
        shared::drop_abandoned(&admin, PREFIX).await?;
        let made = admin.query_opt("select from pg_database where datname = $1", &[&name]).await?;
        if made.is_none() {
            admin.batch_execute(&with_passwords(&roles_sql, cluster.password())).await.context("roles.sql failed")?;
            let building = format!("{name}_building");
            shared::drop_database(&admin, &building).await?;
            admin.batch_execute(&format!("create database {building} owner clarity_owner")).await?;
            grant(&cluster, &building, &database_sql).await?;
            migrate(&cluster.url("clarity_owner", cluster.password(), &building), &migrations).await?;
            admin.batch_execute(&format!("alter database {building} rename to {name}")).await?;
            drop_old_templates(&admin).await?;
        }
        admin.execute("select pg_advisory_unlock(720002)", &[]).await?;
        Ok(Self { cluster, name, database_sql })
    }
}

/// Runs `migrations/bootstrap/database.sql` inside the database.
async fn grant(cluster: &Cluster, database: &str, sql: &str) -> Result<()> {
    let client = connect(&cluster.admin_url(database)).await?;
    client.batch_execute(&named(sql, database)).await.context("database.sql failed")
}

/// Of `database.sql`, the statements that name the database.
fn on_database(sql: &str) -> String {
    let bare: Vec<&str> = sql.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
    bare.join("\n").split_inclusive(';').filter(|statement| statement.contains(DATABASE)).collect()
}

fn named(sql: &str, database: &str) -> String {
    sql.replace(DATABASE, &format!("\"{database}\""))
}

async fn migrate(url: &str, folder: &Path) -> Result<()> {
    let migrator = sqlx::migrate::Migrator::new(folder.to_path_buf()).await.context("cannot read the migrations")?;
    let mut connection = PgConnection::connect(url).await.context("clarity_owner cannot connect")?;
    migrator.run(&mut connection).await.context("a migration failed")?;
    connection.close().await?;
    Ok(())
}

/// Each `:'<name>_password'` becomes a literal; in a test cluster all roles share the cluster's password.
fn with_passwords(sql: &str, password: &str) -> String {
    ROLES.iter().fold(sql.to_owned(), |sql, role| {
        let short = role.trim_start_matches("clarity_");
        sql.replace(&format!(":'{short}_password'"), &format!("'{password}'"))
    })
}

/// Of everything that shapes a template: names and contents of the migrations and the bootstrap.
fn content_hash(migrations: &Path) -> Result<String> {
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in [migrations.to_path_buf(), migrations.join("bootstrap")] {
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            files.push(entry?.path());
        }
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    ensure!(!files.is_empty(), "no SQL in {}", migrations.display());
    let mut hash = Sha256::new();
    for path in files {
        let content = fs::read(&path)?;
        hash.update(path.strip_prefix(migrations)?.as_os_str().as_encoded_bytes());
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(&content);
    }
    Ok(hex::encode(hash.finalize()))
}

/// Keeps the newest few: another binary of the same run may still use the one before.
async fn drop_old_templates(admin: &Client) -> Result<()> {
    let rows = admin
        .query("select datname from pg_database where starts_with(datname, 'template_') order by oid desc", &[])
        .await?;
    for row in rows.iter().skip(TEMPLATES_KEPT) {
        shared::drop_database(admin, row.get(0)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_follows_content_and_name() {
        let dir = tempfile::tempdir().expect("a folder");
        let bootstrap = dir.path().join("bootstrap");
        fs::create_dir(&bootstrap).expect("a folder");
        fs::write(bootstrap.join("roles.sql"), "select 1").expect("written");
        let hash = || content_hash(dir.path()).expect("hashed");
        let first = hash();
        fs::write(dir.path().join("README.md"), "no SQL").expect("written");
        assert_eq!(hash(), first, "a text beside the SQL changes nothing");
        fs::write(dir.path().join("1_a.sql"), "select 2").expect("written");
        let second = hash();
        assert_ne!(second, first);
        fs::rename(dir.path().join("1_a.sql"), dir.path().join("2_a.sql")).expect("renamed");
        assert_ne!(hash(), second, "the name counts: it is the migration's version");
    }

    #[test]
    fn only_statements_that_name_the_database_run_outside_it() {
        let sql = "-- `:\"database\"` is replaced; so\ngrant a on database :\"database\"\n  to b;\nrevoke all on schema public from c;";
        assert_eq!(named(&on_database(sql), "x"), "grant a on database \"x\"\n  to b;");
    }

    #[test]
    fn every_role_gets_its_password() {
        let sql = "alter role clarity_app password :'app_password'; alter role clarity_ops password :'ops_password';";
        assert_eq!(
            with_passwords(sql, "x"),
            "alter role clarity_app password 'x'; alter role clarity_ops password 'x';"
        );
    }
}

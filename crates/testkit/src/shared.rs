//! The clusters that all test binaries of a workspace share, and the short-lived databases in them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use tokio_postgres::Client;

use crate::Cluster;
use crate::cluster::connect;

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// The folder of the `Cargo.toml` that has `[workspace]`.
pub fn workspace_root() -> Result<PathBuf> {
    let start = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    start
        .ancestors()
        .find(|dir| std::fs::read_to_string(dir.join("Cargo.toml")).is_ok_and(|text| text.contains("[workspace]")))
        .map(Path::to_path_buf)
        .with_context(|| format!("no workspace above {}", start.display()))
}

/// A cluster under `.clarity/test` (or `CLARITY_TEST_DIR`), started where it does not run. It is left running for the
/// next test binary; `clarity-services down --dir .clarity/test/<name>` ends it.
pub async fn cluster(name: &'static str, logical: bool) -> Result<Cluster> {
    let root = match std::env::var_os("CLARITY_TEST_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => workspace_root()?.join(".clarity/test"),
    };
    let start = move || {
        let mut builder = Cluster::builder(root.join(name)).logical(logical).fsync(false);
        if logical {
            builder = builder.setting("max_replication_slots", "64").setting("max_wal_senders", "64");
        }
        builder.start()
    };
    tokio::task::spawn_blocking(start).await?
}

/// A name no other test has. It carries our pid, by which [`drop_abandoned`] knows what crashed runs left.
pub fn fresh_name(prefix: &str) -> String {
    format!("{prefix}_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// Drops the databases of test processes that are gone.
pub async fn drop_abandoned(admin: &Client, prefix: &str) -> Result<()> {
    let names = admin
        .query(
            "select datname from pg_database d
             where starts_with(datname, $1)
               and not exists (select from pg_stat_activity a where a.datid = d.oid)",
            &[&format!("{prefix}_")],
        )
        .await?;
    for row in names {
        let name: String = row.get(0);
        let pid = name.split('_').nth_back(1).and_then(|pid| pid.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            // Another test may be dropping the same one at this moment; whoever comes later finds what is left.
            let _ = drop_database(admin, &name).await;
        }
    }
    Ok(())
}

/// Drops a database, its replication slots and whoever still uses them.
pub async fn drop_database(admin: &Client, name: &str) -> Result<()> {
    loop {
        // A slot cannot be dropped while a sender holds it, and an ended sender takes a moment to let go.
        let slots = admin
            .query("select slot_name::text, active_pid from pg_replication_slots where database = $1", &[&name])
            .await?;
        if slots.is_empty() {
            break;
        }
        for slot in slots {
            let (slot_name, pid): (String, Option<i32>) = (slot.get(0), slot.get(1));
            match pid {
                Some(pid) => drop(admin.execute("select pg_terminate_backend($1, 1000)", &[&pid]).await?),
                // Somebody may take or drop it in between: the next round sees.
                None => drop(admin.execute("select pg_drop_replication_slot($1)", &[&slot_name]).await),
            }
        }
    }
    admin.batch_execute(&format!("drop database if exists \"{name}\" with (force)")).await?;
    Ok(())
}

/// [`drop_database`] from a `Drop`, on a thread of its own that nobody waits for. `CLARITY_KEEP_DB=1` keeps the database.
///
/// To drop a database, Postgres waits until each of its processes has answered, and one that talks with a client does
/// not. A `Drop` that waited would stop its test's runtime, and with it just such a client: both would wait for ever.
/// What the end of the test binary cuts off, the next one drops.
pub fn drop_database_in_background(cluster: &Cluster, name: &str) {
    if std::env::var_os("CLARITY_KEEP_DB").is_some() {
        eprintln!("kept: {}", cluster.admin_url(name));
        return;
    }
    let (url, name) = (cluster.admin_url("postgres"), name.to_owned());
    let work = move || -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async { drop_database(&connect(&url).await?, &name).await })
    };
    std::thread::spawn(move || {
        if let Err(error) = work() {
            eprintln!("a test's database stays until the next run: {error:#}");
        }
    });
}

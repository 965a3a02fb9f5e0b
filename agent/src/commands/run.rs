//! `run`: spools, sources, uplink, until SIGTERM.

use crate::config::{Config, ConfiguredSource};
use crate::identity::{AgentKey, Identity, StateDir};
use crate::masks::Masks;
use crate::spool::checkpoint::replace;
use crate::spool::{Spool, SpoolKey};
use crate::status::StatusReporter;
use crate::supervisor::supervise;
use crate::uplink::{Connection, SourceHandle, Timing, Uplink};
use anyhow::{Context, Result};
use clarity_wire::frame::SourceStatus;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const STATUS_EVERY: Duration = Duration::from_secs(1);
/// Sources and uplink have this long to stop; then the spools are synced.
const STOP: Duration = Duration::from_millis(3500);

/// `status.json`: how the agent is, for `status`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StatusFile {
    pub at_us: i64,
    pub pid: u32,
    pub version: String,
    pub name: String,
    pub connection: Connection,
    pub sources: Vec<NamedStatus>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NamedStatus {
    pub name: String,
    #[serde(flatten)]
    pub status: SourceStatus,
}

pub async fn run(dir: &StateDir) -> Result<()> {
    let shutdown = clarity_runtime::shutdown::on_signal()?;
    serve(dir, Timing::default(), shutdown).await
}

/// Runs the agent of this folder until `shutdown`.
pub async fn serve(dir: &StateDir, timing: Timing, shutdown: CancellationToken) -> Result<()> {
    dir.create()?;
    let _lock = lock(dir)?;
    let identity = Identity::load(dir)?;
    let key = AgentKey::load(dir)?;
    let config = Config::load(&dir.config())?;
    tracing::info!(agent = identity.name, key = key.fingerprint(), sources = config.sources.len(), "starting");
    let spool_key = SpoolKey::load_or_create(&dir.spool_key())?;
    let masks = Masks::open(dir, config.policy.masks.iter().cloned().map(Into::into).collect())?;
    let wake = Arc::new(Notify::new());

    let mut sources = Vec::new();
    let mut tasks = JoinSet::new();
    for configured in config.sources.clone() {
        let handle = open(dir, &config, &configured, spool_key.clone(), &wake).await?;
        sources.push(handle.clone());
        tasks.spawn(supervise(configured, handle, config.policy.clone(), masks.clone(), shutdown.clone()));
    }
    let connection = watch::Sender::new(Connection::default());
    let status = watch_status(dir.clone(), identity.name.clone(), connection.subscribe(), sources.clone());
    let status = tokio::spawn(status);
    let uplink = Uplink {
        dir: dir.clone(),
        identity,
        ca: Some(dir.ca()).filter(|p| p.exists()),
        sources: sources.clone(),
        masks,
        wake,
        timing,
        connection,
    };
    let ended = Box::pin(uplink.run(shutdown.clone())).await;
    // The uplink ends by itself only when it cannot work at all: its address is no address.
    shutdown.cancel();
    if tokio::time::timeout(STOP, async { while tasks.join_next().await.is_some() {} }).await.is_err() {
        tracing::warn!("a source did not stop in time");
        tasks.abort_all();
    }
    for source in &sources {
        if let Err(error) = source.spool.settle().await {
            tracing::error!(source = source.name, %error, "the spool could not be synced at the end");
        }
    }
    status.abort();
    tracing::info!("stopped");
    ended
}

async fn open(
    dir: &StateDir,
    config: &Config,
    configured: &ConfiguredSource,
    key: SpoolKey,
    wake: &Arc<Notify>,
) -> Result<Arc<SourceHandle>> {
    let folder = dir.spool().join(&configured.name);
    let spool = Spool::open(&folder, &configured.name, key, config.limits, wake.clone()).await?;
    Ok(Arc::new(SourceHandle::new(
        &configured.name,
        configured.config.kind(),
        spool,
        StatusReporter::waking(wake.clone()),
        configured.confirms_spooled,
    )))
}

/// Two agents on one folder would write the same sequences.
pub(super) fn lock(dir: &StateDir) -> Result<File> {
    let path = dir.path().join("agent.lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = file.with_context(|| format!("cannot write {}", path.display()))?;
    file.try_lock().with_context(|| format!("an agent runs on {} already", dir.path().display()))?;
    Ok(file)
}

async fn watch_status(
    dir: StateDir,
    name: String,
    connection: watch::Receiver<Connection>,
    sources: Vec<Arc<SourceHandle>>,
) {
    let mut every = tokio::time::interval(STATUS_EVERY);
    loop {
        every.tick().await;
        let file = StatusFile {
            at_us: crate::uplink::now_us(),
            pid: std::process::id(),
            version: crate::uplink::handshake::VERSION.into(),
            name: name.clone(),
            connection: connection.borrow().clone(),
            sources: sources.iter().map(|s| NamedStatus { name: s.name.clone(), status: s.status() }).collect(),
        };
        let path = dir.status();
        let written = tokio::task::spawn_blocking(move || {
            replace(&path, &serde_json::to_vec_pretty(&file).unwrap_or_default(), false)
        });
        if let Ok(Err(error)) = written.await {
            tracing::debug!(%error, "status.json could not be written");
        }
    }
}

//! The one connection outward: opened by the agent, for all its sources, kept up for ever.
//!
//! [`dial`] gets a WebSocket, [`handshake`] proves who we are, a session sends and hears; each source has a [`lane`];
//! [`keys`] makes a new key when the platform asks for one.
//! Whatever ends a connection, the next one begins at ingest's cursor, so nothing is lost or doubled.

pub mod backoff;
pub mod cut;
pub mod dial;
pub mod handshake;
mod keys;
mod lane;
pub mod proxy;
mod session;
mod source;
pub mod tls;

pub use source::SourceHandle;

use crate::identity::{AgentKey, Identity, StateDir, load_generation, store_generation};
use crate::masks::Masks;
use anyhow::Result;
use backoff::Backoff;
use clarity_wire::frame::{Denied, DenyCode};
use dial::Server;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

/// How often things are said and how long they are awaited.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    pub heartbeat: Duration,
    /// Nothing heard for so long: the connection is half-open.
    pub silence: Duration,
    pub backoff_first: Duration,
    pub backoff_most: Duration,
    /// Between tries after a denial that only a person can change.
    pub denied: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(5),
            silence: Duration::from_secs(15),
            backoff_first: Duration::from_millis(200),
            backoff_most: Duration::from_secs(30),
            denied: Duration::from_secs(300),
        }
    }
}

/// The connection as `status` and the log tell it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    pub state: ConnectionState,
    pub server: String,
    /// When this state began, microseconds since the epoch.
    pub since_us: i64,
    /// Why the last connection ended.
    pub message: Option<String>,
    pub denied: Option<DenyCode>,
    /// Our clock minus the platform's, microseconds.
    pub clock_skew_us: Option<i64>,
    /// Connections since the start.
    pub connections: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    #[default]
    Connecting,
    Connected,
    /// The next try comes after a pause.
    Waiting,
    /// The platform refuses this agent; a person has to act.
    Denied,
}

/// Why a connection ended.
pub(crate) enum Ended {
    Shutdown,
    Lost(String),
    Denied(Denied),
}

pub struct Uplink {
    pub dir: StateDir,
    pub identity: Identity,
    pub ca: Option<PathBuf>,
    pub sources: Vec<Arc<SourceHandle>>,
    /// What the platform says of masks goes here.
    pub masks: Masks,
    /// The spools' and reporters' wake.
    pub wake: Arc<Notify>,
    pub timing: Timing,
    pub connection: watch::Sender<Connection>,
}

impl Uplink {
    /// Keeps the connection up until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) -> Result<()> {
        let server = Server::parse(&self.identity.server)?;
        let mut backoff = Backoff::new(self.timing.backoff_first, self.timing.backoff_most);
        let mut said = String::new();
        loop {
            self.tell(ConnectionState::Connecting, |_| {});
            let (mut welcomed, began) = (false, tokio::time::Instant::now());
            let ended = Box::pin(self.converse(&server, &shutdown, &mut welcomed)).await;
            // One that breaks at once, again and again, must not be tried in a circle.
            if welcomed && began.elapsed() >= self.timing.heartbeat {
                backoff.reset();
                said.clear();
            }
            let (message, denied, pause) = match ended {
                Ok(Ended::Shutdown) => return Ok(()),
                Ok(Ended::Lost(message)) => (message, None, backoff.next_pause()),
                Ok(Ended::Denied(denied)) => {
                    let pause = self.pause_after(&denied).max(backoff.next_pause());
                    (denied.message, Some(denied.code), pause)
                }
                Err(error) => (format!("{error:#}"), None, backoff.next_pause()),
            };
            if said != message {
                tracing::warn!(server = self.identity.server, ?denied, "not connected: {message}");
                said.clone_from(&message);
            }
            let lasting = denied.is_some_and(is_lasting);
            self.tell(if lasting { ConnectionState::Denied } else { ConnectionState::Waiting }, |c| {
                c.message = Some(message);
                c.denied = denied;
            });
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shutdown.cancelled() => return Ok(()),
            }
        }
    }

    /// One connection from dial to end; says whether it was welcomed.
    async fn converse(&self, server: &Server, shutdown: &CancellationToken, welcomed: &mut bool) -> Result<Ended> {
        let generation = load_generation(&self.dir)?;
        // Each time: it may be another one than before.
        let key = AgentKey::load(&self.dir)?;
        let greeted = async {
            let mut socket = server.connect(self.ca.as_deref()).await?;
            let sources = self.sources.iter().map(|s| s.descriptor()).collect();
            let answer = handshake::greet(&mut socket, &self.identity, &key, generation, sources).await?;
            anyhow::Ok((socket, answer))
        };
        let (socket, answer) = tokio::select! {
            greeted = greeted => greeted?,
            () = shutdown.cancelled() => return Ok(Ended::Shutdown),
        };
        let welcome = match answer {
            Ok(welcome) => welcome,
            Err(ended) => return Ok(ended),
        };
        let (dir, generation) = (self.dir.clone(), welcome.generation);
        tokio::task::spawn_blocking(move || store_generation(&dir, generation)).await??;
        if let Some(ordered) = welcome.masks.clone() {
            let masks = self.masks.clone();
            tokio::task::spawn_blocking(move || masks.take(ordered)).await??;
        }
        *welcomed = true;
        let skew = now_us() - welcome.clock_us;
        tracing::info!(server = self.identity.server, generation, "connected");
        self.tell(ConnectionState::Connected, |c| {
            c.clock_skew_us = Some(skew);
            c.connections += 1;
            c.message = None;
            c.denied = None;
        });
        Box::pin(session::serve(socket, welcome, self, &key, shutdown)).await
    }

    fn pause_after(&self, denied: &Denied) -> Duration {
        match denied.retry_after_s {
            Some(seconds) => Duration::from_secs(u64::from(seconds)),
            None if is_lasting(denied.code) => self.timing.denied,
            None => Duration::ZERO,
        }
    }

    fn tell(&self, state: ConnectionState, change: impl FnOnce(&mut Connection)) {
        self.connection.send_modify(|connection| {
            if connection.state != state {
                connection.since_us = now_us();
            }
            connection.state = state;
            connection.server.clone_from(&self.identity.server);
            change(connection);
        });
    }
}

/// Whether only a person can change it.
fn is_lasting(code: DenyCode) -> bool {
    !matches!(code, DenyCode::Busy | DenyCode::Other)
}

pub(crate) fn now_us() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX))
}

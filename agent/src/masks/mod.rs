//! Masks before the spool: what the platform asks for, and what the operator's own policy adds to it.
//!
//! The platform's list is kept here, so that an agent masks from the first row after its start, before it has connected;
//! one that cannot be read stops the agent. The operator's masks nobody takes away from outside. A source reads with the
//! masks that held when it began, and begins anew when others hold: what a run writes is masked by one list.

mod columns;
mod key;

pub use columns::{ColumnMasks, SourceMasks};
pub use key::Hasher;

use crate::identity::StateDir;
use crate::spool::checkpoint::replace;
use anyhow::{Context, Result};
use clarity_wire::frame::{Mask, Masks as Ordered};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// The masks of all sources. Cheap to clone.
#[derive(Clone)]
pub struct Masks {
    inner: Arc<Inner>,
}

struct Inner {
    dir: StateDir,
    /// The operator's.
    local: Vec<Mask>,
    now: watch::Sender<State>,
    /// With which masks each source is being read.
    running: Mutex<Running>,
}

#[derive(Clone, Default)]
struct State {
    ordered: Arc<Ordered>,
    hasher: Option<Hasher>,
}

#[derive(Default)]
struct Running {
    masks: BTreeMap<String, Vec<Mask>>,
    /// The last version by which every source was read.
    applied: u64,
}

impl Masks {
    /// The masks that were last ordered, and the operator's.
    ///
    /// # Errors
    /// When there is a list that cannot be read: nothing may be read without it.
    pub fn open(dir: &StateDir, local: Vec<Mask>) -> Result<Self> {
        let ordered = ordered(dir)?;
        let hasher = hasher(dir, !(local.is_empty() && ordered.masks.is_empty()))?;
        let running = Mutex::new(Running { applied: ordered.version, ..Running::default() });
        let now = watch::Sender::new(State { ordered: Arc::new(ordered), hasher });
        Ok(Self { inner: Arc::new(Inner { dir: dir.clone(), local, now, running }) })
    }

    /// Takes the platform's list in place of its last one. It is kept on disk before it holds. Blocks on the disk.
    ///
    /// # Errors
    /// When it cannot be kept; what held before holds on.
    pub fn take(&self, ordered: Ordered) -> Result<()> {
        let before = self.inner.now.borrow().clone();
        if *before.ordered == ordered {
            return Ok(());
        }
        let hasher = match before.hasher {
            Some(hasher) => Some(hasher),
            None => hasher(&self.inner.dir, !ordered.masks.is_empty())?,
        };
        let path = self.inner.dir.masks();
        replace(&path, &serde_json::to_vec_pretty(&ordered)?, true)
            .with_context(|| format!("cannot write {}; values go on being masked as before", path.display()))?;
        tracing::info!(version = ordered.version, fields = ordered.masks.len(), "masks have changed");
        self.inner.now.send_replace(State { ordered: Arc::new(ordered), hasher });
        Ok(())
    }

    /// The masks of a source, by its name in `agent.toml`.
    pub fn of(&self, source: &str) -> SourceMasks {
        let state = self.inner.now.borrow().clone();
        let all = self.inner.local.iter().chain(&state.ordered.masks);
        let rules = all.filter(|mask| mask.source.as_deref().is_none_or(|name| name == source)).cloned().collect();
        SourceMasks { rules, hasher: state.hasher }
    }

    /// Notes that a source is read with these masks from now on.
    pub fn begin(&self, source: &str, masks: &SourceMasks) {
        self.running(|running| running.masks.insert(source.to_owned(), masks.rules.clone()));
    }

    /// Notes that a source is not read any more.
    pub fn end(&self, source: &str) {
        self.running(|running| running.masks.remove(source));
    }

    /// Waits until other masks hold for a source than these.
    pub async fn differ(&self, source: &str, masks: &SourceMasks) {
        let mut now = self.inner.now.subscribe();
        loop {
            now.mark_unchanged();
            if self.of(source).rules != masks.rules {
                return;
            }
            if now.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// The version of the platform's list by which every source is read: the last one until all have begun anew.
    pub fn applied(&self) -> u64 {
        let version = self.inner.now.borrow().ordered.version;
        self.running(|running| {
            if running.masks.iter().all(|(source, rules)| self.of(source).rules == *rules) {
                running.applied = version;
            }
            running.applied
        })
    }

    fn running<T>(&self, change: impl FnOnce(&mut Running) -> T) -> T {
        change(&mut self.inner.running.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What the platform ordered last; nothing before it ever did.
pub fn ordered(dir: &StateDir) -> Result<Ordered> {
    let path = dir.masks();
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| {
            format!("{} cannot be read, and without it values might leave unmasked; restore it", path.display())
        }),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Ordered::default()),
        Err(e) => Err(e).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn hasher(dir: &StateDir, needed: bool) -> Result<Option<Hasher>> {
    needed.then(|| Hasher::load_or_create(&dir.mask_key())).transpose()
}

#[cfg(test)]
mod tests;

//! What is known of providers, and whose turn it is to ask one.
//!
//! What a provider says of itself is kept for ten minutes, by workspace and issuer, and that it could not be read for half a minute;
//! keys that are not known yet are asked for at most once a minute. Two of a workspace's ways wait for its provider at a time, so
//! that a slow one holds up nobody else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clarity_domain::ids::WorkspaceId;
use openidconnect::{DiscoveryError, IssuerUrl};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::provider::{CallError, Http, Metadata, Registration, WHOLE};
use super::trouble::{self, Trouble};
use crate::outgoing::{Outgoing, OutgoingError};

/// So long a provider's word about itself is kept.
const KEPT: Duration = Duration::from_secs(600);
/// Keys that are missing are asked for anew after this long, and not before.
const KEYS_AGAIN: Duration = Duration::from_secs(60);
/// So long a provider that could not be read is not asked again.
const FAILED: Duration = Duration::from_secs(30);
/// Of one workspace, at a time: its provider is waited for.
const AT_ONCE: usize = 2;
/// For one of them to end.
const QUEUE: Duration = Duration::from_secs(5);
/// Providers that are remembered at a time.
const REMEMBERED: usize = 256;

/// What is known of providers. A handle to clone freely.
#[derive(Clone, Default)]
pub(crate) struct Providers {
    known: Arc<Mutex<HashMap<(WorkspaceId, String), Known>>>,
    turns: Arc<Mutex<HashMap<WorkspaceId, Arc<Semaphore>>>>,
}

#[derive(Clone)]
struct Known {
    read: Result<Arc<Metadata>, Trouble>,
    read_at: Instant,
}

impl Known {
    fn counts(&self) -> bool {
        self.read_at.elapsed() < if self.read.is_ok() { KEPT } else { FAILED }
    }
}

impl Providers {
    /// What was read within ten minutes, or is read now.
    pub(super) async fn read(&self, outgoing: &Outgoing, who: &Registration) -> Result<Arc<Metadata>, Trouble> {
        if let Some(known) = self.known(who).filter(Known::counts) {
            return known.read;
        }
        let _turn = self.turn(who.workspace).await?;
        self.read_in_turn(outgoing, who).await
    }

    /// Read now, whatever is known.
    pub(super) async fn read_anew(&self, outgoing: &Outgoing, who: &Registration) -> Result<Arc<Metadata>, Trouble> {
        let _turn = self.turn(who.workspace).await?;
        self.ask(outgoing, who).await
    }

    /// One of the workspace's turns; who holds it asks for no other.
    pub(super) async fn turn(&self, workspace: WorkspaceId) -> Result<OwnedSemaphorePermit, Trouble> {
        let turns = {
            let mut all = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() >= REMEMBERED {
                // Those that nobody holds or waits for.
                all.retain(|_, turns| Arc::strong_count(turns) > 1);
            }
            all.entry(workspace).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))).clone()
        };
        let turn = tokio::time::timeout(QUEUE, turns.acquire_owned()).await.map_err(|_| trouble::busy())?;
        turn.map_err(|_| trouble::busy())
    }

    /// As [`Self::read`], for whoever has a turn: the one before may have read it.
    pub(super) async fn read_in_turn(&self, outgoing: &Outgoing, who: &Registration) -> Result<Arc<Metadata>, Trouble> {
        match self.known(who).filter(Known::counts) {
            Some(known) => known.read,
            None => self.ask(outgoing, who).await,
        }
    }

    /// Asks the provider, and remembers what it said.
    async fn ask(&self, outgoing: &Outgoing, who: &Registration) -> Result<Arc<Metadata>, Trouble> {
        let issuer = IssuerUrl::new(who.issuer.clone()).map_err(|_| trouble::no_address())?;
        let http = Http(outgoing.clone());
        let asked = tokio::time::timeout(WHOLE, Metadata::discover_async(issuer, &http)).await;
        let read = match asked {
            Ok(Ok(metadata)) => Ok(Arc::new(metadata)),
            // Nothing that the provider did.
            Ok(Err(DiscoveryError::Request(CallError(OutgoingError::Busy)))) => return Err(trouble::busy()),
            Ok(Err(error)) => Err(trouble::of_discovery(&error)),
            Err(_) => Err(trouble::late()),
        };
        self.remember(who, &read);
        read
    }

    fn remember(&self, who: &Registration, read: &Result<Arc<Metadata>, Trouble>) {
        let key = (who.workspace, who.issuer.clone());
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // What is good for some minutes yet is not lost by one answer that did not come.
        if read.is_err() && all.get(&key).is_some_and(|known| known.read.is_ok() && known.counts()) {
            return;
        }
        if all.len() >= REMEMBERED {
            all.retain(|_, known| known.counts());
            if all.len() >= REMEMBERED {
                all.clear();
            }
        }
        all.insert(key, Known { read: read.clone(), read_at: Instant::now() });
    }

    /// When keys may be asked for again, they are; by whoever has a turn.
    pub(super) async fn read_keys_again(
        &self,
        outgoing: &Outgoing,
        who: &Registration,
    ) -> Result<Option<Arc<Metadata>>, Trouble> {
        if self.known(who).is_some_and(|known| known.read_at.elapsed() < KEYS_AGAIN) {
            return Ok(None);
        }
        self.ask(outgoing, who).await.map(Some)
    }

    fn known(&self, who: &Registration) -> Option<Known> {
        let all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&(who.workspace, who.issuer.clone())).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[tokio::test]
    async fn a_workspace_that_waits_for_its_provider_holds_up_no_other() {
        let providers = Providers::default();
        let (one, other) = (WorkspaceId(Uuid::from_u128(1)), WorkspaceId(Uuid::from_u128(2)));
        let held = (providers.turn(one).await.unwrap(), providers.turn(one).await.unwrap());
        let soon = Duration::from_millis(100);
        assert!(tokio::time::timeout(soon, providers.turn(one)).await.is_err(), "it waits");
        assert!(tokio::time::timeout(soon, providers.turn(other)).await.is_ok());
        drop(held);
        assert!(tokio::time::timeout(soon, providers.turn(one)).await.is_ok());
    }
}

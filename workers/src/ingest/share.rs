//! What one workspace may take of ingest: its plan's rate, its part of the database's connections, and its month.
//!
//! All connections of a workspace share one of these, and no two workspaces share anything here: who sends too much waits
//! for themselves. Nothing is refused and nothing lost by a rate: what has to wait stays with the connection, within the
//! window, and behind it in the agent's spool. A process counts what it lets through by itself.

use super::Ingest;
use super::batches::Change;
use clarity_domain::ids::WorkspaceId;
use clarity_domain::plan::{Limit, RateBucket, Standing, Terms};
use clarity_domain::time::{Micros, SECOND};
use clarity_runtime::clock::now_us;
use clarity_service::plan_notice;
use clarity_store::{StoreError, WorkspaceScope, plan, usage};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Transactions of one workspace at one time. The pool has four times as many connections.
const AT_ONCE: usize = 4;
/// Plan and use of the month are read again so often: what is sent meanwhile may pass a limit by as much.
const READ_AGAIN: Duration = Duration::from_secs(5);
/// Who waits for less is not slowed down: a burst was a little larger.
const SLOWED: Micros = SECOND;
/// A slowdown is noted so often while it lasts.
const NOTE_AGAIN: Duration = Duration::from_secs(10);

/// Of all workspaces that have sent something to this process.
#[derive(Default)]
pub(super) struct Shares(Mutex<HashMap<WorkspaceId, Arc<Share>>>);

impl Shares {
    pub(super) fn of(&self, scope: &WorkspaceScope) -> Arc<Share> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(scope.workspace_id()).or_default())
    }
}

/// One workspace's.
pub(super) struct Share {
    state: Mutex<State>,
    transactions: Semaphore,
    /// Held by whoever reads plan and use.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    bucket: Option<RateBucket>,
    held: Option<Hold>,
    read_at: Option<Instant>,
    slowed_noted_at: Option<Instant>,
}

/// The month is used up, grace and all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hold {
    pub(super) limit: Limit,
}

impl Hold {
    /// For the agent's status and the page of sources.
    pub(super) fn words(self) -> &'static str {
        match self.limit {
            Limit::BytesPerMonth => {
                "This workspace has received 120 % of its plan's data for this month. Your data waits in the spool until \
                 the month ends or the plan is changed: see Plan and usage."
            }
            _ => {
                "This workspace has received 120 % of its plan's events for this month. Your data waits in the spool \
                 until the month ends or the plan is changed: see Plan and usage."
            }
        }
    }
}

impl Default for Share {
    fn default() -> Self {
        Self { state: Mutex::default(), transactions: Semaphore::new(AT_ONCE), reading: tokio::sync::Mutex::default() }
    }
}

impl Share {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place among the workspace's transactions.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.transactions.acquire().await.ok()
    }

    /// How long until the plan's rate lets something through; zero: now.
    pub(super) fn wait(&self) -> Duration {
        let wait_us = self.state().bucket.as_mut().map_or(0, |bucket| bucket.wait_us(now_us()));
        Duration::from_micros(wait_us.max(0).unsigned_abs())
    }

    /// Takes from the front of `waiting` what may go now, at most `most` changes: nothing while the rate does not allow it,
    /// and else until the bucket is empty, a batch at least.
    pub(super) fn take(&self, waiting: &mut Vec<Change>, most: usize) -> Vec<Change> {
        let now = now_us();
        let mut state = self.state();
        let mut count = 0;
        for change in waiting.iter().take(most) {
            if let Some(bucket) = &mut state.bucket {
                if bucket.wait_us(now) > 0 {
                    break;
                }
                bucket.take(change.events(), now);
            }
            count += 1;
        }
        waiting.drain(..count).collect()
    }

    /// Why nothing of this workspace is taken.
    pub(super) fn hold(&self) -> Option<Hold> {
        self.state().held
    }

    /// Reads plan and use when that is due; tells the owners what is news. A failure leaves everything as it was.
    pub(super) async fn refresh(&self, ingest: &Ingest, scope: &WorkspaceScope) {
        if !self.is_old() {
            return;
        }
        let _reading = self.reading.lock().await;
        // Somebody else has done it meanwhile.
        if !self.is_old() {
            return;
        }
        match read(ingest, scope).await {
            Ok((terms, held)) => self.set(&terms, held),
            Err(error) => {
                tracing::warn!(%error, "a plan cannot be read; what was read before holds on");
                self.state().read_at = Some(Instant::now());
            }
        }
    }

    fn is_old(&self) -> bool {
        self.state().read_at.is_none_or(|at| at.elapsed() >= READ_AGAIN)
    }

    fn set(&self, terms: &Terms, held: Option<Hold>) {
        let now = now_us();
        let mut state = self.state();
        match (terms.at_most(Limit::EventsPerSecond), &mut state.bucket) {
            (Some(rate), Some(bucket)) => bucket.set_rate(rate, now),
            (Some(rate), none) => *none = Some(RateBucket::new(rate, now)),
            (None, bucket) => *bucket = None,
        }
        state.held = held;
        state.read_at = Some(Instant::now());
    }

    /// Notes for the pages that this workspace has to wait, when it has.
    pub(super) async fn note_slowdown(&self, ingest: &Ingest, scope: &WorkspaceScope) {
        {
            let mut state = self.state();
            let slowed = state.bucket.as_mut().is_some_and(|bucket| bucket.wait_us(now_us()) > SLOWED);
            if !slowed || state.slowed_noted_at.is_some_and(|at| at.elapsed() < NOTE_AGAIN) {
                return;
            }
            state.slowed_noted_at = Some(Instant::now());
        }
        let noted: Result<(), StoreError> = async {
            let mut tx = ingest.store.begin(scope).await?;
            usage::note_slowdown(&mut tx).await?;
            tx.commit_unsynced().await
        }
        .await;
        if let Err(error) = noted {
            tracing::warn!(%error, "could not note a slowdown");
        }
    }
}

/// The terms, and whether the month is used up. A letter goes before what says that it went: after a crash it is written
/// twice, and never not at all.
async fn read(ingest: &Ingest, scope: &WorkspaceScope) -> Result<(Terms, Option<Hold>), StoreError> {
    let mut tx = ingest.store.begin(scope).await?;
    let terms = plan::find(&mut tx).await?.unwrap_or_else(|| ingest.default_plan.into());
    if Limit::OF_THE_MONTH.into_iter().all(|limit| terms.at_most(limit).is_none()) {
        tx.commit().await?;
        return Ok((terms, None));
    }
    let month = usage::of_month(&mut tx).await?;
    let mut held = None;
    for limit in Limit::OF_THE_MONTH {
        let used = if limit == Limit::BytesPerMonth { month.bytes } else { month.events };
        let standing = terms.standing(limit, used);
        if usage::note(&mut tx, limit, standing).await? {
            plan_notice::tell_owners(&ingest.auth, scope, limit, standing).await?;
        }
        if standing == Standing::Over && held.is_none() {
            held = Some(Hold { limit });
        }
    }
    tx.commit().await?;
    Ok((terms, held))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_domain::plan::Plan;
    use clarity_wire::frame::OpenEpoch;
    use futures::FutureExt;
    use uuid::Uuid;

    fn terms(rate: Option<u64>) -> Terms {
        Terms { plan: Plan::Unlimited, agreed: [(Limit::EventsPerSecond, rate)].into() }
    }

    /// A change that counts nothing.
    fn change() -> Change {
        Change::OpenEpoch(OpenEpoch { source_id: Uuid::nil().into(), epoch: 2, reason: String::new(), gap: false })
    }

    #[test]
    fn without_a_rate_all_goes_and_on_credit_nothing() {
        let share = Share::default();
        let mut waiting: Vec<Change> = (0..20).map(|_| change()).collect();
        assert_eq!(share.take(&mut waiting, 16).len(), 16);
        assert_eq!(waiting.len(), 4);
        share.set(&terms(Some(10)), None);
        assert_eq!(share.wait(), Duration::ZERO);
        if let Some(bucket) = &mut share.state().bucket {
            bucket.take(310, now_us());
        }
        assert!(share.wait() > Duration::from_millis(500));
        assert!(share.take(&mut waiting, 16).is_empty());
        assert_eq!(waiting.len(), 4, "nothing is lost");
        share.set(&terms(None), None);
        assert_eq!(share.take(&mut waiting, 16).len(), 4);
    }

    /// The pool has sixteen connections: whatever one workspace does, others find twelve.
    #[test]
    fn a_workspace_has_its_part_of_the_connections() {
        let share = Share::default();
        let turns: Vec<_> = (0..AT_ONCE).map(|_| share.turn().now_or_never().flatten()).collect();
        assert!(turns.iter().all(Option::is_some));
        assert!(share.turn().now_or_never().is_none(), "one more waits");
        drop(turns);
        assert!(share.turn().now_or_never().flatten().is_some());
    }
}

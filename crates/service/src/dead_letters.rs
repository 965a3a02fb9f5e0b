//! Events that could not be refined, by cause, and their replay. What came stands in them raw, so they are for those who
//! manage sources, and that somebody read them is written down.

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::StreamId;
use clarity_domain::role::Permission;
use clarity_domain::view::dead_letters::{DeadLetterGroup, DeadLetterSample, DeadLetters, ReplayProgress};
use clarity_runtime::clock::now_us;
use clarity_runtime::planted::planted;
use clarity_store::audit::{Entry, Object};
use clarity_store::dead_letter_view::{self as store, Group, Replay};
use clarity_store::{StoreError, audit};
use serde_json::json;

use crate::error::fault;
use crate::frame::small;
use crate::masked::{HIDDEN, Masks};
use crate::{Seat, Services};

impl Services {
    /// Open dead letters, the largest groups first.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn dead_letters(&self, seat: &Seat) -> Result<DeadLetters, AppError> {
        self.permit(seat, Permission::ManageSources, Act::ListDeadLetters, Object::default()).await?;
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let masks = Masks::of(&mut tx, seat, &self.settings.secrets).await.map_err(fault)?;
        let totals = store::totals(&mut tx).await.map_err(fault)?;
        let groups = store::list_groups(&mut tx).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        self.note_read(seat, Act::ListDeadLetters).await?;
        Ok(DeadLetters {
            as_of: now_us(),
            total: totals.letters.max(0) as u64,
            groups: groups.into_iter().map(|group| show(group, &masks)).collect(),
            groups_total: small(totals.groups),
        })
    }

    /// Starts a replay of all open letters of one cause in one stream; a worker carries it out.
    ///
    /// # Errors
    /// `NotFound` when there are no such letters, `Conflict` while a replay of them runs.
    pub async fn replay_dead_letters(
        &self,
        seat: &Seat,
        stream: StreamId,
        fingerprint: &str,
    ) -> Result<ReplayProgress, AppError> {
        let object = Object { kind: "dead letters", id: fingerprint, name: "" };
        self.permit(seat, Permission::ManageSources, Act::ReplayDeadLetters, object).await?;
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        let replay = store::request_replay(&mut tx, stream, fingerprint, seat.user_id).await;
        let replay = replay.map_err(|error| match error {
            StoreError::Conflict(_) => AppError::new(
                ErrorCode::Conflict,
                "These dead letters are being replayed already. Wait until it has ended.",
            ),
            other => fault(other),
        })?;
        let replay = replay.ok_or_else(|| AppError::not_found("group of dead letters"))?;
        let after = json!({ "stream": stream, "letters": replay.total });
        let entry = Entry { after: Some(after), ..seat.entry(Act::ReplayDeadLetters, object) };
        audit::record(&mut tx, &entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(progress(replay))
    }
}

/// Of a stream of which anything is masked no line is shown: which cell is which stands in a header that is not at hand, and
/// what came cannot be trusted to look as expected.
fn show(group: Group, masks: &Masks) -> DeadLetterGroup {
    let hidden = masks.concern(group.source_id, &group.stream) && !planted("a-dead-letter-without-masks");
    DeadLetterGroup {
        fingerprint: group.fingerprint,
        cause: if hidden { without_details(group.cause) } else { group.cause },
        source_id: group.source_id,
        source: group.source,
        stream_id: group.stream_id,
        stream: group.stream,
        count: group.count.max(0) as u64,
        oldest_at: group.oldest_at,
        newest_at: group.newest_at,
        samples: group
            .samples
            .into_iter()
            .map(|s| DeadLetterSample {
                truncated: !hidden && usize::try_from(s.size_bytes).is_ok_and(|size| size > s.payload.len()),
                payload: if hidden { HIDDEN.to_owned() } else { String::from_utf8_lossy(&s.payload).into_owned() },
                epoch: i64::from(s.epoch),
                seq: s.seq,
                received_at: s.created_at,
            })
            .collect(),
        replay: group.replay.map(progress),
    }
}

/// A cause in an agent's own words may quote a value after its first colon; ours never do.
fn without_details(cause: String) -> String {
    cause.split_once(':').map_or(cause.clone(), |(what, _)| what.to_owned())
}

fn progress(replay: Replay) -> ReplayProgress {
    let count = |n: i64| n.max(0) as u64;
    ReplayProgress {
        total: count(replay.total),
        landed: count(replay.landed),
        failed: count(replay.failed),
        started_at: replay.requested_at,
        finished_at: replay.finished_at,
    }
}

//! The end of a workspace: what would go, asking for it, taking it back.
//!
//! Until its time has come nothing changes for anybody: agents send, programs read, members work, so that a deletion that is
//! taken back has lost nothing. Then a worker closes all doors at once and removes everything (`workers/src/erase`).

mod certificate;
mod export;
mod turn;

use std::collections::HashMap;

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::retention::DataClass;
use clarity_domain::role::{Permission, Role};
use clarity_domain::time::{Micros, SECOND};
use clarity_domain::view::deletion::{DeletionPage, KindThatGoes};
use clarity_runtime::clock::now_us;
use clarity_runtime::planted::planted;
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::{deletion as store, member};
use clarity_store::retention::{self, Figures, measure};
use clarity_store::{AuthTx, StoreError, erasure, overview};
use serde_json::json;

use crate::audit::timestamp;
use crate::error::{fault, forbidden};
use crate::mail::Letter;
use crate::{Seat, Services};

pub use export::WorkspaceExport;
pub(crate) use turn::Exports;

/// Owners that are told by letter; nobody has as many.
const MOST_OWNERS: i64 = 200;

impl Services {
    /// What the workspace has, and whether it is to go.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn deletion(&self, seat: &Seat) -> Result<DeletionPage, AppError> {
        self.permit(seat, Permission::OwnWorkspace, Act::ReadDeletion, Object::default()).await?;
        let confirmed = self.permit_recent(seat, Permission::OwnWorkspace, Act::ReadDeletion, Object::default()).await;
        let mut auth = self.auth.begin_in(&seat.scope).await.map_err(fault)?;
        let pending = store::find(&mut auth, &seat.scope).await.map_err(fault)?;
        let members = member::count(&mut auth, &seat.scope).await.map_err(fault)?;
        auth.commit().await.map_err(fault)?;
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let counts = overview::counts(&mut tx).await.map_err(fault)?;
        let held = retention::is_held(&mut tx).await.map_err(fault)?;
        // Whole classes are counted once a day, by the workers; a page that counts them itself might wait for long.
        let runs = retention::list_last_runs(&mut tx).await.map_err(fault)?;
        let known: HashMap<DataClass, Figures> = runs.into_iter().map(|run| (run.class, run.kept)).collect();
        tx.commit().await.map_err(fault)?;
        let plain =
            [("Members", members), ("Sites", counts.sites), ("Machines", counts.assets), ("Sources", counts.sources)];
        let mut kinds: Vec<KindThatGoes> = plain
            .into_iter()
            .map(|(name, count)| KindThatGoes { name: name.into(), count: Some(whole(count)), bytes: None })
            .collect();
        for class in DataClass::ALL {
            kinds.push(self.kind(seat, class, known.get(&class).copied()).await?);
        }
        Ok(DeletionPage {
            as_of: now_us(),
            name: seat.card.name.clone(),
            kinds,
            grace_s: self.settings.limits.deletion_grace.as_secs(),
            pending,
            held,
            confirmed: confirmed.is_ok(),
        })
    }

    /// A class's figures, as `known` or counted now; none of what is too much for that.
    async fn kind(&self, seat: &Seat, class: DataClass, known: Option<Figures>) -> Result<KindThatGoes, AppError> {
        let measured = match known {
            Some(figures) if class != DataClass::Records => Ok(figures),
            _ => {
                let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
                match class {
                    // The class is what was deleted at the source; here all of them go.
                    DataClass::Records => erasure::measure_records(&mut tx).await,
                    other => measure(&mut tx, other, None).await,
                }
            }
        };
        let name = if class == DataClass::Records { "Records" } else { class.name() };
        let figures = match measured {
            Ok(figures) => Some(figures),
            Err(StoreError::Unavailable(_)) => None,
            Err(error) => return Err(fault(error)),
        };
        Ok(KindThatGoes {
            name: name.into(),
            count: figures.map(|figures| whole(figures.rows)),
            bytes: figures.map(|figures| whole(figures.bytes)),
        })
    }

    /// Asks for the end of the workspace; `typed` is its name. All owners are told by letter.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `Invalid` for another name; `Conflict` under a legal hold, or when it is asked for.
    pub async fn request_deletion(&self, seat: &Seat, typed: &str) -> Result<(), AppError> {
        let object = Object { kind: "workspace", id: &seat.card.slug, name: &seat.card.name };
        self.permit_recent(seat, Permission::OwnWorkspace, Act::RequestDeletion, object).await?;
        if typed.trim() != seat.card.name.trim() {
            return Err(AppError::invalid("name", "This is not the workspace's name. Type it as it is written above."));
        }
        let (mut tx, own) = self.locked(seat).await?;
        if !own.role.may(Permission::OwnWorkspace) {
            return Err(forbidden(Permission::OwnWorkspace));
        }
        let mut read = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let held = retention::is_held(&mut read).await.map_err(fault)?;
        read.commit().await.map_err(fault)?;
        let conflict = |message: &str| Err(AppError::new(ErrorCode::Conflict, message));
        if held {
            return conflict(
                "A legal hold is open: nothing of this workspace is removed. Lift it first, on the retention page.",
            );
        }
        if store::find(&mut tx, &seat.scope).await.map_err(fault)?.is_some() {
            return conflict("The deletion of this workspace is asked for already.");
        }
        let grace = i64::try_from(self.settings.limits.deletion_grace.as_secs()).unwrap_or(i64::MAX / SECOND);
        let due_at = now_us().saturating_add(grace.saturating_mul(SECOND));
        store::insert(&mut tx, &seat.scope, seat.user_id, &seat.actor.name, due_at).await.map_err(fault)?;
        let (due, link) = (shown_time(due_at), self.deletion_link(seat));
        let letter =
            Letter::DeletionRequested { workspace: &seat.card.name, by: &own.user.name, due: &due, link: &link };
        self.tell_owners(&mut tx, seat, &letter).await?;
        let after = json!({ "due_at": timestamp(due_at) });
        self.record(seat, &Entry { after: Some(after), ..seat.entry(Act::RequestDeletion, object) }).await?;
        tx.commit().await.map_err(fault)
    }

    /// Takes it back: nothing was lost. All owners are told by letter.
    ///
    /// # Errors
    /// `Forbidden`; `Conflict` when nobody asked for it, or when it has begun.
    pub async fn cancel_deletion(&self, seat: &Seat) -> Result<(), AppError> {
        let object = Object { kind: "workspace", id: &seat.card.slug, name: &seat.card.name };
        self.permit(seat, Permission::OwnWorkspace, Act::CancelDeletion, object).await?;
        let (mut tx, own) = self.locked(seat).await?;
        if !own.role.may(Permission::OwnWorkspace) {
            return Err(forbidden(Permission::OwnWorkspace));
        }
        let pending = store::find(&mut tx, &seat.scope).await.map_err(fault)?;
        store::cancel(&mut tx, &seat.scope).await.map_err(|error| match error {
            StoreError::NotFound => {
                AppError::new(ErrorCode::Conflict, "No deletion of this workspace is asked for, or it has begun.")
            }
            other => fault(other),
        })?;
        let link = self.deletion_link(seat);
        let letter = Letter::DeletionCancelled { workspace: &seat.card.name, by: &own.user.name, link: &link };
        self.tell_owners(&mut tx, seat, &letter).await?;
        let before = pending.map(|pending| json!({ "due_at": timestamp(pending.due_at) }));
        self.record(seat, &Entry { before, ..seat.entry(Act::CancelDeletion, object) }).await?;
        tx.commit().await.map_err(fault)
    }

    async fn tell_owners(&self, tx: &mut AuthTx, seat: &Seat, letter: &Letter<'_>) -> Result<(), AppError> {
        // Owners come first.
        let members = member::list(tx, &seat.scope, MOST_OWNERS).await.map_err(fault)?;
        let is_told = |role: Role| role == Role::Owner || planted("a-letter-to-all-members");
        for owner in members.into_iter().filter(|member| is_told(member.role)) {
            self.post(tx, &owner.user.email, letter).await?;
        }
        Ok(())
    }

    fn deletion_link(&self, seat: &Seat) -> String {
        format!("{}/w/{}/delete", self.settings.public_url, seat.card.slug)
    }
}

/// When the seat's workspace goes, if somebody asked for it: for the frame of every page.
pub(crate) async fn deleted_at(tx: &mut AuthTx, seat: &Seat) -> Result<Option<Micros>, AppError> {
    let pending = store::find(tx, &seat.scope).await.map_err(fault)?;
    Ok(pending.map(|pending| pending.due_at))
}

fn whole(count: i64) -> u64 {
    count.max(0).unsigned_abs()
}

/// "2026-12-23 14:05 UTC"
fn shown_time(at: Micros) -> String {
    let whole = timestamp(at);
    whole.get(..16).map_or_else(|| whole.clone(), |minute| format!("{} UTC", minute.replace('T', " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_says_the_minute() {
        assert_eq!(shown_time(1_795_392_000_000_000), "2026-11-23 00:00 UTC");
    }
}

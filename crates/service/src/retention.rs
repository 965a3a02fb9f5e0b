//! How long a workspace keeps what: the policies with what they keep, the preview of another one, and legal holds.
//!
//! Shortening takes something away for ever, so it is done only with the figures of a preview in hand. The removal itself
//! is the workers'; nothing goes while a hold is open.

use std::collections::HashMap;

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::LegalHoldId;
use clarity_domain::retention::{DEFAULT_KEEP, DataClass, Keep, cut_at, is_shorter, keep_words, read_keep};
use clarity_domain::role::Permission;
use clarity_domain::view::retention::{
    LegalHold, Retention, RetentionPreview, RetentionQuery, RetentionRow, RetentionRun,
};
use clarity_runtime::clock::now_us;
use clarity_store::StoreError;
use clarity_store::audit::{self, Entry, Object};
use clarity_store::retention::{self as store, RunEnd};
use serde_json::json;

use crate::error::{fault, missing};
use crate::{Seat, Services};

/// As the table has it.
const LONGEST_REASON: usize = 300;

impl Services {
    /// The policies, what is kept, open holds, and the preview that is asked for.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` for a preview of a class or a time that there is none of.
    pub async fn retention(&self, seat: &Seat, query: &RetentionQuery) -> Result<Retention, AppError> {
        self.permit(seat, Permission::ManageRetention, Act::ReadRetention, Object::default()).await?;
        let asked = match (&query.class, &query.days) {
            (Some(class), Some(days)) => {
                let class = read_class(class)?;
                Some((class, allowed(class, days)?))
            }
            _ => None,
        };
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let policies: HashMap<DataClass, Keep> =
            store::list_policies(&mut tx).await.map_err(fault)?.into_iter().collect();
        let runs: HashMap<DataClass, RunEnd> =
            store::list_last_runs(&mut tx).await.map_err(fault)?.into_iter().map(|run| (run.class, run)).collect();
        let holds = store::list_holds(&mut tx).await.map_err(fault)?;
        let now = now_us();
        let preview = match asked {
            Some((class, keep)) => {
                let cut = cut_at(keep, now);
                let figures = match cut {
                    Some(_) => store::measure(&mut tx, class, cut).await.map_err(fault)?,
                    None => store::Figures::default(),
                };
                let current = policies.get(&class).copied().unwrap_or(DEFAULT_KEEP);
                Some(RetentionPreview {
                    class,
                    keep,
                    shorter: is_shorter(keep, current),
                    cut_at: cut,
                    rows: count(figures.rows),
                    bytes: count(figures.bytes),
                    oldest_at: figures.oldest_at,
                })
            }
            None => None,
        };
        tx.commit().await.map_err(fault)?;
        let row = |class: DataClass| show(class, policies.get(&class).copied(), runs.get(&class));
        Ok(Retention {
            as_of: now,
            rows: DataClass::ALL.into_iter().map(row).collect(),
            holds: holds
                .into_iter()
                .map(|hold| LegalHold { id: hold.id, reason: hold.reason, placed_at: hold.placed_at })
                .collect(),
            may_hold: seat.role().may(Permission::OwnWorkspace),
            preview,
        })
    }

    /// Says how long a class is kept. `previewed`: how many rows the preview said would go.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` for a time below the class's least; for a shorter time `ConfirmNeeded`, and `Conflict` without a
    /// preview, or when more would go than it showed.
    pub async fn set_retention(
        &self,
        seat: &Seat,
        class: DataClass,
        days: &str,
        previewed: Option<u64>,
    ) -> Result<(), AppError> {
        let object = Object { kind: "retention", id: class.as_str(), name: class.name() };
        self.permit(seat, Permission::ManageRetention, Act::SetRetention, object).await?;
        let keep = allowed(class, days)?;
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        let policies = store::list_policies(&mut tx).await.map_err(fault)?;
        let said = policies.into_iter().find(|(of, _)| *of == class).map(|(_, keep)| keep);
        let current = said.unwrap_or(DEFAULT_KEEP);
        let mut goes = None;
        if is_shorter(keep, current) {
            self.permit_recent(seat, Permission::ManageRetention, Act::SetRetention, object).await?;
            let shown = previewed.ok_or_else(|| {
                AppError::new(
                    ErrorCode::Conflict,
                    "A shorter time removes data for ever. Look at the preview first, then confirm.",
                )
            })?;
            // What the form says of the preview is the sender's word: what would go is counted here.
            let rows = count(store::measure(&mut tx, class, cut_at(keep, now_us())).await.map_err(fault)?.rows);
            if rows > shown {
                return Err(AppError::new(
                    ErrorCode::Conflict,
                    format!(
                        "More would be removed than the preview showed: {rows} rows, and it showed {shown}. Look at the \
                         preview again, then confirm."
                    ),
                ));
            }
            goes = Some(rows);
        }
        store::set_policy(&mut tx, class, keep).await.map_err(fault)?;
        let entry = Entry {
            before: Some(json!({ "keep": keep_words(current) })),
            after: Some(json!({ "keep": keep_words(keep), "preview_rows": goes })),
            ..seat.entry(Act::SetRetention, object)
        };
        audit::record(&mut tx, &entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }

    /// Stops all removal until the hold is lifted. Removals that are under way have ended when this returns.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` without a reason; `Conflict` when the workspace's deletion has begun.
    pub async fn place_hold(&self, seat: &Seat, reason: &str) -> Result<LegalHoldId, AppError> {
        let object = Object { kind: "legal_hold", ..Object::default() };
        self.permit(seat, Permission::OwnWorkspace, Act::PlaceHold, object).await?;
        let reason = reason.trim();
        if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
            return Err(AppError::invalid("reason", "Say why, in at most 300 characters."));
        }
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        let hold = store::place_hold(&mut tx, reason, seat.user_id).await.map_err(|error| match error {
            StoreError::Conflict(_) => AppError::new(
                ErrorCode::Conflict,
                "The deletion of this workspace has begun. Nothing holds it up any more.",
            ),
            other => fault(other),
        })?;
        let id = hold.to_string();
        let after = json!({ "reason": reason });
        let entry = Entry { after: Some(after), ..seat.entry(Act::PlaceHold, Object { id: &id, ..object }) };
        audit::record(&mut tx, &entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(hold)
    }

    /// Lifts a hold; when it was the last, what is due goes with the next run.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `NotFound` for one that is lifted, or another workspace's.
    pub async fn lift_hold(&self, seat: &Seat, hold: LegalHoldId) -> Result<(), AppError> {
        let id = hold.to_string();
        let object = Object { kind: "legal_hold", id: &id, name: "" };
        self.permit_recent(seat, Permission::OwnWorkspace, Act::LiftHold, object).await?;
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        let reason = store::lift_hold(&mut tx, hold, seat.user_id).await.map_err(missing("legal hold"))?;
        let entry = Entry { before: Some(json!({ "reason": reason })), ..seat.entry(Act::LiftHold, object) };
        audit::record(&mut tx, &entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }
}

fn read_class(word: &str) -> Result<DataClass, AppError> {
    DataClass::read(word).ok_or_else(|| AppError::invalid("class", "There is no such class of data."))
}

/// A time that the class may be kept for.
fn allowed(class: DataClass, days: &str) -> Result<Keep, AppError> {
    let keep = read_keep(days).ok_or_else(|| AppError::invalid("days", "Choose for how long it is kept."))?;
    if class.allows(keep) {
        return Ok(keep);
    }
    let least = keep_words(Some(class.least_days()));
    Err(AppError::invalid("days", format!("{} is kept for at least {least}, and at most 36500 days.", class.name())))
}

fn count(n: i64) -> u64 {
    n.max(0).unsigned_abs()
}

fn show(class: DataClass, said: Option<Keep>, run: Option<&RunEnd>) -> RetentionRow {
    RetentionRow {
        class,
        keep: said.unwrap_or(DEFAULT_KEEP),
        is_default: said.is_none(),
        oldest_at: run.and_then(|run| run.kept.oldest_at),
        rows: run.map(|run| count(run.kept.rows)),
        bytes: run.map(|run| count(run.kept.bytes)),
        last_run: run.map(|run| RetentionRun {
            at: run.at,
            removed: count(run.removed.rows),
            freed_bytes: count(run.removed.bytes),
        }),
    }
}

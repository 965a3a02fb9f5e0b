//! Access of our own support, as a workspace decides on it: who asked, who is let in until when, what they read, and an end to
//! it at any time. Nobody is let in but by an owner, in person; no request is approved for longer than it says.

use std::collections::HashMap;

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::SupportGrantId;
use clarity_domain::role::Permission;
use clarity_domain::support::{Course, state};
use clarity_domain::time::Micros;
use clarity_domain::view::support::{SupportLook, SupportNow, SupportPage, SupportRequest, SupportState};
use clarity_runtime::clock::now_us;
use clarity_store::WorkspaceTx;
use clarity_store::audit::{self, Entry, Object};
use clarity_store::support::grant::{self as store, Decided, GrantRow};
use serde_json::json;

use crate::error::{fault, forbidden};
use crate::frame::small;
use crate::{Seat, Services};

/// Requests that the page shows.
const SHOWN: i64 = 50;
const KIND: &str = "support_grant";

impl Services {
    /// Requests, with what was read under each.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn support_page(&self, seat: &Seat) -> Result<SupportPage, AppError> {
        self.permit(seat, Permission::ReadSupport, Act::ReadSupport, Object::default()).await?;
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let rows = store::list(&mut tx, SHOWN).await.map_err(fault)?;
        let mut looks: HashMap<String, Vec<SupportLook>> = HashMap::new();
        if let Some(oldest) = rows.iter().map(|row| row.requested_at).min() {
            for look in store::list_looks(&mut tx, oldest).await.map_err(fault)? {
                let seen = SupportLook { what: look.what, times: small(look.times), last_at: look.last_at };
                looks.entry(look.grant).or_default().push(seen);
            }
        }
        tx.commit().await.map_err(fault)?;
        let now = now_us();
        let mut page = SupportPage {
            as_of: now,
            may_decide: seat.role().may(Permission::DecideSupport),
            open: Vec::new(),
            live: Vec::new(),
            past: Vec::new(),
        };
        for row in rows {
            let looks = looks.remove(&row.id.to_string()).unwrap_or_default();
            let request = show(row, looks, now);
            match request.state {
                SupportState::Open => page.open.push(request),
                SupportState::Live => page.live.push(request),
                _ => page.past.push(request),
            }
        }
        page.open.reverse();
        Ok(page)
    }

    /// Lets the one who asked in, from now on for the minutes they asked for.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `NotFound`; `Conflict` when it was decided, has lapsed, or its person is in already.
    pub async fn approve_support(&self, seat: &Seat, id: SupportGrantId) -> Result<(), AppError> {
        let text = id.to_string();
        let object = Object { kind: KIND, id: &text, name: "" };
        self.permit_recent(seat, Permission::DecideSupport, Act::ApproveSupport, object).await?;
        in_person(seat)?;
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        let decided = store::approve(&mut tx, id, seat.user_id, &seat.actor.name).await.map_err(fault)?;
        self.note_decision(tx, seat, Act::ApproveSupport, object, id, decided).await
    }

    /// Says no to a request.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`; `Conflict` when it was decided.
    pub async fn refuse_support(&self, seat: &Seat, id: SupportGrantId) -> Result<(), AppError> {
        let text = id.to_string();
        let object = Object { kind: KIND, id: &text, name: "" };
        self.permit(seat, Permission::DecideSupport, Act::RefuseSupport, object).await?;
        in_person(seat)?;
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        let decided = store::refuse(&mut tx, id, seat.user_id, &seat.actor.name).await.map_err(fault)?;
        self.note_decision(tx, seat, Act::RefuseSupport, object, id, decided).await
    }

    /// Takes access back: with the next statement nothing is shown. Whoever wants support out is not asked for a password.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`; `Conflict` when it has ended.
    pub async fn end_support(&self, seat: &Seat, id: SupportGrantId) -> Result<(), AppError> {
        let text = id.to_string();
        let object = Object { kind: KIND, id: &text, name: "" };
        self.permit(seat, Permission::DecideSupport, Act::EndSupport, object).await?;
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        let decided = store::end(&mut tx, id, &seat.actor.name).await.map_err(fault)?;
        self.note_decision(tx, seat, Act::EndSupport, object, id, decided).await
    }

    /// Writes the decision down and commits both; says why there was none.
    async fn note_decision(
        &self,
        mut tx: WorkspaceTx,
        seat: &Seat,
        act: Act,
        object: Object<'_>,
        id: SupportGrantId,
        decided: Option<Decided>,
    ) -> Result<(), AppError> {
        let Some(decided) = decided else {
            if !store::exists(&mut tx, id).await.map_err(fault)? {
                return Err(AppError::not_found("request"));
            }
            return Err(AppError::new(
                ErrorCode::Conflict,
                "This was decided already, its time is over, or this person has access now. Reload the page.",
            ));
        };
        let after = json!({ "who": decided.who, "minutes": decided.minutes, "reason": decided.reason });
        let entry = Entry { after: Some(after), ..seat.entry(act, Object { name: &decided.who, ..object }) };
        audit::record(&mut tx, &entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }
}

/// Who of our support may read the workspace at this moment, for the frame of every page.
pub(crate) async fn live_support(tx: &mut WorkspaceTx, seat: &Seat) -> Result<Vec<SupportNow>, AppError> {
    let live = store::list_live(tx).await.map_err(fault)?;
    let may_end = seat.role().may(Permission::DecideSupport);
    let shown =
        live.into_iter().map(|row| SupportNow { id: row.id, name: row.ops_name, ends_at: row.ends_at, may_end });
    Ok(shown.collect())
}

/// By which they may, for pages that are open.
pub(crate) async fn live_grants(tx: &mut WorkspaceTx) -> Result<Vec<SupportGrantId>, AppError> {
    let live = store::list_live(tx).await.map_err(fault)?;
    Ok(live.into_iter().map(|row| row.id).collect())
}

/// A command on the platform's machine has an owner's seat: with it nobody of ours lets themselves in.
fn in_person(seat: &Seat) -> Result<(), AppError> {
    if seat.proof.is_some() { Ok(()) } else { Err(forbidden(Permission::DecideSupport)) }
}

fn show(row: GrantRow, looks: Vec<SupportLook>, now: Micros) -> SupportRequest {
    let course = Course {
        requested_at: row.requested_at,
        decision: row.decision.as_deref(),
        ends_at: row.ends_at,
        ended_at: row.ended_at,
    };
    SupportRequest {
        id: row.id,
        state: state(course, now),
        name: row.ops_name,
        email: row.ops_email,
        reason: row.reason,
        minutes: row.minutes.unsigned_abs(),
        requested_at: row.requested_at,
        decided_by: row.decided_by,
        decided_at: row.decided_at,
        ends_at: row.ended_at.or(row.ends_at),
        ended_by: row.ended_by,
        looks,
    }
}

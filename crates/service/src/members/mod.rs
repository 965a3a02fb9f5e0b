//! Members of a workspace: who is in it and as what, how one comes in, and how one goes.
//!
//! Whatever changes something locks the workspace first and looks at both sides anew ([`Services::locked`]): the role a
//! request came with may be gone by then, and two owners who leave at once leave one after the other. A person who is
//! removed is out with the next request; their live connections ask every few seconds.

mod accept;
mod change;
mod invite;
mod list;
mod ownership;
mod policy;
mod sites;

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::role::Role;
use clarity_domain::time::{HOUR, Micros};
use clarity_store::AuthTx;
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::invitation;
use clarity_store::auth::member::{self, MemberRow};
use serde_json::json;

use crate::error::{fault, missing};
use crate::{Seat, Services};

pub use accept::{Accepted, NewAccount};

/// How long an invitation's link works.
const INVITATION_LIFE: Micros = 72 * HOUR;

impl Services {
    /// A transaction in which nobody else changes this workspace's members, and the seat's own place as it is now.
    ///
    /// # Errors
    /// `NotFound` when the seat's person is no member any more.
    pub(crate) async fn locked(&self, seat: &Seat) -> Result<(AuthTx, MemberRow), AppError> {
        let mut tx = self.auth.begin_in(&seat.scope).await.map_err(fault)?;
        member::lock(&mut tx, &seat.scope).await.map_err(missing("workspace"))?;
        let own = member::find(&mut tx, &seat.scope, seat.user_id).await.map_err(fault)?;
        Ok((tx, own.ok_or_else(|| AppError::not_found("workspace"))?))
    }

    /// Says no to what the permission alone would allow, and writes it down: `wanted` is the role it was about.
    pub(crate) async fn refuse<T>(
        &self,
        seat: &Seat,
        act: Act,
        object: Object<'_>,
        wanted: Role,
        message: &str,
    ) -> Result<T, AppError> {
        if self.throttle.note_refusal(seat.user_id) {
            let after = json!({ "role": seat.role().as_str(), "wanted": wanted.as_str() });
            let refused = Entry { outcome: Outcome::Refused, after: Some(after), ..seat.entry(act, object) };
            self.record(seat, &refused).await?;
        } else {
            tracing::warn!(user = %seat.user_id, act = act.as_str(), "too many refusals: not written into the audit log");
        }
        Err(AppError::new(ErrorCode::Forbidden, message))
    }

    /// Counts a letter to somebody else, or says that there were too many.
    async fn count_letter(&self, tx: &mut AuthTx, seat: &Seat) -> Result<(), AppError> {
        let sent = invitation::count_letters(tx, &seat.scope).await.map_err(fault)?;
        if sent >= self.settings.limits.member_letters_per_hour {
            return Err(AppError::new(
                ErrorCode::RateLimited,
                "This workspace has sent many letters within the last hour. Try again in an hour.",
            ));
        }
        invitation::note_letter(tx, &seat.scope).await.map_err(fault)
    }
}

/// Lets one of several owners go on; the caller has locked the workspace.
async fn keep_an_owner(tx: &mut AuthTx, seat: &Seat) -> Result<(), AppError> {
    if member::count_owners(tx, &seat.scope).await.map_err(fault)? > 1 {
        return Ok(());
    }
    Err(AppError::new(
        ErrorCode::Conflict,
        "You are the last owner of this workspace. Offer ownership to another member first; when they have accepted, you can go on.",
    ))
}

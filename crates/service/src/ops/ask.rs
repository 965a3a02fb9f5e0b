//! Which workspaces there are, and asking an owner for access to one.

use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::SupportGrantId;
use clarity_domain::support::{Course, LONGEST_REASON, MOST_MINUTES, state};
use clarity_domain::time::DAY;
use clarity_domain::view::support::{OpsRequest, OpsWorkspacePage, OpsWorkspaces, SupportState};
use clarity_runtime::clock::now_us;
use clarity_store::OpsScope;
use clarity_store::auth::ops_session;
use clarity_store::support::ask::{self as store, NewRequest, OwnRow};
use uuid::Uuid;

use super::OpsSeat;
use crate::Services;
use crate::error::fault;
use crate::mail::Letter;

/// Requests of one's own that a page shows.
const SHOWN: i64 = 10;
/// Requests of one person to one workspace in a day: owners are not worn down by asking.
const A_DAY: usize = 5;

impl Services {
    /// Names and counts of the workspaces, nothing of what is in them.
    pub async fn ops_workspaces(&self, seat: &OpsSeat) -> Result<OpsWorkspaces, AppError> {
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let workspaces = ops_session::list_workspaces(&mut tx, &seat.token).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(OpsWorkspaces { person: seat.person(), workspaces })
    }

    /// One of them, with the visitor's own requests.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn ops_workspace(&self, seat: &OpsSeat, slug: &str) -> Result<OpsWorkspacePage, AppError> {
        let (scope, workspace) = self.ops_scope(seat, slug).await?;
        let requests = self.own_requests(&scope).await?;
        let live = requests.iter().any(|request| request.state == SupportState::Live);
        Ok(OpsWorkspacePage { as_of: now_us(), person: seat.person(), workspace, requests, live })
    }

    /// Asks the owners, who get a letter; the request stands in the workspace's audit log.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` without a reason or for too long a time; `Conflict` when a request is open or a grant live: a new
    /// one is asked for when that has ended; `RateLimited`.
    pub async fn ask_support(&self, seat: &OpsSeat, slug: &str, reason: &str, minutes: u32) -> Result<(), AppError> {
        let reason = reason.trim();
        if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
            return Err(AppError::invalid("reason", "Say why, in at most 500 characters. The owners read it."));
        }
        let minutes = i32::try_from(minutes).ok().filter(|_| (1..=MOST_MINUTES).contains(&minutes));
        let minutes = minutes.ok_or_else(|| AppError::invalid("minutes", "Ask for at most four hours."))?;
        let (scope, workspace) = self.ops_scope(seat, slug).await?;
        let requests = self.own_requests(&scope).await?;
        if requests.iter().any(|request| request.state == SupportState::Live) {
            return Err(AppError::new(
                ErrorCode::Conflict,
                "You have access already. When it has ended you can ask again; it is never made longer.",
            ));
        }
        let day = now_us() - DAY;
        if requests.iter().filter(|request| request.requested_at > day).count() >= A_DAY {
            return Err(AppError::new(
                ErrorCode::RateLimited,
                "You have asked this workspace often today. Try again tomorrow.",
            ));
        }
        // Beside the request, committed before it: owners may be told of one that does not stand, never not of one that does.
        let mut letters = self.auth.begin().await.map_err(fault)?;
        let link = format!("{}/w/{}/support", self.settings.public_url, workspace.slug);
        let letter = Letter::SupportRequest {
            workspace: &workspace.name,
            by: &seat.who.name,
            reason,
            minutes: minutes.unsigned_abs(),
            link: &link,
        };
        for owner in ops_session::list_owner_addresses(&mut letters, &scope).await.map_err(fault)? {
            self.post(&mut letters, &owner, &letter).await?;
        }
        let new = NewRequest {
            id: SupportGrantId(Uuid::now_v7()),
            reason,
            minutes,
            address: &seat.client.address,
            request_id: seat.client.request_id,
        };
        let mut tx = self.ops_store()?.begin(&scope).await.map_err(fault)?;
        if !store::request(&mut tx, &new).await.map_err(fault)? {
            return Err(AppError::new(
                ErrorCode::Conflict,
                "A request of yours is open. The owners have a day to decide.",
            ));
        }
        letters.commit().await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }

    async fn own_requests(&self, scope: &OpsScope) -> Result<Vec<OpsRequest>, AppError> {
        let mut tx = self.ops_store()?.begin(scope).await.map_err(fault)?;
        let rows = store::list_own(&mut tx, SHOWN).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let now = now_us();
        Ok(rows.into_iter().map(|row| show(row, now)).collect())
    }
}

fn show(row: OwnRow, now: i64) -> OpsRequest {
    let course = Course {
        requested_at: row.requested_at,
        decision: row.decision.as_deref(),
        ends_at: row.ends_at,
        ended_at: row.ended_at,
    };
    OpsRequest {
        id: row.id,
        state: state(course, now),
        reason: row.reason,
        minutes: row.minutes.unsigned_abs(),
        requested_at: row.requested_at,
        decided_by: row.decided_by,
        ends_at: row.ends_at,
    }
}

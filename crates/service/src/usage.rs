//! Plan and usage: the page of it, and the limits that people meet. Those of data are ingest's, which knows only to wait.

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::plan::{Limit, Standing, Terms};
use clarity_domain::role::Permission;
use clarity_domain::view::usage::{Meter, PlanNotice, Usage, UsageDay};
use clarity_runtime::clock::now_us;
use clarity_store::audit::{self, Entry, Object};
use clarity_store::auth::{invitation, member, workspace};
use clarity_store::{AuthTx, WorkspaceScope, WorkspaceTx, overview, plan, usage};

use crate::error::fault;
use crate::{Seat, Services};

/// On the page.
const DAYS: i32 = 30;
const WHO_CHANGES_IT: &str = "An owner sees the plan at “Plan and usage”, and can ask us to change it.";

impl Services {
    /// The plan, what is used of it, and by which day.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn usage(&self, seat: &Seat) -> Result<Usage, AppError> {
        self.permit(seat, Permission::OwnWorkspace, Act::ReadUsage, Object::default()).await?;
        let mut auth = self.auth.begin_in(&seat.scope).await.map_err(fault)?;
        let region = workspace::get_place(&mut auth, &seat.scope).await.map_err(fault)?.region;
        let seats = taken_seats(&mut auth, &seat.scope).await?;
        auth.commit().await.map_err(fault)?;
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let terms = self.terms(&mut tx).await?;
        let month = usage::of_month(&mut tx).await.map_err(fault)?;
        let assets = overview::counts(&mut tx).await.map_err(fault)?.assets;
        let exports = usage::count_exports_today(&mut tx).await.map_err(fault)?;
        let slowed_since = usage::find_slowdown(&mut tx).await.map_err(fault)?;
        let days = usage::list_days(&mut tx, DAYS).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let used = |limit| match limit {
            Limit::EventsPerSecond => None,
            Limit::EventsPerMonth => Some(month.events),
            Limit::BytesPerMonth => Some(month.bytes),
            Limit::Assets => Some(assets.max(0).unsigned_abs()),
            Limit::Seats => Some(seats),
            Limit::ExportsPerDay => Some(exports),
        };
        Ok(Usage {
            as_of: now_us(),
            plan: terms.plan,
            region,
            meters: Limit::ALL.map(|limit| meter(&terms, limit, used(limit))).to_vec(),
            month_ends_at: month.ends_at,
            slowed_since,
            days: days
                .into_iter()
                .map(|d| UsageDay { day: d.day, events: d.events, bytes: d.bytes, exports: d.exports })
                .collect(),
        })
    }

    /// What holds for the workspace of this transaction.
    pub(crate) async fn terms(&self, tx: &mut WorkspaceTx) -> Result<Terms, AppError> {
        let said = plan::find(tx).await.map_err(fault)?;
        Ok(said.unwrap_or_else(|| self.settings.limits.default_plan.into()))
    }

    /// For the frame: what is near or reached, but for the seats; and what holds.
    pub(crate) async fn plan_notices(
        &self,
        tx: &mut WorkspaceTx,
        assets: i64,
    ) -> Result<(Vec<PlanNotice>, Terms), AppError> {
        let terms = self.terms(tx).await?;
        if Limit::ALL.into_iter().all(|limit| terms.at_most(limit).is_none()) {
            return Ok((Vec::new(), terms));
        }
        let said = usage::list_notices(tx).await.map_err(fault)?;
        // A notice stands for the month; a plan that was changed meanwhile may have no such limit any more.
        let said = said.into_iter().filter(|(limit, _)| terms.at_most(*limit).is_some());
        let mut all: Vec<PlanNotice> = said.map(|(limit, standing)| PlanNotice { limit, standing }).collect();
        all.extend(notice(&terms, Limit::Assets, assets.max(0).unsigned_abs()));
        if terms.at_most(Limit::ExportsPerDay).is_some() {
            let exports = usage::count_exports_today(tx).await.map_err(fault)?;
            all.extend(notice(&terms, Limit::ExportsPerDay, exports));
        }
        Ok((all, terms))
    }

    /// Lets one more be invited: `taken` are members and open invitations with the new one. The caller has locked the
    /// workspace.
    ///
    /// # Errors
    /// `LimitExceeded`.
    pub(crate) async fn permit_seats(&self, scope: &WorkspaceScope, taken: i64) -> Result<(), AppError> {
        let Some(most) = self.seats_passed(scope, taken).await? else { return Ok(()) };
        Err(AppError::new(
            ErrorCode::LimitExceeded,
            format!(
                "All seats of this workspace's plan ({most}) are taken, by members and by invitations that nobody has \
                 accepted yet. Remove a member or revoke an invitation first. {WHO_CHANGES_IT}"
            ),
        ))
    }

    /// The same for somebody who joins, in whichever way: `members` are all with the new one, in the transaction that the
    /// caller gives up when this fails.
    ///
    /// # Errors
    /// `LimitExceeded`.
    pub(crate) async fn permit_join(&self, scope: &WorkspaceScope, members: i64) -> Result<(), AppError> {
        if self.seats_passed(scope, members).await?.is_none() {
            return Ok(());
        }
        Err(AppError::new(
            ErrorCode::LimitExceeded,
            "All seats of this workspace are taken. Ask an owner of the workspace: they can free a seat, or ask us to change \
             the plan. Then try again.",
        ))
    }

    /// The limit, when so many are more than it.
    async fn seats_passed(&self, scope: &WorkspaceScope, taken: i64) -> Result<Option<u64>, AppError> {
        let mut tx = self.app.begin_read(scope).await.map_err(fault)?;
        let most = self.terms(&mut tx).await?.at_most(Limit::Seats);
        tx.commit().await.map_err(fault)?;
        Ok(most.filter(|most| taken.max(0).unsigned_abs() > *most))
    }

    /// Counts an export and writes it down, both or none.
    ///
    /// # Errors
    /// `LimitExceeded` when today's are taken.
    pub(crate) async fn count_export(&self, seat: &Seat, entry: &Entry<'_>) -> Result<(), AppError> {
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        let most = self.terms(&mut tx).await?.at_most(Limit::ExportsPerDay);
        if !usage::take_export(&mut tx, most).await.map_err(fault)? {
            return Err(AppError::new(
                ErrorCode::LimitExceeded,
                format!(
                    "This workspace has taken its {} exports of today. The next one is possible from midnight UTC on. \
                     {WHO_CHANGES_IT}",
                    most.unwrap_or_default()
                ),
            ));
        }
        audit::record(&mut tx, entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }
}

/// As [`Services::plan_notices`], of the seats, which are counted in another database role.
pub(crate) async fn seats_notice(
    tx: &mut AuthTx,
    scope: &WorkspaceScope,
    terms: &Terms,
) -> Result<Option<PlanNotice>, AppError> {
    if terms.at_most(Limit::Seats).is_none() {
        return Ok(None);
    }
    Ok(notice(terms, Limit::Seats, taken_seats(tx, scope).await?))
}

/// Members, and invitations that nobody has accepted yet.
async fn taken_seats(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<u64, AppError> {
    let members = member::count(tx, scope).await.map_err(fault)?;
    let open = invitation::count_open(tx, scope).await.map_err(fault)?;
    Ok((members + open).max(0).unsigned_abs())
}

fn notice(terms: &Terms, limit: Limit, used: u64) -> Option<PlanNotice> {
    let standing = terms.standing(limit, used);
    (standing != Standing::Fine).then_some(PlanNotice { limit, standing })
}

fn meter(terms: &Terms, limit: Limit, used: Option<u64>) -> Meter {
    Meter {
        limit,
        used,
        at_most: terms.at_most(limit),
        standing: used.map_or(Standing::Fine, |used| terms.standing(limit, used)),
        agreed: terms.agreed.contains_key(&limit),
    }
}

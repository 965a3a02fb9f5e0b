//! The frame around a workspace's pages, and what its palette finds.

use clarity_domain::error::AppError;
use clarity_domain::role::{Permission, Role};
use clarity_domain::view::search::{SearchHit, SearchTarget};
use clarity_domain::view::session::Frame;
use clarity_runtime::planted::planted;
use clarity_store::asset::{self, Asset};
use clarity_store::{overview, search, site};

use crate::deletion::deleted_at;
use crate::error::fault;
use crate::masked::Masks;
use crate::support::live_support;
use crate::throttle::Costly;
use crate::usage::seats_notice;
use crate::{Seat, Services, Visitor};

/// What is typed into the palette is looked up to this length.
const LONGEST: usize = 100;
/// As the database gives at most.
const MOST_HITS: usize = 20;

impl Services {
    /// Who is looking, where, and how much there is.
    pub async fn frame(&self, visitor: &Visitor, seat: &Seat) -> Result<Frame, AppError> {
        seat.may(Permission::View)?;
        let session = visitor.session().ok_or_else(AppError::unauthenticated)?;
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let counts = overview::counts(&mut tx).await.map_err(fault)?;
        let dead_letters =
            seat.role().may(Permission::ManageSources).then(|| counts.dead_letters.max(0).unsigned_abs());
        let plan =
            if seat.role() >= Role::Admin { Some(self.plan_notices(&mut tx, counts.assets).await?) } else { None };
        let support = live_support(&mut tx, seat).await?;
        let limited_to = if seat.sees_every_site() {
            None
        } else {
            let sites = site::list(&mut tx).await.map_err(fault)?;
            Some(sites.into_iter().map(|site| site.name).collect())
        };
        tx.commit().await.map_err(fault)?;
        let mut tx = self.auth.begin_in(&seat.scope).await.map_err(fault)?;
        let deleted_at = deleted_at(&mut tx, seat).await?;
        let mut notices = Vec::new();
        if let Some((said, terms)) = plan {
            notices = said;
            notices.extend(seats_notice(&mut tx, &seat.scope, &terms).await?);
        }
        tx.commit().await.map_err(fault)?;
        Ok(Frame {
            user: session.user.clone(),
            workspace: seat.card.clone(),
            workspaces: session.workspaces.clone(),
            sites: small(counts.sites),
            assets: small(counts.assets),
            sources: small(counts.sources),
            dead_letters,
            deleted_at,
            notices,
            support,
            limited_to,
        })
    }

    /// At most twenty machines and sources whose name has `text` in it.
    pub async fn search(&self, seat: &Seat, text: &str) -> Result<Vec<SearchHit>, AppError> {
        seat.may(Permission::View)?;
        self.throttle.take_of(seat.user_id, Costly::Search)?;
        let text: String = text.trim().chars().filter(|c| !c.is_control()).take(LONGEST).collect();
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let mut hits = search::find(&mut tx, &text).await.map_err(fault)?;
        let masks = Masks::of(&mut tx, seat, &self.settings.secrets).await.map_err(fault)?;
        if !masks.is_empty() && !planted("a-search-behind-the-masks") {
            // A hit tells that the text is in the name: it is looked for in what the seat may read.
            let machines = masks.assets(asset::list(&mut tx).await.map_err(fault)?);
            hits.retain(|hit| !matches!(hit.target, SearchTarget::Asset(_)));
            hits.extend(machines.into_iter().filter_map(|machine| hit(machine, &text)));
            hits.truncate(MOST_HITS);
        }
        tx.commit().await.map_err(fault)?;
        // Pages that are not everybody's, so that the browser cannot know them.
        let pages = [
            (Permission::ManageSources, SearchTarget::DeadLetters, "Dead letters", "dead letters"),
            (Permission::ReadAudit, SearchTarget::Audit, "Audit", "audit log"),
            (Permission::ManageMembers, SearchTarget::Members, "Members", "members"),
            (Permission::ManageTokens, SearchTarget::Tokens, "API tokens", "api tokens"),
            (Permission::ManageRetention, SearchTarget::Retention, "Retention", "retention"),
            (Permission::ManageMasking, SearchTarget::Masking, "Masking", "masking"),
            (Permission::OwnWorkspace, SearchTarget::Sso, "Single sign-on", "single sign-on sso"),
            (Permission::ReadSupport, SearchTarget::Support, "Support access", "support access"),
            (Permission::OwnWorkspace, SearchTarget::Usage, "Plan and usage", "plan and usage"),
            (
                Permission::ManageSources,
                SearchTarget::Settings,
                "Settings",
                "workspace settings: name, address, region, sites",
            ),
            (Permission::ManageSources, SearchTarget::SetUp, "Set-up", "set-up: time zone, first site"),
        ];
        let asked = text.to_lowercase();
        for (permission, target, name, words) in pages {
            if seat.role().may(permission) && !asked.is_empty() && words.contains(&asked) {
                hits.insert(0, SearchHit { target, name: name.into(), detail: Some("Page".to_owned()) });
            }
        }
        Ok(hits)
    }
}

fn hit(machine: Asset, text: &str) -> Option<SearchHit> {
    let wanted = text.to_lowercase();
    let found = [&machine.name, &machine.key].into_iter().any(|name| name.to_lowercase().contains(&wanted));
    found.then(|| SearchHit {
        target: SearchTarget::Asset(machine.id),
        name: machine.name,
        detail: Some(machine.line).filter(|line| !line.is_empty()),
    })
}

/// A count of rows, for a page.
pub(crate) fn small(count: i64) -> u32 {
    u32::try_from(count.max(0)).unwrap_or(u32::MAX)
}

//! The workspace's part of its address. The one it leaves stays its own for ever: members who follow an old link are led on, and
//! for all others it is an address like one that nobody ever had.

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::names::parse_slug;
use clarity_domain::role::Permission;
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::former_slug;
use serde_json::json;

use crate::error::{fault, forbidden};
use crate::{Seat, Services, Visitor};

/// So many addresses a workspace may leave: each is nobody else's any more.
const MOST_LEFT: usize = 10;
/// No address is longer.
const LONGEST: usize = 64;

impl Services {
    /// Gives the workspace another address. What it is now.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `Invalid` at `address` for one that cannot be, or is or was somebody else's; `Conflict` when it
    /// was changed too often; `RateLimited`.
    pub async fn change_address(&self, seat: &Seat, address: &str) -> Result<String, AppError> {
        let id = seat.card.id.to_string();
        let object = Object { kind: "workspace", id: &id, name: &seat.card.name };
        self.permit_recent(seat, Permission::OwnWorkspace, Act::ChangeAddress, object).await?;
        let slug = parse_slug("address", address)?;
        // Whoever tries one after the other is told which are taken: not many at once.
        self.throttle.take(&seat.client.address)?;
        let (mut tx, own) = self.locked(seat).await?;
        if !own.role.may(Permission::OwnWorkspace) {
            return Err(forbidden(Permission::OwnWorkspace));
        }
        let before = former_slug::get_current(&mut tx, &seat.scope).await.map_err(fault)?;
        if before == slug {
            return Ok(slug);
        }
        let former = former_slug::list(&mut tx, &seat.scope).await.map_err(fault)?;
        if former.len() >= MOST_LEFT && !former.contains(&slug) {
            return Err(AppError::new(
                ErrorCode::Conflict,
                format!(
                    "This workspace has left {MOST_LEFT} addresses already, and keeps them all. Take one of those again, or keep \
                     the one it has."
                ),
            ));
        }
        // In one order, so that two workspaces that change into each other's do not wait for each other.
        for held in [before.as_str().min(slug.as_str()), before.as_str().max(slug.as_str())] {
            former_slug::hold(&mut tx, held).await.map_err(fault)?;
        }
        if !former_slug::change(&mut tx, &seat.scope, &before, &slug).await.map_err(fault)? {
            return Err(AppError::invalid("address", "This address cannot be had. Choose another one."));
        }
        let entry = Entry {
            before: Some(json!({ "slug": before })),
            after: Some(json!({ "slug": slug })),
            ..seat.entry(Act::ChangeAddress, object)
        };
        self.record(seat, &entry).await?;
        tx.commit().await.map_err(fault)?;
        Ok(slug)
    }

    /// Where a member finds the workspace that had this address before. `None` for everybody else, and for an address that one of
    /// their workspaces has now.
    pub async fn moved_to(&self, visitor: &Visitor, slug: &str) -> Result<Option<String>, AppError> {
        let Some(member) = visitor.member() else { return Ok(None) };
        let workspaces = &member.session.workspaces;
        if slug.len() > LONGEST || workspaces.is_empty() || workspaces.iter().any(|card| card.slug == slug) {
            return Ok(None);
        }
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let now = former_slug::find(&mut tx, member.session.user.id, slug).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        // A session by single sign-on has one workspace, whatever else its person is a member of.
        Ok(now.filter(|now| workspaces.iter().any(|card| card.slug == *now)))
    }
}

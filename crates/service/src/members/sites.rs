//! Which sites a member sees. Operators and viewers can be limited to some: they see the machines of these alone, and nothing
//! that belongs to no machine. The database keeps them to it (`migrations/20261123002200_site_scope.sql`); here is who says it.

use clarity_domain::audit::Act;
use clarity_domain::error::AppError;
use clarity_domain::ids::{SiteId, UserId};
use clarity_domain::role::{Permission, Role, may_be_limited, may_change};
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::member;
use clarity_store::site::{self, Site};
use serde_json::{Value, json};

use crate::audit::shown;
use crate::error::{fault, missing};
use crate::{Seat, Services};

/// Of one limit, as the database takes them.
const MOST: usize = 200;

impl Services {
    /// Limits a member to these sites, or lets them see every site: `None`. It holds with their next request; live pages end
    /// within seconds.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `NotFound`; `Invalid` at `sites` for a role that is never limited, for no site, and for one
    /// that is not there.
    pub async fn limit_member(&self, seat: &Seat, user: UserId, sites: Option<&[SiteId]>) -> Result<(), AppError> {
        let id = user.to_string();
        let object = Object { kind: "member", id: &id, name: "" };
        self.permit_recent(seat, Permission::ManageMembers, Act::LimitMember, object).await?;
        let all = self.sites_of(seat).await?;
        let (mut tx, own) = self.locked(seat).await?;
        let target = member::find(&mut tx, &seat.scope, user).await.map_err(fault)?;
        let target = target.ok_or_else(|| AppError::not_found("member"))?;
        let name = shown(&target.user);
        let object = Object { name: &name, ..object };
        if may_be_limited(target.role) && !may_change(own.role, target.role, target.role) {
            drop(tx);
            let message = "Your role does not allow you to say which sites this member sees.";
            return self.refuse(seat, Act::LimitMember, object, target.role, message).await;
        }
        let limit = checked_limit(&all, target.role, sites)?;
        if target.sites == limit {
            return Ok(());
        }
        member::set_sites(&mut tx, &seat.scope, user, limit.as_deref()).await.map_err(missing("member"))?;
        let entry = Entry {
            before: Some(json!({ "sites": said(&all, target.sites.as_deref()) })),
            after: Some(json!({ "sites": said(&all, limit.as_deref()) })),
            ..seat.entry(Act::LimitMember, object)
        };
        self.record(seat, &entry).await?;
        tx.commit().await.map_err(fault)
    }

    /// The sites that the seat sees, which for whoever manages members are all.
    pub(super) async fn sites_of(&self, seat: &Seat) -> Result<Vec<Site>, AppError> {
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let all = site::list(&mut tx).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(all)
    }
}

/// A limit as it was asked for: of a role that can have one, of sites that are there, in order.
pub(super) fn checked_limit(
    all: &[Site],
    role: Role,
    sites: Option<&[SiteId]>,
) -> Result<Option<Vec<SiteId>>, AppError> {
    let Some(sites) = sites else { return Ok(None) };
    let wrong = |message: &str| Err(AppError::invalid("sites", message));
    if !may_be_limited(role) {
        return wrong(
            "Owners and admins administer the whole workspace, so they see every site. Choose another role to limit it.",
        );
    }
    let mut limit = sites.to_vec();
    limit.sort_unstable();
    limit.dedup();
    if limit.is_empty() {
        return wrong("Tick at least one site, or choose every site.");
    }
    if limit.len() > MOST {
        return wrong("Tick at most 200 sites, or choose every site.");
    }
    if limit.iter().any(|id| all.iter().all(|site| site.id != *id)) {
        return wrong("One of these sites is not there any more. Load the page again.");
    }
    Ok(Some(limit))
}

/// For the audit log: names, since an id says nothing to whoever reads it. A site that is gone is named by its id.
pub(super) fn said(all: &[Site], limit: Option<&[SiteId]>) -> Value {
    let Some(limit) = limit else { return json!("every site") };
    let name =
        |id: &SiteId| all.iter().find(|site| site.id == *id).map_or_else(|| id.to_string(), |site| site.name.clone());
    json!(limit.iter().map(name).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_limit_is_of_lower_roles_and_of_sites_that_are_there() {
        let id = |n| SiteId(Uuid::from_u128(n));
        let site = |n, name: &str| Site { id: id(n), name: name.into(), time_zone: "UTC".into() };
        let all = [site(1, "Plant North"), site(2, "Plant South")];
        assert_eq!(checked_limit(&all, Role::Admin, None), Ok(None));
        assert_eq!(checked_limit(&all, Role::Viewer, Some(&[id(2), id(1), id(2)])), Ok(Some(vec![id(1), id(2)])));
        for (role, sites) in [
            (Role::Owner, vec![id(1)]),
            (Role::Admin, vec![id(1)]),
            (Role::Viewer, vec![]),
            (Role::Operator, vec![id(1), id(3)]),
        ] {
            let wrong = checked_limit(&all, role, Some(&sites)).unwrap_err();
            assert_eq!(wrong.field.as_deref(), Some("sites"), "{role:?} {sites:?}");
        }
        assert_eq!(said(&all, Some(&[id(2)])), json!(["Plant South"]));
        assert_eq!(said(&all, None), json!("every site"));
        assert_eq!(said(&all, Some(&[id(3)])), json!([id(3).to_string()]));
    }
}

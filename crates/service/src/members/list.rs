//! Reading who is in a workspace: one's own place for everybody, the list for those who manage members.

use clarity_domain::audit::Act;
use clarity_domain::error::AppError;
use clarity_domain::role::{Permission, Role, may_be_limited, may_change, may_grant, may_remove};
use clarity_domain::view::members::{InvitationRow, MemberActs, MemberRow, Members, Membership, OfferToYou};
use clarity_domain::view::sites::SiteCard;
use clarity_runtime::clock::now_us;
use clarity_store::audit::Object;
use clarity_store::auth::{invitation, member, ownership};

use crate::error::fault;
use crate::frame::small;
use crate::second_factor::is_confirmed;
use crate::{Seat, Services};

/// Members that are shown; there is no page for more yet.
const SHOWN: i64 = 500;

impl Services {
    /// The seat's own place in the workspace, and ownership that is offered to it.
    ///
    /// # Errors
    /// `NotFound` when the person is no member any more.
    pub async fn membership(&self, seat: &Seat) -> Result<Membership, AppError> {
        seat.may(Permission::View)?;
        let mut tx = self.auth.begin_in(&seat.scope).await.map_err(fault)?;
        let own = member::find(&mut tx, &seat.scope, seat.user_id).await.map_err(fault)?;
        let own = own.ok_or_else(|| AppError::not_found("workspace"))?;
        let owners = member::count_owners(&mut tx, &seat.scope).await.map_err(fault)?;
        let offer = ownership::find(&mut tx, &seat.scope).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(Membership {
            as_of: now_us(),
            you: seat.user_id,
            role: own.role,
            last_owner: own.role == Role::Owner && owners < 2,
            second_factor_required: seat.second_factor_required,
            second_factor: seat.has_second_factor(),
            offer_to_you: offer.filter(|offer| offer.to.id == seat.user_id).map(|offer| OfferToYou {
                by: offer.by,
                offered_at: offer.offered_at,
                expires_at: offer.expires_at,
            }),
        })
    }

    /// Everybody in the workspace, with what this seat may do to each, and the invitations that are out.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn members(&self, seat: &Seat) -> Result<Members, AppError> {
        self.permit(seat, Permission::ManageMembers, Act::ReadMembers, Object::default()).await?;
        let mut tx = self.auth.begin_in(&seat.scope).await.map_err(fault)?;
        let rows = member::list(&mut tx, &seat.scope, SHOWN).await.map_err(fault)?;
        let total = member::count(&mut tx, &seat.scope).await.map_err(fault)?;
        let owners = member::count_owners(&mut tx, &seat.scope).await.map_err(fault)?;
        let offer = ownership::find(&mut tx, &seat.scope).await.map_err(fault)?;
        let invitations = invitation::list_open(&mut tx, &seat.scope).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let sites = self.sites_of(seat).await?;
        let (role, offered) = (seat.role(), offer.map(|offer| offer.to.id));
        let members = rows.into_iter().map(|row| {
            let own = row.user.id == seat.user_id;
            let last = row.role == Role::Owner && owners < 2;
            let offer = role.may(Permission::OwnWorkspace) && row.role != Role::Owner && offered.is_none();
            MemberRow {
                may: MemberActs {
                    roles: if last { Vec::new() } else { roles(role, row.role) },
                    remove: !own && may_remove(role, row.role),
                    offer: !own && offer,
                    limit: may_be_limited(row.role) && may_change(role, row.role, row.role),
                },
                offered: offered == Some(row.user.id),
                id: row.user.id,
                name: row.user.name,
                email: row.user.email,
                role: row.role,
                sites: row.sites,
                joined_at: row.joined_at,
            }
        });
        let invitations = invitations.into_iter().map(|row| InvitationRow {
            expired: row.expired || !row.inviter_role.is_some_and(|role| role.may(Permission::ManageMembers)),
            may_resend: may_grant(role, row.role),
            id: row.id,
            email: row.email,
            role: row.role,
            sites: row.sites,
            invited_by: row.inviter,
            sent_at: row.sent_at,
            expires_at: row.expires_at,
        });
        Ok(Members {
            as_of: now_us(),
            confirmed: is_confirmed(seat),
            members: members.collect(),
            members_total: small(total),
            invitations: invitations.collect(),
            sites: sites.into_iter().map(|site| SiteCard { id: site.id, name: site.name }).collect(),
        })
    }
}

/// What a member who is `from` can be made, with what they are, from most to least.
fn roles(actor: Role, from: Role) -> Vec<Role> {
    let fits = |to: &Role| *to == from || may_change(actor, from, *to);
    let roles: Vec<Role> = Role::ALL.into_iter().filter(fits).collect();
    if roles.len() > 1 { roles } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_of_roles_has_the_one_they_have_and_none_is_no_choice() {
        assert_eq!(roles(Role::Admin, Role::Viewer), [Role::Admin, Role::Operator, Role::Viewer]);
        assert_eq!(roles(Role::Owner, Role::Owner), Role::ALL);
        assert_eq!(roles(Role::Admin, Role::Owner), []);
        assert_eq!(roles(Role::Operator, Role::Viewer), []);
    }
}

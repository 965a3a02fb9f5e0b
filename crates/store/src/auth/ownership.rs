//! Offers of ownership: the first of the two steps that make an owner. One open offer a workspace, gone when it is accepted,
//! withdrawn or over. Callers hold [`super::member::lock`].

use crate::at::{micros, timestamp};
use crate::scope::WorkspaceScope;
use crate::{AuthTx, Result};
use clarity_domain::ids::UserId;
use clarity_domain::time::Micros;
use clarity_domain::view::session::UserCard;

/// An offer that can still be accepted.
#[derive(Clone, Debug)]
pub struct OfferRow {
    pub to: UserCard,
    /// The owner's name.
    pub by: String,
    pub offered_at: Micros,
    pub expires_at: Micros,
}

/// The workspace's open offer. Who made it is still an owner.
pub async fn find(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<Option<OfferRow>> {
    let row = sqlx::query!(
        "select t.id, t.name, t.email, b.name as offered_by, o.offered_at, o.expires_at
         from auth.ownership_offers o
         join auth.users t on t.id = o.user_id
         join auth.users b on b.id = o.offered_by
         join auth.memberships m on m.workspace_id = o.workspace_id and m.user_id = o.offered_by and m.role = 'owner'
         where o.workspace_id = $1
           and o.expires_at > now()",
        scope.workspace_id().0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| OfferRow {
        to: UserCard { id: UserId(r.id), name: r.name, email: r.email },
        by: r.offered_by,
        offered_at: micros(r.offered_at),
        expires_at: micros(r.expires_at),
    }))
}

/// After [`delete`]: one that is over may still stand there.
///
/// # Errors
/// `Conflict("ownership_offers_pkey")` when there is an offer.
pub async fn insert(tx: &mut AuthTx, scope: &WorkspaceScope, to: UserId, by: UserId, expires_at: Micros) -> Result<()> {
    sqlx::query!(
        "insert into auth.ownership_offers (workspace_id, user_id, offered_by, expires_at) values ($1, $2, $3, $4)",
        scope.workspace_id().0,
        to.0,
        by.0,
        timestamp(expires_at)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends the workspace's offer, if there is one.
pub async fn delete(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<()> {
    sqlx::query!("delete from auth.ownership_offers where workspace_id = $1", scope.workspace_id().0)
        .execute(tx.conn())
        .await?;
    Ok(())
}

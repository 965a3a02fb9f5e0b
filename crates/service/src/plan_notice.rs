//! The letter to a workspace's owners that a limit of the month comes near, was reached or is passed. Ingest notices it, since
//! it holds data back then; it has no server's settings, so the letter names the page and has no link to it.

use clarity_domain::plan::{Limit, Standing};
use clarity_domain::role::Role;
use clarity_store::auth::{member, workspace};
use clarity_store::{AuthStore, Result, WorkspaceScope};

use crate::mail::{self, Letter};

/// Owners that are written to at most.
const MOST: i64 = 20;

/// Writes to every owner of the scope's workspace. A server sends what was written.
///
/// # Errors
/// The store's; then nobody is written to.
pub async fn tell_owners(auth: &AuthStore, scope: &WorkspaceScope, limit: Limit, standing: Standing) -> Result<()> {
    let mut tx = auth.begin().await?;
    let name = workspace::get_name(&mut tx, scope).await?;
    // Owners come first.
    let members = member::list(&mut tx, scope, MOST).await?;
    for owner in members.into_iter().filter(|row| row.role == Role::Owner) {
        let letter = Letter::PlanNotice { workspace: &name, limit, standing };
        mail::write(&mut tx, &owner.user.email, &letter, false).await?;
    }
    tx.commit().await
}

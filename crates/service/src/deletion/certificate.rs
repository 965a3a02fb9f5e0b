//! The certificate of a workspace that is gone: sent to those who were its owners, with a link that shows it to its bearer and
//! says nothing to anybody else.

use std::time::Duration;

use clarity_domain::error::AppError;
use clarity_domain::view::deletion::Certificate;
use clarity_runtime::shutdown::CancellationToken;
use clarity_store::auth::deletion as store;
use tokio::time::sleep;

use crate::Services;
use crate::error::fault;
use crate::mail::Letter;
use crate::visitor::{new_token, token_hash};

/// Between looks for workspaces that are gone.
const LOOK: Duration = Duration::from_secs(3);
/// Letters of a look.
const AT_ONCE: i64 = 20;

impl Services {
    /// The certificate behind a letter's link.
    ///
    /// # Errors
    /// `NotFound` for any other token.
    pub async fn find_certificate(&self, token: &str) -> Result<Certificate, AppError> {
        let hash = token_hash(token).ok_or_else(|| AppError::not_found("certificate"))?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let found = store::find_certificate(&mut tx, &hash).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        found.ok_or_else(|| AppError::not_found("certificate"))
    }

    /// Posts the letters of workspaces that are gone; how many.
    ///
    /// # Errors
    /// The store's; then none of them was posted.
    pub async fn post_certificates(&self) -> Result<usize, AppError> {
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let due = store::list_due_letters(&mut tx, AT_ONCE).await.map_err(fault)?;
        for letter in &due {
            let (token, hash) = new_token()?;
            let link = format!("{}/deleted/{token}", self.settings.public_url);
            self.post(&mut tx, &letter.to, &Letter::WorkspaceDeleted { workspace: &letter.name, link: &link }).await?;
            store::note_letter(&mut tx, letter.id, &hash).await.map_err(fault)?;
        }
        tx.commit().await.map_err(fault)?;
        Ok(due.len())
    }

    /// Does so until `shutdown`. What failed was logged where it did, and is tried again.
    pub async fn tell_of_deletions(&self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = sleep(LOOK) => {}
            }
            if let Ok(posted @ 1..) = self.post_certificates().await {
                tracing::info!(posted, "certificates of deleted workspaces are on their way");
            }
        }
    }
}

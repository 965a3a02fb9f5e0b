//! Anchors: where each workspace's audit log stood at a moment, to be kept where the platform's own operators cannot write.
//! Whoever holds the database could make a whole chain anew; with one hash of it that is kept elsewhere, that is found.
//!
//! Nothing is written into a log by this: one that may be broken is left as it is found.

use std::time::Duration;

use clarity_domain::audit::{Anchor, AnchorFound, ChainReport};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_runtime::shutdown::CancellationToken;
use clarity_store::audit as store;
use clarity_store::auth::workspace;
use tokio::time::sleep;

use super::timestamp;
use crate::Services;
use crate::error::fault;

const EVERY: Duration = Duration::from_secs(86_400);
/// After a failure.
const AGAIN: Duration = Duration::from_secs(60);

impl Services {
    /// The last entry of every workspace's log, by the workspaces' slugs. For the platform's own machine.
    pub async fn audit_anchors(&self) -> Result<Vec<Anchor>, AppError> {
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let slugs = workspace::list_slugs(&mut tx).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let mut all = Vec::with_capacity(slugs.len());
        for slug in slugs {
            let seat = match self.operator_seat(&slug, "audit-anchors").await {
                Ok(seat) => seat,
                // Nobody owns it any more: it is being removed.
                Err(error) if error.code == ErrorCode::NotFound => continue,
                Err(error) => return Err(error),
            };
            let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
            let head = store::find_head(&mut tx).await.map_err(fault)?;
            tx.commit().await.map_err(fault)?;
            all.extend(head.map(|head| Anchor {
                workspace: slug,
                workspace_id: seat.scope.workspace_id(),
                seq: head.seq,
                hash: hex::encode(head.hash),
                at: timestamp(head.at),
            }));
        }
        Ok(all)
    }

    /// Writes the anchors into the process' log, now and then every day.
    pub async fn note_anchors(&self, shutdown: CancellationToken) {
        loop {
            let next = match self.audit_anchors().await {
                Ok(all) => {
                    for Anchor { workspace, workspace_id, seq, hash, at } in &all {
                        tracing::info!(target: "audit.anchor", %workspace, %workspace_id, seq, %hash, %at, "an audit log's last entry");
                    }
                    EVERY
                }
                Err(error) => {
                    tracing::warn!(code = ?error.code, "the audit logs' anchors could not be read");
                    AGAIN
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = sleep(next) => {}
            }
        }
    }

    /// Checks a workspace's chain, and whether each anchor of it is a place of this chain. For the platform's own machine.
    ///
    /// # Errors
    /// `NotFound` for a workspace that is not there.
    pub async fn check_anchors(
        &self,
        slug: &str,
        anchors: &[Anchor],
    ) -> Result<(ChainReport, Vec<AnchorFound>), AppError> {
        let seat = self.operator_seat(slug, "verify-audit").await?;
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let report = store::verify(&mut tx).await.map_err(fault)?;
        let mut found = Vec::with_capacity(anchors.len());
        for anchor in anchors {
            let entry = store::find(&mut tx, anchor.seq).await.map_err(fault)?;
            let is_ours = anchor.workspace_id == seat.scope.workspace_id();
            found.push(match entry {
                Some(entry) if is_ours && hex::encode(&entry.hash) == anchor.hash => AnchorFound::Same,
                Some(_) => AnchorFound::Other,
                None if is_ours && anchor.seq.unsigned_abs() <= report.cut_seq => AnchorFound::Cut,
                None => AnchorFound::Missing,
            });
        }
        tx.commit().await.map_err(fault)?;
        Ok((report, found))
    }
}

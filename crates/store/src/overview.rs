//! Counts for the frame around a workspace's pages.

use crate::{Result, WorkspaceTx};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub sites: i64,
    pub assets: i64,
    pub sources: i64,
    pub dead_letters: i64,
}

/// How much of everything the workspace has, in one round trip.
pub async fn counts(tx: &mut WorkspaceTx) -> Result<Counts> {
    let workspace = tx.workspace();
    let r = sqlx::query!(
        r#"select (select count(*) from sites where workspace_id = $1) as "sites!",
                  (select count(*) from assets where workspace_id = $1) as "assets!",
                  (select count(*) from sources where workspace_id = $1) as "sources!",
                  (select count(*) from dead_letters where workspace_id = $1 and replayed_at is null) as "letters!""#,
        workspace
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Counts { sites: r.sites, assets: r.assets, sources: r.sources, dead_letters: r.letters })
}

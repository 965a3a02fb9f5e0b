//! Counts for the frame around a workspace's pages, and how far back its data goes.

use crate::at::{micros, timestamp};
use crate::{Result, WorkspaceTx};
use clarity_domain::time::{HOUR, Micros};

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

/// When the oldest sample or state that is kept began; `None` when that is more than an hour ago, or nothing is kept.
pub async fn began_within_an_hour(tx: &mut WorkspaceTx, now: Micros) -> Result<Option<Micros>> {
    let workspace = tx.workspace();
    // One older row settles it, and the first that is looked at usually is: the minima are for young workspaces.
    let began = sqlx::query_scalar!(
        "select case
           when exists (select from state_intervals where workspace_id = $1 and from_at < $2) then null
           when exists (select from sample_chunks where workspace_id = $1 and from_at < $2) then null
           else least((select min(from_at) from state_intervals where workspace_id = $1),
                      (select min(from_at) from sample_chunks where workspace_id = $1))
         end as began_at",
        workspace,
        timestamp(now - HOUR)
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(began.map(micros))
}

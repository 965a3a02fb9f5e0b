//! Emptying what follows from bronze, before it is written anew in the same transaction.

use crate::Result;
use crate::tx::WorkspaceTx;
use clarity_domain::ids::SourceId;

/// Removes a source's chunks, newest values, marks, rollups, states, records, extras and open letters. Numbers of assets
/// and metrics, mappings and replayed letters stay: they are given once, or said by people.
pub async fn clear(tx: &mut WorkspaceTx, source: SourceId) -> Result<()> {
    let workspace = tx.workspace();
    let streams = sqlx::query_scalar!(
        "select id from streams where workspace_id = $1 and source_id = $2 order by id",
        workspace,
        source.0
    )
    .fetch_all(tx.conn())
    .await?;
    macro_rules! clear {
        ($($sql:literal),*) => {$(
            sqlx::query!($sql, workspace, &streams).execute(tx.conn()).await?;
        )*};
    }
    clear!(
        "delete from sample_chunks where workspace_id = $1 and stream_id = any($2)",
        "delete from latest_samples where workspace_id = $1 and stream_id = any($2)",
        "delete from dirty_marks where workspace_id = $1 and stream_id = any($2)",
        "delete from rollups where workspace_id = $1 and stream_id = any($2)",
        "delete from state_intervals where workspace_id = $1 and stream_id = any($2)",
        "delete from records where workspace_id = $1 and stream_id = any($2)",
        "delete from record_extras where workspace_id = $1 and stream_id = any($2)",
        "delete from extra_paths where workspace_id = $1 and stream_id = any($2)",
        "update streams set truncated_xid = 0 where workspace_id = $1 and id = any($2)"
    );
    sqlx::query!(
        "delete from dead_letters where workspace_id = $1 and source_id = $2 and replayed_at is null",
        workspace,
        source.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Counts the new generation and tells the live pages.
pub async fn finish(tx: &mut WorkspaceTx, source: SourceId) -> Result<i32> {
    let workspace = tx.workspace();
    let generation = sqlx::query_scalar!(
        "update refine_cursors set generation = generation + 1 where workspace_id = $1 and source_id = $2
         returning generation",
        workspace,
        source.0
    )
    .fetch_one(tx.conn())
    .await?;
    sqlx::query!("select pg_notify('clarity_live', $1)::text", workspace.to_string()).fetch_one(tx.conn()).await?;
    Ok(generation)
}

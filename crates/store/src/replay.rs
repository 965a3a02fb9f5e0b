//! Replays that members asked for: claimed from the queue of jobs, then carried out in their workspace.

use crate::Result;
use crate::scope::{Principal, WorkspaceScope};
use crate::tx::{SystemTx, WorkspaceTx};
use clarity_domain::ids::{SourceId, WorkspaceId};
use uuid::Uuid;

/// A claimed job.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: Uuid,
    pub scope: WorkspaceScope,
    /// The replay's id.
    pub replay: Uuid,
}

/// Claims the oldest job that waits, or whose holder has gone.
///
/// # Crosses workspaces
/// The queue holds jobs of all workspaces; a job is ids only.
pub async fn claim(tx: &mut SystemTx, holder: Uuid) -> Result<Option<Job>> {
    let row = sqlx::query!(
        r#"with next as (
             select id from ops.jobs
             where kind = 'replay' and (state = 'waiting' or (state = 'running' and lease_expires_at < now()))
             order by created_at
             limit 1
             for update skip locked
           )
           update ops.jobs j
           set state = 'running', holder = $1, lease_expires_at = now() + interval '1 minute', attempts = attempts + 1
           from next n
           where j.id = n.id
           returning j.id, j.workspace_id, j.ref_id as "ref_id!""#,
        holder
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| Job {
        id: r.id,
        scope: WorkspaceScope::new(WorkspaceId(r.workspace_id), Principal::Worker),
        replay: r.ref_id,
    }))
}

/// Ends a claimed job.
///
/// # Crosses workspaces
/// As [`claim`].
pub async fn end(tx: &mut SystemTx, job: Uuid, holder: Uuid, done: bool) -> Result<()> {
    sqlx::query!(
        "update ops.jobs set state = $3, finished_at = now() where id = $1 and holder = $2 and state = 'running'",
        job,
        holder,
        if done { "done" } else { "failed" }
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What a replay is for: all open letters of one cause in one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub source_id: SourceId,
    pub stream_name: String,
    pub fingerprint: String,
}

/// A replay that is not finished.
pub async fn find(tx: &mut WorkspaceTx, replay: Uuid) -> Result<Option<Wanted>> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        "select source_id, stream_name, fingerprint from replays
         where workspace_id = $1 and id = $2 and finished_at is null",
        workspace,
        replay
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| Wanted { source_id: SourceId(r.source_id), stream_name: r.stream_name, fingerprint: r.fingerprint }))
}

/// Says how far a replay is: letters that landed since it was last said, and those that failed in this attempt.
pub async fn progress(tx: &mut WorkspaceTx, replay: Uuid, landed: i64, failed: i64) -> Result<()> {
    let workspace = tx.workspace();
    sqlx::query!(
        "update replays set landed = landed + $3, failed = $4 where workspace_id = $1 and id = $2",
        workspace,
        replay,
        landed,
        failed
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends a replay.
pub async fn finish(tx: &mut WorkspaceTx, replay: Uuid) -> Result<()> {
    let workspace = tx.workspace();
    sqlx::query!(
        "update replays set finished_at = now() where workspace_id = $1 and id = $2 and finished_at is null",
        workspace,
        replay
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

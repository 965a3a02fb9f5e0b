//! The job of a rewrite in the workers' queue: claimed by one worker, kept while it works, claimed again when it has gone.

use crate::Result;
use crate::scope::{Principal, WorkspaceScope};
use crate::tx::SystemTx;
use clarity_domain::ids::WorkspaceId;
use uuid::Uuid;

/// A claimed job.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: Uuid,
    pub scope: WorkspaceScope,
    pub rewrite: Uuid,
    /// How often it was claimed, this time among them.
    pub attempts: i32,
}

/// Claims the oldest job that waits, or whose holder has gone.
///
/// # Crosses workspaces
/// The queue holds jobs of all workspaces; a job is ids only.
pub async fn claim(tx: &mut SystemTx, holder: Uuid) -> Result<Option<Job>> {
    let row = sqlx::query!(
        r#"with next as (
             select id from ops.jobs
             where kind = 'rewrite' and (state = 'waiting' or (state = 'running' and lease_expires_at < now()))
             order by created_at
             limit 1
             for update skip locked
           )
           update ops.jobs j
           set state = 'running', holder = $1, lease_expires_at = now() + interval '1 minute', attempts = attempts + 1
           from next n
           where j.id = n.id
           returning j.id, j.workspace_id, j.ref_id as "ref_id!", j.attempts"#,
        holder
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| Job {
        id: r.id,
        scope: WorkspaceScope::new(WorkspaceId(r.workspace_id), Principal::Worker),
        rewrite: r.ref_id,
        attempts: r.attempts,
    }))
}

/// Keeps a claimed job for another minute; false when somebody else has it.
///
/// # Crosses workspaces
/// As [`claim`].
pub async fn keep(tx: &mut SystemTx, job: Uuid, holder: Uuid) -> Result<bool> {
    let kept = sqlx::query!(
        "update ops.jobs
         set lease_expires_at = now() + interval '1 minute'
         where id = $1 and holder = $2 and state = 'running'",
        job,
        holder
    )
    .execute(tx.conn())
    .await?;
    Ok(kept.rows_affected() == 1)
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

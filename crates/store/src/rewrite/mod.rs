//! Rewriting history: what was asked for and how far it is, its job, and the segments and letters that it changes.
//!
//! Segments are changed by the database's own function alone, which refuses while no rewrite of the workspace runs, and while
//! a legal hold is open.

mod history;
mod job;
mod machines;

pub use history::{NewSegment, Stored, before, change, change_letters, list_letters, read, remove_quarantined};
pub use job::{Job, claim, end, keep};
pub use machines::{NewNames, rename, rename_sites};

use crate::at::micros;
use crate::refine::Place;
use crate::{Result, StoreError, WorkspaceTx};
use clarity_domain::ids::{SourceId, UserId};
use clarity_domain::masking::{MaskKey, MaskPolicy};
use clarity_domain::time::Micros;
use uuid::Uuid;

/// A rewrite as members see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    pub requested_at: Micros,
    /// Not known before it has begun.
    pub segments_total: Option<i64>,
    pub segments_done: i64,
    pub values_masked: i64,
    pub letters_changed: i64,
    pub sources: i64,
    /// Whose read models were made anew.
    pub sources_done: i64,
    pub finished_at: Option<Micros>,
    pub stopped: Option<String>,
}

/// Asks for a rewrite with these policies.
///
/// # Errors
/// `Conflict("rewrites_running")` while one runs.
pub async fn request(tx: &mut WorkspaceTx, id: Uuid, by: UserId, policies: &[MaskPolicy]) -> Result<()> {
    let workspace = tx.workspace();
    let policies = serde_json::to_value(policies).map_err(|_| StoreError::Corrupt("masking policies"))?;
    sqlx::query!(
        "insert into rewrites (workspace_id, id, requested_by, policies) values ($1, $2, $3, $4)",
        workspace,
        id,
        by.0,
        policies
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!("select ops.request_rewrite($1)", id).fetch_one(tx.conn()).await?;
    Ok(())
}

/// The rewrite that was asked for last.
pub async fn find_last(tx: &mut WorkspaceTx) -> Result<Option<Rewrite>> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        r#"select r.requested_at, r.segments_total, r.segments_done, r.values_masked, r.letters_changed, r.finished_at,
                  r.stopped,
                  (select count(*) from rewrite_sources s
                   where s.workspace_id = $1 and s.rewrite_id = r.id) as "sources!",
                  (select count(*) from rewrite_sources s
                   where s.workspace_id = $1 and s.rewrite_id = r.id and s.models_at is not null) as "sources_done!"
           from rewrites r
           where r.workspace_id = $1
           order by r.requested_at desc, r.id desc
           limit 1"#,
        workspace
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| Rewrite {
        requested_at: micros(r.requested_at),
        segments_total: r.segments_total,
        segments_done: r.segments_done,
        values_masked: r.values_masked,
        letters_changed: r.letters_changed,
        sources: r.sources,
        sources_done: r.sources_done,
        finished_at: r.finished_at.map(micros),
        stopped: r.stopped,
    }))
}

/// Sources whose bronze has lost its beginning, by name: their read models cannot be made anew.
pub async fn list_cut_sources(tx: &mut WorkspaceTx) -> Result<Vec<(SourceId, String)>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select s.id, s.name
         from bronze_cuts c
         join sources s on s.workspace_id = c.workspace_id and s.id = c.source_id
         where c.workspace_id = $1
         order by s.name, s.id",
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|r| (SourceId(r.id), r.name)).collect())
}

/// What a worker has to do.
#[derive(Clone, Debug)]
pub struct Work {
    pub id: Uuid,
    pub policies: Vec<MaskPolicy>,
    /// None before it has begun.
    pub key: Option<MaskKey>,
}

/// A rewrite that is not finished.
pub async fn find(tx: &mut WorkspaceTx, id: Uuid) -> Result<Option<Work>> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        "select policies, hash_key from rewrites where workspace_id = $1 and id = $2 and finished_at is null",
        workspace,
        id
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let policies = serde_json::from_value(row.policies).map_err(|_| StoreError::Corrupt("rewrites.policies"))?;
    let key = row.hash_key.map(|key| key.try_into().map(MaskKey::new)).transpose();
    let key = key.map_err(|_: Vec<u8>| StoreError::Corrupt("rewrites.hash_key"))?;
    Ok(Some(Work { id, policies, key }))
}

/// Begins: the key, and for each of these sources (all, without any said) where it ends, which is where ingest stands now.
pub async fn begin(tx: &mut WorkspaceTx, id: Uuid, key: &MaskKey, sources: Option<&[SourceId]>) -> Result<()> {
    let workspace = tx.workspace();
    let sources: Option<Vec<Uuid>> = sources.map(|sources| sources.iter().map(|source| source.0).collect());
    sqlx::query!(
        "insert into rewrite_sources (workspace_id, rewrite_id, source_id, end_epoch, end_seq)
         select $1, $2, c.source_id, c.epoch, c.next_seq
         from source_cursors c
         where c.workspace_id = $1 and ($3::uuid[] is null or c.source_id = any($3))",
        workspace,
        id,
        sources.as_deref()
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "update rewrites
         set hash_key = $3,
             segments_total = (
               select count(*)
               from rewrite_sources s
               join bronze_segments b on b.workspace_id = s.workspace_id and b.source_id = s.source_id
                                     and (b.epoch, b.first_seq) < (s.end_epoch, s.end_seq)
               where s.workspace_id = $1 and s.rewrite_id = $2
             )
         where workspace_id = $1
           and id = $2",
        workspace,
        id,
        key.as_bytes().as_slice()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A source of a rewrite: where it is, and where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub source: SourceId,
    pub at: Place,
    pub end: Place,
}

/// The sources that are not done.
pub async fn list_parts(tx: &mut WorkspaceTx, id: Uuid) -> Result<Vec<Part>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select source_id, at_epoch, at_seq, end_epoch, end_seq
         from rewrite_sources
         where workspace_id = $1
           and rewrite_id = $2
           and models_at is null
         order by source_id",
        workspace,
        id
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Part {
            source: SourceId(r.source_id),
            at: Place { epoch: r.at_epoch, seq: r.at_seq },
            end: Place { epoch: r.end_epoch, seq: r.end_seq },
        })
        .collect())
}

/// What a batch did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    pub segments: i64,
    pub values: i64,
    pub letters: i64,
}

/// Notes a batch in the transaction that writes it: what is rewritten is never rewritten again by the same job.
pub async fn note(tx: &mut WorkspaceTx, id: Uuid, source: SourceId, to: Place, step: Step) -> Result<()> {
    let workspace = tx.workspace();
    sqlx::query!(
        "update rewrite_sources
         set at_epoch = $4, at_seq = $5
         where workspace_id = $1 and rewrite_id = $2 and source_id = $3",
        workspace,
        id,
        source.0,
        to.epoch,
        to.seq
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "update rewrites
         set segments_done = segments_done + $3, values_masked = values_masked + $4, letters_changed = letters_changed + $5
         where workspace_id = $1 and id = $2",
        workspace,
        id,
        step.segments,
        step.values,
        step.letters
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether any of its sources has its new read models.
pub async fn has_models(tx: &mut WorkspaceTx, id: Uuid) -> Result<bool> {
    let workspace = tx.workspace();
    Ok(sqlx::query_scalar!(
        r#"select exists (
             select from rewrite_sources where workspace_id = $1 and rewrite_id = $2 and models_at is not null
           ) as "any!" "#,
        workspace,
        id
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Notes that a source's read models were made anew.
pub async fn note_models(tx: &mut WorkspaceTx, id: Uuid, source: SourceId) -> Result<()> {
    let workspace = tx.workspace();
    sqlx::query!(
        "update rewrite_sources set models_at = now() where workspace_id = $1 and rewrite_id = $2 and source_id = $3",
        workspace,
        id,
        source.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends a rewrite, and throws its key away; gives what it did, or nothing when it had ended.
pub async fn finish(tx: &mut WorkspaceTx, id: Uuid, stopped: Option<&str>) -> Result<Option<Step>> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        "update rewrites
         set finished_at = now(), hash_key = null, stopped = $3
         where workspace_id = $1
           and id = $2
           and finished_at is null
         returning segments_done, values_masked, letters_changed",
        workspace,
        id,
        stopped
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| Step { segments: r.segments_done, values: r.values_masked, letters: r.letters_changed }))
}

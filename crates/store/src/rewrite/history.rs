//! Segments and letters that are rewritten, in bounded batches.

use crate::refine::Place;
use crate::{Result, WorkspaceTx};
use clarity_domain::ids::SourceId;
use uuid::Uuid;

/// A segment as it stands.
#[derive(Clone, Debug)]
pub struct Stored {
    pub epoch: i32,
    pub first_seq: i64,
    pub event_count: i32,
    pub body: Vec<u8>,
}

/// Segments from a place on, ascending, at most `limit` of them, of the first epoch that has any.
pub async fn read(tx: &mut WorkspaceTx, source: SourceId, from: Place, end: Place, limit: i64) -> Result<Vec<Stored>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select epoch, first_seq, event_count, body
         from bronze_segments
         where workspace_id = $1
           and source_id = $2
           and (epoch, first_seq) >= ($3, $4)
           and (epoch, first_seq) < ($5, $6)
         order by epoch, first_seq
         limit $7",
        workspace,
        source.0,
        from.epoch,
        from.seq,
        end.epoch,
        end.seq,
        limit
    )
    .fetch_all(tx.conn())
    .await?;
    let epoch = rows.first().map(|r| r.epoch);
    Ok(rows
        .into_iter()
        .filter(|r| Some(r.epoch) == epoch)
        .map(|r| Stored { epoch: r.epoch, first_seq: r.first_seq, event_count: r.event_count, body: r.body })
        .collect())
}

/// The hash of the segment that ends where one begins; none at the beginning of an epoch and after a gap.
pub async fn before(tx: &mut WorkspaceTx, source: SourceId, at: Place) -> Result<Option<Vec<u8>>> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        "select first_seq, event_count, hash
         from bronze_segments
         where workspace_id = $1 and source_id = $2 and epoch = $3 and first_seq < $4
         order by first_seq desc
         limit 1",
        workspace,
        source.0,
        at.epoch,
        at.seq
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.filter(|r| r.first_seq + i64::from(r.event_count) == at.seq).map(|r| r.hash))
}

/// What a segment is to be.
#[derive(Clone, Debug)]
pub struct NewSegment {
    pub first_seq: i64,
    pub hash: [u8; 32],
    /// Body, and its size before compression. None: as it is.
    pub body: Option<(Vec<u8>, u32)>,
}

/// Changes segments of one epoch.
///
/// # Errors
/// `Refused` while no rewrite of the workspace runs, and while a legal hold is open.
pub async fn change(
    tx: &mut WorkspaceTx,
    rewrite: Uuid,
    source: SourceId,
    epoch: i32,
    segments: &[NewSegment],
) -> Result<i32> {
    let seqs: Vec<i64> = segments.iter().map(|s| s.first_seq).collect();
    let hashes: Vec<&[u8]> = segments.iter().map(|s| s.hash.as_slice()).collect();
    let bodies: Vec<Option<&[u8]>> = segments.iter().map(|s| s.body.as_ref().map(|b| b.0.as_slice())).collect();
    let sizes: Vec<Option<i32>> = segments.iter().map(|s| s.body.as_ref().map(|b| b.1 as i32)).collect();
    Ok(sqlx::query_scalar!(
        r#"select ops.rewrite_segments($1, $2, $3, $4, $5, $6, $7) as "changed!""#,
        rewrite,
        source.0,
        epoch,
        &seqs,
        &hashes as &[&[u8]],
        &bodies as &[Option<&[u8]>],
        &sizes as &[Option<i32>]
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Letters whose line stands in one of these segments: sequence, the segment's first one, and the line's number.
pub async fn list_letters(
    tx: &mut WorkspaceTx,
    source: SourceId,
    epoch: i32,
    segments: &[i64],
) -> Result<Vec<(i64, i64, i32)>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select seq, segment_first_seq, line_number
         from dead_letters
         where workspace_id = $1 and source_id = $2 and epoch = $3 and segment_first_seq = any($4)
         order by seq
         for update",
        workspace,
        source.0,
        epoch,
        segments
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|r| (r.seq, r.segment_first_seq, r.line_number)).collect())
}

/// Gives letters their lines as they stand in bronze now. An agent's words on why it could not decode an event go as well.
pub async fn change_letters(
    tx: &mut WorkspaceTx,
    source: SourceId,
    epoch: i32,
    letters: &[(i64, Vec<u8>)],
) -> Result<()> {
    let workspace = tx.workspace();
    let seqs: Vec<i64> = letters.iter().map(|l| l.0).collect();
    let payloads: Vec<&[u8]> = letters.iter().map(|l| l.1.as_slice()).collect();
    sqlx::query!(
        "update dead_letters d
         set payload = l.payload,
             cause = regexp_replace(d.cause, '^(the agent could not decode the event):.*$', '\\1')
         from unnest($4::bigint[], $5::bytea[]) as l (seq, payload)
         where d.workspace_id = $1 and d.source_id = $2 and d.epoch = $3 and d.seq = l.seq",
        workspace,
        source.0,
        epoch,
        &seqs,
        &payloads as &[&[u8]]
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Removes bodies of a source's batches that could not be decoded: what cannot be read cannot be masked. The gaps stay.
pub async fn remove_quarantined(tx: &mut WorkspaceTx, source: SourceId) -> Result<u64> {
    let workspace = tx.workspace();
    let gone = sqlx::query!(
        "update gap_markers set body = null where workspace_id = $1 and source_id = $2 and body is not null",
        workspace,
        source.0
    )
    .execute(tx.conn())
    .await?;
    Ok(gone.rows_affected())
}

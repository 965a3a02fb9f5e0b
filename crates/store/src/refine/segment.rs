//! Segments in the order of their sequences, and what stands where there is none.

use crate::Result;
use crate::at::micros;
use crate::refine::Place;
use crate::tx::WorkspaceTx;
use clarity_domain::ids::SourceId;
use clarity_domain::time::Micros;

/// A segment without its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    pub epoch: i32,
    pub first_seq: i64,
    pub event_count: i32,
    pub raw_bytes: i32,
}

/// A segment as received.
#[derive(Clone, Debug)]
pub struct Segment {
    pub epoch: i32,
    pub first_seq: i64,
    pub event_count: i32,
    pub received_at: Micros,
    pub body: Vec<u8>,
}

/// The next segments of the place's epoch, ascending.
pub async fn list(tx: &mut WorkspaceTx, source: SourceId, from: Place, limit: i64) -> Result<Vec<SegmentInfo>> {
    let workspace = tx.workspace();
    Ok(sqlx::query_as!(
        SegmentInfo,
        "select epoch, first_seq, event_count, raw_bytes
         from bronze_segments
         where workspace_id = $1 and source_id = $2 and epoch = $3 and first_seq >= $4
         order by first_seq
         limit $5",
        workspace,
        source.0,
        from.epoch,
        from.seq,
        limit
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The segments of an epoch that begin in `first..=last`, ascending.
pub async fn read(tx: &mut WorkspaceTx, source: SourceId, epoch: i32, first: i64, last: i64) -> Result<Vec<Segment>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select first_seq, event_count, received_at, body
         from bronze_segments
         where workspace_id = $1 and source_id = $2 and epoch = $3 and first_seq between $4 and $5
         order by first_seq",
        workspace,
        source.0,
        epoch,
        first,
        last
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Segment {
            epoch,
            first_seq: r.first_seq,
            event_count: r.event_count,
            received_at: micros(r.received_at),
            body: r.body,
        })
        .collect())
}

/// Where to go on from a place without a segment: past a gap that a marker covers, or into the next epoch. `None`: there
/// is nothing more yet.
pub async fn find_next(tx: &mut WorkspaceTx, source: SourceId, at: Place) -> Result<Option<Place>> {
    let workspace = tx.workspace();
    let past = sqlx::query_scalar!(
        "select max(to_seq) from gap_markers
         where workspace_id = $1 and source_id = $2 and epoch = $3 and from_seq <= $4 and to_seq > $4",
        workspace,
        source.0,
        at.epoch,
        at.seq
    )
    .fetch_one(tx.conn())
    .await?;
    if let Some(seq) = past {
        return Ok(Some(Place { epoch: at.epoch, seq }));
    }
    // Ingest leaves an epoch for good, and only when all of it is stored.
    let epoch = sqlx::query_scalar!(
        "select least(
           (select min(epoch) from bronze_segments where workspace_id = $1 and source_id = $2 and epoch > $3),
           (select min(epoch) from gap_markers where workspace_id = $1 and source_id = $2 and epoch > $3),
           (select epoch from source_cursors where workspace_id = $1 and source_id = $2 and epoch > $3))",
        workspace,
        source.0,
        at.epoch
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(epoch.map(|epoch| Place { epoch, seq: 1 }))
}

//! Dead letters: events that could not be refined, kept with their cause and where they stand in bronze.

use crate::Result;
use crate::refine::Place;
use crate::tx::WorkspaceTx;
use clarity_domain::ids::SourceId;

/// An event that could not be refined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The event's own epoch and sequence.
    pub at: Place,
    pub stream_name: String,
    /// Of the cause: letters with the same one have one fix.
    pub fingerprint: String,
    pub cause: String,
    /// The line as it stands in bronze.
    pub payload: Vec<u8>,
    pub segment_first_seq: i64,
    pub line_number: i32,
}

/// Keeps letters; one that is there already stays as it is.
pub async fn insert(tx: &mut WorkspaceTx, source: SourceId, letters: &[DeadLetter]) -> Result<()> {
    if letters.is_empty() {
        return Ok(());
    }
    let workspace = tx.workspace();
    let epochs: Vec<i32> = letters.iter().map(|l| l.at.epoch).collect();
    let seqs: Vec<i64> = letters.iter().map(|l| l.at.seq).collect();
    let streams: Vec<&str> = letters.iter().map(|l| l.stream_name.as_str()).collect();
    let fingerprints: Vec<&str> = letters.iter().map(|l| l.fingerprint.as_str()).collect();
    let causes: Vec<&str> = letters.iter().map(|l| l.cause.as_str()).collect();
    let payloads: Vec<&[u8]> = letters.iter().map(|l| l.payload.as_slice()).collect();
    let segments: Vec<i64> = letters.iter().map(|l| l.segment_first_seq).collect();
    let lines: Vec<i32> = letters.iter().map(|l| l.line_number).collect();
    sqlx::query!(
        "insert into dead_letters
           (workspace_id, source_id, epoch, seq, stream_name, fingerprint, cause, payload, segment_first_seq, line_number)
         select $1, $2, l.epoch, l.seq, l.stream_name, l.fingerprint, l.cause, l.payload, l.segment_first_seq, l.line_number
         from unnest($3::int[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::bigint[], $10::int[])
              as l (epoch, seq, stream_name, fingerprint, cause, payload, segment_first_seq, line_number)
         on conflict (workspace_id, source_id, epoch, seq) do nothing",
        workspace,
        source.0,
        &epochs,
        &seqs,
        &streams as &[&str],
        &fingerprints as &[&str],
        &causes as &[&str],
        &payloads as &[&[u8]],
        &segments,
        &lines
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Letters of one cause in one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub stream_name: String,
    pub fingerprint: String,
    pub cause: String,
    pub open: i64,
    pub replayed: i64,
}

/// A source's letters by cause, most first.
pub async fn list_groups(tx: &mut WorkspaceTx, source: SourceId) -> Result<Vec<Group>> {
    let workspace = tx.workspace();
    Ok(sqlx::query_as!(
        Group,
        r#"select stream_name, fingerprint, min(cause) as "cause!",
                  count(*) filter (where replayed_at is null) as "open!",
                  count(*) filter (where replayed_at is not null) as "replayed!"
           from dead_letters
           where workspace_id = $1 and source_id = $2
           group by stream_name, fingerprint
           order by count(*) desc"#,
        workspace,
        source.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Open letters after a place, ascending, locked against another replay; of one stream and cause where these are given.
pub async fn lock_open(
    tx: &mut WorkspaceTx,
    source: SourceId,
    of: Option<(&str, &str)>,
    after: Place,
    limit: i64,
) -> Result<Vec<DeadLetter>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select epoch, seq, stream_name, fingerprint, cause, payload, segment_first_seq, line_number
         from dead_letters
         where workspace_id = $1 and source_id = $2 and replayed_at is null and (epoch, seq) > ($3, $4)
           and ($6::text is null or stream_name = $6) and ($7::text is null or fingerprint = $7)
         order by epoch, seq
         limit $5
         for update",
        workspace,
        source.0,
        after.epoch,
        after.seq,
        limit,
        of.map(|o| o.0),
        of.map(|o| o.1)
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| DeadLetter {
            at: Place { epoch: r.epoch, seq: r.seq },
            stream_name: r.stream_name,
            fingerprint: r.fingerprint,
            cause: r.cause,
            payload: r.payload,
            segment_first_seq: r.segment_first_seq,
            line_number: r.line_number,
        })
        .collect())
}

/// Notes that letters were replayed, each with the version of its stream's mapping.
pub async fn mark_replayed(tx: &mut WorkspaceTx, source: SourceId, letters: &[(Place, i32)]) -> Result<()> {
    let workspace = tx.workspace();
    let epochs: Vec<i32> = letters.iter().map(|l| l.0.epoch).collect();
    let seqs: Vec<i64> = letters.iter().map(|l| l.0.seq).collect();
    let versions: Vec<i32> = letters.iter().map(|l| l.1).collect();
    sqlx::query!(
        "update dead_letters d
         set replayed_at = now(), replayed_version = l.version
         from unnest($3::int[], $4::bigint[], $5::int[]) as l (epoch, seq, version)
         where d.workspace_id = $1 and d.source_id = $2 and d.epoch = l.epoch and d.seq = l.seq and d.replayed_at is null",
        workspace,
        source.0,
        &epochs,
        &seqs,
        &versions
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Which events were replayed with which version: a rebuild reads them so again.
pub async fn list_replayed(tx: &mut WorkspaceTx, source: SourceId) -> Result<Vec<(Place, i32)>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"select epoch, seq, coalesce(replayed_version, 1) as "version!"
           from dead_letters
           where workspace_id = $1 and source_id = $2 and replayed_at is not null"#,
        workspace,
        source.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|r| (Place { epoch: r.epoch, seq: r.seq }, r.version)).collect())
}

/// Where the open letters are: for `verify`.
pub async fn list_open_places(tx: &mut WorkspaceTx, source: SourceId) -> Result<Vec<Place>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select epoch, seq from dead_letters where workspace_id = $1 and source_id = $2 and replayed_at is null",
        workspace,
        source.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|r| Place { epoch: r.epoch, seq: r.seq }).collect())
}

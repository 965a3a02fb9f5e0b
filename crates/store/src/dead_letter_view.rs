//! Dead letters as members see them, grouped by cause; and the request to replay a group.

use crate::at::micros;
use crate::{Result, WorkspaceTx};
use clarity_domain::ids::{SourceId, StreamId, UserId};
use clarity_domain::time::Micros;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub letters: i64,
    pub groups: i64,
    pub causes: i64,
    pub oldest_at: Option<Micros>,
}

/// Open letters of one cause in one stream.
#[derive(Clone, Debug)]
pub struct Group {
    pub fingerprint: String,
    pub cause: String,
    pub source_id: SourceId,
    pub source: String,
    /// Nil for a stream that nothing could be read of yet.
    pub stream_id: StreamId,
    pub stream: String,
    pub count: i64,
    pub oldest_at: Micros,
    pub newest_at: Micros,
    pub samples: Vec<Sample>,
    pub replay: Option<Replay>,
}

#[derive(Clone, Debug)]
pub struct Sample {
    pub epoch: i32,
    pub seq: i64,
    /// At most the first 2,048 bytes.
    pub payload: Vec<u8>,
    pub size_bytes: i32,
    pub created_at: Micros,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replay {
    pub total: i64,
    pub landed: i64,
    pub failed: i64,
    pub requested_at: Micros,
    pub finished_at: Option<Micros>,
}

pub async fn totals(tx: &mut WorkspaceTx) -> Result<Totals> {
    let workspace = tx.workspace();
    let r = sqlx::query!(
        r#"select count(*) as "letters!", count(distinct fingerprint) as "causes!",
                  count(distinct (source_id, stream_name, fingerprint)) as "groups!", min(created_at) as oldest_at
         from dead_letters
         where workspace_id = $1
           and replayed_at is null"#,
        workspace
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Totals { letters: r.letters, groups: r.groups, causes: r.causes, oldest_at: r.oldest_at.map(micros) })
}

/// The hundred largest groups with three samples each, and the groups whose replay has just ended.
pub async fn list_groups(tx: &mut WorkspaceTx) -> Result<Vec<Group>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"select g.fingerprint, g.cause as "cause!", g.source_id, s.name as source, t.id as "stream_id?",
                  g.stream_name, g.letters as "letters!", g.oldest_at as "oldest_at!", g.newest_at as "newest_at!",
                  x.epochs as "epochs!", x.seqs as "seqs!", x.payloads as "payloads!", x.sizes as "sizes!",
                  x.times as "times!",
                  p.total as "total?", p.landed as "landed?", p.failed as "failed?",
                  p.requested_at as "requested_at?", p.finished_at as "finished_at?"
         from (
           select source_id, stream_name, fingerprint, max(cause) as cause, count(*) as letters,
                  min(created_at) as oldest_at, max(created_at) as newest_at
           from dead_letters
           where workspace_id = $1
             and replayed_at is null
           group by source_id, stream_name, fingerprint
           order by count(*) desc, max(created_at) desc
           limit 100
         ) g
         join sources s on s.workspace_id = $1 and s.id = g.source_id
         left join streams t on t.workspace_id = $1 and t.source_id = g.source_id and t.name = g.stream_name
         cross join lateral (
           select array_agg(d.epoch) as epochs, array_agg(d.seq) as seqs, array_agg(substring(d.payload for 2048)) as payloads,
                  array_agg(octet_length(d.payload)) as sizes, array_agg(d.created_at) as times
           from (
             select epoch, seq, payload, created_at
             from dead_letters
             where workspace_id = $1
               and source_id = g.source_id
               and stream_name = g.stream_name
               and fingerprint = g.fingerprint
               and replayed_at is null
             order by epoch desc, seq desc
             limit 3
           ) d
         ) x
         left join lateral (
           select total, landed, failed, requested_at, finished_at
           from replays
           where workspace_id = $1
             and source_id = g.source_id
             and stream_name = g.stream_name
             and fingerprint = g.fingerprint
           order by requested_at desc
           limit 1
         ) p on true
         order by g.letters desc, g.newest_at desc"#,
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Group {
            fingerprint: r.fingerprint,
            cause: r.cause,
            source_id: SourceId(r.source_id),
            source: r.source,
            stream_id: StreamId(r.stream_id.unwrap_or_default()),
            stream: r.stream_name,
            count: r.letters,
            oldest_at: micros(r.oldest_at),
            newest_at: micros(r.newest_at),
            samples: r
                .epochs
                .into_iter()
                .zip(r.seqs)
                .zip(r.payloads)
                .zip(r.sizes)
                .zip(r.times)
                .map(|((((epoch, seq), payload), size_bytes), at)| Sample {
                    epoch,
                    seq,
                    payload,
                    size_bytes,
                    created_at: micros(at),
                })
                .collect(),
            replay: r.requested_at.map(|at| Replay {
                total: r.total.unwrap_or(0),
                landed: r.landed.unwrap_or(0),
                failed: r.failed.unwrap_or(0),
                requested_at: micros(at),
                finished_at: r.finished_at.map(micros),
            }),
        })
        .collect())
}

/// Asks for a replay of all open letters of this cause in this stream. `None` when there are none.
///
/// # Errors
/// `Conflict("replays_running")` while one runs.
pub async fn request_replay(
    tx: &mut WorkspaceTx,
    stream: StreamId,
    fingerprint: &str,
    by: UserId,
) -> Result<Option<Replay>> {
    let workspace = tx.workspace();
    let id = Uuid::now_v7();
    let made = sqlx::query!(
        "insert into replays (workspace_id, id, source_id, stream_name, fingerprint, requested_by, total)
         select $1, $2, t.source_id, t.name, $4, $5, count(*)
         from streams t
         join dead_letters d on d.workspace_id = $1 and d.source_id = t.source_id and d.stream_name = t.name
         where t.workspace_id = $1
           and t.id = $3
           and d.fingerprint = $4
           and d.replayed_at is null
         group by t.source_id, t.name
         returning total, requested_at",
        workspace,
        id,
        stream.0,
        fingerprint,
        by.0
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(made) = made else { return Ok(None) };
    sqlx::query!("select ops.request_job('replay', $1)", id).fetch_one(tx.conn()).await?;
    Ok(Some(Replay {
        total: made.total,
        landed: 0,
        failed: 0,
        requested_at: micros(made.requested_at),
        finished_at: None,
    }))
}

//! What compaction reads: which streams have hot chunks that have settled, and those chunks. Sealed chunks are written
//! and hot ones removed through [`crate::chunk`].

use crate::Result;
use crate::tx::WorkspaceTx;
use clarity_domain::ids::StreamId;
use uuid::Uuid;

/// A stream with hot chunks that are old enough to be sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    pub stream_id: StreamId,
    pub chunks: i64,
    pub rows: i64,
    pub oldest_age_s: f64,
    /// Assets that the stream knows: rows over assets says how large sealed chunks would get.
    pub assets: i64,
}

/// The workspace's streams with hot chunks older than `settled_s` seconds.
pub async fn list_waiting(tx: &mut WorkspaceTx, settled_s: f64) -> Result<Vec<Waiting>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"select c.stream_id as "stream_id!", count(*) as "chunks!", sum(c.row_count)::bigint as "rows!",
                  extract(epoch from clock_timestamp() - min(c.created_at))::float8 as "age!",
                  (select count(*) from latest_samples l
                   where l.workspace_id = $1 and l.stream_id = c.stream_id) as "assets!"
           from sample_chunks c
           where c.workspace_id = $1 and not c.sealed
             and c.created_at < clock_timestamp() - $2::float8 * interval '1 second'
           group by c.stream_id
           order by 1"#,
        workspace,
        settled_s
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Waiting {
            stream_id: StreamId(r.stream_id),
            chunks: r.chunks,
            rows: r.rows,
            oldest_age_s: r.age,
            assets: r.assets,
        })
        .collect())
}

/// A stream's oldest settled hot chunks, up to about `rows` rows, with their bodies.
pub async fn take_hot(
    tx: &mut WorkspaceTx,
    stream: StreamId,
    settled_s: f64,
    rows: i64,
) -> Result<Vec<(Uuid, Vec<u8>)>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"with settled as (
             select id, row_count, sum(row_count) over (order by created_at, id) as running
             from sample_chunks
             where workspace_id = $1 and stream_id = $2 and not sealed
               and created_at < clock_timestamp() - $3::float8 * interval '1 second'
           )
           select c.id, c.body
           from settled s
           join sample_chunks c on c.workspace_id = $1 and c.id = s.id and not c.sealed
           where s.running - s.row_count < $4"#,
        workspace,
        stream.0,
        settled_s,
        rows
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|r| (r.id, r.body)).collect())
}

//! State intervals: an asset was in a state from–to. Where one ends is where the next of that asset begins.

use crate::Result;
use crate::at::{micros, timestamp};
use crate::tx::WorkspaceTx;
use clarity_domain::ids::StreamId;
use clarity_domain::state::StateCategory;
use clarity_domain::time::Micros;

/// A state of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Whose rows say so.
    pub stream_id: StreamId,
    pub asset_number: i32,
    pub from: Micros,
    /// `None`: still open.
    pub to: Option<Micros>,
    /// The customer's word.
    pub state: String,
    pub category: StateCategory,
    pub reason: Option<String>,
}

/// The intervals that overlap `[from, to)`, of all assets, by asset and start.
pub async fn list_intervals(tx: &mut WorkspaceTx, from: Micros, to: Micros) -> Result<Vec<Interval>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select stream_id, asset_number, from_at, to_at, state, category, reason
         from state_intervals
         where workspace_id = $1
           and from_at < $3
           and (to_at > $2 or to_at is null)
         order by asset_number, from_at, to_at nulls last",
        workspace,
        timestamp(from),
        timestamp(to)
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Interval {
            stream_id: StreamId(r.stream_id),
            asset_number: r.asset_number,
            from: micros(r.from_at),
            to: r.to_at.map(micros),
            state: r.state,
            category: StateCategory::parse(&r.category),
            reason: r.reason,
        })
        .collect())
}

/// What one row of a source says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateRow {
    pub source_key: String,
    pub asset_number: i32,
    pub from: Micros,
    pub state: String,
    pub category: StateCategory,
    pub reason: Option<String>,
    pub epoch: i32,
    pub seq: i64,
}

/// Replaces what these rows said before with what they say now (`None`: nothing any more) and sets the ends of their
/// neighbours right.
pub async fn replace(tx: &mut WorkspaceTx, stream: StreamId, keys: &[String], rows: &[StateRow]) -> Result<()> {
    let workspace = tx.workspace();
    let gone = sqlx::query!(
        "delete from state_intervals
         where workspace_id = $1 and stream_id = $2 and source_key = any($3)
         returning asset_number, from_at",
        workspace,
        stream.0,
        keys
    )
    .fetch_all(tx.conn())
    .await?;
    let mut touched: Vec<(i32, Micros)> = gone.iter().map(|r| (r.asset_number, micros(r.from_at))).collect();
    let mut sorted: Vec<&StateRow> = rows.iter().collect();
    sorted.sort_by(|a, b| (a.asset_number, a.from, &a.source_key).cmp(&(b.asset_number, b.from, &b.source_key)));
    touched.extend(sorted.iter().map(|r| (r.asset_number, r.from)));
    let assets: Vec<i32> = sorted.iter().map(|r| r.asset_number).collect();
    let from: Vec<_> = sorted.iter().map(|r| timestamp(r.from)).collect();
    let states: Vec<String> = sorted.iter().map(|r| r.state.clone()).collect();
    let categories: Vec<String> = sorted.iter().map(|r| r.category.as_str().to_owned()).collect();
    let reasons: Vec<Option<String>> = sorted.iter().map(|r| r.reason.clone()).collect();
    let epochs: Vec<i32> = sorted.iter().map(|r| r.epoch).collect();
    let seqs: Vec<i64> = sorted.iter().map(|r| r.seq).collect();
    let source_keys: Vec<String> = sorted.iter().map(|r| r.source_key.clone()).collect();
    sqlx::query!(
        "insert into state_intervals
           (workspace_id, stream_id, asset_number, from_at, state, category, reason, epoch, seq, source_key)
         select $1, $2, r.asset_number, r.from_at, r.state, r.category, r.reason, r.epoch, r.seq, r.source_key
         from unnest($3::int[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::int[], $9::bigint[], $10::text[])
              as r (asset_number, from_at, state, category, reason, epoch, seq, source_key)",
        workspace,
        stream.0,
        &assets,
        &from,
        &states,
        &categories,
        &reasons as &[Option<String>],
        &epochs,
        &seqs,
        &source_keys
    )
    .execute(tx.conn())
    .await?;
    set_ends(tx, touched).await
}

/// Removes what a stream's rows said, all of it.
pub async fn clear(tx: &mut WorkspaceTx, stream: StreamId) -> Result<()> {
    let workspace = tx.workspace();
    let gone = sqlx::query!(
        "delete from state_intervals where workspace_id = $1 and stream_id = $2 returning asset_number, from_at",
        workspace,
        stream.0
    )
    .fetch_all(tx.conn())
    .await?;
    set_ends(tx, gone.iter().map(|r| (r.asset_number, micros(r.from_at))).collect()).await
}

/// Between the interval before the first touched start of an asset and the one after its last, an end is the next
/// start.
async fn set_ends(tx: &mut WorkspaceTx, mut touched: Vec<(i32, Micros)>) -> Result<()> {
    if touched.is_empty() {
        return Ok(());
    }
    let workspace = tx.workspace();
    touched.sort_unstable();
    let spans: Vec<(i32, Micros, Micros)> = touched
        .chunk_by(|a, b| a.0 == b.0)
        .map(|of_asset| (of_asset[0].0, of_asset[0].1, of_asset[of_asset.len() - 1].1))
        .collect();
    let assets: Vec<i32> = spans.iter().map(|s| s.0).collect();
    let first: Vec<_> = spans.iter().map(|s| timestamp(s.1)).collect();
    let last: Vec<_> = spans.iter().map(|s| timestamp(s.2)).collect();
    sqlx::query!(
        "with span as (
           select t.asset_number,
                  coalesce((select max(i.from_at) from state_intervals i
                            where i.workspace_id = $1 and i.asset_number = t.asset_number and i.from_at < t.first_at),
                           t.first_at) as first_at,
                  coalesce((select min(i.from_at) from state_intervals i
                            where i.workspace_id = $1 and i.asset_number = t.asset_number and i.from_at > t.last_at),
                           t.last_at) as last_at
           from unnest($2::int[], $3::timestamptz[], $4::timestamptz[]) as t (asset_number, first_at, last_at)
         ), ends as (
           select i.asset_number, i.from_at, i.stream_id, i.source_key,
                  lead(i.from_at) over (partition by i.asset_number
                                        order by i.from_at, i.epoch, i.seq, i.stream_id, i.source_key) as to_at,
                  exists (select from state_intervals n
                          where n.workspace_id = $1 and n.asset_number = i.asset_number and n.from_at > s.last_at) as more
           from span s
           join state_intervals i on i.workspace_id = $1 and i.asset_number = s.asset_number
                                 and i.from_at between s.first_at and s.last_at
         )
         update state_intervals i
         set to_at = e.to_at
         from ends e
         where i.workspace_id = $1 and i.asset_number = e.asset_number and i.from_at = e.from_at
           and i.stream_id = e.stream_id and i.source_key = e.source_key
           and i.to_at is distinct from e.to_at
           and not (e.to_at is null and e.more)",
        workspace,
        &assets,
        &first,
        &last
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Everything that rows say, with the ends: for `verify`.
pub async fn list_rows(tx: &mut WorkspaceTx) -> Result<Vec<(StreamId, StateRow, Option<Micros>)>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select stream_id, source_key, asset_number, from_at, to_at, state, category, reason, epoch, seq
         from state_intervals
         where workspace_id = $1",
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| {
            let row = StateRow {
                source_key: r.source_key,
                asset_number: r.asset_number,
                from: micros(r.from_at),
                state: r.state,
                category: StateCategory::parse(&r.category),
                reason: r.reason,
                epoch: r.epoch,
                seq: r.seq,
            };
            (StreamId(r.stream_id), row, r.to_at.map(micros))
        })
        .collect())
}

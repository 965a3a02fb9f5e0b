//! How much of a class there is, or would go: rows, bytes, and the oldest of them. The conditions are those of `remove`.

use crate::at::{micros, timestamp};
use crate::rollup::{DAY_GRAIN, HOUR_GRAIN, MINUTE_GRAIN};
use crate::{Result, WorkspaceTx};
use clarity_domain::retention::DataClass;
use clarity_domain::time::Micros;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub rows: i64,
    /// Of the rows themselves, without indexes.
    pub bytes: i64,
    pub oldest_at: Option<Micros>,
}

macro_rules! figures {
    ($tx:expr, $sql:literal, $($bound:expr),*) => {{
        let row = sqlx::query!($sql, $($bound),*).fetch_one($tx.conn()).await?;
        Figures { rows: row.rows, bytes: row.bytes, oldest_at: row.oldest.map(micros) }
    }};
}

/// What lies before `cut` and may go; all of the class without one.
pub async fn measure(tx: &mut WorkspaceTx, class: DataClass, cut: Option<Micros>) -> Result<Figures> {
    let (workspace, before) = (tx.workspace(), cut.map(timestamp));
    Ok(match class {
        DataClass::Bronze => figures!(
            tx,
            r#"select row_count as "rows!", byte_count as "bytes!", oldest as "oldest?" from bronze_figures($1)"#,
            before.map(|at| at.date())
        ),
        DataClass::Samples => figures!(
            tx,
            r#"select coalesce(sum(c.row_count), 0)::bigint as "rows!", min(c.from_at) as "oldest?",
                      coalesce(sum(octet_length(c.body) + octet_length(c.stats)), 0)::bigint as "bytes!"
               from sample_chunks c
               where c.workspace_id = $1
                 and ($2::timestamptz is null or (
                   c.sealed and c.to_at < $2
                   and not exists (
                     select from dirty_marks d
                     where d.workspace_id = $1 and d.stream_id = c.stream_id and d.asset_number = c.asset_number and d.hour < $2
                   )
                 ))"#,
            workspace,
            before
        ),
        DataClass::States => figures!(
            tx,
            r#"select count(*) as "rows!", coalesce(sum(pg_column_size(s)), 0)::bigint as "bytes!", min(s.from_at) as "oldest?"
               from state_intervals s
               where s.workspace_id = $1
                 and ($2::timestamptz is null or s.to_at < $2)"#,
            workspace,
            before
        ),
        DataClass::Minutes => rollups(tx, MINUTE_GRAIN, cut).await?,
        DataClass::Hours => rollups(tx, HOUR_GRAIN, cut).await?,
        DataClass::Days => rollups(tx, DAY_GRAIN, cut).await?,
        DataClass::Records => figures!(
            tx,
            r#"select count(*) as "rows!", coalesce(sum(pg_column_size(r)), 0)::bigint as "bytes!",
                      min(r.changed_at) as "oldest?"
               from records r
               where r.workspace_id = $1
                 and r.image is null
                 and ($2::timestamptz is null or r.changed_at < $2)"#,
            workspace,
            before
        ),
        DataClass::DeadLetters => figures!(
            tx,
            r#"select count(*) as "rows!", coalesce(sum(pg_column_size(d)), 0)::bigint as "bytes!",
                      min(d.created_at) as "oldest?"
               from dead_letters d
               where d.workspace_id = $1
                 and ($2::timestamptz is null or (
                   d.created_at < $2
                   and (d.replayed_at is null or exists (
                     select from bronze_cuts c
                     where c.workspace_id = $1 and c.source_id = d.source_id and (c.epoch, c.next_seq) > (d.epoch, d.seq)
                   ))
                 ))"#,
            workspace,
            before
        ),
        DataClass::Audit => figures!(
            tx,
            r#"select count(*) as "rows!", coalesce(sum(pg_column_size(e)), 0)::bigint as "bytes!", min(e.at) as "oldest?"
               from audit_entries e
               where e.workspace_id = $1
                 and ($2::timestamptz is null or e.at < $2)"#,
            workspace,
            before
        ),
    })
}

/// Asset by asset, each by the key's order: buckets of all times lie beside each other there.
async fn rollups(tx: &mut WorkspaceTx, grain: i32, cut: Option<Micros>) -> Result<Figures> {
    let workspace = tx.workspace();
    Ok(figures!(
        tx,
        r#"select coalesce(sum(g.rows), 0)::bigint as "rows!", coalesce(sum(g.bytes), 0)::bigint as "bytes!",
                  min(g.oldest) as "oldest?"
           from latest_samples l
           cross join lateral (
             select count(*) as rows, sum(pg_column_size(r)) as bytes, min(r.from_at) as oldest
             from rollups r
             where r.workspace_id = $1
               and r.stream_id = l.stream_id
               and r.asset_number = l.asset_number
               and r.grain = $2
               and ($3::timestamptz is null or (r.from_at < $3 and r.to_at <= $3))
           ) g
           where l.workspace_id = $1"#,
        workspace,
        grain,
        cut.map(timestamp)
    ))
}

//! Events and bytes by day and month: differences of the cursors' counts, which are exact.

use crate::at::micros;
use crate::{Result, WorkspaceTx};
use clarity_domain::time::Micros;

/// The current month so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Month {
    pub events: u64,
    pub bytes: u64,
    /// When the next one begins.
    pub ends_at: Micros,
}

pub async fn of_month(tx: &mut WorkspaceTx) -> Result<Month> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        r#"with opened as (
             select distinct on (o.source_id) o.source_id, o.events_before, o.bytes_before
             from usage_openings o
             where o.workspace_id = $1
               and o.day >= date_trunc('month', now() at time zone 'utc')::date
             order by o.source_id, o.day
           )
           select coalesce(sum(c.durable_events - o.events_before), 0)::bigint as "events!",
                  coalesce(sum(c.durable_bytes - o.bytes_before), 0)::bigint as "bytes!",
                  (date_trunc('month', now() at time zone 'utc') + interval '1 month') at time zone 'utc' as "ends_at!"
           from opened o
           join source_cursors c on c.workspace_id = $1 and c.source_id = o.source_id"#,
        workspace
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Month {
        events: row.events.max(0).unsigned_abs(),
        bytes: row.bytes.max(0).unsigned_abs(),
        ends_at: micros(row.ends_at),
    })
}

/// A day of all sources together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// "2026-11-23"
    pub day: String,
    pub events: u64,
    pub bytes: u64,
    pub exports: u64,
}

/// So many days with today, the newest first; a day of nothing is a day.
pub async fn list_days(tx: &mut WorkspaceTx, days: i32) -> Result<Vec<Day>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"with wanted as (
             select (now() at time zone 'utc')::date - n as day from generate_series(0, $2::int - 1) n
           ), opened as (
             select o.day,
                    lead(o.events_before, 1, c.durable_events) over of_source - o.events_before as events,
                    lead(o.bytes_before, 1, c.durable_bytes) over of_source - o.bytes_before as bytes
             from usage_openings o
             join source_cursors c on c.workspace_id = o.workspace_id and c.source_id = o.source_id
             where o.workspace_id = $1
               and o.day > (now() at time zone 'utc')::date - $2::int
             window of_source as (partition by o.source_id order by o.day)
           ), used as (
             select day, sum(events) as events, sum(bytes) as bytes from opened group by day
           )
           select to_char(w.day, 'YYYY-MM-DD') as "day!",
                  coalesce(u.events, 0)::bigint as "events!",
                  coalesce(u.bytes, 0)::bigint as "bytes!",
                  coalesce(e.exports, 0)::bigint as "exports!"
           from wanted w
           left join used u on u.day = w.day
           left join export_days e on e.workspace_id = $1 and e.day = w.day
           order by w.day desc"#,
        workspace,
        days
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Day {
            day: r.day,
            events: r.events.max(0).unsigned_abs(),
            bytes: r.bytes.max(0).unsigned_abs(),
            exports: r.exports.max(0).unsigned_abs(),
        })
        .collect())
}

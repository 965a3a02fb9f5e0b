//! What pages show of sources: one row with all evidence, so that a page costs one round trip.

use crate::at::{micros, timestamp};
use crate::{Result, StoreError, WorkspaceTx};
use clarity_domain::ids::{AgentId, SourceId, StreamId};
use clarity_domain::mapping::MappingSpec;
use clarity_domain::time::{HOUR, Micros};
use serde_json::Value;

/// A source with its agent, its cursors and the last hour.
#[derive(Clone, Debug)]
pub struct SourceView {
    pub id: SourceId,
    pub name: String,
    pub kind: String,
    pub product: String,
    pub created_at: Micros,
    pub paused: bool,
    /// `wire::frame::SourceStatus` as last received.
    pub status: Value,
    pub status_at: Option<Micros>,
    pub agent_id: AgentId,
    pub agent: String,
    pub agent_seen_at: Option<Micros>,
    /// The agent's clock minus ours.
    pub agent_skew_us: i64,
    pub agent_denied: Option<String>,
    pub durable: Cursor,
    pub refined: Cursor,
    /// Newest time at the source that came by the ordered path, heartbeats included; and of changes alone.
    pub path_source_at: Option<Micros>,
    pub change_source_at: Option<Micros>,
    pub refined_events: u64,
    pub first_event_at: Option<Micros>,
    /// Events by minute of receipt over the last hour: start of the minute and count, ascending.
    pub minutes: Vec<(Micros, i64)>,
    pub gaps: i64,
}

/// How far something is: the next sequence it waits for.
#[derive(Clone, Debug, Default)]
pub struct Cursor {
    pub epoch: Option<i32>,
    pub next_seq: Option<i64>,
    /// As the source writes it.
    pub position: Option<Value>,
    pub at: Option<Micros>,
}

/// All sources of agents that were not revoked, by name.
pub async fn list(tx: &mut WorkspaceTx, now: Micros) -> Result<Vec<SourceView>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"select s.id, s.name, s.kind, s.product, s.created_at, s.paused, s.status, s.status_at, s.agent_id,
                  a.name as agent, a.seen_at as "seen_at?", a.clock_skew_us, a.denied as "denied?",
                  c.epoch as "epoch?", c.next_seq as "next_seq?", c.position as "position?", c.changed_at as "changed_at?",
                  r.epoch as "refined_epoch?", r.next_seq as "refined_next_seq?", r.refined_at as "refined_at?",
                  r.path_source_at as "path_source_at?", r.change_source_at as "change_source_at?",
                  r.events as "events?",
                  (select min(t.first_seen_at) from streams t
                   where t.workspace_id = $1 and t.source_id = s.id) as first_event_at,
                  m.minutes as "minutes?", m.counts as "counts?",
                  (select count(*) from gap_markers g
                   where g.workspace_id = $1 and g.source_id = s.id) as "gaps!"
         from sources s
         join agents a on a.workspace_id = s.workspace_id and a.id = s.agent_id
         left join source_cursors c on c.workspace_id = s.workspace_id and c.source_id = s.id
         left join refine_cursors r on r.workspace_id = s.workspace_id and r.source_id = s.id
         left join lateral (
           select array_agg(n.minute order by n.minute) as minutes, array_agg(n.events order by n.minute) as counts
           from source_minutes n
           where n.workspace_id = $1 and n.source_id = s.id and n.minute >= $2
         ) m on true
         where s.workspace_id = $1
           and a.revoked_at is null
         order by s.name, s.id"#,
        workspace,
        timestamp(now - HOUR - 60_000_000)
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| SourceView {
            id: SourceId(r.id),
            name: r.name,
            kind: r.kind,
            product: r.product,
            created_at: micros(r.created_at),
            paused: r.paused,
            status: r.status,
            status_at: r.status_at.map(micros),
            agent_id: AgentId(r.agent_id),
            agent: r.agent,
            agent_seen_at: r.seen_at.map(micros),
            agent_skew_us: r.clock_skew_us,
            agent_denied: r.denied,
            durable: Cursor {
                epoch: r.epoch,
                next_seq: r.next_seq,
                position: r.position,
                at: r.changed_at.map(micros),
            },
            refined: Cursor {
                epoch: r.refined_epoch,
                next_seq: r.refined_next_seq,
                position: None,
                at: r.refined_at.map(micros),
            },
            path_source_at: r.path_source_at.map(micros),
            change_source_at: r.change_source_at.map(micros),
            refined_events: r.events.unwrap_or(0).max(0) as u64,
            first_event_at: r.first_event_at.map(micros),
            minutes: r.minutes.unwrap_or_default().into_iter().map(micros).zip(r.counts.unwrap_or_default()).collect(),
            gaps: r.gaps,
        })
        .collect())
}

/// The busiest minute of the workspace since `since`, in events.
pub async fn busiest_minute(tx: &mut WorkspaceTx, since: Micros) -> Result<Option<i64>> {
    let workspace = tx.workspace();
    let most = sqlx::query_scalar!(
        "select max(m.events)::bigint
         from (
           select sum(events) as events
           from source_minutes
           where workspace_id = $1 and minute >= $2
           group by minute
         ) m",
        workspace,
        timestamp(since)
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(most)
}

/// A stream of a source, with how it is read.
#[derive(Clone, Debug)]
pub struct StreamView {
    pub id: StreamId,
    pub name: String,
    pub spec: Option<MappingSpec>,
    pub events: u64,
    pub last_event_at: Option<Micros>,
    pub snapshot_rows: Option<i64>,
    pub snapshot_done_at: Option<Micros>,
    pub dead_letters: u64,
}

/// The streams of a source with their newest mapping, by name.
pub async fn list_streams(tx: &mut WorkspaceTx, source: SourceId) -> Result<Vec<StreamView>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"select t.id, t.name, t.events, t.last_event_at, t.snapshot_rows, t.snapshot_done_at,
                  (select p.spec from mappings p
                   where p.workspace_id = $1 and p.stream_id = t.id
                   order by p.version desc limit 1) as spec,
                  (select count(*) from dead_letters d
                   where d.workspace_id = $1 and d.source_id = t.source_id and d.stream_name = t.name
                     and d.replayed_at is null) as "dead_letters!"
         from streams t
         where t.workspace_id = $1
           and t.source_id = $2
         order by t.name"#,
        workspace,
        source.0
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|r| {
            let spec = r.spec.map(serde_json::from_value).transpose();
            Ok(StreamView {
                id: StreamId(r.id),
                name: r.name,
                spec: spec.map_err(|_| StoreError::Corrupt("mappings.spec"))?,
                events: r.events.max(0) as u64,
                last_event_at: r.last_event_at.map(micros),
                snapshot_rows: r.snapshot_rows,
                snapshot_done_at: r.snapshot_done_at.map(micros),
                dead_letters: r.dead_letters.max(0) as u64,
            })
        })
        .collect()
}

/// A hole in a source's sequence.
#[derive(Clone, Debug)]
pub struct GapView {
    pub epoch: i32,
    pub from_seq: i64,
    /// Exclusive.
    pub to_seq: i64,
    pub kind: String,
    pub reason: String,
    pub noticed_at: Micros,
}

/// The newest hundred holes of a source.
pub async fn list_gaps(tx: &mut WorkspaceTx, source: SourceId) -> Result<Vec<GapView>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select epoch, from_seq, to_seq, kind, reason, created_at
         from gap_markers
         where workspace_id = $1
           and source_id = $2
         order by epoch desc, from_seq desc
         limit 100",
        workspace,
        source.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| GapView {
            epoch: r.epoch,
            from_seq: r.from_seq,
            to_seq: r.to_seq,
            kind: r.kind,
            reason: r.reason,
            noticed_at: micros(r.created_at),
        })
        .collect())
}

//! Sources and agents: what state each is in, how far it is, and what a person has to do.

use clarity_domain::error::AppError;
use clarity_domain::ids::{AgentId, SourceId};
use clarity_domain::mapping::{MappingSpec, StreamKind};
use clarity_domain::role::Permission;
use clarity_domain::time::{MINUTE, Micros, SECOND, bucket_start};
use clarity_domain::truth::{self, Evidence, Truth};
use clarity_domain::view::Freshness;
use clarity_domain::view::sources::{
    AgentKeyState, AgentRow, Gap, PositionRow, Problem, RevokedAgent, Severity, SnapshotProgress, SourceDetail,
    SourceRow, SourceState, Sources, SourcesSummary, StreamRow,
};
use clarity_runtime::clock::now_us;
use clarity_store::auth::agent_key::{self, KeyRow};
use clarity_store::source_view::{self, Cursor, SourceView, StreamView};
use clarity_store::{WorkspaceTx, agent, dead_letter_view, usage};
use serde_json::Value;

use crate::error::fault;
use crate::frame::small;
use crate::masked::Masks;
use crate::status::{self, Status};
use crate::{Seat, Services, day};

/// Minutes of a throughput line.
const MINUTES: i64 = 60;

impl Services {
    /// All sources, worst first, and the agents.
    pub async fn sources(&self, seat: &Seat) -> Result<Sources, AppError> {
        seat.may(Permission::View)?;
        let now = now_us();
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let (sources, summary) = read_sources(&mut tx, seat, now).await?;
        let agents = agent::list(&mut tx).await.map_err(fault)?;
        let revoked = agent::list_revoked(&mut tx).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let mut tx = self.auth.begin_in(&seat.scope).await.map_err(fault)?;
        let keys = agent_key::list(&mut tx, &seat.scope).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let key_of = |id: AgentId| keys.iter().find(|key| key.agent_id == id);
        let agents = agents
            .into_iter()
            .map(|a| AgentRow {
                key: key_state(key_of(a.id)),
                key_replaced_at: key_of(a.id).and_then(|key| key.replaced_at),
                id: a.id,
                name: a.name,
                version: Some(a.version).filter(|v| !v.is_empty()),
                connected: a.connected && a.seen_at.is_some_and(|at| now - at <= truth::AGENT_SILENCE),
                last_seen_at: a.seen_at,
                sources: small(a.sources),
            })
            .collect();
        let revoked = revoked
            .into_iter()
            .map(|a| RevokedAgent { id: a.id, name: a.name, revoked_at: a.revoked_at, sources: small(a.sources) })
            .collect();
        let may_manage = seat.role().may(Permission::ManageSources);
        Ok(Sources { as_of: now, summary, sources, agents, revoked, may_manage })
    }

    /// One source with its streams, cursors and holes.
    pub async fn source(&self, seat: &Seat, id: SourceId) -> Result<SourceDetail, AppError> {
        seat.may(Permission::View)?;
        let now = now_us();
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let views = source_view::list(&mut tx, now).await.map_err(fault)?;
        let view = views.into_iter().find(|v| v.id == id).ok_or_else(|| AppError::not_found("source"))?;
        let streams = source_view::list_streams(&mut tx, id).await.map_err(fault)?;
        let gaps = source_view::list_gaps(&mut tx, id).await.map_err(fault)?;
        let slowed_since = usage::find_slowdown(&mut tx).await.map_err(fault)?;
        let masks = Masks::of(&mut tx, seat, &self.settings.secrets).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let status = status::read(&view.status);
        let positions = [("Durable", &view.durable), ("Refined", &view.refined)];
        Ok(SourceDetail {
            as_of: now,
            positions: positions
                .into_iter()
                .filter_map(|(what, cursor)| position(what, cursor, masks.concern(id, "")))
                .collect(),
            streams: streams.into_iter().map(|s| stream_row(s, &status)).collect(),
            gaps: gaps
                .into_iter()
                .map(|g| Gap {
                    epoch: i64::from(g.epoch),
                    from_seq: g.from_seq,
                    to_seq: g.to_seq,
                    why: if g.reason.is_empty() { g.kind } else { g.reason },
                    noticed_at: g.noticed_at,
                })
                .collect(),
            source: with_slowdown(source_row(view, now), slowed_since),
        })
    }
}

fn key_state(key: Option<&KeyRow>) -> AgentKeyState {
    match key {
        Some(key) if key.asked => AgentKeyState::Asked,
        Some(key) if key.replaces_key => AgentKeyState::Replaceable,
        _ => AgentKeyState::Fixed,
    }
}

/// The rows of the Sources page and what they sum up to.
pub(crate) async fn read_sources(
    tx: &mut WorkspaceTx,
    seat: &Seat,
    now: Micros,
) -> Result<(Vec<SourceRow>, SourcesSummary), AppError> {
    let views = source_view::list(tx, now).await.map_err(fault)?;
    let letters = dead_letter_view::totals(tx).await.map_err(fault)?;
    let midnight = day::start(now, &seat.time_zone);
    let busiest = source_view::busiest_minute(tx, midnight).await.map_err(fault)?;
    let slowed_since = usage::find_slowdown(tx).await.map_err(fault)?;
    let mut rows: Vec<SourceRow> = views.into_iter().map(|v| with_slowdown(source_row(v, now), slowed_since)).collect();
    rows.sort_by(|a, b| {
        let rank = |r: &SourceRow| (r.state == SourceState::Stopped, r.freshness.truth, !r.problems.is_empty());
        rank(b).cmp(&rank(a)).then_with(|| a.name.cmp(&b.name))
    });
    let summary = SourcesSummary {
        events_per_s: rows.iter().filter_map(|r| r.events_per_s).reduce(|a, b| a + b),
        events_per_s_peak_today: busiest.map(|events| events as f64 / 60.0),
        // Receipt to commit is not measured per batch yet, and a guess would be worse than a dash.
        durable_p99_ms: None,
        spool_bytes: rows.iter().map(|r| r.spool_bytes).sum(),
        spool_limit_bytes: rows.iter().map(|r| r.spool_limit_bytes).sum(),
        dead_letters: letters.letters.max(0) as u64,
        dead_letter_causes: small(letters.causes),
        dead_letter_oldest_at: letters.oldest_at,
    };
    Ok((rows, summary))
}

/// The whole workspace waits for its plan's rate, and each source that sends is a part of it.
fn with_slowdown(mut row: SourceRow, since: Option<Micros>) -> SourceRow {
    if since.is_some() && matches!(row.state, SourceState::Snapshot | SourceState::Streaming) {
        row.problems.push(Problem {
            code: "plan_rate".into(),
            severity: Severity::Attention,
            message: "Slowed by the plan's rate: what comes too fast waits in the agent's spool, in order.".into(),
            fix: Some("An owner sees the plan at “Plan and usage”, and can ask us to change it.".into()),
            sql: None,
            since,
        });
    }
    row
}

/// What is known of a source's path, for [`truth::judge`].
pub(crate) fn evidence(view: &SourceView, status: &Status, now: Micros) -> Evidence {
    Evidence {
        now,
        agent_seen_at: view.agent_seen_at,
        source_failed: view.paused || matches!(status.state.as_str(), "failed" | "paused"),
        path_source_at: view.path_source_at,
        change_source_at: view.change_source_at,
        // Agent minus source, less agent minus us.
        clock_skew: status.source_clock_skew_us - view.agent_skew_us,
    }
}

pub(crate) fn freshness(view: &SourceView, status: &Status, now: Micros) -> Freshness {
    let evidence = evidence(view, status, now);
    let (truth, why) = truth::judge(&evidence);
    let path = evidence.path_source_at.map(|at| at + evidence.clock_skew);
    Freshness { truth, why, data_at: view.change_source_at, behind_ms: path.map(|at| ((now - at) / 1000).max(0)) }
}

/// Events a second over the minute before and the part of this one that has passed.
pub(crate) fn rate(minutes: &[(Micros, i64)], now: Micros) -> f64 {
    let this = bucket_start(now, MINUTE);
    let events: i64 = minutes.iter().filter(|(at, _)| *at >= this - MINUTE && *at <= this).map(|(_, n)| n).sum();
    events as f64 * SECOND as f64 / (now - (this - MINUTE)) as f64
}

/// The last hour's full minutes, oldest first. A minute without a row had no event, unless nothing is known of it:
/// before the first row, and after the last one of a source that we do not see to the end.
pub(crate) fn per_minute(minutes: &[(Micros, i64)], now: Micros, sees: bool) -> Vec<Option<f64>> {
    let this = bucket_start(now, MINUTE);
    let (first, last) = (minutes.first().map(|m| m.0), minutes.last().map(|m| m.0));
    (0..MINUTES)
        .map(|n| {
            let at = this - (MINUTES - n) * MINUTE;
            let known = first.is_some_and(|f| at >= f) && (sees || last.is_some_and(|l| at <= l));
            let found = minutes.binary_search_by_key(&at, |m| m.0).map(|i| minutes[i].1 as f64);
            found.ok().or(known.then_some(0.0))
        })
        .collect()
}

pub(crate) fn source_row(view: SourceView, now: Micros) -> SourceRow {
    let status = status::read(&view.status);
    let freshness = freshness(&view, &status, now);
    let sees = matches!(freshness.truth, Truth::Live | Truth::Quiet);
    let evidence = evidence(&view, &status, now);
    let mut problems: Vec<Problem> = Vec::new();
    if let Some(denied) = &view.agent_denied {
        problems.push(Problem {
            code: "agent_denied".into(),
            severity: Severity::Stopped,
            message: denied.clone(),
            fix: None,
            sql: None,
            since: None,
        });
    }
    let state = state(&view, &status);
    let snapshot = snapshot(&status);
    let product = if view.product.is_empty() { status.product.clone() } else { view.product };
    let (log_kept, spool, spool_limit) = (status.lag_bytes, status.spool_bytes, status.spool_limit_bytes);
    problems.extend(status.problems.into_iter().map(|p| p.show(view.status_at)));
    SourceRow {
        id: view.id,
        name: view.name,
        kind: view.kind,
        version: product,
        agent_id: view.agent_id,
        agent: view.agent,
        state,
        events_per_s: (sees || freshness.truth == Truth::Delayed).then(|| rate(&view.minutes, now)),
        events_per_minute: per_minute(&view.minutes, now, sees),
        lag_ms: evidence.path_source_at.map(|at| ((now - at - evidence.clock_skew) / 1000).max(0)),
        freshness,
        log_kept_bytes: log_kept,
        log_budget_bytes: None,
        spool_bytes: spool,
        spool_limit_bytes: spool_limit,
        last_event_at: view.change_source_at,
        snapshot,
        gaps: small(view.gaps),
        problems,
    }
}

fn state(view: &SourceView, status: &Status) -> SourceState {
    if view.paused {
        return SourceState::Paused;
    }
    if status.problems.iter().any(|p| p.fatal) {
        return SourceState::Stopped;
    }
    match status.state.as_str() {
        "connecting" => SourceState::Connecting,
        "snapshot" => SourceState::Snapshot,
        "streaming" => SourceState::Streaming,
        "paused" => SourceState::Paused,
        "failed" => SourceState::Stopped,
        _ => SourceState::Waiting,
    }
}

/// Over all streams; `None` when no snapshot was taken, or all are done.
fn snapshot(status: &Status) -> Option<SnapshotProgress> {
    if status.snapshot.iter().all(|s| s.done) {
        return None;
    }
    Some(SnapshotProgress {
        rows_done: status.snapshot.iter().map(|s| s.rows_done).sum(),
        rows_total: status.snapshot.iter().map(|s| s.rows_estimated.map(|e| e.max(s.rows_done))).sum(),
        started_at: None,
        finished_at: None,
        left_s: None,
    })
}

fn stream_row(view: StreamView, status: &Status) -> StreamRow {
    let reported = status.snapshot.iter().find(|s| s.stream == view.name);
    let snapshot = match (reported, view.snapshot_rows) {
        (Some(s), _) => Some((s.rows_done, s.rows_estimated)),
        (None, Some(rows)) => Some((rows.max(0) as u64, None)),
        (None, None) => None,
    };
    StreamRow {
        id: view.id,
        name: view.name,
        mapped_as: view.spec.as_ref().map(mapped_as),
        events: view.events,
        last_event_at: view.last_event_at,
        snapshot: snapshot.map(|(rows_done, rows_total)| SnapshotProgress {
            rows_done,
            rows_total,
            started_at: None,
            finished_at: view.snapshot_done_at,
            left_s: None,
        }),
        dead_letters: view.dead_letters,
    }
}

fn mapped_as(spec: &MappingSpec) -> String {
    match (spec.kind, spec.metrics.len()) {
        (StreamKind::Telemetry, 1) => "Telemetry, 1 metric".into(),
        (StreamKind::Telemetry, n) => format!("Telemetry, {n} metrics"),
        (StreamKind::States, _) => "States".into(),
        (StreamKind::Records, _) => "Records".into(),
        (StreamKind::Assets, _) => "Machines".into(),
    }
}

/// `masked`: the place of a snapshot is a key, so only what is a place in the source's log is shown.
fn position(what: &str, cursor: &Cursor, masked: bool) -> Option<PositionRow> {
    let (epoch, next_seq) = (cursor.epoch?, cursor.next_seq?);
    Some(PositionRow {
        what: what.into(),
        position: cursor.position.as_ref().and_then(|position| as_the_source_writes_it(position, masked)),
        epoch: Some(i64::from(epoch)),
        seq: Some(next_seq - 1).filter(|seq| *seq > 0),
        at: cursor.at,
    })
}

/// The log position out of what the agent keeps: for Postgres the LSN; else the JSON as it is, where nothing is masked.
fn as_the_source_writes_it(position: &Value, masked: bool) -> Option<String> {
    if position.is_null() {
        return None;
    }
    if let Some(lsn) = position.get("commit_lsn").and_then(Value::as_u64) {
        return Some(format!("{:X}/{:X}", lsn >> 32, lsn & 0xFFFF_FFFF));
    }
    let known = ["commit_lsn", "lsn", "gtid", "offset"];
    let text = known.iter().find_map(|key| position.get(key)).and_then(Value::as_str).map(str::to_owned);
    text.or_else(|| (!masked).then(|| position.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = 100 * 60 * MINUTE + 30 * SECOND;

    #[test]
    fn the_rate_covers_the_last_minute_and_this_one() {
        let this = NOW - 30 * SECOND;
        let minutes = [(this - 2 * MINUTE, 999_999), (this - MINUTE, 600), (this, 300)];
        assert!((rate(&minutes, NOW) - 10.0).abs() < 1e-9);
        assert_eq!(rate(&[], NOW), 0.0);
    }

    #[test]
    fn a_minute_without_a_row_is_zero_only_where_we_saw() {
        let this = NOW - 30 * SECOND;
        let minutes = [(this - 10 * MINUTE, 7), (this - 8 * MINUTE, 9)];
        let line = per_minute(&minutes, NOW, false);
        assert_eq!(line.len(), 60);
        assert_eq!(&line[48..54], &[None, None, Some(7.0), Some(0.0), Some(9.0), None]);
        assert_eq!(per_minute(&minutes, NOW, true)[53..], [Some(0.0); 7]);
    }

    #[test]
    fn positions_are_written_as_the_source_does() {
        use serde_json::json;
        assert_eq!(as_the_source_writes_it(&json!({ "commit_lsn": "0/1A" }), true).as_deref(), Some("0/1A"));
        let lsn = json!({ "commit_lsn": 0x16_B374_D848_u64, "tables": { "a": { "done": true } } });
        assert_eq!(as_the_source_writes_it(&lsn, true).as_deref(), Some("16/B374D848"));
        assert_eq!(as_the_source_writes_it(&json!({ "x": 1 }), false).as_deref(), Some("{\"x\":1}"));
        assert_eq!(as_the_source_writes_it(&json!({ "x": 1 }), true), None);
        assert_eq!(as_the_source_writes_it(&Value::Null, false), None);
    }
}

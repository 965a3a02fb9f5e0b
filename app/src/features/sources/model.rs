//! The client's state of the sources: live updates, order, words. Plain Rust.

use clarity_domain::{
    truth::Truth,
    view::{
        Freshness, Micros,
        live::LiveUpdate,
        sources::{AgentKeyState, SnapshotProgress, SourceDetail, SourceRow, SourceState, Sources},
    },
};

use crate::ui::{number, progress::Done};

/// Applies what changed. Rows keep their place: a list that re-sorts under the pointer cannot be read.
pub fn apply(sources: &mut Sources, update: LiveUpdate) {
    sources.as_of = sources.as_of.max(update.sent_at);
    if let Some(summary) = update.summary {
        sources.summary = summary;
    }
    for row in update.sources {
        match sources.sources.iter_mut().find(|known| known.id == row.id) {
            Some(known) => *known = row,
            None => sources.sources.push(row),
        }
    }
}

pub fn apply_to_one(detail: &mut SourceDetail, update: LiveUpdate) {
    detail.as_of = detail.as_of.max(update.sent_at);
    if let Some(row) = update.sources.into_iter().find(|row| row.id == detail.source.id) {
        detail.source = row;
    }
}

/// The truth of the page is that of its worst source.
pub fn worst(sources: &Sources) -> Freshness {
    let worst = sources.sources.iter().map(|row| &row.freshness).max_by_key(|freshness| freshness.truth);
    worst.cloned().unwrap_or_else(Freshness::unconnected)
}

/// "5 sources on 3 agents, worst first".
pub fn heading(sources: &Sources) -> String {
    let plural = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let order = if sources.sources.len() > 1 { ", worst first" } else { "" };
    format!("{} on {}{order}", plural(sources.sources.len(), "source"), plural(sources.agents.len(), "agent"))
}

/// What revoking an agent with so many sources does, before it is done.
pub fn revoking(sources: u32) -> String {
    let theirs = match sources {
        0 => String::new(),
        1 => " Its source leaves this list; what it sent stays.".to_owned(),
        n => format!(" Its {n} sources leave this list; what they sent stays."),
    };
    format!(
        "Its connection ends within 5 seconds, and its key opens nothing any more.{theirs} What it has not sent waits in the \
         spool on its machine, where it reads on until somebody stops it there. Paired anew it is another agent, with \
         sources of its own, and sends the spool's rest to those."
    )
}

/// What replacing an agent's key does, or why it cannot be done.
pub const fn replacing(key: AgentKeyState) -> &'static str {
    match key {
        AgentKeyState::Fixed => {
            "This agent's version cannot, or it has not connected yet. Update it and let it connect once; or revoke it and \
             pair it anew."
        }
        AgentKeyState::Replaceable | AgentKeyState::Asked => {
            "It makes a new key on its machine within seconds, or when it is next connected, and connects anew with it. From then \
             on a copy of the old key opens nothing. Its sources go on, and nothing in its spool is lost."
        }
    }
}

/// While a new key was asked for and is not in use.
pub const fn waiting_for_key(connected: bool) -> &'static str {
    if connected { "A new key was asked for" } else { "A new key was asked for; it is made when the agent connects" }
}

/// "1 revoked agent".
pub fn revoked_agents(count: usize) -> String {
    format!("{count} revoked agent{}", if count == 1 { "" } else { "s" })
}

pub const fn state_word(state: SourceState) -> &'static str {
    match state {
        SourceState::Waiting => "Waiting for the agent",
        SourceState::Connecting => "Connecting",
        SourceState::Snapshot => "Streaming, reading the past",
        SourceState::Streaming => "Streaming",
        SourceState::Paused => "Paused",
        SourceState::Stopped => "Stopped",
    }
}

/// A healthy source needs no explanation; any other says why.
pub fn why(row: &SourceRow) -> Option<String> {
    (row.freshness.truth != Truth::Live).then(|| row.freshness.why.clone())
}

/// When the log kept for us nears what was agreed: "82 % of the log budget".
pub fn log_warning(row: &SourceRow) -> Option<String> {
    let (kept, budget) = (row.log_kept_bytes?, row.log_budget_bytes.filter(|budget| *budget > 0)?);
    let share = kept as f64 / budget as f64;
    (share >= 0.5).then(|| format!("{:.0} % of the log budget", share * 100.0))
}

pub fn bytes(value: Option<u64>) -> Option<String> {
    value.map(|value| {
        let (number, unit) = number::bytes(value);
        format!("{number} {unit}")
    })
}

pub fn lag(ms: Option<i64>) -> Option<String> {
    ms.map(|ms| {
        let (number, unit) = number::lag(ms);
        format!("{number} {unit}")
    })
}

/// Of a snapshot that still runs.
pub fn running(snapshot: Option<&SnapshotProgress>) -> Option<Done> {
    snapshot.filter(|progress| progress.finished_at.is_none()).map(|progress| Done {
        done: progress.rows_done,
        total: progress.rows_total,
        left_s: progress.left_s,
    })
}

/// "1 284 310 rows, read in 38 s", of one that ended.
pub fn finished(snapshot: Option<&SnapshotProgress>) -> Option<String> {
    let progress = snapshot?;
    let took = |(from, to): (Micros, Micros)| format!(", read in {}", clarity_domain::truth::duration(to - from));
    progress.finished_at?;
    Some(format!(
        "{} rows{}",
        number::whole(progress.rows_done),
        progress.started_at.zip(progress.finished_at).map(took).unwrap_or_default()
    ))
}

#[cfg(test)]
mod tests {
    use clarity_domain::{
        ids::{AgentId, SourceId},
        view::sources::SourcesSummary,
    };
    use uuid::Uuid;

    use super::*;

    fn row(id: u128, truth: Truth) -> SourceRow {
        SourceRow {
            id: SourceId(Uuid::from_u128(id)),
            name: format!("s{id}"),
            kind: "postgres".into(),
            version: "PostgreSQL 15".into(),
            agent_id: AgentId(Uuid::from_u128(1)),
            agent: "gw".into(),
            state: SourceState::Streaming,
            freshness: Freshness { truth, why: "because".into(), data_at: None, behind_ms: None },
            events_per_s: None,
            events_per_minute: vec![],
            lag_ms: None,
            log_kept_bytes: None,
            log_budget_bytes: None,
            spool_bytes: 0,
            spool_limit_bytes: 0,
            last_event_at: None,
            snapshot: None,
            gaps: 0,
            problems: vec![],
        }
    }

    fn sources() -> Sources {
        Sources {
            as_of: 1,
            summary: SourcesSummary::default(),
            sources: vec![row(2, Truth::Blind), row(1, Truth::Live)],
            agents: vec![],
            revoked: vec![],
            may_manage: true,
        }
    }

    #[test]
    fn a_changed_row_keeps_its_place_and_a_new_one_is_added() {
        let mut state = sources();
        let update = LiveUpdate {
            sent_at: 5,
            sources: vec![row(2, Truth::Live), row(3, Truth::Quiet)],
            ..LiveUpdate::default()
        };
        apply(&mut state, update.clone());
        apply(&mut state, update);
        let order: Vec<_> = state.sources.iter().map(|row| (row.name.as_str(), row.freshness.truth)).collect();
        assert_eq!(order, [("s2", Truth::Live), ("s1", Truth::Live), ("s3", Truth::Quiet)]);
        assert_eq!(state.as_of, 5);
    }

    #[test]
    fn the_page_is_as_true_as_its_worst_source() {
        assert_eq!(worst(&sources()).truth, Truth::Blind);
        assert_eq!(worst(&Sources { sources: vec![], ..sources() }).truth, Truth::Unconnected);
        assert_eq!(why(&row(1, Truth::Live)), None);
        assert_eq!(why(&row(1, Truth::Quiet)).as_deref(), Some("because"));
        assert_eq!(heading(&sources()), "2 sources on 0 agents, worst first");
    }

    #[test]
    fn what_is_asked_about_an_agent_says_what_happens() {
        assert!(!revoking(0).contains("this list"));
        assert!(revoking(1).contains("Its source leaves this list"));
        assert!(revoking(3).contains("Its 3 sources leave this list"));
        assert!(replacing(AgentKeyState::Fixed).contains("pair it anew"));
        assert!(replacing(AgentKeyState::Replaceable).contains("nothing in its spool is lost"));
        assert_eq!((revoked_agents(1).as_str(), revoked_agents(2).as_str()), ("1 revoked agent", "2 revoked agents"));
    }

    #[test]
    fn a_log_that_nears_its_budget_says_so() {
        let mut source = row(1, Truth::Live);
        assert_eq!(log_warning(&source), None);
        source.log_kept_bytes = Some(82);
        assert_eq!(log_warning(&source), None, "no budget, no warning");
        source.log_budget_bytes = Some(100);
        assert_eq!(log_warning(&source).as_deref(), Some("82 % of the log budget"));
    }

    #[test]
    fn a_snapshot_is_running_or_finished() {
        let mut snapshot =
            SnapshotProgress { rows_done: 10, rows_total: None, started_at: Some(0), finished_at: None, left_s: None };
        assert!(running(Some(&snapshot)).is_some() && finished(Some(&snapshot)).is_none());
        snapshot.finished_at = Some(38_000_000);
        assert!(running(Some(&snapshot)).is_none());
        assert_eq!(finished(Some(&snapshot)).as_deref(), Some("10 rows, read in 38 s"));
    }
}

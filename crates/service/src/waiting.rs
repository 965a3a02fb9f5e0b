//! What a workspace without a machine waits for, from what the platform knows: agents, sources and what they say of
//! themselves, how far bronze and refine are, dead letters.
//!
//! With several sources it is told of the one that is nearest to its first machine: the others are on the Sources page.

use clarity_domain::error::AppError;
use clarity_domain::time::{Micros, SECOND};
use clarity_domain::truth;
use clarity_domain::view::set_up::{Waiting, WaitingFor};
use clarity_domain::view::sources::Problem;
use clarity_store::agent::{self, AgentRow};
use clarity_store::source_view::{Cursor, SourceView};
use clarity_store::{WorkspaceTx, dead_letter_view};

use crate::error::fault;
use crate::sources::source_row;
use crate::status::{self, Status};

/// Heartbeats come every 5 s, and each is behind for a moment: refine is late when it has moved nothing for longer.
const REFINE_LATE: Micros = 12 * SECOND;

/// For a workspace that has no machine.
pub(crate) async fn read(tx: &mut WorkspaceTx, views: &[SourceView], now: Micros) -> Result<Waiting, AppError> {
    let agents = agent::list(tx).await.map_err(fault)?;
    let letters = dead_letter_view::totals(tx).await.map_err(fault)?;
    Ok(judge(&agents, views, letters.letters.max(0).unsigned_abs(), now))
}

/// For a member who is limited to sites at which no machine is, whatever the rest of the workspace has.
pub(crate) fn for_own_sites() -> Waiting {
    Waiting {
        cause: WaitingFor::OwnSites,
        agent: None,
        source: None,
        since: None,
        dead_letters: 0,
        problems: Vec::new(),
        may_set_up: false,
    }
}

fn judge(agents: &[AgentRow], views: &[SourceView], letters: u64, now: Micros) -> Waiting {
    let nearest = views.iter().map(|view| (of_source(view, &status::read(&view.status), now), view));
    // The first by name of those that are equally near.
    let nearest = nearest.reduce(|best, next| if next.0 > best.0 { next } else { best });
    let waiting = |cause| Waiting {
        cause,
        agent: None,
        source: None,
        since: None,
        dead_letters: letters,
        problems: Vec::new(),
        may_set_up: false,
    };
    let Some((cause, view)) = nearest else {
        let heard = |a: &&AgentRow| a.seen_at.is_some_and(|at| now - at <= truth::AGENT_SILENCE);
        let found = agents
            .iter()
            .find(heard)
            .map(|a| (WaitingFor::Source, a))
            .or_else(|| {
                agents
                    .iter()
                    .filter(|a| a.seen_at.is_some())
                    .max_by_key(|a| a.seen_at)
                    .map(|a| (WaitingFor::AgentBack, a))
            })
            .or_else(|| agents.first().map(|a| (WaitingFor::Connection, a)));
        return match found {
            None => waiting(WaitingFor::Agent),
            Some((cause, a)) => {
                let since = a.seen_at.filter(|_| cause == WaitingFor::AgentBack);
                Waiting { agent: Some(a.name.clone()), since, ..waiting(cause) }
            }
        };
    };
    let cause = if letters > 0 { WaitingFor::DeadLetters } else { cause };
    let since = match cause {
        WaitingFor::AgentBack => view.agent_seen_at,
        WaitingFor::Refine => view.refined.at.or(view.durable.at),
        _ => None,
    };
    let (agent, source) = (Some(view.agent.clone()), Some((view.id, view.name.clone())));
    // Without the time of the agent's last word: a page would be told the same every few seconds.
    let problems = source_row(view.clone(), now).problems;
    let problems = problems.into_iter().map(|problem| Problem { since: None, ..problem }).collect();
    Waiting { agent, source, since, problems, ..waiting(cause) }
}

/// How near this source is.
fn of_source(view: &SourceView, status: &Status, now: Micros) -> WaitingFor {
    if view.first_event_at.is_some() {
        return WaitingFor::Machine;
    }
    if is_behind(&view.durable, &view.refined, now) {
        return WaitingFor::Refine;
    }
    match view.agent_seen_at {
        None => return WaitingFor::Connection,
        Some(at) if now - at > truth::AGENT_SILENCE => return WaitingFor::AgentBack,
        Some(_) => {}
    }
    let stopped = view.paused || matches!(status.state.as_str(), "failed" | "paused");
    if stopped || view.agent_denied.is_some() || status.problems.iter().any(|p| p.fatal) {
        return WaitingFor::Sight;
    }
    WaitingFor::Rows
}

/// Whether something is stored that refine has not read, and has had the time to.
fn is_behind(durable: &Cursor, refined: &Cursor, now: Micros) -> bool {
    let (Some(epoch), Some(seq)) = (durable.epoch, durable.next_seq) else { return false };
    let read = (refined.epoch.unwrap_or(1), refined.next_seq.unwrap_or(1));
    let late = refined.at.is_none_or(|at| now - at > REFINE_LATE);
    seq > 1 && (epoch, seq) > read && late
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = 1_000_000 * SECOND;

    fn cursor(seq: i64, at: Option<Micros>) -> Cursor {
        Cursor { epoch: Some(1), next_seq: Some(seq), position: None, at }
    }

    #[test]
    fn a_heartbeat_that_is_just_being_read_is_not_behind() {
        let nothing = Cursor::default();
        assert!(!is_behind(&nothing, &nothing, NOW));
        assert!(!is_behind(&cursor(1, None), &nothing, NOW), "a cursor that has stored nothing");
        assert!(is_behind(&cursor(2, Some(NOW)), &nothing, NOW), "stored, and never read");
        assert!(!is_behind(&cursor(5, Some(NOW)), &cursor(4, Some(NOW - 5 * SECOND)), NOW));
        assert!(is_behind(&cursor(5, Some(NOW)), &cursor(4, Some(NOW - 60 * SECOND)), NOW));
        assert!(!is_behind(&cursor(5, Some(NOW)), &cursor(5, Some(NOW - 60 * SECOND)), NOW));
    }

    #[test]
    fn without_a_source_the_agent_is_what_is_waited_for() {
        let agent = |seen_at| AgentRow {
            id: clarity_domain::ids::AgentId(uuid::Uuid::nil()),
            name: "plant-pc".into(),
            version: String::new(),
            connected: false,
            seen_at,
            sources: 0,
        };
        let cause = |agents: &[AgentRow]| judge(agents, &[], 0, NOW).cause;
        assert_eq!(cause(&[]), WaitingFor::Agent);
        assert_eq!(cause(&[agent(None)]), WaitingFor::Connection);
        assert_eq!(cause(&[agent(None), agent(Some(NOW - 60 * SECOND))]), WaitingFor::AgentBack);
        assert_eq!(cause(&[agent(Some(NOW - 60 * SECOND)), agent(Some(NOW - SECOND))]), WaitingFor::Source);
    }
}

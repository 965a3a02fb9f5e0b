//! Where in the wizard one is. Plain Rust.

use clarity_domain::view::{
    Micros,
    pairing::{PairedSource, Pairing, PairingState},
};

use crate::ui::{number, pill::Tone, steps::Step};

/// The step one is at, from 0: install, approve, first event, and 3 when all is done.
pub fn step(state: &PairingState) -> usize {
    match state {
        PairingState::Waiting { .. } | PairingState::Expired | PairingState::Refused => 0,
        PairingState::Claimed { .. } => 1,
        PairingState::Approved { sources, .. } => {
            if sources.iter().any(|source| source.first_event_at.is_some()) {
                3
            } else {
                2
            }
        }
    }
}

pub fn steps(state: &PairingState) -> Vec<Step> {
    let approve = match state {
        PairingState::Claimed { hostname, .. } => format!("{hostname} waits for your yes"),
        PairingState::Approved { agent, .. } => format!("{agent} is paired"),
        _ => "Compare six words".into(),
    };
    vec![
        Step { name: "Install the agent", remark: "Beside your database".into() },
        Step { name: "Approve its key", remark: approve },
        Step { name: "First event", remark: "Streaming starts at once, the past follows".into() },
    ]
}

/// Does the state still change by itself, so that the page should ask again? The server draws a page once.
#[cfg(any(feature = "hydrate", test))]
pub fn is_moving(state: &PairingState) -> bool {
    step(state) < 3 && !matches!(state, PairingState::Expired | PairingState::Refused)
}

/// "Valid for 12 min", or that it is over.
pub fn validity(pairing: &Pairing, now: Micros) -> String {
    let left = pairing.expires_at - now;
    if left <= 0 { "no longer valid".into() } else { format!("valid for {}", clarity_domain::truth::duration(left)) }
}

/// What is known of a source that was just paired.
pub fn source_state(source: &PairedSource) -> (Tone, &'static str, String) {
    match (&source.problem, source.first_event_at) {
        (Some(problem), _) => (Tone::Warn, "Attention", problem.clone()),
        (None, Some(_)) => (Tone::Ok, "Streaming", format!("{} events so far", number::whole(source.events))),
        (None, None) => (Tone::Idle, "Waiting", "for the first event".into()),
    }
}

#[cfg(test)]
mod tests {
    use clarity_domain::ids::{AgentId, PairingId, SourceId};
    use uuid::Uuid;

    use super::*;

    fn source(first_event_at: Option<i64>, problem: Option<&str>) -> PairedSource {
        PairedSource {
            id: SourceId(Uuid::nil()),
            name: "MES".into(),
            version: "PostgreSQL 15".into(),
            events: 12_345,
            first_event_at,
            problem: problem.map(str::to_owned),
        }
    }

    fn approved(sources: Vec<PairedSource>) -> PairingState {
        PairingState::Approved { agent_id: AgentId(Uuid::nil()), agent: "gw".into(), approved_at: 0, sources }
    }

    #[test]
    fn the_wizard_ends_with_the_first_event_and_not_before() {
        assert_eq!(step(&PairingState::Waiting { attempts_left: 5 }), 0);
        assert_eq!(step(&approved(vec![])), 2);
        assert_eq!(step(&approved(vec![source(None, None)])), 2);
        assert_eq!(step(&approved(vec![source(None, None), source(Some(1), None)])), 3);
        assert!(is_moving(&approved(vec![])) && !is_moving(&approved(vec![source(Some(1), None)])));
        assert!(!is_moving(&PairingState::Expired) && !is_moving(&PairingState::Refused));
    }

    #[test]
    fn a_source_that_cannot_stream_says_why() {
        assert_eq!(source_state(&source(Some(1), Some("wal_level is replica"))).2, "wal_level is replica");
        assert_eq!(source_state(&source(Some(1), None)).2, "12\u{2009}345 events so far");
        assert_eq!(source_state(&source(None, None)).1, "Waiting");
    }

    #[test]
    fn a_code_says_how_long_it_is_valid() {
        let pairing = Pairing {
            id: PairingId(Uuid::nil()),
            code: None,
            install_command: None,
            expires_at: 720_000_000,
            state: PairingState::Waiting { attempts_left: 5 },
            as_of: 0,
        };
        assert_eq!(validity(&pairing, 0), "valid for 12 min");
        assert_eq!(validity(&pairing, 720_000_000), "no longer valid");
    }
}

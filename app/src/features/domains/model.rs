//! How domains are said. Plain Rust.

use clarity_domain::{domains::DomainProblem, view::domains::WorkspaceDomain};

use crate::ui::pill::Tone;

/// Colour and word of a domain's state.
pub fn state(domain: &WorkspaceDomain) -> (Tone, &'static str) {
    match (domain.verified_at, domain.problem) {
        (Some(_), None) => (Tone::Ok, "Verified"),
        // The name servers could not say: it counts still.
        (Some(_), Some(_)) => (Tone::Warn, "Verified"),
        (None, Some(_)) => (Tone::Warn, "Not found"),
        (None, None) => (Tone::Idle, "Not checked yet"),
    }
}

/// What the last check did not find, with the other text where there was one.
pub fn said(domain: &WorkspaceDomain) -> Option<String> {
    let problem = domain.problem?;
    Some(match (problem, &domain.found) {
        (DomainProblem::Other, Some(found)) => format!("{} Found: {found}", problem.words()),
        _ => problem.words().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_domain::ids::DomainId;
    use uuid::Uuid;

    fn domain(verified: bool, problem: Option<DomainProblem>) -> WorkspaceDomain {
        WorkspaceDomain {
            id: DomainId(Uuid::nil()),
            domain: "nordmark.com".into(),
            record_name: "_clarity-challenge.nordmark.com".into(),
            record_value: "clarity-stream=ab".into(),
            added_at: 0,
            verified_at: verified.then_some(1),
            last_checked_at: problem.map(|_| 2),
            problem,
            found: (problem == Some(DomainProblem::Other)).then(|| "v=spf1 -all".into()),
        }
    }

    #[test]
    fn a_state_is_a_word_and_a_problem_is_said_beside_it() {
        assert_eq!(state(&domain(true, None)), (Tone::Ok, "Verified"));
        assert_eq!(state(&domain(true, Some(DomainProblem::Slow))), (Tone::Warn, "Verified"));
        assert_eq!(state(&domain(false, Some(DomainProblem::Nothing))), (Tone::Warn, "Not found"));
        assert_eq!(state(&domain(false, None)), (Tone::Idle, "Not checked yet"));
        assert_eq!(said(&domain(true, None)), None);
        assert!(said(&domain(false, Some(DomainProblem::Other))).unwrap().ends_with("Found: v=spf1 -all"));
        assert!(said(&domain(false, Some(DomainProblem::Slow))).unwrap().contains("did not answer in time"));
    }
}

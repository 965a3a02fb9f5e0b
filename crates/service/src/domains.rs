//! Domains of a workspace: adding one, checking in DNS that it is the workspace's own, removing it.
//!
//! Whether a domain is the workspace's own decides who comes in by single sign-on without an invitation, so it is an owner's
//! matter, and a domain of which the text has gone from DNS does not count any more.

use clarity_domain::audit::Act;
use clarity_domain::domains::{DomainProblem, parse_domain, record_name, record_value};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::DomainId;
use clarity_domain::role::Permission;
use clarity_domain::view::domains::{WorkspaceDomain, WorkspaceDomains};
use clarity_runtime::clock::now_us;
use clarity_runtime::secret::random_bytes;
use clarity_store::StoreError;
use clarity_store::audit::{self, Entry, Object};
use clarity_store::domain as store;
use serde_json::json;

use crate::error::{broken, fault, missing};
use crate::outgoing::DnsProblem;
use crate::second_factor::is_confirmed;
use crate::{Seat, Services};

/// Of one workspace.
const MOST: i64 = 20;
/// Between two checks of one domain.
const CHECK_EVERY_S: i32 = 10;
/// Of another text that was found, so much is shown.
const LONGEST_FOUND: usize = 200;

const KIND: &str = "domain";

impl Services {
    /// The domains, each with what its DNS has to show.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn domains(&self, seat: &Seat) -> Result<WorkspaceDomains, AppError> {
        self.permit(seat, Permission::OwnWorkspace, Act::ReadDomains, Object::default()).await?;
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let domains = store::list(&mut tx).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let domains = domains.into_iter().map(show).collect();
        Ok(WorkspaceDomains { as_of: now_us(), confirmed: is_confirmed(seat), domains })
    }

    /// Adds a domain, of which nothing is shown yet.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `Invalid` at the field `domain`; `Conflict` for one that is there; `LimitExceeded`.
    pub async fn add_domain(&self, seat: &Seat, text: &str) -> Result<DomainId, AppError> {
        let object = Object { kind: KIND, ..Object::default() };
        self.permit_recent(seat, Permission::OwnWorkspace, Act::AddDomain, object).await?;
        let domain = parse_domain(&in_ascii(text))?;
        let token = hex::encode(random_bytes::<16>().map_err(broken)?);
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        if store::count(&mut tx).await.map_err(fault)? >= MOST {
            let words = format!("A workspace has at most {MOST} domains. Remove one that is not used.");
            return Err(AppError::new(ErrorCode::LimitExceeded, words));
        }
        let id = store::add(&mut tx, &domain, &token, seat.user_id).await.map_err(|error| match error {
            StoreError::Conflict(constraint) if constraint == store::ONCE => AppError {
                code: ErrorCode::Conflict,
                ..AppError::invalid("domain", format!("{domain} is added already."))
            },
            other => fault(other),
        })?;
        let text = id.to_string();
        let entry = Entry {
            after: Some(json!({ "domain": domain })),
            ..seat.entry(Act::AddDomain, Object { kind: KIND, id: &text, name: &domain })
        };
        audit::record(&mut tx, &entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(id)
    }

    /// Looks in DNS for the domain's text. What was found stands with the domain; that it was not found is no error.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `NotFound` for another workspace's; `RateLimited` within ten seconds of the last time.
    pub async fn check_domain(&self, seat: &Seat, id: DomainId) -> Result<(), AppError> {
        let text = id.to_string();
        let object = Object { kind: KIND, id: &text, name: "" };
        self.permit_recent(seat, Permission::OwnWorkspace, Act::VerifyDomain, object).await?;
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        let challenge = store::begin_check(&mut tx, id, CHECK_EVERY_S).await.map_err(missing(KIND))?;
        tx.commit().await.map_err(fault)?;
        if challenge.wait_s > 0 {
            let unit = if challenge.wait_s == 1 { "second" } else { "seconds" };
            let words = format!("This domain was checked a moment ago. Check again in {} {unit}.", challenge.wait_s);
            return Err(AppError::new(ErrorCode::RateLimited, words));
        }
        // No transaction is open while name servers are waited for.
        let texts = self.outgoing.texts(&record_name(&challenge.domain)).await;
        let (problem, found) = judge(texts, &record_value(&challenge.token));

        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        let verified = store::note_check(&mut tx, id, problem, found.as_deref()).await.map_err(missing(KIND))?;
        let entry = Entry {
            before: Some(json!({ "verified": challenge.verified })),
            after: Some(json!({ "verified": verified, "problem": problem.map(DomainProblem::as_str) })),
            ..seat.entry(Act::VerifyDomain, Object { name: &challenge.domain, ..object })
        };
        audit::record(&mut tx, &entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }

    /// Removes a domain: nobody comes in by it any more. Who did stays a member.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `NotFound` for another workspace's.
    pub async fn remove_domain(&self, seat: &Seat, id: DomainId) -> Result<(), AppError> {
        let text = id.to_string();
        let object = Object { kind: KIND, id: &text, name: "" };
        self.permit_recent(seat, Permission::OwnWorkspace, Act::RemoveDomain, object).await?;
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        let (domain, verified) = store::remove(&mut tx, id).await.map_err(missing(KIND))?;
        let entry = Entry {
            before: Some(json!({ "domain": domain, "verified": verified })),
            ..seat.entry(Act::RemoveDomain, Object { name: &domain, ..object })
        };
        audit::record(&mut tx, &entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }
}

/// A domain as DNS has it, when it was typed with letters of another script; what is none stays as it was typed, and is refused
/// after this.
fn in_ascii(text: &str) -> String {
    let text = text.trim();
    match url::Host::parse(text) {
        Ok(url::Host::Domain(domain)) if !text.is_ascii() => domain,
        _ => text.to_owned(),
    }
}

impl Services {
    /// Whether a domain that is a workspace's own by its token is so still: who ran it may have sold it, or taken the text out.
    /// When nobody can say, it stays what it was. With no transaction in hand: name servers are waited for.
    pub(crate) async fn is_domain_still_shown(&self, domain: &str, token: &str) -> bool {
        let texts = self.outgoing.texts(&record_name(domain)).await;
        let (problem, _) = judge(texts, &record_value(token));
        !problem.is_some_and(DomainProblem::is_absence)
    }
}

/// Whether the text is among those that were found, and else why not.
fn judge(texts: Result<Vec<String>, DnsProblem>, wanted: &str) -> (Option<DomainProblem>, Option<String>) {
    let texts = match texts {
        Ok(texts) => texts,
        Err(DnsProblem::Nothing) => return (Some(DomainProblem::Nothing), None),
        Err(DnsProblem::Failed) => return (Some(DomainProblem::Failed), None),
        Err(DnsProblem::Slow) => return (Some(DomainProblem::Slow), None),
    };
    if texts.iter().any(|text| text.trim() == wanted) {
        return (None, None);
    }
    match texts.first() {
        None => (Some(DomainProblem::Nothing), None),
        Some(first) => {
            let shown = first.chars().filter(|c| !c.is_control()).take(LONGEST_FOUND).collect();
            (Some(DomainProblem::Other), Some(shown))
        }
    }
}

fn show(domain: store::Domain) -> WorkspaceDomain {
    WorkspaceDomain {
        id: domain.id,
        record_name: record_name(&domain.domain),
        record_value: record_value(&domain.token),
        domain: domain.domain,
        added_at: domain.added_at,
        verified_at: domain.verified_at,
        last_checked_at: domain.last_checked_at,
        problem: domain.problem,
        found: domain.found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_whole_text() {
        let found =
            |texts: &[&str]| judge(Ok(texts.iter().map(|text| (*text).to_owned()).collect()), "clarity-stream=ab");
        assert_eq!(found(&["v=spf1 -all", "clarity-stream=ab"]), (None, None));
        assert_eq!(found(&[" clarity-stream=ab "]), (None, None));
        assert_eq!(found(&[]), (Some(DomainProblem::Nothing), None));
        for other in ["clarity-stream=abc", "xclarity-stream=ab", "Clarity-Stream=ab", "ab", ""] {
            assert_eq!(found(&[other]), (Some(DomainProblem::Other), Some(other.to_owned())), "{other}");
        }
        let (_, shown) = found(&[&"x\n".repeat(500)]);
        assert_eq!(shown.unwrap(), "x".repeat(200));
        assert_eq!(judge(Err(DnsProblem::Slow), "x").0, Some(DomainProblem::Slow));
        assert_eq!(judge(Err(DnsProblem::Failed), "x").0, Some(DomainProblem::Failed));
    }

    #[test]
    fn a_name_in_another_script_stands_as_dns_has_it() {
        assert_eq!(in_ascii(" Bücher.de "), "xn--bcher-kva.de");
        // Cyrillic letters that look like Latin ones do not look so any more.
        assert!(in_ascii("nоrdmаrk.com").starts_with("xn--"));
        for same in ["nordmark.com", "10.0.0.5", "0x7f.1", "a b", ""] {
            assert_eq!(in_ascii(same), same);
        }
        assert!(parse_domain(&in_ascii("１０.０.０.５")).is_err());
    }
}

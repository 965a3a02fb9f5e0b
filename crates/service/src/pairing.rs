//! Connecting an agent: a member makes a code, an agent shows it with its key, a member compares six words and approves.
//!
//! The code alone gives nothing: whoever shows it waits until a person has looked. It lives fifteen minutes and dies
//! after five wrong proofs; of its secret half only a hash is kept. [`claim`] and [`approval`] are what ingest calls
//! for the agent; the rest is the member's side.

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::fingerprint::fingerprint;
use clarity_domain::ids::{AgentId, PairingId};
use clarity_domain::role::Permission;
use clarity_domain::time::{MINUTE, Micros};
use clarity_domain::view::pairing::{PairedSource, Pairing, PairingState};
use clarity_runtime::clock::now_us;
use clarity_runtime::secret::random_bytes;
use clarity_store::agent::NewAgent;
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::pairing::{self as store, ClaimRow, MAX_ATTEMPTS, NewPairing, PairingRow};
use clarity_store::{AuthStore, StoreError, agent, audit, source_view};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::audit::timestamp;
use crate::error::{broken, fault};
use crate::{Seat, Services, status};

const LIFE: Micros = 15 * MINUTE;
/// No 0 O 1 I L U: what is read aloud or copied by hand stays what it was.
const ALPHABET: &[u8; 30] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";
/// The name of an agent that nobody named: it takes its machine's.
const UNNAMED: &str = "agent";

/// An agent shows a code.
#[derive(Clone)]
pub struct ClaimRequest {
    /// As typed: in any case, with or without hyphen.
    pub code: String,
    /// Ed25519; that the agent holds its private half is the caller's to check.
    pub public_key: [u8; 32],
    pub hostname: String,
    pub agent_version: String,
    pub address: String,
}

/// The code fits; a person has to approve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    pub pairing_id: PairingId,
    pub agent_id: AgentId,
    /// Six words, separated by blanks.
    pub fingerprint: String,
    pub workspace_name: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    #[error("this code is not known")]
    WrongCode,
    #[error("this code has expired")]
    Expired,
    #[error("this code was used, or refused")]
    Used,
    #[error("too many wrong attempts on this code")]
    TooManyAttempts,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the waiting agent is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approval {
    Waiting,
    Approved { agent_id: AgentId, name: String },
    Refused,
    Expired,
}

/// An agent shows a code and its key. The same agent may show both again, after a connection that broke.
///
/// # Errors
/// See [`ClaimError`]; each wrong proof is counted, also when the answer is lost.
pub async fn claim(auth: &AuthStore, request: &ClaimRequest) -> Result<Claimed, ClaimError> {
    let (locator, secret) = parse_code(&request.code).ok_or(ClaimError::WrongCode)?;
    let mut tx = auth.begin().await?;
    let row = store::lock_by_locator(&mut tx, &locator).await?.ok_or(ClaimError::WrongCode)?;
    if row.attempts >= MAX_ATTEMPTS {
        return Err(ClaimError::TooManyAttempts);
    }
    if secret_hash(row.id, &secret) != row.secret_hash {
        // A locator is given again once its code has ended, so a wrong secret for an ended one is just a wrong code.
        if !row.expired && row.claim.is_none() {
            store::note_wrong_proof(&mut tx, row.id).await?;
            tx.commit().await?;
        }
        return Err(ClaimError::WrongCode);
    }
    if row.refused {
        return Err(ClaimError::Used);
    }
    let claimed = |agent_id| Claimed {
        pairing_id: row.id,
        agent_id,
        fingerprint: words(&request.public_key),
        workspace_name: row.workspace_name.clone(),
    };
    if let Some(claim) = &row.claim {
        let same = claim.public_key == request.public_key;
        return if same { Ok(claimed(claim.agent_id)) } else { Err(ClaimError::Used) };
    }
    if row.expired {
        return Err(ClaimError::Expired);
    }
    let agent_id = AgentId(Uuid::now_v7());
    let claim = ClaimRow {
        agent_id,
        public_key: request.public_key,
        hostname: visible(&request.hostname, 120),
        address: visible(&request.address, 64),
        agent_version: visible(&request.agent_version, 40),
        claimed_at: 0,
    };
    store::set_claimed(&mut tx, row.id, &claim).await?;
    tx.commit().await?;
    Ok(claimed(agent_id))
}

/// Where a claimed pairing stands, for the agent that claimed it.
pub async fn approval(auth: &AuthStore, pairing_id: PairingId) -> Result<Approval, StoreError> {
    let mut tx = auth.begin().await?;
    let row = store::find_claimed(&mut tx, pairing_id).await?;
    tx.commit().await?;
    Ok(match row {
        Some(PairingRow { claim: Some(claim), approved_at: Some(_), agent_name, .. }) => {
            Approval::Approved { agent_id: claim.agent_id, name: name_of(&agent_name, &claim.hostname) }
        }
        Some(row) if row.refused => Approval::Refused,
        Some(row) if !row.expired => Approval::Waiting,
        _ => Approval::Expired,
    })
}

impl Services {
    /// Makes a code. It is in the answer and nowhere else.
    pub async fn begin_pairing(&self, seat: &Seat) -> Result<Pairing, AppError> {
        self.begin_named_pairing(seat, UNNAMED).await
    }

    /// Like [`Self::begin_pairing`], with the agent's name.
    pub async fn begin_named_pairing(&self, seat: &Seat, name: &str) -> Result<Pairing, AppError> {
        let name = visible(name, 80);
        let object = Object { kind: "pairing", name: &name, ..Object::default() };
        self.permit(seat, Permission::ManageSources, Act::BeginPairing, object).await?;
        if name.is_empty() {
            return Err(AppError::invalid("name", "Name the agent."));
        }
        let mut tx = self.auth.begin_in(&seat.scope).await.map_err(fault)?;
        if store::count_open(&mut tx, &seat.scope).await.map_err(fault)? >= self.settings.limits.open_pairings {
            return Err(AppError::new(
                ErrorCode::LimitExceeded,
                "This workspace has many codes that nobody has used yet. Use one of them, or wait until they expire.",
            ));
        }
        let (id, now) = (PairingId(Uuid::now_v7()), now_us());
        let mut locator = random_word()?;
        while store::is_locator_open(&mut tx, &locator).await.map_err(fault)? {
            locator = random_word()?;
        }
        let secret = random_word()?;
        let new = NewPairing {
            id,
            agent_name: &name,
            locator: &locator,
            secret_hash: secret_hash(id, &secret),
            created_by: seat.user_id,
            expires_at: now + LIFE,
        };
        store::insert(&mut tx, &seat.scope, &new).await.map_err(fault)?;
        let text = id.to_string();
        let object = Object { id: &text, ..object };
        let after = json!({ "agent": name, "expires_at": timestamp(new.expires_at) });
        self.record(seat, &Entry { after: Some(after), ..seat.entry(Act::BeginPairing, object) }).await?;
        tx.commit().await.map_err(fault)?;
        let code = format!("{locator}-{secret}");
        Ok(Pairing {
            id,
            install_command: Some(self.install_command(&code)),
            code: Some(code),
            expires_at: now + LIFE,
            state: PairingState::Waiting { attempts_left: MAX_ATTEMPTS as u8 },
            as_of: now,
        })
    }

    /// What to run beside the database.
    pub fn install_command(&self, code: &str) -> String {
        format!("clarity-agent pair --server {} --code {code} && clarity-agent run", self.settings.agent_url)
    }

    /// How a pairing stands. Never has the code.
    pub async fn pairing(&self, seat: &Seat, id: PairingId) -> Result<Pairing, AppError> {
        let text = id.to_string();
        self.permit(seat, Permission::ManageSources, Act::ReadPairing, of_pairing(&text, "")).await?;
        let mut tx = self.auth.begin_in(&seat.scope).await.map_err(fault)?;
        let row = store::find(&mut tx, &seat.scope, id).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        self.show_pairing(seat, row.ok_or_else(|| AppError::not_found("pairing"))?).await
    }

    /// The member's yes: the key that the agent showed becomes the workspace's. Saying it twice is saying it once.
    ///
    /// # Errors
    /// `ConfirmNeeded`; `Conflict` when nobody claimed the code yet, or it was refused or has expired.
    pub async fn approve_pairing(&self, seat: &Seat, id: PairingId) -> Result<Pairing, AppError> {
        let text = id.to_string();
        self.permit_recent(seat, Permission::ManageSources, Act::ApproveAgent, of_pairing(&text, "")).await?;
        let mut tx = self.auth.begin_in(&seat.scope).await.map_err(fault)?;
        let row = store::find(&mut tx, &seat.scope, id).await.map_err(fault)?;
        let row = row.ok_or_else(|| AppError::not_found("pairing"))?;
        let Some(claim) = &row.claim else {
            return Err(AppError::new(ErrorCode::Conflict, "No agent has shown this code yet. Run the command first."));
        };
        if row.approved_at.is_none() {
            if row.refused || row.expired {
                return Err(AppError::new(ErrorCode::Conflict, "This code has ended. Make a new one."));
            }
            // The agent's row first: without its key it is only a name, and a second try finds it there.
            let six = words(&claim.public_key);
            let name = name_of(&row.agent_name, &claim.hostname);
            let new = NewAgent {
                id: claim.agent_id,
                name: &name,
                hostname: &claim.hostname,
                version: &claim.agent_version,
                fingerprint: &six,
                address: &claim.address,
            };
            let mut app = self.app.begin(&seat.scope).await.map_err(fault)?;
            agent::insert(&mut app, &new).await.map_err(fault)?;
            store::approve(&mut tx, &seat.scope, id, seat.user_id).await.map_err(|error| match error {
                StoreError::Conflict(_) => AppError::new(
                    ErrorCode::Conflict,
                    "This agent's key was paired before. Make a new code and run the command with it: the agent then shows another key.",
                ),
                other => fault(other),
            })?;
            let after =
                json!({ "pairing": id, "fingerprint": six, "hostname": claim.hostname, "address": claim.address });
            let agent_id = claim.agent_id.to_string();
            let object = Object { kind: "agent", id: &agent_id, name: &name };
            let entry = Entry { after: Some(after), ..seat.entry(Act::ApproveAgent, object) };
            audit::record(&mut app, &entry).await.map_err(fault)?;
            app.commit().await.map_err(fault)?;
        }
        tx.commit().await.map_err(fault)?;
        self.pairing(seat, id).await
    }

    /// The member's no, to a code that was claimed or not.
    pub async fn refuse_pairing(&self, seat: &Seat, id: PairingId) -> Result<Pairing, AppError> {
        let text = id.to_string();
        self.permit(seat, Permission::ManageSources, Act::RefusePairing, of_pairing(&text, "")).await?;
        let mut tx = self.auth.begin_in(&seat.scope).await.map_err(fault)?;
        let row = store::find(&mut tx, &seat.scope, id).await.map_err(fault)?;
        let row = row.ok_or_else(|| AppError::not_found("pairing"))?;
        if row.approved_at.is_some() {
            return Err(AppError::new(ErrorCode::Conflict, "This agent was approved already. Revoke it instead."));
        }
        store::refuse(&mut tx, &seat.scope, id).await.map_err(fault)?;
        let entry = Entry {
            before: Some(json!({ "state": if row.claim.is_some() { "claimed" } else { "waiting" } })),
            after: Some(json!({ "state": "refused" })),
            ..seat.entry(Act::RefusePairing, of_pairing(&text, &row.agent_name))
        };
        self.record(seat, &entry).await?;
        tx.commit().await.map_err(fault)?;
        self.pairing(seat, id).await
    }

    async fn show_pairing(&self, seat: &Seat, row: PairingRow) -> Result<Pairing, AppError> {
        let state = match (row.claim, row.approved_at) {
            (Some(claim), Some(approved_at)) => PairingState::Approved {
                agent_id: claim.agent_id,
                agent: name_of(&row.agent_name, &claim.hostname),
                approved_at,
                sources: self.paired_sources(seat, claim.agent_id).await?,
            },
            _ if row.refused => PairingState::Refused,
            _ if row.expired || row.attempts >= MAX_ATTEMPTS => PairingState::Expired,
            (Some(claim), None) => PairingState::Claimed {
                fingerprint: words(&claim.public_key).split(' ').map(str::to_owned).collect(),
                hostname: claim.hostname,
                address: claim.address,
                claimed_at: claim.claimed_at,
            },
            (None, _) => PairingState::Waiting { attempts_left: (MAX_ATTEMPTS - row.attempts).clamp(0, 9) as u8 },
        };
        Ok(Pairing {
            id: row.id,
            code: None,
            install_command: None,
            expires_at: row.expires_at,
            state,
            as_of: now_us(),
        })
    }

    async fn paired_sources(&self, seat: &Seat, agent: AgentId) -> Result<Vec<PairedSource>, AppError> {
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let rows = source_view::list(&mut tx, now_us()).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(rows
            .into_iter()
            .filter(|row| row.agent_id == agent)
            .map(|row| {
                let status = status::read(&row.status);
                PairedSource {
                    id: row.id,
                    name: row.name,
                    version: status.product,
                    events: row.refined_events,
                    first_event_at: row.first_event_at,
                    problem: status.problems.into_iter().next().map(|p| p.message),
                }
            })
            .collect())
    }
}

fn of_pairing<'a>(id: &'a str, agent_name: &'a str) -> Object<'a> {
    Object { kind: "pairing", id, name: agent_name }
}

fn name_of(agent_name: &str, hostname: &str) -> String {
    if agent_name == UNNAMED && !hostname.is_empty() { visible(hostname, 80) } else { agent_name.to_owned() }
}

/// The six words of a public key.
fn words(public_key: &[u8; 32]) -> String {
    fingerprint(&Sha256::digest(public_key).into())
}

fn secret_hash(id: PairingId, secret: &str) -> [u8; 32] {
    Sha256::new().chain_update(b"clarity pairing").chain_update(id.0).chain_update(secret).finalize().into()
}

/// Locator and secret of a code as typed.
fn parse_code(text: &str) -> Option<(String, String)> {
    let code: String =
        text.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_uppercase()).collect();
    let fine = code.len() == 8 && code.bytes().all(|b| ALPHABET.contains(&b));
    fine.then(|| (code[..4].to_owned(), code[4..].to_owned()))
}

/// Four letters of the alphabet, each as likely as any other.
fn random_word() -> Result<String, AppError> {
    let mut word = String::with_capacity(4);
    while word.len() < 4 {
        for byte in random_bytes::<8>().map_err(broken)? {
            // 240 is the greatest multiple of 30 in a byte.
            if byte < 240 && word.len() < 4 {
                word.push(char::from(ALPHABET[usize::from(byte % 30)]));
            }
        }
    }
    Ok(word)
}

/// What an agent says of itself, before anybody trusts it: cut, and without what cannot be seen.
fn visible(text: &str, most: usize) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_type_them() {
        for typed in ["K7QM-4TXR", "k7qm4txr", " K7QM 4TXR "] {
            assert_eq!(parse_code(typed), Some(("K7QM".into(), "4TXR".into())), "{typed}");
        }
        for wrong in ["", "K7QM", "K7QM-4TX0", "K7QM-4TXRR", "K7QM-4TXé"] {
            assert_eq!(parse_code(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn words_use_the_whole_alphabet() {
        let mut seen: Vec<u8> = (0..500).flat_map(|_| random_word().unwrap().into_bytes()).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, ALPHABET);
    }

    #[test]
    fn the_same_secret_of_another_code_has_another_hash() {
        let (a, b) = (PairingId(Uuid::from_u128(1)), PairingId(Uuid::from_u128(2)));
        assert_ne!(secret_hash(a, "4TXR"), secret_hash(b, "4TXR"));
    }
}

//! Connecting an agent: the code, who claimed it, and the person's yes.

use serde::{Deserialize, Serialize};

use super::Micros;
use crate::ids::{AgentId, PairingId, SourceId};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pairing {
    pub id: PairingId,
    /// Eight characters as `K7QM-4TXR`. Only the browser that asked for it sees it: we keep a hash.
    pub code: Option<String>,
    /// What to run beside the database, with the code in it.
    pub install_command: Option<String>,
    pub expires_at: Micros,
    pub state: PairingState,
    /// The server's clock, for the count-down.
    pub as_of: Micros,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairingState {
    /// Nobody has used the code.
    Waiting { attempts_left: u8 },
    /// An agent showed the code and its key. A person compares the six words with the agent's and approves.
    Claimed { fingerprint: Vec<String>, hostname: String, address: String, claimed_at: Micros },
    /// The key is the workspace's. Sources appear as the agent announces them.
    Approved { agent_id: AgentId, agent: String, approved_at: Micros, sources: Vec<PairedSource> },
    /// Fifteen minutes passed, or five wrong attempts.
    Expired,
    /// A person said no.
    Refused,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedSource {
    pub id: SourceId,
    pub name: String,
    pub version: String,
    pub events: u64,
    pub first_event_at: Option<Micros>,
    /// What keeps it from streaming, in one sentence.
    pub problem: Option<String>,
}

//! What the pages show: plain data that server functions return and live updates change.
//!
//! Nothing here computes. Times are microseconds since 1970-01-01T00:00:00Z ([`Micros`]): small on the wire, and
//! WASM needs no calendar to compare them. A figure that is not known is `None` and is drawn as "–", never as zero.

pub mod audit;
pub mod dead_letters;
pub mod deletion;
pub mod domains;
pub mod live;
pub mod masking;
pub mod members;
pub mod outbox;
pub mod overview;
pub mod pairing;
pub mod range;
pub mod retention;
pub mod rewrite;
pub mod search;
pub mod second_factor;
pub mod session;
pub mod set_up;
pub mod sources;
pub mod sso;
pub mod support;
pub mod tokens;
pub mod usage;

use serde::{Deserialize, Serialize};

pub use crate::time::Micros;
use crate::truth::Truth;

/// How far what is shown can be trusted: the truth word, its reason, and how old the newest data is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Freshness {
    pub truth: Truth,
    /// One plain sentence, without a full stop: "no change for 18 min, and the agent is well".
    pub why: String,
    /// Time of the newest data shown, by the machines' clock.
    pub data_at: Option<Micros>,
    /// Receipt minus machine time of the newest data: "0.8 s behind the machines".
    pub behind_ms: Option<i64>,
}

impl Freshness {
    /// Of a workspace to which no source was ever connected. Nothing failed: what comes next is to connect one.
    pub fn unconnected() -> Self {
        Self {
            truth: Truth::Unconnected,
            why: "no source is connected; connect one to begin".into(),
            data_at: None,
            behind_ms: None,
        }
    }
}

//! Frames: `[protocol u8][kind u8][header length u32 LE][header JSON][body]`.
//!
//! Only `Batch` has a body. Unknown fields of a header are ignored and an unknown kind reads as [`Frame::Unknown`], so
//! that either end may be newer.
//!
//! A connection: agent `Hello`, ingest `Challenge`, agent `Proof`, ingest `Welcome` or `Denied`. Then per source: `Batch`
//! → `Durable` or `Refused`; `Lost` and `OpenEpoch` → `Durable`. `Status` and `Heartbeat` come from the agent,
//! `Command` and `Masks` from ingest. For a new key: ingest `ReplaceKey`, agent `NewKey`, ingest `KeyKept`; the agent connects
//! anew with it. Pairing is a connection of its own: `Pair` → `Claimed` → (a person approves) `Approved`.

use crate::hash::BatchHash;
use crate::limits::{MAX_FRAME_BYTES, MAX_HEADER_BYTES, PROTOCOL};
use bytes::{BufMut, Bytes, BytesMut};
use clarity_domain::ids::{AgentId, SourceId};
use clarity_domain::masking::MaskRule;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// First words of an agent's connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    pub agent_id: AgentId,
    pub agent_version: String,
    /// The generation that the last `Welcome` gave, 0 before the first.
    pub generation: u64,
    pub hostname: String,
    /// The agent's clock, microseconds since the epoch.
    pub clock_us: i64,
    pub sources: Vec<SourceDescriptor>,
    /// This version answers [`ReplaceKey`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replaces_key: bool,
}

/// A source as the agent has it configured. Never holds a credential.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceDescriptor {
    /// The agent's own name for it, unique on the agent, e.g. `mes-postgres`.
    pub name: String,
    /// `postgres`, …
    pub kind: String,
    /// What the source says it is, e.g. `PostgreSQL 15.18`; empty when not yet reached.
    #[serde(default)]
    pub product: String,
    /// Epoch of the agent's spool for it.
    pub epoch: u32,
    /// The sequence that the spool's next event will get.
    pub next_seq: u64,
}

/// Ingest's question: sign [`proof_message`] with the agent's key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Challenge {
    /// 32 random bytes, hexadecimal.
    pub nonce: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// Ed25519 signature of [`proof_message`], hexadecimal.
    pub signature: String,
}

/// What an agent signs: fixed words, so that the signature is good for nothing else.
pub fn proof_message(nonce: &str, agent_id: AgentId, generation: u64) -> Vec<u8> {
    format!("clarity agent v1\n{nonce}\n{agent_id}\n{generation}").into_bytes()
}

/// What a pairing agent signs to show that it holds the key.
pub fn pair_message(code: &str, public_key: &str) -> Vec<u8> {
    format!("clarity pairing v1\n{code}\n{public_key}").into_bytes()
}

/// What an agent signs with the key that it has and with the one that is to follow: nobody gives it another one, and it
/// gives nobody else's.
pub fn new_key_message(nonce: &str, agent_id: AgentId, public_key: &str) -> Vec<u8> {
    format!("clarity new key v1\n{nonce}\n{agent_id}\n{public_key}").into_bytes()
}

/// A person asked for a new key of this agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplaceKey {
    /// 32 random bytes, hexadecimal: an answer is good on this connection alone.
    pub nonce: String,
}

/// The key that is to follow. The agent keeps it beside its own before it says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewKey {
    /// Ed25519 public key, hexadecimal.
    pub public_key: String,
    /// Of [`new_key_message`], hexadecimal: by the key that opened this connection, and by the new one.
    pub by_own: String,
    pub by_new: String,
}

/// Ingest knows the new key: from here on both open, and when it was used once, it alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyKept {
    pub public_key: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Welcome {
    /// To be shown at the next connection; an agent that shows an older one is a clone.
    pub generation: u64,
    /// Ingest's clock, microseconds since the epoch.
    pub clock_us: i64,
    pub window_bytes: u64,
    pub sources: Vec<SourceCursor>,
    /// None: ingest says nothing of masks, and those that the agent has stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masks: Option<Masks>,
}

/// What the agent masks before it writes anything down: all of it, in place of what was said before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Masks {
    /// Another number with each change.
    pub version: u64,
    pub masks: Vec<Mask>,
}

/// A field of a stream that is masked, by the names that the agent knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mask {
    /// The agent's name for the source; none: each of its sources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `schema.table`, topic or subject; `*`: every one.
    pub stream: String,
    /// A column, or a path inside a JSON column: `column.path.to`.
    pub field: String,
    #[serde(deserialize_with = "rule_or_hide")]
    pub rule: MaskRule,
}

/// A rule that this version does not know hides: a newer platform asked for something to be masked.
fn rule_or_hide<'de, D: Deserializer<'de>>(d: D) -> Result<MaskRule, D::Error> {
    let value = Value::deserialize(d)?;
    Ok(serde_json::from_value(value).unwrap_or(MaskRule::Hide))
}

/// Where ingest is with a source. It alone makes an event durable once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceCursor {
    pub name: String,
    pub source_id: SourceId,
    pub epoch: u32,
    /// The sequence that ingest expects next; sequences of an epoch begin at 1.
    pub next_seq: u64,
    pub last_hash: BatchHash,
    /// The source's position after the last durable event, as the agent wrote it.
    pub position: Option<Value>,
    /// A person paused it.
    #[serde(default)]
    pub paused: bool,
}

/// A run of consecutive events. The body is a [`crate::body`] under zstd.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchHeader {
    pub source_id: SourceId,
    pub epoch: u32,
    pub first_seq: u64,
    pub count: u32,
    pub previous: BatchHash,
    pub hash: BatchHash,
    /// The source's position after the last event.
    pub position: Value,
    /// Size of the body after decompression, in bytes.
    pub raw_bytes: u32,
    /// Commit time at the source of the newest change in it, by the source's clock.
    #[serde(default)]
    pub last_commit_us: Option<i64>,
}

/// Everything before `next_seq` is durable, or lost and marked so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Durable {
    pub source_id: SourceId,
    pub epoch: u32,
    pub next_seq: u64,
    pub hash: BatchHash,
}

/// A batch, loss or epoch that was not taken, and where ingest is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refused {
    pub source_id: SourceId,
    pub reason: RefuseReason,
    pub epoch: u32,
    pub next_seq: u64,
    pub last_hash: BatchHash,
    /// For the agent's log: what happened and what follows.
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefuseReason {
    /// Another first sequence is expected: cut anew from the spool.
    Sequence,
    /// The sequence fits, but not the hash: the spool has diverged, open a new epoch.
    Diverged,
    /// A limit of [`crate::limits`] was passed.
    Limit,
    /// Ingest cannot write now; send again after a pause.
    Busy,
    #[serde(other)]
    Other,
}

/// Events `from_seq..to_seq` are gone at the agent. Ingest moves its cursor and leaves a gap marker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lost {
    pub source_id: SourceId,
    pub epoch: u32,
    pub from_seq: u64,
    pub to_seq: u64,
    pub reason: String,
}

/// The agent begins a new spool life: cursor to `(epoch, 1)`, zero hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenEpoch {
    pub source_id: SourceId,
    pub epoch: u32,
    /// Why, for the gap marker and the page.
    pub reason: String,
    /// Whether events may be missing between the last durable position and this epoch's first event.
    pub gap: bool,
}

/// What the agent knows of a source, sent every 5 s and when it changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceStatus {
    pub source_id: Option<SourceId>,
    /// `connecting`, `snapshot`, `streaming`, `waiting`, `paused`, `failed`.
    pub state: String,
    /// Empty when all is well.
    #[serde(default)]
    pub problems: Vec<Problem>,
    #[serde(default)]
    pub product: String,
    /// Bytes the source keeps for us (retained WAL), and the last position read from it.
    #[serde(default)]
    pub lag_bytes: Option<u64>,
    #[serde(default)]
    pub spool_bytes: u64,
    #[serde(default)]
    pub spool_limit_bytes: u64,
    /// Age of the oldest event that is not yet durable, in milliseconds.
    #[serde(default)]
    pub unconfirmed_ms: u64,
    #[serde(default)]
    pub read_events: u64,
    #[serde(default)]
    pub snapshot: Vec<SnapshotProgress>,
    /// The agent's clock minus the source's, in microseconds.
    #[serde(default)]
    pub source_clock_skew_us: i64,
}

/// Something a person has to do, with the exact SQL where it is SQL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable, e.g. `wal_level`, `no_slot_left`, `missing_grant`, `slot_lost`, `no_primary_key`, `bad_credentials`.
    pub code: String,
    pub message: String,
    #[serde(default)]
    pub fix: Option<String>,
    /// Whether reading has stopped because of it.
    #[serde(default)]
    pub fatal: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotProgress {
    pub stream: String,
    pub rows_done: u64,
    pub rows_estimated: Option<u64>,
    pub done: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    pub clock_us: i64,
    pub sources: Vec<SourceStatus>,
    /// Version of the [`Masks`] by which every source is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masks_version: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    Pause {
        source_id: SourceId,
    },
    Resume {
        source_id: SourceId,
    },
    /// Take these streams' snapshots again.
    Resnapshot {
        source_id: SourceId,
        streams: Vec<String>,
    },
    #[serde(other)]
    Unknown,
}

/// The connection will not be served. The agent logs it and shows it in `doctor`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denied {
    pub code: DenyCode,
    pub message: String,
    /// Seconds before another try makes sense; none: not before a person acted.
    #[serde(default)]
    pub retry_after_s: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DenyCode {
    UnknownAgent,
    Revoked,
    BadProof,
    /// Another holder of this key connected since: this one is a copy.
    Clone,
    NotApproved,
    WrongCode,
    CodeExpired,
    CodeUsed,
    TooManyAttempts,
    Protocol,
    Busy,
    #[serde(other)]
    Other,
}

/// An agent asks to be paired.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// As typed, with or without hyphen.
    pub code: String,
    /// Ed25519 public key, hexadecimal.
    pub public_key: String,
    /// Of [`pair_message`], hexadecimal.
    pub signature: String,
    pub hostname: String,
    pub agent_version: String,
}

/// The code fits; a person has to compare these words and approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimed {
    pub agent_id: AgentId,
    /// Six words made from the key; the browser shows the same.
    pub fingerprint: String,
    pub workspace: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    pub agent_id: AgentId,
    pub name: String,
}

macro_rules! frames {
    ($($(#[$doc:meta])* $code:literal $name:ident($header:ty)),* $(,)?) => {
        /// One message. See the module's words for the order.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Frame {
            $($(#[$doc])* $name($header),)*
            /// The only frame with a body.
            Batch(BatchHeader, Bytes),
            /// Connection liveness, both ways, every 5 s when nothing else is said.
            Heartbeat,
            /// A kind that this version does not know; ignore it.
            Unknown(u8),
        }

        impl Frame {
            /// The frame as one binary message.
            pub fn encode(&self) -> Result<Bytes, FrameError> {
                match self {
                    $(Self::$name(header) => pack($code, Some(header), &[]),)*
                    Self::Batch(header, body) => pack(BATCH, Some(header), body),
                    Self::Heartbeat => pack(HEARTBEAT, None::<&()>, &[]),
                    Self::Unknown(kind) => pack(*kind, None::<&()>, &[]),
                }
            }

            /// Reads a message. Never panics on input; a batch's body shares `message`'s memory.
            pub fn decode(message: Bytes) -> Result<Self, FrameError> {
                let (kind, header, body) = unpack(message)?;
                match kind {
                    $($code => Ok(Self::$name(serde_json::from_slice(&header).map_err(FrameError::header)?)),)*
                    BATCH => Ok(Self::Batch(serde_json::from_slice(&header).map_err(FrameError::header)?, body)),
                    HEARTBEAT => Ok(Self::Heartbeat),
                    kind => Ok(Self::Unknown(kind)),
                }
            }
        }
    };
}

const BATCH: u8 = 10;
const HEARTBEAT: u8 = 30;

frames! {
    1 Hello(Hello),
    2 Challenge(Challenge),
    3 Proof(Proof),
    4 Welcome(Welcome),
    5 Denied(Denied),
    11 Durable(Durable),
    12 Refused(Refused),
    13 Lost(Lost),
    14 OpenEpoch(OpenEpoch),
    20 Status(Status),
    21 Command(Command),
    22 Masks(Masks),
    23 ReplaceKey(ReplaceKey),
    24 NewKey(NewKey),
    25 KeyKept(KeyKept),
    40 Pair(Pair),
    41 Claimed(Claimed),
    42 Approved(Approved),
}

/// Why a message is not a frame.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FrameError {
    #[error("the frame has {0} bytes, more than the limit of {MAX_FRAME_BYTES}")]
    TooLarge(usize),
    #[error("the frame's header has {0} bytes, more than the limit of {MAX_HEADER_BYTES}")]
    HeaderTooLarge(usize),
    #[error("the frame is cut short")]
    Truncated,
    #[error("protocol version {0} is not understood here; this side speaks version {PROTOCOL}")]
    Protocol(u8),
    #[error("the frame's header cannot be read: {0}")]
    Header(String),
}

impl FrameError {
    #[allow(clippy::needless_pass_by_value)]
    fn header(e: serde_json::Error) -> Self {
        Self::Header(e.to_string())
    }
}

fn pack<H: Serialize>(kind: u8, header: Option<&H>, body: &[u8]) -> Result<Bytes, FrameError> {
    let header = header.map(serde_json::to_vec).transpose().map_err(FrameError::header)?.unwrap_or_default();
    if header.len() > MAX_HEADER_BYTES {
        return Err(FrameError::HeaderTooLarge(header.len()));
    }
    let size = 6 + header.len() + body.len();
    if size > MAX_FRAME_BYTES {
        return Err(FrameError::TooLarge(size));
    }
    let mut out = BytesMut::with_capacity(size);
    out.put_u8(PROTOCOL);
    out.put_u8(kind);
    out.put_u32_le(header.len() as u32);
    out.put_slice(&header);
    out.put_slice(body);
    Ok(out.freeze())
}

fn unpack(mut message: Bytes) -> Result<(u8, Bytes, Bytes), FrameError> {
    if message.len() > MAX_FRAME_BYTES {
        return Err(FrameError::TooLarge(message.len()));
    }
    let Some(&[protocol, kind, a, b, c, d]) = message.first_chunk::<6>() else {
        return Err(FrameError::Truncated);
    };
    if protocol != PROTOCOL {
        return Err(FrameError::Protocol(protocol));
    }
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    if length > MAX_HEADER_BYTES {
        return Err(FrameError::HeaderTooLarge(length));
    }
    if message.len() - 6 < length {
        return Err(FrameError::Truncated);
    }
    let mut rest = message.split_off(6);
    let body = rest.split_off(length);
    Ok((kind, rest, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: serde::de::DeserializeOwned>(text: &str) -> T {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn masks_are_these_bytes() {
        let masks = Masks {
            version: 7,
            masks: vec![
                Mask {
                    source: Some("plant-db".into()),
                    stream: "public.staff".into(),
                    field: "name".into(),
                    rule: MaskRule::Hash,
                },
                Mask {
                    source: None,
                    stream: "*".into(),
                    field: "detail.phone".into(),
                    rule: MaskRule::Partial { keep_last: 4 },
                },
            ],
        };
        let text = r#"{"version":7,"masks":[{"source":"plant-db","stream":"public.staff","field":"name","rule":{"kind":"hash"}},{"stream":"*","field":"detail.phone","rule":{"kind":"partial","keep_last":4}}]}"#;
        let bytes = Frame::Masks(masks.clone()).encode().unwrap();
        assert_eq!(&bytes[..2], &[PROTOCOL, 22]);
        assert_eq!(std::str::from_utf8(&bytes[6..]).unwrap(), text);
        assert_eq!(Frame::decode(bytes).unwrap(), Frame::Masks(masks));
    }

    #[test]
    fn an_end_that_knows_no_masks_is_understood() {
        let welcome: Welcome = read(r#"{"generation":1,"clock_us":2,"window_bytes":3,"sources":[]}"#);
        assert_eq!(welcome.masks, None);
        assert!(!serde_json::to_string(&welcome).unwrap().contains("masks"));
        let status: Status = read(r#"{"clock_us":2,"sources":[]}"#);
        assert_eq!(status.masks_version, None);
    }

    #[test]
    fn a_new_key_is_these_bytes() {
        let id: AgentId = uuid::Uuid::nil().into();
        let signed = "clarity new key v1\n07\n00000000-0000-0000-0000-000000000000\nab";
        assert_eq!(new_key_message("07", id, "ab"), signed.as_bytes());
        let said = [
            (Frame::ReplaceKey(ReplaceKey { nonce: "07".into() }), 23, r#"{"nonce":"07"}"#),
            (
                Frame::NewKey(NewKey { public_key: "ab".into(), by_own: "c".into(), by_new: "d".into() }),
                24,
                r#"{"public_key":"ab","by_own":"c","by_new":"d"}"#,
            ),
            (Frame::KeyKept(KeyKept { public_key: "ab".into() }), 25, r#"{"public_key":"ab"}"#),
        ];
        for (frame, kind, text) in said {
            let bytes = frame.encode().unwrap();
            assert_eq!(&bytes[..2], &[PROTOCOL, kind]);
            assert_eq!(std::str::from_utf8(&bytes[6..]).unwrap(), text);
            assert_eq!(Frame::decode(bytes).unwrap(), frame);
        }
    }

    #[test]
    fn an_agent_that_cannot_replace_its_key_says_nothing_of_it() {
        let text = r#"{"agent_id":"00000000-0000-0000-0000-000000000000","agent_version":"1","generation":0,"hostname":"h","clock_us":0,"sources":[]}"#;
        let hello: Hello = read(text);
        assert!(!hello.replaces_key);
        assert_eq!(serde_json::to_string(&hello).unwrap(), text);
    }

    #[test]
    fn an_unknown_rule_hides() {
        for rule in [r#"{"kind":"blur","by":3}"#, r#"{"kind":"partial"}"#, "7"] {
            let mask: Mask = read(&format!(r#"{{"stream":"a.b","field":"c","rule":{rule}}}"#));
            assert_eq!(mask.rule, MaskRule::Hide, "{rule}");
        }
    }
}

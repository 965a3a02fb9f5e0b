//! One block on disk: a clear frame that finds torn writes, around sealed content.
//!
//! ```text
//! magic u32 | length u32 | crc32 u32 | first_seq u64 | count u32 | appended_us i64 | nonce 24 | sealed … | tag 16
//! ```
//!
//! Little-endian; length and CRC cover everything after the CRC. Sealed is `header length u32, header JSON, body`. The
//! source's name, epoch, sequence, count and time are authenticated with it, so records cannot be moved or exchanged.

use super::key::SpoolKey;
use super::{Block, SpoolError};
use bytes::Bytes;
use chacha20poly1305::aead::AeadInOut;
use clarity_wire::hash::BatchHash;
use serde::{Deserialize, Serialize};
use serde_json::Value;

const MAGIC: u32 = u32::from_le_bytes(*b"CSR1");
/// Bytes before the part that the CRC covers.
pub(super) const LEAD: usize = 12;
/// first_seq, count, appended_us.
const CLEAR: usize = 20;
const NONCE: usize = 24;
const TAG: usize = 16;
/// Larger than any block with its position: a length beyond it is damage.
pub(super) const MAX_RECORD: usize = clarity_wire::limits::MAX_FRAME_BYTES + (1 << 20);

/// A block with its place in the epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub first_seq: u64,
    pub count: u32,
    pub raw_bytes: u32,
    pub last_commit_us: Option<i64>,
    /// When it was spooled, by the agent's clock.
    pub appended_us: i64,
    pub body_hash: [u8; 32],
    pub position: Value,
    pub body: Bytes,
    /// Where it stands: the file's first sequence, and the bytes from–to in it.
    pub file: u64,
    pub start: u64,
    pub end: u64,
}

impl Record {
    pub fn next_seq(&self) -> u64 {
        self.first_seq + u64::from(self.count)
    }

    pub(super) fn new(block: Block, first_seq: u64, appended_us: i64) -> Self {
        let body = Bytes::from(block.body);
        Self {
            first_seq,
            count: block.count,
            raw_bytes: block.raw_bytes,
            last_commit_us: block.last_commit_us,
            appended_us,
            body_hash: BatchHash::of_body(&body),
            position: block.position,
            body,
            file: 0,
            start: 0,
            end: 0,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    raw_bytes: u32,
    last_commit_us: Option<i64>,
    body_hash: BatchHash,
    position: Value,
}

/// What the clear part says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clear {
    pub first_seq: u64,
    pub count: u32,
    pub appended_us: i64,
    /// Of the whole record.
    pub size: usize,
}

/// Why bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// The bytes end before the record does.
    Short,
    Damaged,
}

/// Binds records to a source and an epoch.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub key: SpoolKey,
    pub source: String,
    pub epoch: u32,
}

impl Context {
    fn associated(&self, clear: &[u8]) -> Vec<u8> {
        let mut data = Vec::with_capacity(self.source.len() + 4 + CLEAR);
        data.extend_from_slice(&self.epoch.to_le_bytes());
        data.extend_from_slice(clear);
        data.extend_from_slice(self.source.as_bytes());
        data
    }

    pub fn encode(&self, record: &Record) -> Result<Vec<u8>, SpoolError> {
        let broken = |e: String| SpoolError::Failed(format!("a block could not be sealed: {e}"));
        let header = serde_json::to_vec(&Sealed {
            raw_bytes: record.raw_bytes,
            last_commit_us: record.last_commit_us,
            body_hash: BatchHash(record.body_hash),
            position: record.position.clone(),
        })
        .map_err(|e| broken(e.to_string()))?;
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|e| broken(e.to_string()))?;

        let mut out = Vec::with_capacity(LEAD + CLEAR + NONCE + 4 + header.len() + record.body.len() + TAG);
        out.extend_from_slice(&MAGIC.to_le_bytes());
        out.extend_from_slice(&[0; 8]);
        out.extend_from_slice(&record.first_seq.to_le_bytes());
        out.extend_from_slice(&record.count.to_le_bytes());
        out.extend_from_slice(&record.appended_us.to_le_bytes());
        let associated = self.associated(&out[LEAD..]);
        out.extend_from_slice(&nonce);
        let sealed = out.len();
        out.extend_from_slice(&(header.len() as u32).to_le_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(&record.body);
        let tag = self
            .key
            .0
            .encrypt_inout_detached(&nonce.into(), &associated, out[sealed..].as_mut().into())
            .map_err(|e| broken(e.to_string()))?;
        out.extend_from_slice(&tag);

        let length = (out.len() - LEAD) as u32;
        if length as usize > MAX_RECORD {
            return Err(SpoolError::TooLarge(record.body.len()));
        }
        let crc = crc32fast::hash(&out[LEAD..]);
        out[4..8].copy_from_slice(&length.to_le_bytes());
        out[8..12].copy_from_slice(&crc.to_le_bytes());
        Ok(out)
    }

    /// Opens a record that [`check`] found whole. `bytes` begins with it; `file` and `start` say where it came from.
    pub fn decode(&self, bytes: &[u8], file: u64, start: u64) -> Result<Record, SpoolError> {
        let clear = check(bytes).map_err(|_| SpoolError::Sealed)?;
        let associated = self.associated(&bytes[LEAD..LEAD + CLEAR]);
        let nonce: [u8; NONCE] =
            bytes[LEAD + CLEAR..LEAD + CLEAR + NONCE].try_into().map_err(|_| SpoolError::Sealed)?;
        let tag: [u8; TAG] = bytes[clear.size - TAG..clear.size].try_into().map_err(|_| SpoolError::Sealed)?;
        let mut plain = bytes[LEAD + CLEAR + NONCE..clear.size - TAG].to_vec();
        self.key
            .0
            .decrypt_inout_detached(&nonce.into(), &associated, plain.as_mut_slice().into(), &tag.into())
            .map_err(|_| SpoolError::Sealed)?;
        let plain = Bytes::from(plain);
        let length = plain.first_chunk::<4>().map_or(usize::MAX, |l| u32::from_le_bytes(*l) as usize);
        if plain.len().saturating_sub(4) < length {
            return Err(SpoolError::Sealed);
        }
        let header: Sealed = serde_json::from_slice(&plain[4..4 + length]).map_err(|_| SpoolError::Sealed)?;
        Ok(Record {
            first_seq: clear.first_seq,
            count: clear.count,
            raw_bytes: header.raw_bytes,
            last_commit_us: header.last_commit_us,
            appended_us: clear.appended_us,
            body_hash: header.body_hash.0,
            position: header.position,
            body: plain.slice(4 + length..),
            file,
            start,
            end: start + clear.size as u64,
        })
    }
}

/// Size of the record that begins here, by its frame alone.
pub(super) fn size(lead: &[u8]) -> Result<usize, Unreadable> {
    let word = |at: usize| lead.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes);
    let (Some(magic), Some(length)) = (word(0), word(4)) else {
        return Err(Unreadable::Short);
    };
    let length = length as usize;
    if magic != MAGIC || !(CLEAR + NONCE + 4 + TAG..=MAX_RECORD).contains(&length) {
        return Err(Unreadable::Damaged);
    }
    Ok(LEAD + length)
}

/// Whether a whole and undamaged record begins here.
pub(super) fn check(bytes: &[u8]) -> Result<Clear, Unreadable> {
    let size = size(bytes)?;
    let record = bytes.get(..size).ok_or(Unreadable::Short)?;
    if record[8..12] != crc32fast::hash(&record[LEAD..]).to_le_bytes() {
        return Err(Unreadable::Damaged);
    }
    clear(record, size).ok_or(Unreadable::Damaged)
}

pub(super) fn clear(record: &[u8], size: usize) -> Option<Clear> {
    Some(Clear {
        first_seq: u64::from_le_bytes(record.get(LEAD..LEAD + 8)?.try_into().ok()?),
        count: u32::from_le_bytes(record.get(LEAD + 8..LEAD + 12)?.try_into().ok()?),
        appended_us: i64::from_le_bytes(record.get(LEAD + 12..LEAD + 20)?.try_into().ok()?),
        size,
    })
}

/// Whether any whole record stands somewhere in `bytes`: what tells damage in the middle from a torn tail.
pub(super) fn any_record_in(bytes: &[u8]) -> bool {
    memchr::memmem::find_iter(bytes, &MAGIC.to_le_bytes()).any(|at| check(&bytes[at..]).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn context(source: &str, epoch: u32) -> Context {
        Context { key: SpoolKey::from_bytes(&[7; 32]), source: source.into(), epoch }
    }

    fn record(body: &[u8]) -> Record {
        let block = Block {
            body: body.to_vec(),
            raw_bytes: 900,
            count: 3,
            position: serde_json::json!({"lsn": 5}),
            last_commit_us: Some(-4),
        };
        let mut record = Record::new(block, 41, 1_764_000_000_000_000);
        record.file = 1;
        record.start = 32;
        record
    }

    #[test]
    fn a_record_is_bound_to_its_place() {
        let bytes = context("plant", 2).encode(&record(b"body")).unwrap();
        assert!(context("plant", 2).decode(&bytes, 1, 32).is_ok());
        assert!(matches!(context("plant", 3).decode(&bytes, 1, 32), Err(SpoolError::Sealed)));
        assert!(matches!(context("other", 2).decode(&bytes, 1, 32), Err(SpoolError::Sealed)));
        let mut moved = bytes.clone();
        moved[LEAD] ^= 1;
        let crc = crc32fast::hash(&moved[LEAD..]).to_le_bytes();
        moved[8..12].copy_from_slice(&crc);
        assert!(matches!(context("plant", 2).decode(&moved, 1, 32), Err(SpoolError::Sealed)));
    }

    #[test]
    fn nothing_of_it_is_clear() {
        let bytes = context("plant", 2).encode(&record(b"serial number 4711")).unwrap();
        assert!(memchr::memmem::find(&bytes, b"4711").is_none() && memchr::memmem::find(&bytes, b"lsn").is_none());
    }

    proptest! {
        #[test]
        fn reads_what_was_written(body in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let mut expected = record(&body);
            let bytes = context("plant", 2).encode(&expected).unwrap();
            expected.end = 32 + bytes.len() as u64;
            prop_assert_eq!(check(&bytes).unwrap().size, bytes.len());
            prop_assert_eq!(context("plant", 2).decode(&bytes, 1, 32).unwrap(), expected);
        }

        #[test]
        fn every_flipped_bit_is_found(body in proptest::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>(), bit in 0..8) {
            let mut bytes = context("plant", 2).encode(&record(&body)).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1_u8 << bit;
            prop_assert!(check(&bytes).is_err());
        }

        #[test]
        fn every_cut_is_found(body in proptest::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>()) {
            let bytes = context("plant", 2).encode(&record(&body)).unwrap();
            prop_assert_eq!(check(&bytes[..at.index(bytes.len())]), Err(Unreadable::Short));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = check(&bytes);
            let _ = any_record_in(&bytes);
            let _ = context("plant", 2).decode(&bytes, 0, 0);
        }
    }
}

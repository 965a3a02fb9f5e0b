//! Is the chain whole? Every entry's canonical form is made and hashed here, without the trigger that wrote it: a trigger
//! that was tampered with is found like a cell that was.

use crate::at::micros;
use crate::{Result, WorkspaceTx};
use clarity_domain::audit::{Act, ChainBreak, ChainReport};
use serde_json::Value;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

/// Entries read at a time.
const AT_ONCE: i64 = 2000;

/// The hash before the first entry.
const BEGINNING: [u8; 32] = [0; 32];

/// Exactly what stands in a row, with nothing made of it.
struct Stored {
    seq: i64,
    at: OffsetDateTime,
    actor_kind: String,
    actor_id: Option<Uuid>,
    actor_name: String,
    act: String,
    object_kind: String,
    object_id: String,
    object_name: String,
    before: Option<String>,
    after: Option<String>,
    outcome: String,
    address: String,
    request_id: Option<Uuid>,
    previous_hash: Vec<u8>,
    hash: Vec<u8>,
}

/// Checks the workspace's chain from its first entry to its head, up to the first break. Give it a read transaction, so
/// that entries and head are of one moment.
pub async fn verify(tx: &mut WorkspaceTx) -> Result<ChainReport> {
    let workspace = tx.workspace();
    let head = sqlx::query!("select seq, hash from audit_heads where workspace_id = $1", workspace)
        .fetch_optional(tx.conn())
        .await?;
    let anchor = sqlx::query!("select seq, hash from audit_anchors where workspace_id = $1", workspace)
        .fetch_optional(tx.conn())
        .await?;
    let mut chain = match anchor {
        Some(anchor) => Chain::after_cut(workspace, anchor.seq, &anchor.hash),
        None => Chain::new(workspace),
    };
    let mut after = i64::MIN;
    while chain.broken.is_none() {
        let rows = sqlx::query_as!(
            Stored,
            "select seq, at, actor_kind, actor_id, actor_name, act, object_kind, object_id, object_name,
                    before::text as before, after::text as after, outcome, address, request_id, previous_hash, hash
             from audit_entries
             where workspace_id = $1
               and seq > $2
             order by seq
             limit $3",
            workspace,
            after,
            AT_ONCE
        )
        .fetch_all(tx.conn())
        .await?;
        let Some(last) = rows.last() else { break };
        after = last.seq;
        for row in &rows {
            if !chain.follow(row) {
                break;
            }
        }
    }
    Ok(chain.end(head.as_ref().map(|h| (h.seq, h.hash.as_slice()))))
}

/// A chain as far as it was followed.
struct Chain {
    workspace: Uuid,
    seq: i64,
    hash: [u8; 32],
    first_at: Option<i64>,
    last_at: Option<i64>,
    /// Where retention cut the chain; and whether an entry that was followed tells of exactly that.
    cut: Option<Cut>,
    broken: Option<ChainBreak>,
}

struct Cut {
    seq: i64,
    hash: [u8; 32],
    told: bool,
}

impl Chain {
    fn new(workspace: Uuid) -> Self {
        Self { workspace, seq: 0, hash: BEGINNING, first_at: None, last_at: None, cut: None, broken: None }
    }

    /// A chain that goes on from the last entry that retention removed. An anchor alone proves nothing: whoever can forge one
    /// could cut what they like. The entry that tells of the cut is part of the chain, and its hash in all that follow.
    fn after_cut(workspace: Uuid, seq: i64, hash: &[u8]) -> Self {
        let Ok(hash) = <[u8; 32]>::try_from(hash) else { return Self::new(workspace) };
        let cut = Some(Cut { seq, hash, told: false });
        Self { seq, hash, cut, ..Self::new(workspace) }
    }

    /// Takes the next row; false when it does not follow.
    fn follow(&mut self, row: &Stored) -> bool {
        let next = self.seq + 1;
        if row.seq > next {
            self.broken = Some(ChainBreak::Missing { seq: next, last: row.seq - 1 });
            return false;
        }
        let hash = canonical_hash(self.workspace, row);
        if row.seq < next || row.previous_hash != self.hash || row.hash != hash {
            self.broken = Some(ChainBreak::Changed { seq: row.seq });
            return false;
        }
        self.seq = next;
        self.hash = hash;
        let at = micros(row.at);
        self.first_at.get_or_insert(at);
        self.last_at = Some(at);
        if let Some(cut) = &mut self.cut {
            cut.told |= tells_of(row, cut);
        }
        true
    }

    /// Compares the end with the head.
    fn end(self, head: Option<(i64, &[u8])>) -> ChainReport {
        let at_end = match head {
            None => Some(ChainBreak::NoHead),
            Some((seq, _)) if seq > self.seq => Some(ChainBreak::CutEnd { seq: self.seq + 1, last: seq }),
            Some((seq, hash)) if seq < self.seq || hash != self.hash => Some(ChainBreak::Head { seq: self.seq }),
            Some(_) => None,
        };
        let (cut_seq, untold) = match &self.cut {
            Some(cut) => (cut.seq, (!cut.told).then_some(ChainBreak::Untold { seq: cut.seq })),
            None => (0, None),
        };
        ChainReport {
            entries: (self.seq - cut_seq).unsigned_abs(),
            cut_seq: cut_seq.unsigned_abs(),
            first_at: self.first_at,
            last_at: self.last_at,
            head: hex::encode(self.hash),
            broken: self.broken.or(at_end).or(untold),
        }
    }
}

/// Whether this is the entry that `cut_audit` wrote with this cut.
fn tells_of(row: &Stored, cut: &Cut) -> bool {
    if row.actor_kind != "service" || row.act != Act::RunRetention.as_str() || row.object_id != "audit" {
        return false;
    }
    let after: Option<Value> = row.after.as_deref().and_then(|text| serde_json::from_str(text).ok());
    after.is_some_and(|after| {
        after["cut_seq"].as_i64() == Some(cut.seq) && after["cut_hash"].as_str() == Some(hex::encode(cut.hash).as_str())
    })
}

/// As `audit_hash` in the migration says: each field after its length in four bytes, -1 for null.
fn canonical_hash(workspace: Uuid, row: &Stored) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut field = |value: Option<&[u8]>| match value {
        // No field is as long as that: Postgres ends at a gigabyte.
        Some(bytes) => {
            hash.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX - 1).to_be_bytes());
            hash.update(bytes);
        }
        None => hash.update(u32::MAX.to_be_bytes()),
    };
    field(Some(b"clarity audit 1"));
    field(Some(workspace.as_bytes()));
    field(Some(&row.seq.to_be_bytes()));
    field(Some(&micros(row.at).to_be_bytes()));
    field(Some(row.actor_kind.as_bytes()));
    field(row.actor_id.as_ref().map(|id| id.as_bytes().as_slice()));
    for text in [&row.actor_name, &row.act, &row.object_kind, &row.object_id, &row.object_name] {
        field(Some(text.as_bytes()));
    }
    field(row.before.as_deref().map(str::as_bytes));
    field(row.after.as_deref().map(str::as_bytes));
    field(Some(row.outcome.as_bytes()));
    field(Some(row.address.as_bytes()));
    field(row.request_id.as_ref().map(|id| id.as_bytes().as_slice()));
    field(Some(&row.previous_hash));
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seq: i64, previous: [u8; 32]) -> Stored {
        let mut row = Stored {
            seq,
            at: OffsetDateTime::UNIX_EPOCH,
            actor_kind: "person".into(),
            actor_id: None,
            actor_name: "Maja".into(),
            act: "session.sign_in".into(),
            object_kind: String::new(),
            object_id: String::new(),
            object_name: String::new(),
            before: None,
            after: Some("{}".into()),
            outcome: "done".into(),
            address: String::new(),
            request_id: None,
            previous_hash: previous.into(),
            hash: Vec::new(),
        };
        row.hash = canonical_hash(Uuid::nil(), &row).into();
        row
    }

    fn rows(count: i64) -> Vec<Stored> {
        let mut rows: Vec<Stored> = Vec::new();
        for seq in 1..=count {
            let previous = rows.last().map_or(BEGINNING, |last| last.hash.as_slice().try_into().unwrap());
            rows.push(row(seq, previous));
        }
        rows
    }

    fn check(rows: &[Stored], head: Option<(i64, &[u8])>) -> Option<ChainBreak> {
        let mut chain = Chain::new(Uuid::nil());
        let _ = rows.iter().all(|row| chain.follow(row));
        chain.end(head).broken
    }

    #[test]
    fn a_chain_is_whole_only_with_its_head() {
        let all = rows(3);
        let head = all[2].hash.clone();
        assert_eq!(check(&all, Some((3, &head))), None);
        assert_eq!(check(&all, None), Some(ChainBreak::NoHead));
        assert_eq!(check(&all[..2], Some((3, &head))), Some(ChainBreak::CutEnd { seq: 3, last: 3 }));
        assert_eq!(check(&all, Some((2, &head))), Some(ChainBreak::Head { seq: 3 }));
        assert_eq!(check(&all, Some((3, &BEGINNING))), Some(ChainBreak::Head { seq: 3 }));
        assert_eq!(check(&[], None), Some(ChainBreak::NoHead));
    }

    #[test]
    fn a_cut_beginning_is_accepted_only_when_the_chain_tells_of_it() {
        let told =
            |seq: i64, hash: &[u8]| Some(format!(r#"{{"cut_seq": {seq}, "cut_hash": "{}"}}"#, hex::encode(hash)));
        let mut all = rows(5);
        let (cut, head) = (all[1].hash.clone(), 5);
        let check = |rows: &[Stored], seq: i64, hash: &[u8]| {
            let mut chain = Chain::after_cut(Uuid::nil(), seq, hash);
            let _ = rows.iter().all(|row| chain.follow(row));
            let last = rows.last().map(|row| row.hash.clone()).unwrap_or_default();
            chain.end(Some((head, &last)))
        };
        assert_eq!(check(&all[2..], 2, &cut).broken, Some(ChainBreak::Untold { seq: 2 }));
        // The last entry tells of it.
        let last = &mut all[4];
        last.actor_kind = "service".into();
        last.act = "retention.run".into();
        last.object_id = "audit".into();
        last.after = told(2, &cut);
        last.hash = canonical_hash(Uuid::nil(), last).into();
        let report = check(&all[2..], 2, &cut);
        assert_eq!((report.broken, report.entries, report.cut_seq), (None, 3, 2));
        assert_eq!(check(&all[3..], 2, &cut).broken, Some(ChainBreak::Missing { seq: 3, last: 3 }), "cut further");
        let third = all[2].hash.clone();
        assert_eq!(check(&all[3..], 3, &third).broken, Some(ChainBreak::Untold { seq: 3 }), "with a forged anchor");
        assert_eq!(check(&all[2..], 2, &third).broken, Some(ChainBreak::Changed { seq: 3 }));
    }

    #[test]
    fn what_moves_between_fields_changes_the_hash() {
        let (mut a, mut b) = (row(1, BEGINNING), row(1, BEGINNING));
        (a.object_id, a.object_name) = ("ab".into(), "c".into());
        (b.object_id, b.object_name) = ("a".into(), "bc".into());
        assert_ne!(canonical_hash(Uuid::nil(), &a), canonical_hash(Uuid::nil(), &b));
        (b.object_id, b.object_name) = (a.object_id.clone(), a.object_name.clone());
        assert_eq!(canonical_hash(Uuid::nil(), &a), canonical_hash(Uuid::nil(), &b));
        b.before = Some(String::new());
        assert_ne!(canonical_hash(Uuid::nil(), &a), canonical_hash(Uuid::nil(), &b), "null is not the empty text");
    }
}

//! The audit log: who did what, one hash chain a workspace. The database makes the chain and nobody may change or remove
//! an entry (`migrations/…_audit_chain.sql`); [`verify`] looks whether that held.

mod read;
mod verify;

use crate::at::timestamp;
use crate::{Result, WorkspaceTx};
use clarity_domain::audit::{Act, ActorKind, Outcome};
use clarity_domain::time::Micros;
use serde_json::Value;
use uuid::Uuid;

pub use read::{Filter, Row, find, head_seq, list_newer, list_older};
pub use verify::verify;

/// Who acts, and as whom they are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub kind: ActorKind,
    pub id: Option<Uuid>,
    pub name: String,
}

/// What is acted on. All empty for the workspace as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Object<'a> {
    /// A noun: agent, pairing.
    pub kind: &'a str,
    pub id: &'a str,
    pub name: &'a str,
}

/// An entry to be. Its place, time and hashes are the database's.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    pub actor: &'a Actor,
    pub act: Act,
    pub object: Object<'a>,
    /// What the act changed, as JSON objects. Never a secret.
    pub before: Option<Value>,
    pub after: Option<Value>,
    pub outcome: Outcome,
    pub address: &'a str,
    pub request_id: Option<Uuid>,
}

/// Writes an entry in the transaction of the act itself, as its last statement: from here on until the commit, other
/// entries of the workspace wait.
pub async fn record(tx: &mut WorkspaceTx, entry: &Entry<'_>) -> Result<()> {
    let workspace = tx.workspace();
    sqlx::query!(
        "insert into audit_entries (workspace_id, actor_kind, actor_id, actor_name, act, object_kind, object_id,
           object_name, before, after, outcome, address, request_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        workspace,
        entry.actor.kind.as_str(),
        entry.actor.id,
        entry.actor.name,
        entry.act.as_str(),
        entry.object.kind,
        entry.object.id,
        entry.object.name,
        entry.before,
        entry.after,
        entry.outcome.as_str(),
        entry.address,
        entry.request_id
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether the log says that this actor has done so since then. For those who may read the log: others are told no.
pub async fn was_done(tx: &mut WorkspaceTx, actor: &Actor, act: Act, since: Micros) -> Result<bool> {
    let workspace = tx.workspace();
    let done = sqlx::query_scalar!(
        r#"select exists (
             select 1
             from audit_entries
             where workspace_id = $1
               and at > $2
               and actor_kind = $3
               and actor_id is not distinct from $4
               and act = $5
               and outcome = 'done'
           ) as "done!""#,
        workspace,
        timestamp(since),
        actor.kind.as_str(),
        actor.id,
        act.as_str()
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(done)
}

//! Reading the log: pages by place in the chain, in both directions.
//!
//! Entries have no later time than those after them, so a range of time is a range of places, which an index finds; the
//! other conditions are looked at on the way.

use crate::at::{micros, timestamp};
use crate::{Result, StoreError, WorkspaceTx};
use clarity_domain::audit::{ActorKind, Outcome};
use clarity_domain::time::Micros;
use uuid::Uuid;

/// Which entries. Nothing in it: all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Half-open `[from, to)`.
    pub from: Option<Micros>,
    pub to: Option<Micros>,
    /// A part of the actor's name.
    pub actor: Option<String>,
    /// An act's key.
    pub act: Option<String>,
    pub outcome: Option<Outcome>,
    /// A part of the object, the address, the request's id, or of what was before and after.
    pub text: Option<String>,
}

/// An entry as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub seq: i64,
    pub at: Micros,
    pub actor_kind: ActorKind,
    pub actor_id: Option<Uuid>,
    pub actor_name: String,
    pub act: String,
    pub object_kind: String,
    pub object_id: String,
    pub object_name: String,
    /// JSON text.
    pub before: Option<String>,
    pub after: Option<String>,
    pub outcome: Outcome,
    pub address: String,
    pub request_id: Option<Uuid>,
    pub previous_hash: Vec<u8>,
    pub hash: Vec<u8>,
}

macro_rules! row {
    ($r:expr) => {{
        let r = $r;
        Ok(Row {
            seq: r.seq,
            at: micros(r.at),
            actor_kind: ActorKind::read(&r.actor_kind).ok_or(StoreError::Corrupt("audit_entries.actor_kind"))?,
            actor_id: r.actor_id,
            actor_name: r.actor_name,
            act: r.act,
            object_kind: r.object_kind,
            object_id: r.object_id,
            object_name: r.object_name,
            before: r.before,
            after: r.after,
            outcome: Outcome::read(&r.outcome).ok_or(StoreError::Corrupt("audit_entries.outcome"))?,
            address: r.address,
            request_id: r.request_id,
            previous_hash: r.previous_hash,
            hash: r.hash,
        })
    }};
}

macro_rules! page {
    ($tx:expr, $filter:expr, $place:expr, $limit:expr, $from_there:tt) => {{
        let (tx, filter): (&mut WorkspaceTx, &Filter) = ($tx, $filter);
        let workspace = tx.workspace();
        let rows = sqlx::query!(
            r#"select seq, at, actor_kind, actor_id, actor_name, act, object_kind, object_id, object_name,
                      before::text as before, after::text as after, outcome, address, request_id, previous_hash, hash
             from audit_entries
             where workspace_id = $1
               and ($2::timestamptz is null or seq >= coalesce((
                 select f.seq from audit_entries f where f.workspace_id = $1 and f.at >= $2 order by f.at, f.seq limit 1
               ), 9223372036854775807))
               and ($3::timestamptz is null or seq <= coalesce((
                 select t.seq from audit_entries t where t.workspace_id = $1 and t.at < $3 order by t.at desc, t.seq desc limit 1
               ), 0))
               and ($4::text is null or actor_name ilike '%' || $4 || '%')
               and ($5::text is null or act = $5)
               and ($6::text is null or outcome = $6)
               and ($7::text is null or concat_ws(' ', object_kind, object_id, object_name, address,
                 replace(request_id::text, '-', ''), before::text, after::text) ilike '%' || $7 || '%')
               and "# + $from_there + " limit $9",
            workspace,
            filter.from.map(timestamp),
            filter.to.map(timestamp),
            filter.actor.as_deref().map(literally),
            filter.act,
            filter.outcome.map(Outcome::as_str),
            filter.text.as_deref().map(literally),
            $place,
            $limit
        )
        .fetch_all(tx.conn())
        .await?;
        rows.into_iter().map(|r| row!(r)).collect()
    }};
}

/// At most `limit` entries before this place, newest first; before none, the newest.
pub async fn list_older(tx: &mut WorkspaceTx, filter: &Filter, before: Option<i64>, limit: i64) -> Result<Vec<Row>> {
    page!(tx, filter, before.unwrap_or(i64::MAX), limit, "seq < $8 order by seq desc")
}

/// At most `limit` entries after this place, oldest first.
pub async fn list_newer(tx: &mut WorkspaceTx, filter: &Filter, after: i64, limit: i64) -> Result<Vec<Row>> {
    page!(tx, filter, after, limit, "seq > $8 order by seq")
}

/// The entry at this place.
pub async fn find(tx: &mut WorkspaceTx, seq: i64) -> Result<Option<Row>> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        "select seq, at, actor_kind, actor_id, actor_name, act, object_kind, object_id, object_name,
                before::text as before, after::text as after, outcome, address, request_id, previous_hash, hash
         from audit_entries
         where workspace_id = $1
           and seq = $2",
        workspace,
        seq
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(|r| row!(r)).transpose()
}

/// The place of the last entry; 0 in an empty log.
pub async fn head_seq(tx: &mut WorkspaceTx) -> Result<i64> {
    let workspace = tx.workspace();
    let seq = sqlx::query_scalar!("select seq from audit_heads where workspace_id = $1", workspace)
        .fetch_optional(tx.conn())
        .await?;
    Ok(seq.unwrap_or(0))
}

/// Where a log ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub seq: i64,
    pub at: Micros,
    pub hash: Vec<u8>,
}

/// The last entry's place, time and hash; none of an empty log.
pub async fn find_head(tx: &mut WorkspaceTx) -> Result<Option<Head>> {
    let workspace = tx.workspace();
    let head = sqlx::query!("select seq, at, hash from audit_heads where workspace_id = $1 and seq > 0", workspace)
        .fetch_optional(tx.conn())
        .await?;
    Ok(head.map(|r| Head { seq: r.seq, at: micros(r.at), hash: r.hash }))
}

/// Text for `ilike` in which nothing is a pattern.
fn literally(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

//! Agents and sources as they introduce themselves, and what they say of themselves later.

use crate::error::StoreError;
use crate::ingest::{Cursor, PARTITIONS};
use crate::pool::IngestStore;
use crate::scope::Principal;
use crate::tx::WorkspaceTx;
use clarity_domain::ids::{AgentId, SourceId};
use serde_json::Value;
use uuid::Uuid;

fn agent(tx: &WorkspaceTx) -> Result<AgentId, StoreError> {
    match tx.scope().principal() {
        Principal::Agent(id) => Ok(*id),
        Principal::Member { .. } | Principal::Service { .. } | Principal::Worker => Err(StoreError::NotFound),
    }
}

/// What an agent says when it connects.
#[derive(Debug)]
pub struct Arrival<'a> {
    pub version: &'a str,
    pub hostname: &'a str,
    pub address: &'a str,
    /// The agent's clock minus ours.
    pub clock_skew_us: i64,
    /// Six words of the key that it proved.
    pub fingerprint: &'a str,
}

/// Notes that the scope's agent has connected.
pub async fn arrive(tx: &mut WorkspaceTx, a: &Arrival<'_>) -> Result<(), StoreError> {
    let (workspace, agent) = (tx.workspace(), agent(tx)?);
    let done = sqlx::query!(
        "update agents
         set version = $3, hostname = $4, address = $5, clock_skew_us = $6, seen_at = now(), connected = true, denied = null,
             fingerprint = $7
         where workspace_id = $1 and id = $2",
        workspace,
        agent.0,
        a.version,
        a.hostname,
        a.address,
        a.clock_skew_us,
        a.fingerprint
    )
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 0 { Err(StoreError::NotFound) } else { Ok(()) }
}

/// Notes that the agent was heard, or that its connection ended, or what it was told when it was refused.
pub async fn seen(tx: &mut WorkspaceTx, connected: bool, denied: Option<&str>) -> Result<(), StoreError> {
    let (workspace, agent) = (tx.workspace(), agent(tx)?);
    sqlx::query!(
        "update agents
         set seen_at = case when $3 then now() else seen_at end, connected = $3, denied = coalesce($4, denied)
         where workspace_id = $1 and id = $2",
        workspace,
        agent.0,
        connected,
        denied
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A source as its agent describes it, known from now on.
#[derive(Debug)]
pub struct Registered {
    pub id: SourceId,
    pub paused: bool,
    pub cursor: Cursor,
}

/// Finds or makes a source of the scope's agent, with its cursor and head.
pub async fn register(tx: &mut WorkspaceTx, name: &str, kind: &str, product: &str) -> Result<Registered, StoreError> {
    let (workspace, agent) = (tx.workspace(), agent(tx)?);
    let id = Uuid::now_v7();
    let partition = (id.as_u128() % PARTITIONS as u128) as i32;
    let source = sqlx::query!(
        "insert into sources (workspace_id, id, agent_id, name, kind, product, partition)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (workspace_id, agent_id, name) do update
         set kind = excluded.kind, product = coalesce(nullif(excluded.product, ''), sources.product)
         returning id, partition, paused",
        workspace,
        id,
        agent.0,
        name,
        kind,
        product,
        partition
    )
    .fetch_one(tx.conn())
    .await?;
    sqlx::query!(
        "insert into source_cursors (workspace_id, source_id) values ($1, $2) on conflict do nothing",
        workspace,
        source.id
    )
    .execute(tx.conn())
    .await?;
    let source_id = SourceId(source.id);
    let cursor = super::cursor::lock(tx, source_id).await?;
    sqlx::query!(
        "insert into ops.source_heads (source_id, workspace_id, partition, epoch, next_seq)
         values ($1, $2, $3, $4, $5)
         on conflict (source_id) do nothing",
        source.id,
        workspace,
        source.partition,
        cursor.epoch as i32,
        cursor.next_seq as i64
    )
    .execute(tx.conn())
    .await?;
    Ok(Registered { id: source_id, paused: source.paused, cursor })
}

/// Keeps what the agent says of a source, as it said it. `status` is a `SourceStatus` of the wire.
pub async fn set_status(
    tx: &mut WorkspaceTx,
    source_id: SourceId,
    product: &str,
    status: &Value,
) -> Result<(), StoreError> {
    let workspace = tx.workspace();
    sqlx::query!(
        "update sources
         set status = $3, status_at = now(), product = coalesce(nullif($4, ''), product)
         where workspace_id = $1 and id = $2",
        workspace,
        source_id.0,
        status,
        product
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

impl IngestStore {
    /// Makes bronze's partitions for the next seven days. Asked at start and every hour.
    pub async fn make_partitions(&self) -> Result<i32, StoreError> {
        Ok(sqlx::query_scalar!(r#"select ops.make_partitions(7) as "made!""#).fetch_one(&self.pool).await?)
    }
}

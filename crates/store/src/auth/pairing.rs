//! One-time codes: made by a member, claimed by an agent, approved by a member.
//!
//! A code is a locator that finds the row and a secret that proves it, of which a hash is kept.

use crate::at::{micros, timestamp};
use crate::planted::whose;
use crate::scope::WorkspaceScope;
use crate::{AuthTx, Result, StoreError};
use clarity_domain::ids::{AgentId, PairingId, UserId};
use clarity_domain::time::Micros;

/// Wrong proofs after which a code is dead.
pub const MAX_ATTEMPTS: i32 = 5;

#[derive(Clone, Debug)]
pub struct NewPairing<'a> {
    pub id: PairingId,
    pub agent_name: &'a str,
    pub locator: &'a str,
    pub secret_hash: [u8; 32],
    pub created_by: UserId,
    pub expires_at: Micros,
}

/// A pairing as it stands.
#[derive(Clone, Debug)]
pub struct PairingRow {
    pub id: PairingId,
    pub agent_name: String,
    pub workspace_name: String,
    pub secret_hash: [u8; 32],
    pub expires_at: Micros,
    pub expired: bool,
    pub attempts: i32,
    pub claim: Option<ClaimRow>,
    pub approved_at: Option<Micros>,
    pub refused: bool,
}

/// Who showed the code.
#[derive(Clone, Debug)]
pub struct ClaimRow {
    pub agent_id: AgentId,
    pub public_key: [u8; 32],
    pub hostname: String,
    pub address: String,
    pub agent_version: String,
    pub claimed_at: Micros,
}

macro_rules! pairing_row {
    ($r:expr) => {{
        let r = $r;
        let claim = match (r.agent_id, r.public_key, r.claimed_at) {
            (Some(agent_id), Some(key), Some(at)) => Some(ClaimRow {
                agent_id: AgentId(agent_id),
                public_key: key.try_into().map_err(|_| StoreError::Corrupt("pairings.public_key"))?,
                hostname: r.hostname.unwrap_or_default(),
                address: r.address.unwrap_or_default(),
                agent_version: r.agent_version.unwrap_or_default(),
                claimed_at: micros(at),
            }),
            _ => None,
        };
        PairingRow {
            id: PairingId(r.id),
            agent_name: r.agent_name,
            workspace_name: r.workspace_name,
            secret_hash: r.secret_hash.try_into().map_err(|_| StoreError::Corrupt("pairings.secret_hash"))?,
            expires_at: micros(r.expires_at),
            expired: r.expired,
            attempts: r.attempts,
            claim,
            approved_at: r.approved_at.map(micros),
            refused: r.refused_at.is_some(),
        }
    }};
}

/// Whether a code that still can be claimed has this locator.
pub async fn is_locator_open(tx: &mut AuthTx, locator: &str) -> Result<bool> {
    let open = sqlx::query_scalar!(
        r#"select exists (
             select from auth.pairings
             where locator = $1 and expires_at > now() and claimed_at is null
           ) as "open!""#,
        locator
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(open)
}

/// Codes of the workspace that can still be claimed.
pub async fn count_open(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from auth.pairings
         where workspace_id = $1 and expires_at > now() and claimed_at is null and refused_at is null"#,
        scope.workspace_id().0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(count)
}

pub async fn insert(tx: &mut AuthTx, scope: &WorkspaceScope, new: &NewPairing<'_>) -> Result<()> {
    sqlx::query!(
        "insert into auth.pairings (id, workspace_id, agent_name, locator, secret_hash, created_by, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        new.id.0,
        scope.workspace_id().0,
        new.agent_name,
        new.locator,
        new.secret_hash.as_slice(),
        new.created_by.0,
        timestamp(new.expires_at)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The newest pairing with this locator, locked: attempts on it are counted one by one.
pub async fn lock_by_locator(tx: &mut AuthTx, locator: &str) -> Result<Option<PairingRow>> {
    let row = sqlx::query!(
        r#"select p.id, p.agent_name, w.name as workspace_name, p.secret_hash, p.expires_at,
                  p.expires_at <= now() as "expired!", p.attempts, p.claimed_at, p.agent_id, p.public_key,
                  p.hostname, p.address, p.agent_version, p.approved_at, p.refused_at
         from auth.pairings p
         join auth.workspaces w on w.id = p.workspace_id
         where p.locator = $1
         order by p.created_at desc
         limit 1
         for update of p"#,
        locator
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(|r| Ok(pairing_row!(r))).transpose()
}

/// A pairing of the scope's workspace, locked: nobody else changes it before this transaction ends.
pub async fn find(tx: &mut AuthTx, scope: &WorkspaceScope, id: PairingId) -> Result<Option<PairingRow>> {
    let workspace = whose(tx, scope.workspace_id().0, "a-pairing-of-any-workspace", id.0).await;
    let row = sqlx::query!(
        r#"select p.id, p.agent_name, w.name as workspace_name, p.secret_hash, p.expires_at,
                  p.expires_at <= now() as "expired!", p.attempts, p.claimed_at, p.agent_id, p.public_key,
                  p.hostname, p.address, p.agent_version, p.approved_at, p.refused_at
         from auth.pairings p
         join auth.workspaces w on w.id = p.workspace_id
         where p.workspace_id = $1
           and p.id = $2
         for update of p"#,
        workspace,
        id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    // With this fault planted, one that is somebody else's is told apart from one that never was.
    if row.is_none() && whose(tx, workspace, "a-pairing-told-apart", id.0).await != workspace {
        return Err(StoreError::Conflict("pairings".into()));
    }
    row.map(|r| Ok(pairing_row!(r))).transpose()
}

/// For the agent that claimed it and waits: the id was given to it alone.
pub async fn find_claimed(tx: &mut AuthTx, id: PairingId) -> Result<Option<PairingRow>> {
    let row = sqlx::query!(
        r#"select p.id, p.agent_name, w.name as workspace_name, p.secret_hash, p.expires_at,
                  p.expires_at <= now() as "expired!", p.attempts, p.claimed_at, p.agent_id, p.public_key,
                  p.hostname, p.address, p.agent_version, p.approved_at, p.refused_at
         from auth.pairings p
         join auth.workspaces w on w.id = p.workspace_id
         where p.id = $1
           and p.claimed_at is not null"#,
        id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(|r| Ok(pairing_row!(r))).transpose()
}

/// Counts a wrong proof.
pub async fn note_wrong_proof(tx: &mut AuthTx, id: PairingId) -> Result<()> {
    sqlx::query!("update auth.pairings set attempts = attempts + 1 where id = $1", id.0).execute(tx.conn()).await?;
    Ok(())
}

/// Notes who showed the right code. The caller holds the row's lock and has seen that it is open.
pub async fn set_claimed(tx: &mut AuthTx, id: PairingId, claim: &ClaimRow) -> Result<()> {
    let changed = sqlx::query!(
        "update auth.pairings
         set claimed_at = now(), agent_id = $2, public_key = $3, hostname = $4, address = $5, agent_version = $6
         where id = $1
           and claimed_at is null",
        id.0,
        claim.agent_id.0,
        claim.public_key.as_slice(),
        claim.hostname,
        claim.address,
        claim.agent_version
    )
    .execute(tx.conn())
    .await?;
    if changed.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}

/// The member's yes: the claimed key becomes the workspace's.
///
/// # Errors
/// `NotFound` when it was not claimed, or was refused; `Conflict("agent_keys_public_key_key")` when another agent has
/// the key.
pub async fn approve(tx: &mut AuthTx, scope: &WorkspaceScope, id: PairingId, by: UserId) -> Result<()> {
    let row = sqlx::query!(
        r#"update auth.pairings
         set approved_at = now(), approved_by = $3
         where workspace_id = $1
           and id = $2
           and claimed_at is not null
           and approved_at is null
           and refused_at is null
         returning agent_id as "agent_id!", public_key as "public_key!""#,
        scope.workspace_id().0,
        id.0,
        by.0
    )
    .fetch_optional(tx.conn())
    .await?
    .ok_or(StoreError::NotFound)?;
    sqlx::query!(
        "insert into auth.agent_keys (agent_id, workspace_id, public_key) values ($1, $2, $3)",
        row.agent_id,
        scope.workspace_id().0,
        row.public_key
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The member's no. Ends a code that nobody claimed, too.
///
/// # Errors
/// `NotFound` when it was approved already.
pub async fn refuse(tx: &mut AuthTx, scope: &WorkspaceScope, id: PairingId) -> Result<()> {
    let changed = sqlx::query!(
        "update auth.pairings
         set refused_at = coalesce(refused_at, now())
         where workspace_id = $1
           and id = $2
           and approved_at is null",
        scope.workspace_id().0,
        id.0
    )
    .execute(tx.conn())
    .await?;
    if changed.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}

//! Leases of partitions: which worker process does which part of a role's work.
//!
//! A lease has a fencing token that grows with every new holder. What must not be written late checks it in its own
//! transaction ([`crate::refine::cursor::lock`]). Partitions are shared out evenly among the holders that are there.
//!
//! A lease ends in one of three ways. Its holder gives it back. It runs out, when the holder was not heard of for a
//! while: it is frozen, or its machine is gone. Or the holder has no session at the database any more: its process has
//! ended, and whoever looks next ends its leases. None of them asks the holder, so none is trusted beyond the token.

use crate::Result;
use crate::error::StoreError;
use crate::ingest::PARTITIONS;
use crate::refine::Fence;
use crate::tx::{SystemTx, WorkspaceTx};
use uuid::Uuid;

/// A lease runs out so long after its last renewal.
pub const EXPIRES_S: f64 = 15.0;

/// A partition that this holder has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    pub partition: i32,
    pub token: i64,
}

/// What a holder's sessions are called at the database.
pub(crate) fn session_name(holder: Uuid) -> String {
    format!("clarity holder {holder}")
}

/// Says that the holder is there, ends the leases of those that are gone, renews what it has, gives up what is above its
/// share and takes what is free, up to its share. Gives all leases that it has now.
///
/// # Crosses workspaces
/// Partitions hold sources of all workspaces; only numbers are read and written.
pub async fn renew(tx: &mut SystemTx, role: &str, holder: Uuid) -> Result<Vec<Lease>> {
    sqlx::query!(
        "insert into ops.lease_holders (role, holder) values ($1, $2)
         on conflict (role, holder) do update set seen_at = now()",
        role,
        holder
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "with gone as (
           delete from ops.lease_holders h
           where h.role = $1 and h.holder <> $2
             and not exists (select from pg_stat_activity a where a.application_name = 'clarity holder ' || h.holder)
           returning h.holder
         )
         update ops.partition_leases l
         set holder = null, expires_at = '-infinity'
         from gone
         where l.role = $1 and l.holder = gone.holder",
        role,
        holder
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into ops.partition_leases (role, partition)
         select $1, n from generate_series(0, $2 - 1) as n
         where not exists (select from ops.partition_leases where role = $1)
         on conflict do nothing",
        role,
        PARTITIONS
    )
    .execute(tx.conn())
    .await?;
    let holders = sqlx::query_scalar!(
        r#"select count(*) as "n!" from ops.lease_holders
           where role = $1 and seen_at > now() - $2::float8 * interval '1 second'"#,
        role,
        EXPIRES_S
    )
    .fetch_one(tx.conn())
    .await?;
    let share = (i64::from(PARTITIONS) + holders - 1) / holders.max(1);
    sqlx::query!(
        "with mine as (
           select partition, row_number() over (order by partition) as n
           from ops.partition_leases
           where role = $1 and holder = $2 and expires_at > now()
         )
         update ops.partition_leases l
         set expires_at = case when m.n <= $3 then now() + $4::float8 * interval '1 second' else '-infinity' end,
             holder = case when m.n <= $3 then l.holder end
         from mine m
         where l.role = $1 and l.partition = m.partition and l.holder = $2",
        role,
        holder,
        share,
        EXPIRES_S
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "with free as (
           select partition
           from ops.partition_leases
           where role = $1 and expires_at <= now()
           order by partition
           limit greatest(0, $3 - (select count(*) from ops.partition_leases
                                   where role = $1 and holder = $2 and expires_at > now()))
           for update skip locked
         )
         update ops.partition_leases l
         set holder = $2, token = l.token + 1, expires_at = now() + $4::float8 * interval '1 second'
         from free f
         where l.role = $1 and l.partition = f.partition",
        role,
        holder,
        share,
        EXPIRES_S
    )
    .execute(tx.conn())
    .await?;
    Ok(sqlx::query_as!(
        Lease,
        "select partition, token from ops.partition_leases
         where role = $1 and holder = $2 and expires_at > now()
         order by partition",
        role,
        holder
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Gives everything up, so that others need not wait until it runs out.
///
/// # Crosses workspaces
/// As [`renew`].
pub async fn release(tx: &mut SystemTx, role: &str, holder: Uuid) -> Result<()> {
    sqlx::query!("delete from ops.lease_holders where role = $1 and holder = $2", role, holder)
        .execute(tx.conn())
        .await?;
    sqlx::query!(
        "update ops.partition_leases set holder = null, expires_at = '-infinity' where role = $1 and holder = $2",
        role,
        holder
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether a lease still stands, asked in the transaction that is about to write.
///
/// # Errors
/// `Fenced` when it does not.
pub async fn check(tx: &mut WorkspaceTx, fence: Fence) -> Result<()> {
    let held = sqlx::query_scalar!(
        r#"select exists (select from ops.partition_leases
                          where role = $1 and partition = $2 and token = $3 and expires_at > now()) as "held!""#,
        fence.role,
        fence.partition,
        fence.token
    )
    .fetch_one(tx.conn())
    .await?;
    if held { Ok(()) } else { Err(StoreError::Fenced) }
}

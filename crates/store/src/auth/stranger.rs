//! Addresses that nobody has, and how often somebody tried to sign in with them. The same statements as an account's take.

use crate::at::{micros, timestamp};
use crate::{AuthTx, Result};
use clarity_domain::time::Micros;

/// Of an address, with the installation's key.
pub type AddressHash = [u8; 32];

/// What is known of earlier attempts. `blocked_until` as an account's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attempts {
    pub failed_sign_ins: i32,
    pub blocked_until: Option<Micros>,
}

/// The row is locked, so that attempts are counted one by one.
pub async fn find(tx: &mut AuthTx, address: &AddressHash) -> Result<Attempts> {
    let row = sqlx::query!(
        "select failed_sign_ins, sign_in_blocked_until
         from auth.strangers
         where address_hash = $1
         for update",
        address
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map_or_else(Attempts::default, |r| Attempts {
        failed_sign_ins: r.failed_sign_ins,
        blocked_until: r.sign_in_blocked_until.map(micros),
    }))
}

/// Counts an attempt; until `blocked_until` the next one is not looked at.
pub async fn note(tx: &mut AuthTx, address: &AddressHash, blocked_until: Option<Micros>) -> Result<()> {
    sqlx::query!(
        "insert into auth.strangers as s (address_hash, failed_sign_ins, sign_in_blocked_until)
         values ($1, 1, $2)
         on conflict (address_hash) do update
         set failed_sign_ins = s.failed_sign_ins + 1, sign_in_blocked_until = $2, last_at = now()",
        address,
        blocked_until.map(timestamp)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Forgets those that nobody tried for a day.
pub async fn forget_old(tx: &mut AuthTx) -> Result<u64> {
    let gone =
        sqlx::query!("delete from auth.strangers where last_at < now() - interval '1 day'").execute(tx.conn()).await?;
    Ok(gone.rows_affected())
}

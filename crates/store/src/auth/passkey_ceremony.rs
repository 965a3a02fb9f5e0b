//! Questions to a person's device, each of which is answered once.

use clarity_domain::ids::UserId;
use clarity_domain::time::Micros;
use serde_json::Value;

use super::session::TokenHash;
use crate::at::timestamp;
use crate::{AuthTx, Result};

/// What the answer is for. One that was asked for something else is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Register,
    Confirm,
    /// After the password.
    SecondStep,
    /// In place of the password.
    SignIn,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Confirm => "confirm",
            Self::SecondStep => "second_step",
            Self::SignIn => "sign_in",
        }
    }
}

/// Keeps a question in the place of the one of its kind before it, and forgets those that nobody can answer any more.
pub async fn begin(
    tx: &mut AuthTx,
    bound_to: &TokenHash,
    kind: Kind,
    user: Option<UserId>,
    state: &Value,
    expires_at: Micros,
) -> Result<()> {
    sqlx::query!("delete from auth.passkey_ceremonies where expires_at < now()").execute(tx.conn()).await?;
    sqlx::query!(
        "insert into auth.passkey_ceremonies (bound_to, kind, user_id, state, expires_at)
         values ($1, $2, $3, $4, $5)
         on conflict (bound_to, kind) do update
         set user_id = excluded.user_id, state = excluded.state, expires_at = excluded.expires_at",
        bound_to.as_slice(),
        kind.as_str(),
        user.map(|user| user.0),
        state,
        timestamp(expires_at)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes the question away to check its answer; of two at once one gets it. `None` when it is over, was never asked, or was
/// asked of somebody else.
pub async fn take(tx: &mut AuthTx, bound_to: &TokenHash, kind: Kind, user: Option<UserId>) -> Result<Option<Value>> {
    let state = sqlx::query_scalar!(
        "delete from auth.passkey_ceremonies
         where bound_to = $1
           and kind = $2
           and user_id is not distinct from $3
           and expires_at > now()
         returning state",
        bound_to.as_slice(),
        kind.as_str(),
        user.map(|user| user.0)
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(state)
}

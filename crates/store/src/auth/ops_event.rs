//! What our own people did outside of workspaces: an entry is written beside the act, and nobody changes or removes one.

use clarity_domain::ids::OpsUserId;
use uuid::Uuid;

use crate::{AuthTx, Result};

/// What somebody did, or tried to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpsAct {
    /// By an operator's command.
    Add,
    /// By an operator's command.
    Disable,
    Enrol,
    SignIn,
    SignOut,
}

impl OpsAct {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Disable => "disable",
            Self::Enrol => "enrol",
            Self::SignIn => "sign_in",
            Self::SignOut => "sign_out",
        }
    }
}

/// Writes an entry. `user` is none for an address or a link that is nobody's.
pub async fn note(tx: &mut AuthTx, user: Option<OpsUserId>, act: OpsAct, done: bool, address: &str) -> Result<()> {
    sqlx::query!(
        "insert into auth.ops_events (id, ops_user_id, act, outcome, address) values ($1, $2, $3, $4, $5)",
        Uuid::now_v7(),
        user.map(|user| user.0),
        act.as_str(),
        if done { "done" } else { "refused" },
        address
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

//! Faults of finding a thing by its id alone, planted where the tables have no policies: see [`clarity_runtime::planted`].

use clarity_runtime::planted::planted;
use uuid::Uuid;

use crate::AuthTx;

/// Whose things are looked through: `own`, and with the fault planted whoever has the thing with this id.
pub(crate) async fn whose(tx: &mut AuthTx, own: Uuid, fault: &'static str, id: Uuid) -> Uuid {
    if !planted(fault) {
        return own;
    }
    let sql = match fault {
        "an-invitation-of-any-workspace" => "select workspace_id from auth.invitations where id = $1",
        "a-pairing-of-any-workspace" | "a-pairing-told-apart" => "select workspace_id from auth.pairings where id = $1",
        "a-token-of-any-workspace" => "select workspace_id from auth.api_tokens where id = $1",
        "a-session-of-anybody" => "select user_id from auth.sessions where id = $1",
        _ => return own,
    };
    let found = sqlx::query_scalar::<_, Uuid>(sql).bind(id).fetch_optional(tx.conn()).await;
    found.ok().flatten().unwrap_or(own)
}

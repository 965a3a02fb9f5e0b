//! What our own people did outside of workspaces: an entry is written beside the act, and nobody changes one. After two years it
//! is removed: see [`crate::retention::remove_ops_events`].

use clarity_domain::audit::Outcome;
use clarity_domain::ids::{OpsEventId, OpsUserId};
use clarity_domain::support::OpsAct;
use clarity_domain::view::support::{OpsEventFilter, OpsEventRow, OpsPerson};
use uuid::Uuid;

use super::session::TokenHash;
use crate::at::micros;
use crate::{AuthTx, Result, StoreError};

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

macro_rules! page {
    ($tx:expr, $hash:expr, $filter:expr, $place:expr, $limit:expr, $from_there:tt) => {{
        let (tx, hash, filter): (&mut AuthTx, &TokenHash, &OpsEventFilter) = ($tx, $hash, $filter);
        let rows = sqlx::query!(
            r#"select e.id as "id!", e.at as "at!", e.act as "act!", e.outcome as "outcome!", e.address as "address!",
                      u.name as "name?", u.email as "email?"
               from auth.ops_events e
               left join auth.ops_users u on u.id = e.ops_user_id
               where exists (select from auth.live_ops_sessions s where s.token_hash = $1)
                 and ($2::text is null or strpos(lower(concat_ws(' ', u.name, u.email)), lower($2)) > 0)
                 and ($3::text is null or e.act = $3)
                 and ($4::text is null or e.outcome = $4)
                 and "#
                + $from_there
                + " limit $6",
            hash.as_slice(),
            filter.person,
            filter.act.map(OpsAct::as_str),
            filter.outcome.map(Outcome::as_str),
            $place,
            $limit
        )
        .fetch_all(tx.conn())
        .await?;
        rows.into_iter()
            .map(|r| {
                Ok(OpsEventRow {
                    id: OpsEventId(r.id),
                    at: micros(r.at),
                    who: r.name.zip(r.email).map(|(name, email)| OpsPerson { name, email }),
                    act: OpsAct::read(&r.act).ok_or(StoreError::Corrupt("ops_events.act"))?,
                    outcome: Outcome::read(&r.outcome).ok_or(StoreError::Corrupt("ops_events.outcome"))?,
                    address: r.address,
                })
            })
            .collect()
    }};
}

/// At most `limit` entries before this one, newest first; before none, the newest. Nothing without a live session.
pub async fn list_older(
    tx: &mut AuthTx,
    hash: &TokenHash,
    filter: &OpsEventFilter,
    before: Option<OpsEventId>,
    limit: i64,
) -> Result<Vec<OpsEventRow>> {
    page!(tx, hash, filter, before.map_or(Uuid::max(), |id| id.0), limit, "e.id < $5 order by e.id desc")
}

/// At most `limit` entries after this one, oldest first. Nothing without a live session.
pub async fn list_newer(
    tx: &mut AuthTx,
    hash: &TokenHash,
    filter: &OpsEventFilter,
    after: OpsEventId,
    limit: i64,
) -> Result<Vec<OpsEventRow>> {
    page!(tx, hash, filter, after.0, limit, "e.id > $5 order by e.id")
}

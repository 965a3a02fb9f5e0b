//! The workspace's side: who asked, and what was decided.

use clarity_domain::ids::{SupportGrantId, UserId};
use clarity_domain::time::Micros;

use crate::at::{micros, timestamp};
use crate::{Result, WorkspaceTx};

/// A request with what became of it.
#[derive(Clone, Debug)]
pub struct GrantRow {
    pub id: SupportGrantId,
    pub ops_name: String,
    pub ops_email: String,
    pub reason: String,
    pub minutes: i32,
    pub requested_at: Micros,
    /// approved, refused, lapsed.
    pub decision: Option<String>,
    pub decided_at: Option<Micros>,
    pub decided_by: Option<String>,
    pub ends_at: Option<Micros>,
    pub ended_at: Option<Micros>,
    pub ended_by: Option<String>,
}

/// A grant that lets somebody in.
#[derive(Clone, Debug)]
pub struct LiveRow {
    pub id: SupportGrantId,
    pub ops_name: String,
    pub ends_at: Micros,
}

/// What was read under a grant.
#[derive(Clone, Debug)]
pub struct LookRow {
    pub grant: String,
    pub what: String,
    pub times: i64,
    pub last_at: Micros,
}

/// What a decision was about.
#[derive(Clone, Debug)]
pub struct Decided {
    /// As the audit log names them.
    pub who: String,
    pub reason: String,
    pub minutes: i32,
}

/// The newest first, as many as `limit`.
pub async fn list(tx: &mut WorkspaceTx, limit: i64) -> Result<Vec<GrantRow>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select id, ops_name, ops_email, reason, minutes, requested_at, decision, decided_at, decided_by_name, ends_at, ended_at,
                ended_by_name
         from support_grants
         where workspace_id = $1
         order by requested_at desc, id desc
         limit $2",
        workspace,
        limit
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| GrantRow {
            id: SupportGrantId(r.id),
            ops_name: r.ops_name,
            ops_email: r.ops_email,
            reason: r.reason,
            minutes: r.minutes,
            requested_at: micros(r.requested_at),
            decision: r.decision,
            decided_at: r.decided_at.map(micros),
            decided_by: r.decided_by_name,
            ends_at: r.ends_at.map(micros),
            ended_at: r.ended_at.map(micros),
            ended_by: r.ended_by_name,
        })
        .collect())
}

/// Those that let somebody in at this moment.
pub async fn list_live(tx: &mut WorkspaceTx) -> Result<Vec<LiveRow>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"select id, ops_name, ends_at as "ends_at!"
           from support_grants
           where workspace_id = $1
             and decision = 'approved'
             and ended_at is null
             and ends_at > now()
           order by ends_at, id"#,
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    let live = rows.into_iter().map(|r| LiveRow {
        id: SupportGrantId(r.id),
        ops_name: r.ops_name,
        ends_at: micros(r.ends_at),
    });
    Ok(live.collect())
}

/// What was read since then, by grant, from the audit log.
pub async fn list_looks(tx: &mut WorkspaceTx, since: Micros) -> Result<Vec<LookRow>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"select object_id, object_name, count(*) as "times!", max(at) as "last_at!"
           from audit_entries
           where workspace_id = $1
             and act = 'support.read'
             and at >= $2
           group by object_id, object_name
           order by object_id, object_name"#,
        workspace,
        timestamp(since)
    )
    .fetch_all(tx.conn())
    .await?;
    let looks = rows.into_iter().map(|r| LookRow {
        grant: r.object_id,
        what: r.object_name,
        times: r.times,
        last_at: micros(r.last_at),
    });
    Ok(looks.collect())
}

/// Whether the workspace has such a request.
pub async fn exists(tx: &mut WorkspaceTx, id: SupportGrantId) -> Result<bool> {
    let workspace = tx.workspace();
    let found = sqlx::query_scalar!(
        r#"select exists (select from support_grants where workspace_id = $1 and id = $2) as "exists!""#,
        workspace,
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(found)
}

/// Lets the one who asked in, for the minutes that were asked for. `None` when the request is not open, or its person is in
/// already: one grant is never put behind another.
pub async fn approve(tx: &mut WorkspaceTx, id: SupportGrantId, by: UserId, name: &str) -> Result<Option<Decided>> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        "update support_grants g
         set decision = 'approved', decided_at = now(), decided_by = $3, decided_by_name = $4,
             ends_at = now() + make_interval(mins => g.minutes)
         where g.workspace_id = $1
           and g.id = $2
           and g.decision is null
           and g.requested_at > now() - interval '24 hours'
           and not exists (
             select from support_grants o
             where o.workspace_id = $1
               and o.ops_user_id = g.ops_user_id
               and o.decision = 'approved'
               and o.ended_at is null
               and o.ends_at > now()
           )
         returning g.ops_name, g.ops_email, g.reason, g.minutes",
        workspace,
        id.0,
        by.0,
        name
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| Decided { who: who(&r.ops_name, &r.ops_email), reason: r.reason, minutes: r.minutes }))
}

/// Says no. `None` when the request is not open.
pub async fn refuse(tx: &mut WorkspaceTx, id: SupportGrantId, by: UserId, name: &str) -> Result<Option<Decided>> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        "update support_grants
         set decision = 'refused', decided_at = now(), decided_by = $3, decided_by_name = $4
         where workspace_id = $1
           and id = $2
           and decision is null
         returning ops_name, ops_email, reason, minutes",
        workspace,
        id.0,
        by.0,
        name
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| Decided { who: who(&r.ops_name, &r.ops_email), reason: r.reason, minutes: r.minutes }))
}

/// Takes a grant back: from the commit on it lets nobody in. `None` when it is not live.
pub async fn end(tx: &mut WorkspaceTx, id: SupportGrantId, name: &str) -> Result<Option<Decided>> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        "update support_grants
         set ended_at = now(), ended_by_name = $3
         where workspace_id = $1
           and id = $2
           and decision = 'approved'
           and ended_at is null
           and ends_at > now()
         returning ops_name, ops_email, reason, minutes",
        workspace,
        id.0,
        name
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| Decided { who: who(&r.ops_name, &r.ops_email), reason: r.reason, minutes: r.minutes }))
}

fn who(name: &str, email: &str) -> String {
    format!("{name} <{email}>")
}

//! Domains of a workspace: what it added, and which of them it has shown to be its own.

use crate::at::micros;
use crate::{Result, StoreError, WorkspaceTx};
use clarity_domain::domains::DomainProblem;
use clarity_domain::ids::{DomainId, UserId};
use clarity_domain::time::Micros;
use uuid::Uuid;

/// The constraint that refuses a domain which the workspace has added already.
pub const ONCE: &str = "workspace_domains_once";

/// A domain as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    pub id: DomainId,
    pub domain: String,
    /// What its DNS has to show.
    pub token: String,
    pub added_at: Micros,
    pub verified_at: Option<Micros>,
    pub last_checked_at: Option<Micros>,
    /// Of the last check; none when it found the token.
    pub problem: Option<DomainProblem>,
    pub found: Option<String>,
}

/// All of them, by name.
pub async fn list(tx: &mut WorkspaceTx) -> Result<Vec<Domain>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select id, domain, token, added_at, verified_at, last_checked_at, last_problem, last_found
         from workspace_domains
         where workspace_id = $1
         order by domain",
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(Domain {
                id: DomainId(r.id),
                domain: r.domain,
                token: r.token,
                added_at: micros(r.added_at),
                verified_at: r.verified_at.map(micros),
                last_checked_at: r.last_checked_at.map(micros),
                problem: read_problem(r.last_problem.as_deref())?,
                found: r.last_found,
            })
        })
        .collect()
}

/// How many there are.
pub async fn count(tx: &mut WorkspaceTx) -> Result<i64> {
    let workspace = tx.workspace();
    Ok(sqlx::query_scalar!(r#"select count(*) as "count!" from workspace_domains where workspace_id = $1"#, workspace)
        .fetch_one(tx.conn())
        .await?)
}

/// Adds one that nothing has been shown of yet.
///
/// # Errors
/// `Conflict` with [`ONCE`].
pub async fn add(tx: &mut WorkspaceTx, domain: &str, token: &str, by: UserId) -> Result<DomainId> {
    let workspace = tx.workspace();
    let id = Uuid::now_v7();
    sqlx::query!(
        "insert into workspace_domains (workspace_id, id, domain, token, added_by)
         values ($1, $2, $3, $4, $5)",
        workspace,
        id,
        domain,
        token,
        by.0
    )
    .execute(tx.conn())
    .await?;
    Ok(DomainId(id))
}

/// What a check needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub domain: String,
    pub token: String,
    pub verified: bool,
    /// Seconds until it may be checked again; 0 when it may be now.
    pub wait_s: i64,
}

/// Begins a check: notes when, unless the last one began less than `every_s` seconds ago.
///
/// # Errors
/// `NotFound` when the workspace has no such domain.
pub async fn begin_check(tx: &mut WorkspaceTx, id: DomainId, every_s: i32) -> Result<Challenge> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        r#"select domain, token, verified_at is not null as "verified!",
                  greatest(0, ceil(extract(epoch from last_checked_at + make_interval(secs => $3::int) - now())))::bigint as "wait_s!"
           from workspace_domains
           where workspace_id = $1
             and id = $2
           for update"#,
        workspace,
        id.0,
        every_s
    )
    .fetch_one(tx.conn())
    .await?;
    if row.wait_s == 0 {
        sqlx::query!(
            "update workspace_domains
             set last_checked_at = now()
             where workspace_id = $1
               and id = $2",
            workspace,
            id.0
        )
        .execute(tx.conn())
        .await?;
    }
    Ok(Challenge { domain: row.domain, token: row.token, verified: row.verified, wait_s: row.wait_s })
}

/// Notes what a check found. The token there: the domain is the workspace's own, from the first time on. Known not to be there:
/// it is not any more. Nothing known: it stays what it was. Gives whether it is the workspace's own now.
///
/// # Errors
/// `NotFound` when it was removed meanwhile.
pub async fn note_check(
    tx: &mut WorkspaceTx,
    id: DomainId,
    problem: Option<DomainProblem>,
    found: Option<&str>,
) -> Result<bool> {
    let workspace = tx.workspace();
    let absent = problem.is_some_and(DomainProblem::is_absence);
    Ok(sqlx::query_scalar!(
        r#"update workspace_domains
           set verified_at = case
                 when $3::text is null then coalesce(verified_at, now())
                 when $4 then null
                 else verified_at
               end,
               last_problem = $3,
               last_found = $5
           where workspace_id = $1
             and id = $2
           returning verified_at is not null as "verified!""#,
        workspace,
        id.0,
        problem.map(DomainProblem::as_str),
        absent,
        found
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Removes one; gives its name, and whether it was the workspace's own.
///
/// # Errors
/// `NotFound` when the workspace has no such domain.
pub async fn remove(tx: &mut WorkspaceTx, id: DomainId) -> Result<(String, bool)> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        r#"delete from workspace_domains
           where workspace_id = $1
             and id = $2
           returning domain, verified_at is not null as "verified!""#,
        workspace,
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.domain, row.verified))
}

/// A domain that is the workspace's own, as it was checked last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub token: String,
    pub checked_at: Micros,
}

/// This very domain, when the workspace has shown that it is its own.
pub async fn find_verified(tx: &mut WorkspaceTx, domain: &str) -> Result<Option<Verified>> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        r#"select token, greatest(verified_at, last_checked_at) as "checked_at!"
           from workspace_domains
           where workspace_id = $1
             and domain = lower($2)
             and verified_at is not null"#,
        workspace,
        domain
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| Verified { token: r.token, checked_at: micros(r.checked_at) }))
}

/// Whether the workspace has shown that this very domain is its own; one above or below it does not count.
pub async fn is_verified(tx: &mut WorkspaceTx, domain: &str) -> Result<bool> {
    Ok(find_verified(tx, domain).await?.is_some())
}

fn read_problem(word: Option<&str>) -> Result<Option<DomainProblem>> {
    let read = |word| DomainProblem::read(word).ok_or(StoreError::Corrupt("workspace_domains.last_problem"));
    word.map(read).transpose()
}

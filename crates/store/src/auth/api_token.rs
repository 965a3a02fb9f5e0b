//! API tokens: from the hash of a bearer's text to a service account's right to work in its workspace.
//!
//! The function `auth.resolve_token` says when a token is live: not revoked, not expired, its account not removed. It is
//! asked with every request, so one that was revoked opens nothing from the commit on.

use super::workspace::role;
use crate::at::{micros, timestamp};
use crate::planted::whose;
use crate::scope::{Principal, WorkspaceScope};
use crate::{AuthStore, AuthTx, Result, StoreError};
use clarity_domain::ids::{ApiTokenId, ServiceAccountId, UserId, WorkspaceId};
use clarity_domain::role::Role;
use clarity_domain::scope::Scope;
use clarity_domain::time::Micros;
use clarity_domain::view::session::WorkspaceCard;
use clarity_domain::view::tokens::TokenState;

/// SHA-256 of the token's text.
pub type TokenHash = [u8; 32];

/// A live token with its account's place in its workspace.
#[derive(Clone, Debug)]
pub struct LiveToken {
    pub id: ApiTokenId,
    pub account: ServiceAccountId,
    pub account_name: String,
    pub scopes: Vec<Scope>,
    pub scope: WorkspaceScope,
    /// With the account's role.
    pub card: WorkspaceCard,
    /// IANA name.
    pub time_zone: String,
    /// Not noted as used within the last minute: see [`touch`].
    pub stale: bool,
}

/// What is kept of a new token beside its hash.
#[derive(Clone, Debug)]
pub struct NewApiToken<'a> {
    pub id: ApiTokenId,
    pub account: ServiceAccountId,
    pub name: &'a str,
    pub scopes: &'a [Scope],
    pub created_by: UserId,
    pub expires_at: Micros,
}

/// A token as its workspace's list shows it.
#[derive(Clone, Debug)]
pub struct TokenRow {
    pub id: ApiTokenId,
    pub account: ServiceAccountId,
    pub name: String,
    pub scopes: Vec<Scope>,
    /// The name of its maker.
    pub created_by: String,
    pub created_at: Micros,
    pub expires_at: Micros,
    pub last_used_at: Option<Micros>,
    pub state: TokenState,
}

/// The account of a live token. Every request of the API asks this first: one statement, which is a transaction by itself.
pub async fn resolve(store: &AuthStore, hash: &TokenHash) -> Result<Option<LiveToken>> {
    let row = sqlx::query!(
        r#"select token_id as "token_id!", account_id as "account_id!", account_name as "account_name!", role as "role!",
                  scopes as "scopes!", workspace_id as "workspace_id!", slug as "slug!",
                  workspace_name as "workspace_name!", time_zone as "time_zone!", stale as "stale!"
         from auth.resolve_token($1)"#,
        hash.as_slice()
    )
    .fetch_optional(&store.pool)
    .await?;
    Ok(row.map(|r| {
        let (id, account, role) = (WorkspaceId(r.workspace_id), ServiceAccountId(r.account_id), lent(&r.role));
        LiveToken {
            id: ApiTokenId(r.token_id),
            account,
            account_name: r.account_name,
            scopes: scopes(&r.scopes),
            scope: WorkspaceScope::new(id, Principal::Service { account, role }),
            card: WorkspaceCard { id, slug: r.slug, name: r.workspace_name, role },
            time_zone: r.time_zone,
            stale: r.stale,
        }
    }))
}

/// A program never holds more than an operator, whatever the database says.
fn lent(word: &str) -> Role {
    role(word).min(Role::Operator)
}

/// A word that this version does not know opens nothing.
fn scopes(words: &[String]) -> Vec<Scope> {
    words.iter().filter_map(|word| word.parse().ok()).collect()
}

/// Notes that the token is in use, at most once a minute.
pub async fn touch(tx: &mut AuthTx, hash: &TokenHash) -> Result<()> {
    sqlx::query!(
        "update auth.api_tokens
         set last_used_at = now()
         where token_hash = $1
           and coalesce(last_used_at < now() - interval '1 minute', true)",
        hash.as_slice()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn insert(tx: &mut AuthTx, scope: &WorkspaceScope, hash: &TokenHash, new: &NewApiToken<'_>) -> Result<()> {
    let words: Vec<String> = new.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    sqlx::query!(
        "insert into auth.api_tokens
           (token_hash, id, workspace_id, service_account_id, name, scopes, created_by, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        hash.as_slice(),
        new.id.0,
        scope.workspace_id().0,
        new.account.0,
        new.name,
        &words,
        new.created_by.0,
        timestamp(new.expires_at)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Tokens of accounts that were not removed, the newest first; those that have ended too, up to `limit` in all.
pub async fn list(tx: &mut AuthTx, scope: &WorkspaceScope, limit: i64) -> Result<Vec<TokenRow>> {
    let rows = sqlx::query!(
        r#"select t.id, t.service_account_id, t.name, t.scopes, u.name as created_by, t.created_at, t.expires_at,
                  t.last_used_at, t.revoked_at is not null as "revoked!", t.expires_at <= now() as "expired!"
         from auth.api_tokens t
         join auth.service_accounts a on a.workspace_id = t.workspace_id and a.id = t.service_account_id
         join auth.users u on u.id = t.created_by
         where t.workspace_id = $1
           and a.removed_at is null
         order by t.created_at desc, t.id
         limit $2"#,
        scope.workspace_id().0,
        limit
    )
    .fetch_all(tx.conn())
    .await?;
    let tokens = rows.into_iter().map(|r| TokenRow {
        id: ApiTokenId(r.id),
        account: ServiceAccountId(r.service_account_id),
        name: r.name,
        scopes: scopes(&r.scopes),
        created_by: r.created_by,
        created_at: micros(r.created_at),
        expires_at: micros(r.expires_at),
        last_used_at: r.last_used_at.map(micros),
        state: match (r.revoked, r.expired) {
            (true, _) => TokenState::Revoked,
            (false, true) => TokenState::Expired,
            (false, false) => TokenState::Live,
        },
    });
    Ok(tokens.collect())
}

/// Tokens of one account that are neither revoked nor expired.
pub async fn count_live(tx: &mut AuthTx, scope: &WorkspaceScope, account: ServiceAccountId) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!"
         from auth.api_tokens
         where workspace_id = $1
           and service_account_id = $2
           and revoked_at is null
           and expires_at > now()"#,
        scope.workspace_id().0,
        account.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(count)
}

/// Ends a token at once; its name. Ending an ended one changes nothing.
///
/// # Errors
/// `NotFound` for another workspace's as for none.
pub async fn revoke(tx: &mut AuthTx, scope: &WorkspaceScope, id: ApiTokenId) -> Result<String> {
    let workspace = whose(tx, scope.workspace_id().0, "a-token-of-any-workspace", id.0).await;
    let name = sqlx::query_scalar!(
        "update auth.api_tokens
         set revoked_at = coalesce(revoked_at, now())
         where workspace_id = $1
           and id = $2
         returning name",
        workspace,
        id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    name.ok_or(StoreError::NotFound)
}

//! Ways to a provider that are under way, and the minutes in which somebody shows that an account is theirs. What is here lets
//! nobody in; each is used once.

use clarity_domain::ids::{UserId, WorkspaceId};
use clarity_domain::time::Micros;

use crate::at::timestamp;
use crate::scope::WorkspaceScope;
use crate::{AuthTx, Result, StoreError};

/// SHA-256 of a secret.
pub type Hash = [u8; 32];

/// Passwords that may be tried for one link.
pub const MAX_TRIES: i32 = 5;
/// Ways of one purpose under way that one workspace keeps at a time.
const KEPT: i64 = 1_000;
/// Those of them that were begun in one network.
const KEPT_OF_A_NETWORK: i64 = 100;

/// What it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    SignIn,
    /// An owner looks whether it works; nobody is signed in.
    Test,
    /// The provider has named somebody whose address has an account: its password is waited for.
    Link,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Test => "test",
            Self::Link => "link",
        }
    }

    fn read(word: &str) -> Option<Self> {
        [Self::SignIn, Self::Test, Self::Link].into_iter().find(|purpose| purpose.as_str() == word)
    }
}

/// As it is kept. Its `Debug` shows hashes and what is sealed.
#[derive(Clone, Debug)]
pub struct AttemptRow {
    pub(super) workspace: WorkspaceId,
    pub purpose: Purpose,
    /// The provider it was begun with.
    pub issuer: String,
    pub browser: Hash,
    pub nonce: Option<Hash>,
    pub verifier_box: Option<Vec<u8>>,
    pub again: bool,
    pub next: Option<String>,
    pub user: Option<UserId>,
    pub subject: Option<String>,
    /// For a link: whoever is no member may join by it.
    pub vouched: bool,
    pub tries: i32,
    pub consumed: bool,
}

#[derive(Clone, Debug)]
pub struct NewAttempt<'a> {
    pub scope: &'a WorkspaceScope,
    pub purpose: Purpose,
    /// Where it is begun.
    pub network: &'a str,
    pub issuer: &'a str,
    pub browser: Hash,
    pub nonce: Option<Hash>,
    pub verifier_box: Option<&'a [u8]>,
    pub again: bool,
    pub next: Option<&'a str>,
    pub user: Option<UserId>,
    pub subject: Option<&'a str>,
    pub vouched: bool,
    pub expires_at: Micros,
}

/// Keeps one, and forgets those that nobody can go on with any more. When too many are under way the oldest go, those of the same
/// network first: a stranger who begins often takes their own places before those of others, and nobody is refused.
pub async fn insert(tx: &mut AuthTx, state: &Hash, new: &NewAttempt<'_>) -> Result<()> {
    // Used ones stay until they would have ended: one that comes a second time is known for that.
    sqlx::query!("delete from auth.sso_attempts where expires_at < now()").execute(tx.conn()).await?;
    for (network, kept) in [(Some(new.network), KEPT_OF_A_NETWORK), (None, KEPT)] {
        sqlx::query!(
            "delete from auth.sso_attempts
             where state_hash in (
               select a.state_hash
               from auth.sso_attempts a
               where a.workspace_id = $1
                 and a.purpose = $2
                 and ($3::text is null or a.network = $3)
                 and a.consumed_at is null
               order by a.created_at desc, a.state_hash
               offset $4
               for update skip locked
             )",
            new.scope.workspace_id().0,
            new.purpose.as_str(),
            network,
            kept - 1
        )
        .execute(tx.conn())
        .await?;
    }
    sqlx::query!(
        "insert into auth.sso_attempts
             (state_hash, workspace_id, purpose, network, issuer, browser_hash, nonce_hash, verifier_box, again, next, user_id,
              subject, vouched, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        state.as_slice(),
        new.scope.workspace_id().0,
        new.purpose.as_str(),
        new.network,
        new.issuer,
        new.browser.as_slice(),
        new.nonce.as_ref().map(Hash::as_slice),
        new.verifier_box,
        new.again,
        new.next,
        new.user.map(|user| user.0),
        new.subject,
        new.vouched,
        timestamp(new.expires_at)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// One that is not over, used or not. The row is locked, so that of two at once one uses it.
pub async fn lock(tx: &mut AuthTx, state: &Hash) -> Result<Option<AttemptRow>> {
    let row = sqlx::query!(
        r#"select workspace_id, purpose, issuer, browser_hash, nonce_hash, verifier_box, again, next, user_id, subject, vouched,
                  tries, consumed_at is not null as "consumed!"
           from auth.sso_attempts
           where state_hash = $1
             and expires_at > now()
           for update"#,
        state.as_slice()
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(|r| {
        let hash = |bytes: Vec<u8>| Hash::try_from(bytes.as_slice()).map_err(|_| StoreError::Corrupt("sso_attempts"));
        Ok(AttemptRow {
            workspace: WorkspaceId(r.workspace_id),
            purpose: Purpose::read(&r.purpose).ok_or(StoreError::Corrupt("sso_attempts.purpose"))?,
            issuer: r.issuer,
            browser: hash(r.browser_hash)?,
            nonce: r.nonce_hash.map(hash).transpose()?,
            verifier_box: r.verifier_box,
            again: r.again,
            next: r.next,
            user: r.user_id.map(UserId),
            subject: r.subject,
            vouched: r.vouched,
            tries: r.tries,
            consumed: r.consumed,
        })
    })
    .transpose()
}

/// Uses it up.
pub async fn consume(tx: &mut AuthTx, state: &Hash) -> Result<()> {
    sqlx::query!(
        "update auth.sso_attempts set consumed_at = now() where state_hash = $1 and consumed_at is null",
        state.as_slice()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Counts one more password, before it is looked at.
pub async fn note_try(tx: &mut AuthTx, state: &Hash) -> Result<()> {
    sqlx::query!("update auth.sso_attempts set tries = tries + 1 where state_hash = $1", state.as_slice())
        .execute(tx.conn())
        .await?;
    Ok(())
}

//! The provider named somebody whose address has an account: they show with its password, and its second factor, that it is
//! theirs. From then on the provider knows them by their subject.
//!
//! The minutes for it are this browser's, and have five passwords; each counts like one at the sign-in.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::view::session::UserCard;
use clarity_domain::view::sso::SsoLink;
use clarity_runtime::clock::now_us;
use clarity_runtime::secret::Secret;
use clarity_store::AuthTx;
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::sso::attempt::{self, AttemptRow, Hash, MAX_TRIES, Purpose};
use clarity_store::auth::sso::connection::{self, ConnectionRow};
use clarity_store::auth::sso::identity::{self, SubjectKey};
use clarity_store::auth::user::Credentials;
use clarity_store::auth::{member, user, workspace};
use serde_json::json;

use super::join::NOT_A_MEMBER;
use super::{SsoOutcome, hold, over};
use crate::account::opens_still;
use crate::audit as log;
use crate::error::fault;
use crate::second_factor::has_second_factor;
use crate::visitor::token_hash;
use crate::{Client, Services};

/// The form. No `Debug`: it holds a password.
#[derive(Clone)]
pub struct LinkSso {
    pub password: String,
    /// Of those who have a second factor.
    pub code: Option<String>,
}

/// What is waited for.
struct Waiting {
    attempt: AttemptRow,
    connection: ConnectionRow,
    known: Credentials,
}

impl Services {
    /// What the page shows: which account, for which workspace.
    ///
    /// # Errors
    /// `NotFound` when it is over: ten minutes, or five passwords.
    pub async fn find_sso_link(&self, token: &str) -> Result<SsoLink, AppError> {
        let hash = token_hash(token).ok_or_else(over)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let Waiting { connection, known, .. } = waiting(&mut tx, &hash).await?;
        let with_code = has_second_factor(&mut tx, known.user.id).await?;
        tx.commit().await.map_err(fault)?;
        Ok(SsoLink { workspace: connection.name, email: known.user.email, with_code })
    }

    /// Links the account and signs in.
    ///
    /// # Errors
    /// `NotFound` as [`Self::find_sso_link`]; `Invalid` at `password` or `code`; `Forbidden` for somebody who is no member any
    /// more; `LimitExceeded` when the plan has no seat left; `RateLimited`.
    pub async fn link_sso(&self, token: &str, form: LinkSso, client: &Client) -> Result<SsoOutcome, AppError> {
        self.throttle.take(&client.address)?;
        let hash = token_hash(token).ok_or_else(over)?;
        // Counted before the password is looked at, so that a hundred at once count as a hundred.
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let Waiting { connection: asked, known, .. } = waiting(&mut tx, &hash).await?;
        attempt::note_try(&mut tx, &hash).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let shown_by = self
            .authenticate(&known.user.email, &Secret::new(form.password), client)
            .await?
            .ok_or_else(|| AppError::invalid("password", "This is not the password of this account. Try again."))?;
        let typed = self.read_code(shown_by.user.id, form.code.as_deref().unwrap_or_default()).await?;

        let mut tx = self.auth.begin_in(&asked.scope).await.map_err(fault)?;
        // The workspace first, as whoever changes its members or its provider.
        hold(&mut tx, &asked).await?;
        let Waiting { attempt, connection, known } = still_waiting(&mut tx, &hash).await?;
        if !opens_still(&known, &shown_by) {
            return Err(AppError::invalid("password", "This is not the password of this account. Try again."));
        }
        let user = known.user;
        let mut shown = None;
        if has_second_factor(&mut tx, user.id).await? {
            shown = self.take_code(&mut tx, user.id, &typed).await?;
            if shown.is_none() {
                drop(tx);
                self.note_refused(user, Act::LinkSso, client);
                return Err(AppError::invalid(
                    "code",
                    "This code is not right, or was used already. Use the app's next one.",
                ));
            }
        }
        if !self.may_join(&mut tx, &attempt, &connection, &user).await? {
            drop(tx);
            self.note_sso_refused(&connection, Some(&user.email), "not_a_member", client).await?;
            return Err(AppError::new(ErrorCode::Forbidden, NOT_A_MEMBER));
        }
        attempt::consume(&mut tx, &hash).await.map_err(fault)?;
        user::note_sign_in(&mut tx, user.id).await.map_err(fault)?;
        let subject = attempt.subject.as_deref().ok_or_else(over)?;
        let key = SubjectKey { scope: &connection.scope, issuer: &connection.issuer, subject };
        if !identity::link(&mut tx, key, user.id).await.map_err(fault)? {
            return Err(over());
        }
        if let Err(error) = self.join_workspace(&mut tx, &connection, &user, false, client).await {
            drop(tx);
            return Err(self.note_full(&connection, &user, error, client).await?);
        }
        let (actor, id, name) = (log::person(&user), user.id.to_string(), log::shown(&user));
        let entry = Entry {
            actor: &actor,
            act: Act::LinkSso,
            object: Object { kind: "member", id: &id, name: &name },
            before: None,
            after: Some(json!({ "issuer": connection.issuer, "subject": subject })),
            outcome: Outcome::Done,
            address: &client.address,
            request_id: client.request_id,
        };
        self.record_in(&connection.scope, &entry).await?;
        if let Some(shown) = shown {
            let seats = workspace::list_seats(&mut tx, user.id).await.map_err(fault)?;
            self.note_shown(&mut tx, &user, &seats, shown, client).await?;
        }
        let signed_in = self.enter_by_sso(&mut tx, &connection, key, user, Some(now_us()), client).await?;
        tx.commit().await.map_err(fault)?;
        Ok(SsoOutcome::SignedIn { signed_in, slug: connection.slug, next: attempt.next })
    }

    /// Whether this person is a member at this moment, or may become one by the provider's word: their password shows whose the
    /// account is, and not that the workspace wants them.
    async fn may_join(
        &self,
        tx: &mut AuthTx,
        attempt: &AttemptRow,
        connection: &ConnectionRow,
        user: &UserCard,
    ) -> Result<bool, AppError> {
        if identity::is_member(tx, &connection.scope, user.id).await.map_err(fault)? {
            return Ok(true);
        }
        if !attempt.vouched || member::was_removed(tx, &connection.scope, user.id).await.map_err(fault)? {
            return Ok(false);
        }
        let (_, of_email) = user.email.split_once('@').unwrap_or_default();
        self.is_own_domain(connection, of_email).await
    }
}

/// One with passwords left.
async fn waiting(tx: &mut AuthTx, hash: &Hash) -> Result<Waiting, AppError> {
    let waiting = still_waiting(tx, hash).await?;
    if waiting.attempt.tries < MAX_TRIES { Ok(waiting) } else { Err(over()) }
}

/// One whose last password is being looked at, too.
async fn still_waiting(tx: &mut AuthTx, hash: &Hash) -> Result<Waiting, AppError> {
    let attempt = attempt::lock(tx, hash).await.map_err(fault)?;
    let attempt = attempt.filter(|attempt| attempt.purpose == Purpose::Link && !attempt.consumed).ok_or_else(over)?;
    let connection = connection::find_for(tx, &attempt).await.map_err(fault)?;
    let connection = connection.filter(|connection| connection.enabled).ok_or_else(over)?;
    let user = attempt.user.ok_or_else(over)?;
    let known = user::lock(tx, user).await.map_err(fault)?.ok_or_else(over)?;
    Ok(Waiting { attempt, connection, known })
}

//! Letting in whom the provider named: known by their subject; new, when the address is the workspace's; or somebody with an
//! account, who shows first that it is theirs.
//!
//! Whoever was taken out of the workspace, or left it, stays out, known to the provider or not: an invitation brings them back.
//! An account that is made here has a password that nobody knows; who reads the address's mail may choose one, and it opens no
//! workspace that asks for single sign-on.

use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::UserId;
use clarity_domain::names::parse_email;
use clarity_domain::time::{DAY, Micros, SECOND};
use clarity_domain::view::session::UserCard;
use clarity_runtime::clock::now_us;
use clarity_runtime::secret::Secret;
use clarity_store::auth::sso::attempt::{self, AttemptRow, NewAttempt, Purpose};
use clarity_store::auth::sso::connection::ConnectionRow;
use clarity_store::auth::sso::identity::{self, SubjectKey};
use clarity_store::auth::{member, user};
use clarity_store::{StoreError, domain};
use uuid::Uuid;

use super::provider::Named;
use super::{ATTEMPT_LIFE, SsoOutcome, hold, over};
use crate::error::fault;
use crate::sign_up::checked_name;
use crate::throttle::network;
use crate::visitor::new_token;
use crate::{Client, Services};

/// So long a domain's check is good for somebody new.
const CHECKED_WITHIN: Micros = DAY;

/// Why somebody is not let in: a word for the log, a sentence for them.
struct No {
    reason: &'static str,
    words: String,
}

/// For somebody who was taken out of the workspace, or left it.
fn not_a_member() -> No {
    No { reason: "not_a_member", words: NOT_A_MEMBER.to_owned() }
}

pub(super) const NOT_A_MEMBER: &str =
    "You are not a member of this workspace any more. Ask an admin of the workspace to invite you.";

impl Services {
    /// In, or on to showing that an account is one's own.
    pub(super) async fn let_in(
        &self,
        connection: ConnectionRow,
        attempt: AttemptRow,
        named: Named,
        client: &Client,
    ) -> Result<SsoOutcome, AppError> {
        let key = SubjectKey { scope: &connection.scope, issuer: &connection.issuer, subject: &named.subject };
        let mut tx = self.auth.begin_in(&connection.scope).await.map_err(fault)?;
        let held = hold(&mut tx, &connection).await?;
        let known = identity::find(&mut tx, key).await.map_err(fault)?;
        if let Some(user) = known {
            if !identity::is_member(&mut tx, &connection.scope, user.id).await.map_err(fault)? {
                drop(tx);
                return self.refuse_named(&connection, &named, not_a_member(), client).await;
            }
            if user::is_disabled(&mut tx, user.id).await.map_err(fault)? {
                drop(tx);
                let words = "This account cannot sign in. Ask an owner of the workspace.".to_owned();
                return self.refuse_named(&connection, &named, No { reason: "disabled", words }, client).await;
            }
            let signed_in = self.enter_by_sso(&mut tx, &held, key, user, named.signed_in_at, client).await?;
            tx.commit().await.map_err(fault)?;
            return Ok(SsoOutcome::SignedIn { signed_in, slug: connection.slug, next: attempt.next });
        }
        drop(tx);
        self.let_in_new(connection, attempt, named, client).await
    }

    /// Somebody whose subject nobody has seen here.
    async fn let_in_new(
        &self,
        connection: ConnectionRow,
        attempt: AttemptRow,
        named: Named,
        client: &Client,
    ) -> Result<SsoOutcome, AppError> {
        let email = match named.email.as_deref().map(parse_email) {
            Some(Ok(email)) => email,
            _ => {
                let words = "The identity provider told us no e-mail address. Ask your administrator to let it send the claim “email”.";
                return self
                    .refuse_named(&connection, &named, No { reason: "no_email", words: words.into() }, client)
                    .await;
            }
        };
        let vouched = self.is_vouched_for(&connection, &email, named.email_verified).await?;
        let is_vouched = vouched.is_ok();
        let mut tx = self.auth.begin_in(&connection.scope).await.map_err(fault)?;
        hold(&mut tx, &connection).await?;
        let account = user::find_by_email(&mut tx, &email).await.map_err(fault)?;
        let is_member = match &account {
            Some(user) => identity::is_member(&mut tx, &connection.scope, user.id).await.map_err(fault)?,
            None => false,
        };
        // A member shows their password in any case; whoever is none comes by the workspace's own domain.
        if let (false, Err(no)) = (is_member, vouched) {
            drop(tx);
            return self.refuse_named(&connection, &named, no, client).await;
        }
        match account {
            Some(user) => {
                if !is_member && member::was_removed(&mut tx, &connection.scope, user.id).await.map_err(fault)? {
                    drop(tx);
                    return self.refuse_named(&connection, &named, not_a_member(), client).await;
                }
                let (token, hash) = new_token()?;
                let new = NewAttempt {
                    scope: &connection.scope,
                    purpose: Purpose::Link,
                    network: &network(&client.address),
                    issuer: &connection.issuer,
                    browser: hash,
                    nonce: None,
                    verifier_box: None,
                    again: false,
                    next: attempt.next.as_deref(),
                    user: Some(user.id),
                    subject: Some(&named.subject),
                    vouched: is_vouched,
                    expires_at: now_us() + ATTEMPT_LIFE,
                };
                attempt::insert(&mut tx, &hash, &new).await.map_err(fault)?;
                tx.commit().await.map_err(fault)?;
                Ok(SsoOutcome::Link { token, max_age_s: ATTEMPT_LIFE / SECOND })
            }
            None => {
                drop(tx);
                self.join(connection, attempt, named, email, client).await
            }
        }
    }

    /// Makes the account and its place in the workspace.
    async fn join(
        &self,
        connection: ConnectionRow,
        attempt: AttemptRow,
        named: Named,
        email: String,
        client: &Client,
    ) -> Result<SsoOutcome, AppError> {
        // Of a password that nobody knows, hashed before anything is locked.
        let password_hash = self.passwords.hash(&Secret::new(new_token()?.0)).await?;
        let local = email.split('@').next().unwrap_or_default().to_owned();
        let given = named.name.as_deref().and_then(|name| checked_name("name", "yourself", name).ok());
        let user = UserCard { id: UserId(Uuid::now_v7()), name: given.unwrap_or(local), email };
        let key = SubjectKey { scope: &connection.scope, issuer: &connection.issuer, subject: &named.subject };
        let mut tx = self.auth.begin_in(&connection.scope).await.map_err(fault)?;
        let held = hold(&mut tx, &connection).await?;
        user::insert(&mut tx, &user, &password_hash, true).await.map_err(|error| match error {
            // Two at once: the other one made it.
            StoreError::Conflict(_) => over(),
            other => fault(other),
        })?;
        if !identity::link(&mut tx, key, user.id).await.map_err(fault)? {
            return Err(over());
        }
        if let Err(error) = self.join_workspace(&mut tx, &held, &user, true, client).await {
            drop(tx);
            return Err(self.note_full(&connection, &user, error, client).await?);
        }
        let signed_in = self.enter_by_sso(&mut tx, &held, key, user, named.signed_in_at, client).await?;
        tx.commit().await.map_err(fault)?;
        Ok(SsoOutcome::SignedIn { signed_in, slug: connection.slug, next: attempt.next })
    }

    /// Whether the address is the workspace's to vouch for: the provider has verified it, and its domain is verified here.
    async fn is_vouched_for(
        &self,
        connection: &ConnectionRow,
        email: &str,
        email_verified: bool,
    ) -> Result<Result<(), No>, AppError> {
        if !email_verified {
            let words = format!(
                "The identity provider does not say that {email} is verified. Ask your administrator to have it send the claim “email_verified”."
            );
            return Ok(Err(No { reason: "email_not_verified", words }));
        }
        let (_, of_email) = email.split_once('@').unwrap_or_default();
        if self.is_own_domain_still(connection, of_email).await? {
            return Ok(Ok(()));
        }
        let words = format!(
            "{of_email} is not verified in this workspace. Ask an owner of the workspace to verify it on the page Single sign-on, or to invite you."
        );
        Ok(Err(No { reason: "domain_not_verified", words }))
    }

    /// As [`Self::is_own_domain`], for somebody new: a domain that was not looked at within a day is looked at again, so that
    /// nobody joins by one that the workspace has not any more.
    async fn is_own_domain_still(&self, connection: &ConnectionRow, of_email: &str) -> Result<bool, AppError> {
        let mut tx = self.app.begin_read(&connection.scope).await.map_err(fault)?;
        let found = domain::find_verified(&mut tx, of_email).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let Some(own) = found else { return Ok(false) };
        if now_us().saturating_sub(own.checked_at) < CHECKED_WITHIN {
            return Ok(true);
        }
        Ok(self.is_domain_still_shown(&of_email.to_lowercase(), &own.token).await)
    }

    pub(super) async fn is_own_domain(&self, connection: &ConnectionRow, of_email: &str) -> Result<bool, AppError> {
        let mut tx = self.app.begin_read(&connection.scope).await.map_err(fault)?;
        let verified = domain::is_verified(&mut tx, of_email).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(verified)
    }

    async fn refuse_named<T>(
        &self,
        connection: &ConnectionRow,
        named: &Named,
        no: No,
        client: &Client,
    ) -> Result<T, AppError> {
        let who = named.email.clone().unwrap_or_else(|| named.subject.clone());
        self.note_sso_refused(connection, Some(&who), no.reason, client).await?;
        Err(AppError::new(ErrorCode::Forbidden, no.words))
    }
}

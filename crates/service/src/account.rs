//! Signing in and out. How long an answer takes, and what it says, is the same whether an account exists or not.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::AppError;
use clarity_domain::names::parse_email;
use clarity_domain::time::{DAY, Micros, SECOND};
use clarity_domain::view::session::{Session, UserCard};
use clarity_runtime::clock::now_us;
use clarity_runtime::secret::Secret;
use clarity_store::audit::Object;
use clarity_store::auth::session::NewSession;
use clarity_store::auth::user::Credentials;
use clarity_store::auth::workspace::SeatRow;
use clarity_store::auth::{session, stranger, user, workspace};
use clarity_store::{AuthTx, StoreError};

use crate::Services;
use crate::audit as log;
use crate::error::fault;
use crate::password::is_outdated;
use crate::second_factor::FirstStep;
use crate::throttle;
use crate::visitor::{Client, Visitor, new_token};

pub(crate) const SESSION_LIFE: Micros = 7 * DAY;

/// The form. No `Debug`: it holds a password.
#[derive(Clone)]
pub struct SignIn {
    pub email: String,
    pub password: String,
}

/// A new session. The token is for the cookie and is kept nowhere else.
#[derive(Clone)]
pub struct SignedIn {
    pub token: String,
    pub max_age_s: i64,
    pub session: Session,
}

/// Locks the person: whether the password that was shown is still theirs, of an account that is open. It was compared outside of
/// this transaction, and whoever resets a password means that the old one opens nothing from then on.
pub(crate) async fn still(tx: &mut AuthTx, shown: &Credentials) -> Result<bool, AppError> {
    let now = user::lock(tx, shown.user.id).await.map_err(fault)?;
    Ok(now.is_some_and(|now| opens_still(&now, shown)))
}

/// The same, of the person as they were read in the transaction.
pub(crate) fn opens_still(now: &Credentials, shown: &Credentials) -> bool {
    now.user.id == shown.user.id && now.password_hash == shown.password_hash && !now.disabled
}

impl Services {
    /// Signs in, or asks for a code as well: see [`Services::finish_sign_in`].
    ///
    /// # Errors
    /// `Invalid` at the field `password` when address and password do not belong together; `RateLimited`.
    pub async fn sign_in(&self, form: SignIn, client: &Client) -> Result<FirstStep, AppError> {
        self.throttle.take(&client.address)?;
        let email = parse_email(&form.email)?;
        let shown = self.authenticate(&email, &Secret::new(form.password), client).await?.ok_or_else(wrong_password)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        // Whoever adds a second factor or chooses another password at this moment does it before this sign-in or after it.
        if !still(&mut tx, &shown).await? {
            return Err(wrong_password());
        }
        let user = shown.user;
        if let Some(pending) = self.wait_for_code(&mut tx, user.id).await? {
            tx.commit().await.map_err(fault)?;
            return Ok(FirstStep::CodeNeeded(pending));
        }
        user::note_sign_in(&mut tx, user.id).await.map_err(fault)?;
        let (signed_in, seats) = start_session(&mut tx, user, client, false).await?;
        let by = log::person(&signed_in.session.user);
        self.record_everywhere(&seats, &by, Act::SignIn, Object::default(), Outcome::Done, client).await?;
        self.note_break_glass(&mut tx, &signed_in.session.user, &seats, client).await?;
        // Last: nobody is in whose sign-in is not written down.
        tx.commit().await.map_err(fault)?;
        Ok(FirstStep::SignedIn(signed_in))
    }

    /// Ends the visitor's session at once; its live connections end within seconds.
    pub async fn sign_out(&self, visitor: &Visitor, client: &Client) -> Result<(), AppError> {
        let Some(member) = visitor.member() else { return Ok(()) };
        let mut tx = self.auth.begin().await.map_err(fault)?;
        session::revoke(&mut tx, &member.token).await.map_err(fault)?;
        let seats = &member.seats;
        // The session first: whoever wants to be out is out, whatever happens to the rest.
        tx.commit().await.map_err(fault)?;
        let by = log::person(&member.session.user);
        self.record_everywhere(seats, &by, Act::SignOut, Object::default(), Outcome::Done, client).await
    }

    /// The account's person when the password is right; `None` when there is no account. For the operator's commands.
    pub(crate) async fn authenticate_or_new(
        &self,
        email: &str,
        password: &Secret,
        client: &Client,
    ) -> Result<Option<UserCard>, AppError> {
        let Some(known) = self.note_attempt(email).await? else { return Ok(None) };
        if known.disabled {
            return Err(AppError::invalid("email", "This address has an account that is disabled. Enable it first."));
        }
        if self.passwords.verify(password, Some(known.password_hash)).await? {
            return Ok(Some(known.user));
        }
        self.note_refused(known.user, Act::SignIn, client);
        Err(AppError::invalid("email", "This address has an account with another password."))
    }

    /// Whose password it is, as it was read: a moment passes before it is used, see [`still`]. `None`: no such account, a wrong
    /// password, or an account that is closed. All take as long.
    pub(crate) async fn authenticate(
        &self,
        email: &str,
        password: &Secret,
        client: &Client,
    ) -> Result<Option<Credentials>, AppError> {
        let known = self.note_attempt(email).await?;
        let stored = known.as_ref().map(|known| known.password_hash.clone());
        let right = self.passwords.verify(password, stored).await?;
        match known {
            Some(known) if right && !known.disabled => self.hashed_as_today(known, password).await.map(Some),
            Some(known) => {
                self.note_refused(known.user, Act::SignIn, client);
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// A right password that was hashed otherwise than today is hashed anew: only now is it known.
    async fn hashed_as_today(&self, shown: Credentials, password: &Secret) -> Result<Credentials, AppError> {
        if !is_outdated(&shown.password_hash) {
            return Ok(shown);
        }
        let rehashed = self.passwords.hash(password).await?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let kept = user::rehash(&mut tx, shown.user.id, &shown.password_hash, &rehashed).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        // Somebody else was faster: what was shown is looked at once more where it is used.
        Ok(if kept { Credentials { password_hash: rehashed, ..shown } } else { shown })
    }

    /// Writes down a wrong password or code, in every workspace of that person. Beside the answer: an account that exists must
    /// not be told by how long the answer takes.
    pub(crate) fn note_refused(&self, user: UserCard, act: Act, client: &Client) {
        let (services, client) = (self.clone(), client.clone());
        tokio::spawn(async move {
            let written = async {
                let mut tx = services.auth.begin().await.map_err(fault)?;
                let seats = workspace::list_seats(&mut tx, user.id).await.map_err(fault)?;
                tx.commit().await.map_err(fault)?;
                services
                    .record_everywhere(&seats, &log::person(&user), act, Object::default(), Outcome::Refused, &client)
                    .await
            };
            if written.await.is_err() {
                tracing::error!(user = %user.id, "a failed sign-in could not be written into the audit log");
            }
        });
    }

    /// Counts the attempt before the password is looked at, so that a hundred at once count as a hundred; the right
    /// password sets the count back.
    ///
    /// An address that nobody has is counted by as many statements and the same commit: the answer takes as long.
    pub(crate) async fn note_attempt(&self, email: &str) -> Result<Option<Credentials>, AppError> {
        let now = now_us();
        let address = self.settings.secrets.address_hash(email);
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let known = user::lock_by_email(&mut tx, email).await.map_err(fault)?;
        let stranger = stranger::find(&mut tx, &address).await.map_err(fault)?;
        let (failures, blocked_until) = known
            .as_ref()
            .map_or((stranger.failed_sign_ins, stranger.blocked_until), |k| (k.failed_sign_ins, k.blocked_until));
        // For everybody alike: an address that exists must not be told by how long the answer takes.
        tracing::info!(known = known.is_some(), "an attempt to sign in");
        if let Some(until) = blocked_until.filter(|until| *until > now) {
            return Err(throttle::wait(until, now));
        }
        let until = throttle::blocked_until(failures.saturating_add(1), now);
        match &known {
            Some(known) => user::note_failed_sign_in(&mut tx, known.user.id, until).await,
            None => stranger::note(&mut tx, &address, until).await,
        }
        .map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(known)
    }
}

/// The same for an account that is closed: who does not get in learns nothing of why.
fn wrong_password() -> AppError {
    AppError::invalid("password", "This e-mail and password do not belong together. Check both and try again.")
}

/// No session for an account that was closed while its person signed in.
pub(crate) fn no_entry(error: StoreError) -> AppError {
    match error {
        StoreError::NotFound => wrong_password(),
        other => fault(other),
    }
}

/// With the person's seats, the new workspace's included. `second_factor`: a code was shown beside the password.
pub(crate) async fn start_session(
    tx: &mut AuthTx,
    user: UserCard,
    client: &Client,
    second_factor: bool,
) -> Result<(SignedIn, Vec<SeatRow>), AppError> {
    let (token, hash) = new_token()?;
    let agent: String = client.user_agent.as_deref().unwrap_or_default().chars().take(300).collect();
    let new = NewSession {
        user: user.id,
        expires_at: now_us() + SESSION_LIFE,
        address: &client.address,
        user_agent: &agent,
        second_factor,
        sso: None,
    };
    session::insert(tx, &hash, &new).await.map_err(no_entry)?;
    let seats = workspace::list_seats(tx, user.id).await.map_err(fault)?;
    let session = Session { user, workspaces: seats.iter().map(|seat| seat.card.clone()).collect() };
    Ok((SignedIn { token, max_age_s: SESSION_LIFE / SECOND, session }, seats))
}

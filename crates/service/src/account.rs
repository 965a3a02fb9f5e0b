//! Signing up, in and out.
//!
//! Without a mail to the address, a sign-up has to answer at once, so it does tell whether an address is taken: only to
//! somebody who also spends an attempt on that account, which its throttle counts like a sign-in. Body, status and
//! work are otherwise the same: one Argon2id either way. Sign-in tells nothing.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::UserId;
use clarity_domain::names::{parse_email, slug_from_name};
use clarity_domain::time::{DAY, Micros, SECOND};
use clarity_domain::view::session::{Session, UserCard, WorkspaceCard};
use clarity_runtime::clock::now_us;
use clarity_runtime::secret::{Secret, random_bytes};
use clarity_store::audit::{Actor, Entry, Object};
use clarity_store::auth::session::NewSession;
use clarity_store::auth::user::Credentials;
use clarity_store::auth::workspace::SeatRow;
use clarity_store::auth::{session, user, workspace};
use clarity_store::{AuthTx, StoreError, audit, site};
use serde_json::json;
use uuid::Uuid;

use crate::Services;
use crate::audit::{self as log, support};
use crate::error::{broken, fault};
use crate::visitor::{Client, Visitor, token_hash};
use crate::{password, throttle};

/// 32 random bytes in hexadecimal.
pub(crate) const TOKEN_LENGTH: usize = 64;
const SESSION_LIFE: Micros = 7 * DAY;

/// The form. No `Debug`: it holds a password.
#[derive(Clone)]
pub struct SignUp {
    pub workspace: String,
    pub name: String,
    pub email: String,
    pub password: String,
}

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

impl Services {
    /// Makes a workspace with its first site and its owner, and signs the owner in: all or nothing. The right password
    /// of an account that exists adds a workspace to it.
    ///
    /// # Errors
    /// `Invalid` with the field; `RateLimited`.
    pub async fn sign_up(&self, form: SignUp, client: &Client) -> Result<SignedIn, AppError> {
        self.throttle.take(&client.address)?;
        let (mut tx, user, _) = self.register(form, client, None).await?;
        let by = log::person(&user);
        let (signed_in, seats) = start_session(&mut tx, user, client).await?;
        self.record_everywhere(&seats, &by, Act::SignIn, Object::default(), Outcome::Done, client).await?;
        // Last: nobody is in whose sign-in is not written down.
        tx.commit().await.map_err(fault)?;
        Ok(signed_in)
    }

    /// # Errors
    /// `Invalid` at the field `password` when address and password do not belong together; `RateLimited`.
    pub async fn sign_in(&self, form: SignIn, client: &Client) -> Result<SignedIn, AppError> {
        self.throttle.take(&client.address)?;
        let email = parse_email(&form.email)?;
        let user = self.authenticate(&email, &Secret::new(form.password), client).await?.ok_or_else(|| {
            AppError::invalid("password", "This e-mail and password do not belong together. Check both and try again.")
        })?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        user::note_sign_in(&mut tx, user.id, None).await.map_err(fault)?;
        let (signed_in, seats) = start_session(&mut tx, user, client).await?;
        let by = log::person(&signed_in.session.user);
        self.record_everywhere(&seats, &by, Act::SignIn, Object::default(), Outcome::Done, client).await?;
        // Last: nobody is in whose sign-in is not written down.
        tx.commit().await.map_err(fault)?;
        Ok(signed_in)
    }

    /// Ends the visitor's session at once; its live connections end within seconds.
    pub async fn sign_out(&self, visitor: &Visitor, client: &Client) -> Result<(), AppError> {
        let Some(member) = visitor.member() else { return Ok(()) };
        let mut tx = self.auth.begin().await.map_err(fault)?;
        session::revoke(&mut tx, &member.token).await.map_err(fault)?;
        let seats = workspace::list_seats(&mut tx, member.session.user.id).await.map_err(fault)?;
        // The session first: whoever wants to be out is out, whatever happens to the rest.
        tx.commit().await.map_err(fault)?;
        let by = log::person(&member.session.user);
        self.record_everywhere(&seats, &by, Act::SignOut, Object::default(), Outcome::Done, client).await
    }

    /// For the operator's command: the workspace of this name that this person owns, made when there is none.
    /// The flag says that it was there.
    pub async fn ensure_workspace(&self, form: SignUp) -> Result<(WorkspaceCard, bool), AppError> {
        let email = parse_email(&form.email)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        if let Some(known) = user::find_for_sign_in(&mut tx, &email).await.map_err(fault)? {
            let seats = workspace::list_seats(&mut tx, known.user.id).await.map_err(fault)?;
            let wanted = form.workspace.trim();
            if let Some(seat) = seats.into_iter().find(|s| s.card.name == wanted) {
                return Ok((seat.card, true));
            }
        }
        drop(tx);
        let by = support("create-workspace");
        let (tx, _, card) = self.register(form, &Client::local(), Some(by)).await?;
        tx.commit().await.map_err(fault)?;
        Ok((card, false))
    }

    /// The person and their new workspace, as they are when the transaction is committed: if it is not, what was written
    /// beside it belongs to a workspace that never was. `command`: who does it, when it is not the person.
    async fn register(
        &self,
        form: SignUp,
        client: &Client,
        command: Option<Actor>,
    ) -> Result<(AuthTx, UserCard, WorkspaceCard), AppError> {
        let name = checked_name("workspace", "the workspace", &form.workspace)?;
        let person = checked_name("name", "yourself", &form.name)?;
        let email = parse_email(&form.email)?;
        password::check_new(&form.password, &person, &email)?;
        let password = Secret::new(form.password);

        let (user, new_hash) = match self.authenticate_or_new(&email, &password, client).await? {
            Some(known) => (known, None),
            None => {
                let hash = self.passwords.hash(&password).await?;
                (UserCard { id: UserId(Uuid::now_v7()), name: person, email }, Some(hash))
            }
        };
        let mut tx = self.auth.begin().await.map_err(fault)?;
        match &new_hash {
            Some(hash) => user::insert(&mut tx, &user, hash).await.map_err(taken)?,
            None => user::note_sign_in(&mut tx, user.id, None).await.map_err(fault)?,
        }
        let seat = create_workspace(&mut tx, user.id, &name).await?;
        let by = command.unwrap_or_else(|| log::person(&user));
        self.furnish(&seat, &by, client).await?;
        Ok((tx, user, seat.card))
    }

    /// The first site, and the first line of the audit log.
    async fn furnish(&self, seat: &SeatRow, actor: &Actor, client: &Client) -> Result<(), AppError> {
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        site::insert(&mut tx, &seat.card.name, &seat.time_zone).await.map_err(fault)?;
        let id = seat.card.id.to_string();
        let entry = Entry {
            actor,
            act: Act::CreateWorkspace,
            object: Object { kind: "workspace", id: &id, name: &seat.card.name },
            before: None,
            after: Some(json!({ "slug": seat.card.slug, "name": seat.card.name, "time_zone": seat.time_zone })),
            outcome: Outcome::Done,
            address: &client.address,
            request_id: client.request_id,
        };
        audit::record(&mut tx, &entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }

    /// The account's person when the password is right; `None` when there is no account.
    async fn authenticate_or_new(
        &self,
        email: &str,
        password: &Secret,
        client: &Client,
    ) -> Result<Option<UserCard>, AppError> {
        let Some(known) = self.note_attempt(email).await? else { return Ok(None) };
        if self.passwords.verify(password, Some(known.password_hash)).await? {
            return Ok(Some(known.user));
        }
        self.note_failed_sign_in(known.user, client);
        Err(AppError::invalid("email", "You cannot sign up with this e-mail. If you have an account, sign in instead."))
    }

    /// `None`: no such account, or a wrong password. Both take as long.
    async fn authenticate(
        &self,
        email: &str,
        password: &Secret,
        client: &Client,
    ) -> Result<Option<UserCard>, AppError> {
        let known = self.note_attempt(email).await?;
        let (user, stored) = known.map(|k| (k.user, k.password_hash)).unzip();
        let right = self.passwords.verify(password, stored).await?;
        if !right && let Some(user) = user {
            self.note_failed_sign_in(user, client);
            return Ok(None);
        }
        Ok(user)
    }

    /// Writes down a wrong password, in every workspace of that person. Beside the answer: an account that exists must
    /// not be told by how long the answer takes.
    fn note_failed_sign_in(&self, user: UserCard, client: &Client) {
        let (services, client) = (self.clone(), client.clone());
        tokio::spawn(async move {
            let written = async {
                let mut tx = services.auth.begin().await.map_err(fault)?;
                let seats = workspace::list_seats(&mut tx, user.id).await.map_err(fault)?;
                tx.commit().await.map_err(fault)?;
                services
                    .record_everywhere(
                        &seats,
                        &log::person(&user),
                        Act::SignIn,
                        Object::default(),
                        Outcome::Refused,
                        &client,
                    )
                    .await
            };
            if written.await.is_err() {
                tracing::error!(user = %user.id, "a failed sign-in could not be written into the audit log");
            }
        });
    }

    /// Counts the attempt before the password is looked at, so that a hundred at once count as a hundred; the right
    /// password sets the count back.
    async fn note_attempt(&self, email: &str) -> Result<Option<Credentials>, AppError> {
        let now = now_us();
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let Some(known) = user::find_for_sign_in(&mut tx, email).await.map_err(fault)? else {
            self.throttle.note_stranger(email, now)?;
            return Ok(None);
        };
        if let Some(until) = known.blocked_until.filter(|until| *until > now) {
            return Err(throttle::wait(until, now));
        }
        let failures = known.failed_sign_ins.saturating_add(1);
        let until = throttle::blocked_until(failures, now);
        user::note_failed_sign_in(&mut tx, known.user.id, until).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(Some(known))
    }
}

/// With the person's seats, the new workspace's included.
pub(crate) async fn start_session(
    tx: &mut AuthTx,
    user: UserCard,
    client: &Client,
) -> Result<(SignedIn, Vec<SeatRow>), AppError> {
    let token = hex::encode(random_bytes::<32>().map_err(broken)?);
    let agent: String = client.user_agent.as_deref().unwrap_or_default().chars().take(300).collect();
    let new =
        NewSession { user: user.id, expires_at: now_us() + SESSION_LIFE, address: &client.address, user_agent: &agent };
    session::insert(tx, &token_hash(&token), &new).await.map_err(fault)?;
    let seats = workspace::list_seats(tx, user.id).await.map_err(fault)?;
    let session = Session { user, workspaces: seats.iter().map(|seat| seat.card.clone()).collect() };
    Ok((SignedIn { token, max_age_s: SESSION_LIFE / SECOND, session }, seats))
}

/// The slug is the name's; when it is taken, with four random characters behind it.
async fn create_workspace(tx: &mut AuthTx, owner: UserId, name: &str) -> Result<SeatRow, AppError> {
    let base = slug_from_name(name);
    let mut slug = base.clone();
    for _ in 0..20 {
        if let Some(seat) = workspace::create(tx, owner, &slug, name, "UTC").await.map_err(fault)? {
            return Ok(seat);
        }
        slug = format!("{base}-{}", hex::encode(random_bytes::<2>().map_err(broken)?));
    }
    Err(AppError::new(ErrorCode::Conflict, "Many workspaces have this name. Choose another one."))
}

fn taken(error: StoreError) -> AppError {
    match error {
        StoreError::Conflict(_) => {
            AppError::invalid("email", "You cannot sign up with this e-mail. If you have an account, sign in instead.")
        }
        other => fault(other),
    }
}

/// 1 to 120 characters that can be seen, none of them a control or direction mark.
pub(crate) fn checked_name(field: &str, whom: &str, text: &str) -> Result<String, AppError> {
    let text = text.trim();
    let hidden =
        |c: char| c.is_control() || ('\u{200b}'..='\u{200f}').contains(&c) || ('\u{202a}'..='\u{202e}').contains(&c);
    if text.is_empty() {
        return Err(AppError::invalid(field, format!("Name {whom}.")));
    }
    if text.chars().count() > 120 || text.chars().any(hidden) {
        return Err(AppError::invalid(field, "Use at most 120 visible characters."));
    }
    Ok(text.to_owned())
}

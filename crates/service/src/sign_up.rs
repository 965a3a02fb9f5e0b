//! Making an account: first an address, then, from the link that was sent there, everything else.
//!
//! Whoever gives an address is told the same whether it has an account or not; the letter tells, and only who reads that
//! mailbox. Names and password are asked for behind the link: so nobody prepares an account in another's name, and no
//! stranger's words are sent to anybody.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::UserId;
use clarity_domain::names::{parse_email, slug_from_name};
use clarity_domain::time::{DAY, Micros};
use clarity_domain::view::session::{UserCard, WorkspaceCard};
use clarity_runtime::clock::now_us;
use clarity_runtime::secret::{Secret, random_bytes};
use clarity_store::audit::{Actor, Entry, Object};
use clarity_store::auth::workspace::SeatRow;
use clarity_store::auth::{sign_up as store, user, workspace};
use clarity_store::{AuthTx, StoreError, audit, site};
use serde_json::json;
use uuid::Uuid;

use crate::account::{SignedIn, start_session};
use crate::audit::{self as log, support};
use crate::error::{broken, fault};
use crate::mail::Letter;
use crate::throttle::Costly;
use crate::visitor::{Client, Visitor, new_token, token_hash};
use crate::{Services, password};

/// How long the link of a sign-up can be used.
const LINK_LIFE: Micros = DAY;

/// What is asked for behind the link. No `Debug`: it holds a password and the link's secret.
#[derive(Clone)]
pub struct ConfirmSignUp {
    pub token: String,
    pub workspace: String,
    pub name: String,
    pub password: String,
}

/// What the operator's command says of a workspace and its owner. No `Debug`: it holds a password.
#[derive(Clone)]
pub struct NewWorkspace {
    pub workspace: String,
    pub name: String,
    pub email: String,
    pub password: String,
}

impl Services {
    /// Sends a letter to the address: with a link to go on, or, where there is an account, with the way in.
    ///
    /// # Errors
    /// `Invalid` at the field `email`; `RateLimited`.
    pub async fn ask_sign_up(&self, email: &str, client: &Client) -> Result<(), AppError> {
        self.throttle.take(&client.address)?;
        let email = parse_email(email)?;
        if !self.throttle.note_letter(&email) {
            // Told as usual: the letters that were sent are still good.
            tracing::warn!("too many letters to one address were asked for: not sent");
            return Ok(());
        }
        let (token, hash) = new_token()?;
        let at = |path: &str| format!("{}{path}", self.settings.public_url);
        let mut tx = self.auth.begin().await.map_err(fault)?;
        if user::exists(&mut tx, &email).await.map_err(fault)? {
            let letter = Letter::AccountExists { sign_in: &at("/sign-in"), reset: &at("/reset") };
            self.post(&mut tx, &email, &letter).await?;
        } else {
            store::insert(&mut tx, &hash, &email, now_us() + LINK_LIFE).await.map_err(fault)?;
            self.post(&mut tx, &email, &Letter::ConfirmSignUp { link: &at(&format!("/confirm/{token}")) }).await?;
        }
        tx.commit().await.map_err(fault)
    }

    /// The address that this link was sent to.
    ///
    /// # Errors
    /// `NotFound`: the link was used, is too old, or never was.
    pub async fn find_sign_up(&self, token: &str) -> Result<String, AppError> {
        let hash = token_hash(token).ok_or_else(link_ended)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let email = store::find(&mut tx, &hash).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        email.ok_or_else(link_ended)
    }

    /// Makes the account, a workspace with its first site, and signs its owner in: all or nothing. Uses the link up.
    ///
    /// # Errors
    /// `NotFound` as [`Services::find_sign_up`]; `Invalid` with the field; `RateLimited`.
    pub async fn confirm_sign_up(&self, form: ConfirmSignUp, client: &Client) -> Result<SignedIn, AppError> {
        self.throttle.take(&client.address)?;
        let email = self.find_sign_up(&form.token).await?;
        let workspace = checked_name("workspace", "the workspace", &form.workspace)?;
        let name = checked_name("name", "yourself", &form.name)?;
        password::check_new_of_member(&form.password, &name, &email, &[workspace.as_str()])?;
        let password_hash = self.passwords.hash(&Secret::new(form.password)).await?;
        let hash = token_hash(&form.token).ok_or_else(link_ended)?;

        let mut tx = self.auth.begin().await.map_err(fault)?;
        let email = store::consume(&mut tx, &hash).await.map_err(fault)?.ok_or_else(link_ended)?;
        let user = UserCard { id: UserId(Uuid::now_v7()), name, email };
        user::insert(&mut tx, &user, &password_hash, true).await.map_err(taken)?;
        let seat = create_workspace(&mut tx, user.id, &workspace).await?;
        let by = log::person(&user);
        self.furnish(&seat, &by, client).await?;
        let (signed_in, seats) = start_session(&mut tx, user, client, false).await?;
        self.record_everywhere(&seats, &by, Act::SignIn, Object::default(), Outcome::Done, client).await?;
        // Last: nobody is in whose sign-in is not written down. If this fails, what was written beside it belongs to a
        // workspace that never was.
        tx.commit().await.map_err(fault)?;
        Ok(signed_in)
    }

    /// One more workspace for somebody who is signed in. They own it.
    ///
    /// # Errors
    /// `Unauthenticated`; `Invalid` at the field `workspace`; `RateLimited`.
    pub async fn add_workspace(
        &self,
        visitor: &Visitor,
        name: &str,
        client: &Client,
    ) -> Result<WorkspaceCard, AppError> {
        self.throttle.take(&client.address)?;
        let member = visitor.whole()?;
        let name = checked_name("workspace", "the workspace", name)?;
        let user = &member.session.user;
        self.throttle.take_of(user.id, Costly::Workspace)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let seat = create_workspace(&mut tx, user.id, &name).await?;
        self.furnish(&seat, &log::person(user), client).await?;
        tx.commit().await.map_err(fault)?;
        Ok(seat.card)
    }

    /// For the operator's command: the workspace of this name that this person owns, made when there is none. The right
    /// password of an account that exists adds a workspace to it. The flag says that it was there.
    ///
    /// # Errors
    /// `Invalid` with the field.
    pub async fn ensure_workspace(&self, form: NewWorkspace) -> Result<(WorkspaceCard, bool), AppError> {
        let client = Client::local();
        let workspace = checked_name("workspace", "the workspace", &form.workspace)?;
        let name = checked_name("name", "yourself", &form.name)?;
        let email = parse_email(&form.email)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        if let Some(known) = user::find_by_email(&mut tx, &email).await.map_err(fault)? {
            let seats = workspace::list_seats(&mut tx, known.id).await.map_err(fault)?;
            if let Some(seat) = seats.into_iter().find(|seat| seat.card.name == workspace) {
                return Ok((seat.card, true));
            }
        }
        drop(tx);
        password::check_new_of_member(&form.password, &name, &email, &[workspace.as_str()])?;
        let password = Secret::new(form.password);
        let (user, new_hash) = match self.authenticate_or_new(&email, &password, &client).await? {
            Some(known) => (known, None),
            None => {
                let hash = self.passwords.hash(&password).await?;
                (UserCard { id: UserId(Uuid::now_v7()), name, email }, Some(hash))
            }
        };
        let mut tx = self.auth.begin().await.map_err(fault)?;
        match &new_hash {
            Some(hash) => user::insert(&mut tx, &user, hash, false).await.map_err(taken)?,
            None => user::note_sign_in(&mut tx, user.id).await.map_err(fault)?,
        }
        let seat = create_workspace(&mut tx, user.id, &workspace).await?;
        self.furnish(&seat, &support("create-workspace"), &client).await?;
        tx.commit().await.map_err(fault)?;
        Ok((seat.card, false))
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
}

/// The answer for every link that cannot be used, whatever the reason.
pub(crate) fn link_ended() -> AppError {
    AppError::new(
        ErrorCode::NotFound,
        "This link is not valid any more: it was used, or it is too old. Ask for a new one.",
    )
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

/// Two links of one address that were used at the same time: the other one made the account.
pub(crate) fn taken(error: StoreError) -> AppError {
    match error {
        StoreError::Conflict(_) => link_ended(),
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

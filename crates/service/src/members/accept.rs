//! An invitation from the other side: what its link shows, and using it.
//!
//! The link proves that a letter reached the address, so whoever has it may make the account of that address, and nobody
//! else's. Looking changes nothing: mail scanners follow links. A wrong account leaves the invitation as it is.

use clarity_domain::audit::{Act, ActorKind, Outcome};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::UserId;
use clarity_domain::role::Permission;
use clarity_domain::view::members::{InvitationCard, Invitee};
use clarity_domain::view::session::UserCard;
use clarity_runtime::planted::planted;
use clarity_runtime::secret::Secret;
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::invitation::{self, LinkHash, LinkedInvitation};
use clarity_store::auth::workspace::SeatRow;
use clarity_store::auth::{member, user, workspace};
use clarity_store::{StoreError, audit, site};
use serde_json::json;
use uuid::Uuid;

use crate::account::start_session;
use crate::audit as log;
use crate::error::fault;
use crate::sign_up::checked_name;
use crate::visitor::token_hash;
use crate::{Client, Services, SignedIn, Visitor, password};

/// The form of somebody who has no account yet. No `Debug`: it holds a password.
#[derive(Clone)]
pub struct NewAccount {
    pub name: String,
    pub password: String,
}

/// The person is in.
#[derive(Clone)]
pub struct Accepted {
    /// Of the workspace.
    pub slug: String,
    /// With a new account. Whoever was signed in stays so.
    pub signed_in: Option<SignedIn>,
}

/// Who accepts.
enum Person {
    SignedIn(UserCard),
    New { user: UserCard, password_hash: String },
}

impl Services {
    /// What the page of the link shows.
    ///
    /// # Errors
    /// `NotFound` for a link that was never ours, was used, was revoked or is over: the same answer for all.
    pub async fn find_invitation(&self, visitor: &Visitor, token: &str) -> Result<InvitationCard, AppError> {
        let invitation = self.look_up(&token_hash(token).ok_or_else(over)?).await?;
        let visitor = match visitor.session() {
            Some(session) if session.user.email == invitation.email => Invitee::You,
            Some(session) => Invitee::SomebodyElse { email: session.user.email.clone() },
            None if invitation.has_account => Invitee::HasAccount,
            None => Invitee::NeedsAccount,
        };
        Ok(InvitationCard {
            workspace: invitation.workspace_name,
            inviter: invitation.inviter,
            role: invitation.role,
            email: invitation.email,
            expires_at: invitation.expires_at,
            visitor,
        })
    }

    /// Uses the invitation: the person it is for joins the workspace, with the account they are signed in with or with a
    /// new one, which is signed in.
    ///
    /// # Errors
    /// `NotFound` as [`Self::find_invitation`]; `Conflict` for another account, or when the address has one and nobody is
    /// signed in; `Invalid` at `name` or `password`; `LimitExceeded` when the plan has no seat left; `RateLimited`.
    pub async fn accept_invitation(
        &self,
        visitor: &Visitor,
        token: &str,
        new: Option<NewAccount>,
        client: &Client,
    ) -> Result<Accepted, AppError> {
        self.throttle.take(&client.address)?;
        let hash = token_hash(token).ok_or_else(over)?;
        let invitation = match self.look_up(&hash).await {
            Err(error) if error.code == ErrorCode::NotFound => {
                self.note_dead_link(&hash, visitor, client).await;
                return Err(error);
            }
            found => found?,
        };
        // A password is hashed before anything is locked.
        let person = match self.invitee(visitor, &invitation, new).await {
            Err(error) if is_another(visitor, &invitation.email) => {
                self.note_dead_link(&hash, visitor, client).await;
                return Err(error);
            }
            person => person?,
        };

        let mut tx = invitation::begin(&self.auth, &invitation).await.map_err(fault)?;
        let invitation = invitation::lock_by_link(&mut tx, &hash).await.map_err(fault)?;
        let invitation = invitation.filter(is_vouched_for).ok_or_else(over)?;
        let (user, is_new) = match person {
            Person::SignedIn(user) => (user, false),
            Person::New { user, password_hash } => {
                user::insert(&mut tx, &user, &password_hash, true).await.map_err(|error| match error {
                    StoreError::Conflict(_) => has_account(),
                    other => fault(other),
                })?;
                (user, true)
            }
        };
        user::note_email_verified(&mut tx, user.id).await.map_err(fault)?;
        invitation::accept(&mut tx, invitation.id, user.id).await.map_err(|error| match error {
            StoreError::NotFound => over(),
            StoreError::Conflict(_) => {
                AppError::new(ErrorCode::Conflict, "You are a member of this workspace already. Open it instead.")
            }
            other => fault(other),
        })?;
        let by = log::person(&user);
        let (signed_in, seats) = if is_new {
            let (signed_in, seats) = start_session(&mut tx, user.clone(), client, false).await?;
            (Some(signed_in), seats)
        } else {
            (None, workspace::list_seats(&mut tx, user.id).await.map_err(fault)?)
        };
        let seat = seats.iter().find(|seat| seat.card.id == invitation.workspace_id).ok_or_else(AppError::internal)?;
        // With this one. The invitation stays as it is when they are too many.
        let members = member::count(&mut tx, &seat.scope).await.map_err(fault)?;
        self.permit_join(&seat.scope, members).await?;
        self.record_joining(seat, &invitation, &by, is_new, client).await?;
        if is_new {
            self.record_everywhere(&seats, &by, Act::SignIn, Object::default(), Outcome::Done, client).await?;
        }
        // Last: nobody is in whose coming is not written down.
        tx.commit().await.map_err(fault)?;
        Ok(Accepted { slug: seat.card.slug.clone(), signed_in })
    }

    /// A valid invitation, as it is at this moment.
    async fn look_up(&self, hash: &LinkHash) -> Result<LinkedInvitation, AppError> {
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let found = invitation::find_by_link(&mut tx, hash).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        found.filter(is_vouched_for).ok_or_else(over)
    }

    /// Who may use this invitation: the person of its address, by their session or by a new account.
    async fn invitee(
        &self,
        visitor: &Visitor,
        invitation: &LinkedInvitation,
        new: Option<NewAccount>,
    ) -> Result<Person, AppError> {
        if let Some(session) = visitor.session() {
            if session.user.email == invitation.email || planted("an-invitation-for-whoever-has-it") {
                visitor.whole()?;
                return Ok(Person::SignedIn(session.user.clone()));
            }
            let (wanted, here) = (&invitation.email, &session.user.email);
            return Err(AppError::new(
                ErrorCode::Conflict,
                format!(
                    "This invitation is for {wanted}, and you are signed in as {here}. Sign out, then open its link again."
                ),
            ));
        }
        if invitation.has_account {
            return Err(has_account());
        }
        let form = new.ok_or_else(|| AppError::invalid("name", "Name yourself."))?;
        let name = checked_name("name", "yourself", &form.name)?;
        password::check_new_of_member(&form.password, &name, &invitation.email, &[invitation.workspace_name.as_str()])?;
        let password_hash = self.passwords.hash(&Secret::new(form.password)).await?;
        let user = UserCard { id: UserId(Uuid::now_v7()), name, email: invitation.email.clone() };
        Ok(Person::New { user, password_hash })
    }

    /// Into the log of the invitation's workspace: somebody tried a link that leads nowhere any more, or one that was sent to
    /// somebody else. What fails has been logged, and the answer stays what it is: it tells nothing of the link.
    async fn note_dead_link(&self, hash: &LinkHash, visitor: &Visitor, client: &Client) {
        let written = async {
            let mut tx = self.auth.begin().await.map_err(fault)?;
            let found = invitation::find_dead_by_link(&mut tx, hash).await.map_err(fault)?;
            tx.commit().await.map_err(fault)?;
            let Some(dead) = found else { return Ok(()) };
            // By whom is known of those who are signed in; of others, whom it was sent to.
            let (user, by) = match visitor.session() {
                Some(session) => (session.user.id, log::person(&session.user)),
                None => {
                    (UserId(dead.id.0), audit::Actor { kind: ActorKind::Person, id: None, name: dead.email.clone() })
                }
            };
            if !self.throttle.note_refusal(user) {
                return Ok(());
            }
            let why = if is_another(visitor, &dead.email) { "another account" } else { dead.why };
            let id = dead.id.to_string();
            let entry = Entry {
                actor: &by,
                act: Act::AcceptInvitation,
                object: Object { kind: "invitation", id: &id, name: &dead.email },
                before: None,
                after: Some(json!({ "why": why })),
                outcome: Outcome::Refused,
                address: &client.address,
                request_id: client.request_id,
            };
            let mut tx = self.app.begin(&dead.scope).await.map_err(fault)?;
            audit::record(&mut tx, &entry).await.map_err(fault)?;
            tx.commit().await.map_err(fault)
        };
        let done: Result<(), AppError> = written.await;
        if done.is_err() {
            tracing::error!("a dead invitation's link that was tried could not be written into the audit log");
        }
    }

    /// Into the log of the workspace that the person joins.
    async fn record_joining(
        &self,
        seat: &SeatRow,
        invitation: &LinkedInvitation,
        by: &audit::Actor,
        is_new: bool,
        client: &Client,
    ) -> Result<(), AppError> {
        let id = invitation.id.to_string();
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        let mut after = json!({ "role": invitation.role.as_str(), "new_account": is_new });
        if invitation.sites.is_some() {
            // Those that are still there. With none left the person sees no machine: a limit never becomes every site.
            let sites = site::list(&mut tx).await.map_err(fault)?;
            after["sites"] = json!(sites.into_iter().map(|site| site.name).collect::<Vec<_>>());
        }
        let entry = Entry {
            actor: by,
            act: Act::AcceptInvitation,
            object: Object { kind: "invitation", id: &id, name: &invitation.email },
            before: None,
            after: Some(after),
            outcome: Outcome::Done,
            address: &client.address,
            request_id: client.request_id,
        };
        audit::record(&mut tx, &entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }
}

/// Is somebody signed in whom the invitation is not for?
fn is_another(visitor: &Visitor, email: &str) -> bool {
    visitor.session().is_some_and(|session| session.user.email != email)
}

/// Whoever sent it still may invite. That their role has sunk meanwhile is no harm: an owner can still be an admin.
fn is_vouched_for(invitation: &LinkedInvitation) -> bool {
    invitation.inviter_role.may(Permission::ManageMembers)
}

/// Whatever is wrong with a link, the answer is the same.
fn over() -> AppError {
    AppError::new(ErrorCode::NotFound, "This invitation is not valid any more. Ask for a new one.")
}

fn has_account() -> AppError {
    AppError::new(ErrorCode::Conflict, "There is an account with this e-mail. Sign in, and this page lets you join.")
}

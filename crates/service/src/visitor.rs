//! Who asks, and in which workspace.

use std::sync::Arc;
use std::time::Instant;

use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::{UserId, WorkspaceId};
use clarity_domain::role::{Permission, Role};
use clarity_domain::view::session::{Session, WorkspaceCard};
use clarity_runtime::planted::planted;
use clarity_runtime::secret::random_bytes;
use clarity_store::WorkspaceScope;
use clarity_store::audit::Actor;
use clarity_store::auth::session::{Proof, TokenHash};
use clarity_store::auth::workspace::{SeatRow, SsoRule};
use clarity_store::auth::{renewal, session, workspace};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::Services;
use crate::audit::{person, support};
use crate::error::{broken, fault, forbidden};

/// Where a request came from: for limits, for the list of sessions and for the audit log. Never trusted further.
#[derive(Clone, Debug, Default)]
pub struct Client {
    pub address: String,
    pub user_agent: Option<String>,
    /// As the answer's header and the server's log have it.
    pub request_id: Option<Uuid>,
}

impl Client {
    /// A command on the platform's own machine.
    pub(crate) fn local() -> Self {
        Self { address: "local".into(), user_agent: Some("clarity-server admin".into()), request_id: None }
    }
}

/// Who sent a request. Resolved anew for each one, and never kept longer.
#[derive(Clone, Debug)]
pub enum Visitor {
    Anonymous,
    Member(Arc<Member>),
}

/// A person with a live session.
#[derive(Debug)]
pub struct Member {
    pub(crate) session: Session,
    /// The session's key: it stays when the session gets a new token.
    pub(crate) token: TokenHash,
    /// Of the token that the browser sent.
    pub(crate) shown: TokenHash,
    /// The session is to get a new token: see [`Services::renew_session`].
    pub(crate) renewable: bool,
    pub(crate) proof: Proof,
    /// The session came by the single sign-on of this workspace, and is that workspace's only.
    pub(crate) by_sso_of: Option<WorkspaceId>,
    /// Read together with the session.
    pub(crate) seats: Vec<SeatRow>,
    seats_read: Instant,
}

impl Visitor {
    /// `None`: anonymous.
    pub fn session(&self) -> Option<&Session> {
        self.member().map(|m| &m.session)
    }

    pub(crate) fn member(&self) -> Option<&Member> {
        match self {
            Self::Anonymous => None,
            Self::Member(member) => Some(member),
        }
    }

    /// The person, where their whole account is theirs to change: a workspace's provider vouches for them in that workspace,
    /// and must not reach what is theirs elsewhere.
    ///
    /// # Errors
    /// `Unauthenticated`; `Forbidden` for a session that came by single sign-on.
    pub(crate) fn whole(&self) -> Result<&Member, AppError> {
        let member = self.member().ok_or_else(AppError::unauthenticated)?;
        if member.by_sso_of.is_none() {
            return Ok(member);
        }
        Err(AppError::new(
            ErrorCode::Forbidden,
            "You came by single sign-on, which is good in its workspace only. Sign in with your account's password to change your account.",
        ))
    }
}

/// A member's right to work in one workspace. Only [`Services::enter`] and the operator's commands make one.
#[derive(Clone, Debug)]
pub struct Seat {
    pub(crate) scope: WorkspaceScope,
    pub(crate) card: WorkspaceCard,
    pub(crate) time_zone: String,
    pub(crate) user_id: UserId,
    /// The workspace asks its members for a second factor.
    pub(crate) second_factor_required: bool,
    /// What was shown in the session; none for a command of the platform's operator.
    pub(crate) proof: Option<Proof>,
    /// For the audit log, with where the request came from.
    pub(crate) actor: Actor,
    pub(crate) client: Client,
    /// The session that must stay live while a connection of this seat is open.
    pub(crate) token: Option<TokenHash>,
}

impl Seat {
    pub fn frame_card(&self) -> WorkspaceCard {
        self.card.clone()
    }

    pub fn role(&self) -> Role {
        self.card.role
    }

    /// Whose seat it is.
    pub fn user_id(&self) -> UserId {
        self.user_id
    }

    /// IANA name; days of the workspace are cut there.
    pub fn time_zone(&self) -> &str {
        &self.time_zone
    }

    /// Whether a code was shown beside the password.
    pub(crate) fn has_second_factor(&self) -> bool {
        self.proof.is_none_or(|proof| proof.second_factor)
    }

    /// For what every role may. Where one may be refused, [`Services::permit`] writes the refusal down.
    pub(crate) fn may(&self, permission: Permission) -> Result<(), AppError> {
        if self.card.role.may(permission) { Ok(()) } else { Err(forbidden(permission)) }
    }
}

/// Whoever comes in past single sign-on has shown a second factor, whatever the workspace asks of others.
fn needs_second_factor(row: &SeatRow) -> bool {
    row.second_factor_required || row.sso == SsoRule::BreakGlass
}

/// 32 random bytes in hexadecimal.
const TOKEN_LENGTH: usize = 64;

/// A secret for a cookie or a link, and the hash under which it is kept.
pub(crate) fn new_token() -> Result<(String, TokenHash), AppError> {
    let token = hex::encode(random_bytes::<32>().map_err(broken)?);
    let hash = Sha256::digest(token.as_bytes()).into();
    Ok((token, hash))
}

/// The hash under which a token is kept; `None` for what cannot be one.
pub(crate) fn token_hash(token: &str) -> Option<TokenHash> {
    let fine = token.len() == TOKEN_LENGTH && token.bytes().all(|b| b.is_ascii_hexdigit());
    fine.then(|| Sha256::digest(token.as_bytes()).into())
}

impl Services {
    /// The visitor behind a cookie's token. An unknown, ended or malformed token is nobody's.
    pub async fn visitor(&self, token: Option<&str>) -> Result<Visitor, AppError> {
        let Some(hash) = token.and_then(token_hash) else { return Ok(Visitor::Anonymous) };
        let seats_read = Instant::now();
        let Some(live) = session::find_live(&self.auth, &hash).await.map_err(fault)? else {
            return Ok(crate::planted::nobody(&hash));
        };
        if live.stale || live.first_use {
            let mut tx = self.auth.begin().await.map_err(fault)?;
            session::touch(&mut tx, &live.key).await.map_err(fault)?;
            if live.first_use {
                renewal::note_use(&mut tx, &live.key, &hash).await.map_err(fault)?;
            }
            tx.commit().await.map_err(fault)?;
        }
        let workspaces = live.seats.iter().map(|seat| seat.card.clone()).collect();
        let session = Session { user: live.user, workspaces };
        let member = Member {
            session,
            token: live.key,
            shown: hash,
            renewable: live.renewable,
            proof: live.proof,
            by_sso_of: live.by_sso_of,
            seats: live.seats,
            seats_read,
        };
        Ok(crate::planted::remember(&hash, Visitor::Member(Arc::new(member))))
    }

    /// The visitor's seat in the workspace of this slug, as it was read with the visitor, a moment ago in the same
    /// request; read again when that is not so any more.
    ///
    /// # Errors
    /// `Unauthenticated`; `NotFound` for a workspace that does not exist and for somebody else's alike; `SsoNeeded` when the
    /// workspace asks for its single sign-on and the session did not come by it; `SecondFactorNeeded` when it asks for one, or
    /// they come in past single sign-on, and the session has shown none.
    pub async fn enter(&self, visitor: &Visitor, slug: &str, client: &Client) -> Result<Seat, AppError> {
        let member = visitor.member().ok_or_else(AppError::unauthenticated)?;
        let found = if member.seats_read.elapsed() < self.settings.limits.seats_hold {
            let is_it = |seat: &&SeatRow| seat.card.slug == slug || planted("a-seat-by-any-slug");
            member.seats.iter().find(is_it).cloned().map(|row| (row, member.proof))
        } else {
            let mut tx = self.auth.begin().await.map_err(fault)?;
            let row = session::resolve(&mut tx, &member.token, slug).await.map_err(fault)?;
            tx.commit().await.map_err(fault)?;
            row
        };
        if found.is_none() && planted("a-workspace-of-others-is-forbidden") {
            return Err(forbidden(Permission::View));
        }
        let (row, proof) = found.ok_or_else(|| {
            tracing::info!(user = %member.session.user.id, "a workspace was asked for that is not there for this person");
            AppError::not_found("workspace")
        })?;
        if row.sso == SsoRule::Required {
            return Err(AppError::sso_needed());
        }
        if needs_second_factor(&row) && !proof.second_factor {
            return Err(AppError::second_factor_needed());
        }
        Ok(Seat {
            scope: crate::planted::scope(row.scope),
            card: row.card,
            time_zone: row.time_zone,
            user_id: member.session.user.id,
            second_factor_required: row.second_factor_required,
            proof: Some(proof),
            actor: person(&member.session.user),
            client: client.clone(),
            token: Some(member.token),
        })
    }

    /// Whether the seat's session and role are what they were when it was taken: live connections ask every few seconds.
    pub async fn still_seated(&self, seat: &Seat) -> Result<bool, AppError> {
        self.is_seated(seat, true).await
    }

    /// The same. Without `watched` the session is not used by it: a page on which nothing moves is not being watched.
    pub async fn is_seated(&self, seat: &Seat, watched: bool) -> Result<bool, AppError> {
        let Some(token) = seat.token else { return Ok(false) };
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let row = session::resolve(&mut tx, &token, &seat.card.slug).await.map_err(fault)?;
        // A page that is only watched stays signed in.
        if watched {
            session::touch(&mut tx, &token).await.map_err(fault)?;
        }
        tx.commit().await.map_err(fault)?;
        Ok(row.is_some_and(|(row, proof)| {
            row.scope == seat.scope
                && row.sso != SsoRule::Required
                && (proof.second_factor || !needs_second_factor(&row))
        }))
    }

    /// The first owner's seat, for commands on the platform's own machine; what they do is audited as our support's.
    pub async fn operator_seat(&self, slug: &str, command: &str) -> Result<Seat, AppError> {
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let row = workspace::find_owner_seat(&mut tx, slug).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let row = row.ok_or_else(|| AppError::new(ErrorCode::NotFound, format!("There is no workspace {slug:?}.")))?;
        let user_id = match row.scope.principal() {
            clarity_store::Principal::Member { user_id, .. } => *user_id,
            _ => return Err(AppError::internal()),
        };
        Ok(Seat {
            scope: row.scope,
            card: row.card,
            time_zone: row.time_zone,
            user_id,
            second_factor_required: row.second_factor_required,
            proof: None,
            actor: support(command),
            client: Client::local(),
            token: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_token_is_read_back_and_nonsense_is_not() {
        let (token, hash) = new_token().unwrap();
        assert_eq!(token_hash(&token), Some(hash));
        assert_ne!(new_token().unwrap().0, token);
        for wrong in ["", "0", &token[1..], &format!("{token}0"), &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(token_hash(wrong), None, "{wrong}");
        }
    }
}

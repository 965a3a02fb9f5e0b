//! Where a person is signed in, and ending it from afar.
//!
//! A session belongs to a person, not to a workspace: no member sees or ends another's. The platform's operator ends them by a
//! command ([`crate::operator`]). An ended one is nobody's with the next request, and its live connections end within seconds.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::AppError;
use clarity_domain::ids::SessionId;
use clarity_domain::view::session::OpenSessions;
use clarity_runtime::clock::now_us;
use clarity_store::audit::Object;
use clarity_store::auth::session;

use crate::Services;
use crate::audit as log;
use crate::error::fault;
use crate::second_factor::recent;
use crate::visitor::{Client, Visitor};

impl Services {
    /// The visitor's sessions that have not ended, this one first.
    ///
    /// # Errors
    /// `Unauthenticated`.
    pub async fn open_sessions(&self, visitor: &Visitor) -> Result<OpenSessions, AppError> {
        let member = visitor.member().ok_or_else(AppError::unauthenticated)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let sessions = session::list_open(&mut tx, member.session.user.id, &member.token).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let email = self.own_email(member).await?;
        Ok(OpenSessions { as_of: now_us(), second_factor: member.proof.second_factor, email, sessions })
    }

    /// Ends one of the visitor's sessions. One that has ended, is not there or is somebody else's: nothing happens, and
    /// nothing is told.
    ///
    /// # Errors
    /// `Unauthenticated`; `ConfirmNeeded`.
    pub async fn end_session(&self, visitor: &Visitor, id: SessionId, client: &Client) -> Result<(), AppError> {
        let member = visitor.member().ok_or_else(AppError::unauthenticated)?;
        // Whoever sits down at a session left open does not throw its person out everywhere else.
        recent(&member.proof)?;
        let user = &member.session.user;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let Some(device) = session::revoke_of(&mut tx, user.id, &member.token, id).await.map_err(fault)? else {
            return Ok(());
        };
        // The session first: whoever wants it to be over has it over, whatever happens to the rest.
        tx.commit().await.map_err(fault)?;
        let id = id.to_string();
        let object = Object { kind: "session", id: &id, name: &device };
        self.record_everywhere(&member.seats, &log::person(user), Act::EndSession, object, Outcome::Done, client).await
    }

    /// Ends all of the visitor's sessions but this one.
    ///
    /// # Errors
    /// `Unauthenticated`; `ConfirmNeeded`.
    pub async fn end_other_sessions(&self, visitor: &Visitor, client: &Client) -> Result<(), AppError> {
        let member = visitor.member().ok_or_else(AppError::unauthenticated)?;
        recent(&member.proof)?;
        let user = &member.session.user;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let ended = session::revoke_others(&mut tx, user.id, &member.token).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        if ended == 0 {
            return Ok(());
        }
        let name = format!("{ended} ended");
        let object = Object { kind: "session", id: "", name: &name };
        self.record_everywhere(&member.seats, &log::person(user), Act::EndOtherSessions, object, Outcome::Done, client)
            .await
    }
}

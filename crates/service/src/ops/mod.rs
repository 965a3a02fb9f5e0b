//! Our own people: accounts, sessions and doors of their own, which have nothing to do with anybody's in a workspace.
//!
//! They are in only with a password and a code of their app, both always. What they see without being let in is which workspaces
//! there are, and what all of them did at these doors. What an owner lets them see, they see as their own role of the database,
//! which shows nothing without a live grant, and only after the read was written into the workspace's audit log.

mod ask;
mod enrol;
mod events;
mod look;
mod sign_in;

use clarity_domain::error::AppError;
use clarity_domain::view::support::{OpsPerson, OpsWorkspaceRow};
use clarity_store::auth::ops_session::{self, LiveOps};
use clarity_store::auth::session::TokenHash;
use clarity_store::{OpsScope, OpsStore};

use crate::Services;
use crate::error::fault;
use crate::visitor::{Client, token_hash};

pub use enrol::EnrolOps;
pub use sign_in::{OpsSignIn, OpsSignedIn};

/// One of our own people, for one request.
#[derive(Clone, Debug)]
pub struct OpsSeat {
    who: LiveOps,
    token: TokenHash,
    client: Client,
}

impl OpsSeat {
    /// Who it is, for the pages.
    pub fn person(&self) -> OpsPerson {
        OpsPerson { name: self.who.name.clone(), email: self.who.email.clone() }
    }
}

impl Services {
    /// The pool of our own people.
    ///
    /// # Errors
    /// `NotFound` where they have no doors.
    fn ops_store(&self) -> Result<&OpsStore, AppError> {
        self.ops.as_ref().ok_or_else(|| AppError::not_found("page"))
    }

    /// Whether there are doors for our own people.
    ///
    /// # Errors
    /// `NotFound` where there are none.
    pub fn ops_doors(&self) -> Result<(), AppError> {
        self.ops_store()?;
        Ok(())
    }

    /// Whose session the token of a cookie is.
    ///
    /// # Errors
    /// `NotFound` where our own people have no doors; `Unauthenticated` for an unknown, ended or malformed token.
    pub async fn enter_ops(&self, token: Option<&str>, client: &Client) -> Result<OpsSeat, AppError> {
        self.ops_doors()?;
        let token = token.and_then(token_hash).ok_or_else(AppError::unauthenticated)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let who = ops_session::find_live(&mut tx, &token).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let who = who.ok_or_else(AppError::unauthenticated)?;
        Ok(OpsSeat { who, token, client: client.clone() })
    }

    /// The workspace of this slug, to ask and to look.
    async fn ops_scope(&self, seat: &OpsSeat, slug: &str) -> Result<(OpsScope, OpsWorkspaceRow), AppError> {
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let found = ops_session::resolve(&mut tx, &seat.token, slug).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        found.ok_or_else(|| AppError::not_found("workspace"))
    }
}

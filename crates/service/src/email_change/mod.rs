//! Another e-mail address for somebody who has an account: asked for by who has just shown that it is them, made by the
//! link in the letter to the new address, in their own session, and stopped by the one in the letter to the old.
//!
//! Whether an account has the new address is told to whoever reads its mail, and to nobody else: answer, page and the letter to
//! the old address are the same. That the address is free is looked at when the change is made. Single sign-on knows people by
//! issuer and subject, so nothing of this changes who comes by it.

mod ask;
mod confirm;
mod stop;

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::AppError;
use clarity_domain::time::{HOUR, Micros};
use clarity_domain::view::session::{OwnEmail, UserCard, WaitingEmail};
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::email_change as store;
use clarity_store::auth::workspace::SeatRow;
use serde_json::Value;

use crate::Services;
use crate::audit as log;
use crate::error::fault;
use crate::second_factor::just_now;
use crate::visitor::{Client, Member};

/// How long both links can be used.
const LINK_LIFE: Micros = HOUR;

/// What the log says of a change.
struct Noted {
    act: Act,
    before: Option<Value>,
    after: Option<Value>,
    outcome: Outcome,
}

impl Services {
    /// The address of the visitor, and the one that waits to become it.
    pub(crate) async fn own_email(&self, member: &Member) -> Result<OwnEmail, AppError> {
        let user = &member.session.user;
        let by_sso = member.by_sso_of.is_some();
        let mut waiting = None;
        // Whom a workspace's provider vouches for learns nothing of what is on its way to the whole account.
        if !by_sso {
            let mut tx = self.auth.begin().await.map_err(fault)?;
            let found = store::find_of(&mut tx, user.id).await.map_err(fault)?;
            tx.commit().await.map_err(fault)?;
            waiting = found.map(|(address, ends_at)| WaitingEmail { address, ends_at });
        }
        let confirmed = just_now(&member.proof).is_ok();
        Ok(OwnEmail { address: user.email.clone(), waiting, by_sso, confirmed })
    }

    /// Writes into the log of each workspace of the person what became of their address.
    async fn note_email(
        &self,
        seats: &[SeatRow],
        user: &UserCard,
        noted: Noted,
        client: &Client,
    ) -> Result<(), AppError> {
        let by = log::person(user);
        let id = user.id.to_string();
        let entry = Entry {
            actor: &by,
            act: noted.act,
            object: Object { kind: "member", id: &id, name: &by.name },
            before: noted.before,
            after: noted.after,
            outcome: noted.outcome,
            address: &client.address,
            request_id: client.request_id,
        };
        self.record_in_each(seats, &entry).await
    }
}

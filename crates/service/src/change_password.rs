//! Another password for somebody who knows theirs. Every other session ends, and the address it belongs to is told.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::AppError;
use clarity_runtime::secret::Secret;
use clarity_store::audit::Object;
use clarity_store::auth::{email_change, session, user, workspace};

use crate::account::still;
use crate::audit as log;
use crate::error::fault;
use crate::mail::Letter;
use crate::visitor::{Client, Visitor};
use crate::{Services, password};

impl Services {
    /// # Errors
    /// `Unauthenticated`; `Invalid` at `current`, which counts like a wrong sign-in, or at `password`; `RateLimited`.
    pub async fn change_password(
        &self,
        visitor: &Visitor,
        current: String,
        new: String,
        client: &Client,
    ) -> Result<(), AppError> {
        self.throttle.take(&client.address)?;
        let member = visitor.whole()?;
        let user = &member.session.user;
        let workspaces: Vec<&str> = member.session.workspaces.iter().map(|card| card.name.as_str()).collect();
        password::check_new_of_member(&new, &user.name, &user.email, &workspaces)?;
        let not_yours = || AppError::invalid("current", "This is not your password.");
        let shown = self.authenticate(&user.email, &Secret::new(current), client).await?.ok_or_else(not_yours)?;
        let hash = self.passwords.hash(&Secret::new(new)).await?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        if shown.user.id != user.id || !still(&mut tx, &shown).await? {
            return Err(not_yours());
        }
        user::set_password(&mut tx, user.id, &hash).await.map_err(fault)?;
        session::revoke_others(&mut tx, user.id, &member.token).await.map_err(fault)?;
        // Whoever knew the old one may have asked for it.
        email_change::forget(&mut tx, user.id).await.map_err(fault)?;
        let reset = format!("{}/reset", self.settings.public_url);
        self.post(&mut tx, &user.email, &Letter::PasswordChanged { reset: &reset }).await?;
        let seats = workspace::list_seats(&mut tx, user.id).await.map_err(fault)?;
        let by = log::person(user);
        self.record_everywhere(&seats, &by, Act::ChangePassword, Object::default(), Outcome::Done, client).await?;
        tx.commit().await.map_err(fault)
    }
}

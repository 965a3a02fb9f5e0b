//! Signing in and out of our own people. Address, password and code come at once, and the answer never says which of them was
//! wrong.

use clarity_domain::error::AppError;
use clarity_domain::ids::{OpsUserId, UserId};
use clarity_domain::names::parse_email;
use clarity_domain::support::OpsAct;
use clarity_domain::time::{HOUR, Micros, SECOND};
use clarity_runtime::clock::now_us;
use clarity_runtime::secret::Secret;
use clarity_store::auth::ops_event;
use clarity_store::auth::ops_user::{self as store, OpsCredentials};
use clarity_store::auth::{ops_session, stranger};

use super::OpsSeat;
use crate::error::fault;
use crate::second_factor::step_of;
use crate::visitor::{Client, new_token};
use crate::{Services, throttle};

/// At the latest; half an hour after the last use it is over as well.
const SESSION_LIFE: Micros = 8 * HOUR;

/// The form. No `Debug`: it holds a password.
#[derive(Clone)]
pub struct OpsSignIn {
    pub email: String,
    pub password: String,
    pub code: String,
}

/// A new session. The token is for the cookie and is kept nowhere else.
#[derive(Clone)]
pub struct OpsSignedIn {
    pub token: String,
    pub max_age_s: i64,
}

impl Services {
    /// # Errors
    /// `NotFound` where our own people have no doors; `Invalid` at the field `password` when the three do not belong together;
    /// `RateLimited`.
    pub async fn ops_sign_in(&self, form: OpsSignIn, client: &Client) -> Result<OpsSignedIn, AppError> {
        self.ops_doors()?;
        self.throttle.take(&client.address)?;
        let email = parse_email(&form.email)?;
        let known = self.note_ops_attempt(&email, client).await?;
        let stored = known.as_ref().map(|known| known.password_hash.clone());
        let right = self.passwords.verify(&Secret::new(form.password), stored).await?;
        let signed_in = match &known {
            Some(known) if right => self.ops_session(known, &form.code, client).await?,
            _ => None,
        };
        if signed_in.is_none() {
            let id = known.as_ref().map(|known| known.id);
            self.note_ops_refusal(id, client).await?;
            if let Some(id) = id {
                tracing::warn!(ops_user = %id, "a sign-in of our own people was refused");
            }
        }
        signed_in.ok_or_else(|| {
            AppError::invalid("password", "This e-mail, password and code do not belong together. Check all three.")
        })
    }

    /// Ends the session at once.
    pub async fn ops_sign_out(&self, seat: &OpsSeat) -> Result<(), AppError> {
        let mut tx = self.auth.begin().await.map_err(fault)?;
        ops_session::revoke(&mut tx, &seat.token).await.map_err(fault)?;
        let note = ops_event::note(&mut tx, Some(seat.who.id), OpsAct::SignOut, true, &seat.client.address);
        note.await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }

    /// A session for whoever shows the app's code as well; `None` for a wrong or used one.
    async fn ops_session(
        &self,
        known: &OpsCredentials,
        code: &str,
        client: &Client,
    ) -> Result<Option<OpsSignedIn>, AppError> {
        let secret = self.settings.secrets.open(UserId(known.id.0), &known.totp_box)?;
        let Some(step) = step_of(&secret, code) else { return Ok(None) };
        let mut tx = self.auth.begin().await.map_err(fault)?;
        if !store::take_step(&mut tx, known.id, step).await.map_err(fault)? {
            return Ok(None);
        }
        let (token, hash) = new_token()?;
        let agent: String = client.user_agent.as_deref().unwrap_or_default().chars().take(300).collect();
        let ends_at = now_us() + SESSION_LIFE;
        ops_session::insert(&mut tx, &hash, known.id, ends_at, &client.address, &agent).await.map_err(fault)?;
        ops_event::note(&mut tx, Some(known.id), OpsAct::SignIn, true, &client.address).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        tracing::info!(ops_user = %known.id, "one of our own people signed in");
        Ok(Some(OpsSignedIn { token, max_age_s: SESSION_LIFE / SECOND }))
    }

    /// Writes down a sign-in that was refused, of somebody of ours or of nobody.
    async fn note_ops_refusal(&self, id: Option<OpsUserId>, client: &Client) -> Result<(), AppError> {
        let mut tx = self.auth.begin().await.map_err(fault)?;
        ops_event::note(&mut tx, id, OpsAct::SignIn, false, &client.address).await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }

    /// Counts the attempt before anything is looked at, so that a hundred at once count as a hundred. An address that is
    /// none of ours is counted by the same statements: see [`Services::note_attempt`].
    async fn note_ops_attempt(&self, email: &str, client: &Client) -> Result<Option<OpsCredentials>, AppError> {
        let now = now_us();
        // Counted apart from the same address at the other door.
        let address = self.settings.secrets.address_hash(&format!("ops {email}"));
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let known = store::find_for_sign_in(&mut tx, email).await.map_err(fault)?;
        let nobody = stranger::find(&mut tx, &address).await.map_err(fault)?;
        let (failures, blocked_until) = known
            .as_ref()
            .map_or((nobody.failed_sign_ins, nobody.blocked_until), |k| (k.failed_sign_ins, k.blocked_until));
        if let Some(until) = blocked_until.filter(|until| *until > now) {
            ops_event::note(&mut tx, known.as_ref().map(|known| known.id), OpsAct::SignIn, false, &client.address)
                .await
                .map_err(fault)?;
            tx.commit().await.map_err(fault)?;
            return Err(throttle::wait(until, now));
        }
        let until = throttle::blocked_until(failures.saturating_add(1), now);
        match &known {
            Some(known) => store::note_failed_sign_in(&mut tx, known.id, until).await,
            None => stranger::note(&mut tx, &address, until).await,
        }
        .map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(known)
    }
}

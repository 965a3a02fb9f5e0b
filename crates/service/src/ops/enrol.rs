//! How somebody becomes one of our own people: an operator's command makes the account and a link, and behind the link a
//! password and a first code of an app are given. Before both, nobody is anybody.

use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::{OpsUserId, UserId};
use clarity_domain::names::parse_email;
use clarity_domain::support::OpsAct;
use clarity_domain::time::{DAY, Micros};
use clarity_domain::view::support::{OpsEnrolment, OpsPerson};
use clarity_runtime::clock::now_us;
use clarity_runtime::secret::{Secret, random_bytes};
use clarity_store::auth::ops_event::note;
use clarity_store::auth::ops_user as store;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::Services;
use crate::error::{broken, fault};
use crate::password::check_new;
use crate::second_factor::{enrolment_for, step_of};
use crate::sign_up::checked_name;
use crate::visitor::{Client, new_token, token_hash};

/// As their app shows it over the code.
const ISSUER: &str = "Clarity Stream support";
const LINK_LIFE: Micros = DAY;
/// As RFC 4226 asks for.
const SECRET_BYTES: usize = 20;

/// The form behind the link. No `Debug`: it holds a password.
#[derive(Clone)]
pub struct EnrolOps {
    pub token: String,
    pub password: String,
    /// What their app shows.
    pub code: String,
}

impl Services {
    /// By an operator's command: makes one of our own people, or gives the one of this address a new link. What they had before
    /// (password, app, sessions) is gone. The token is for the link and is kept nowhere else; with when it ends.
    ///
    /// # Errors
    /// `Invalid` for an address or a name that is none.
    pub async fn add_ops_user(&self, email: &str, name: &str) -> Result<(OpsUserId, String, Micros), AppError> {
        let email = parse_email(email)?;
        let name = checked_name("name", "the person", name)?;
        let (token, hash) = new_token()?;
        let ends_at = now_us() + LINK_LIFE;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let new = OpsUserId(Uuid::now_v7());
        let id = store::begin_enrolment(&mut tx, new, &email, &name, &hash, ends_at).await.map_err(fault)?;
        note(&mut tx, Some(id), OpsAct::Add, true, "").await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        tracing::warn!(ops_user = %id, "an account of our own people was made, or made anew");
        Ok((id, token, ends_at))
    }

    /// By an operator's command: this person is nobody with the next request, under a live grant too.
    ///
    /// # Errors
    /// `NotFound` when there is no such person.
    pub async fn disable_ops_user(&self, email: &str) -> Result<(), AppError> {
        let email = parse_email(email)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let Some(id) = store::disable(&mut tx, &email).await.map_err(fault)? else {
            return Err(AppError::new(ErrorCode::NotFound, format!("Nobody of ours has the address {email}.")));
        };
        note(&mut tx, Some(id), OpsAct::Disable, true, "").await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        tracing::warn!("an account of our own people was disabled");
        Ok(())
    }

    /// What the page of a link shows: whose it is, and the secret for their app, the same each time.
    ///
    /// # Errors
    /// `NotFound` for a link that was used, is over or never was.
    pub async fn ops_enrolment(&self, token: &str) -> Result<OpsEnrolment, AppError> {
        self.ops_doors()?;
        let hash = token_hash(token).ok_or_else(over)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let person = store::find_enrolling(&mut tx, &hash).await.map_err(fault)?.ok_or_else(over)?;
        let owner = UserId(person.id.0);
        let secret = match person.totp_box {
            Some(sealed) => self.settings.secrets.open(owner, &sealed)?,
            None => {
                let made = Zeroizing::new(random_bytes::<SECRET_BYTES>().map_err(broken)?.to_vec());
                let sealed = self.settings.secrets.seal(owner, &made)?;
                store::keep_secret(&mut tx, person.id, &sealed).await.map_err(fault)?;
                made
            }
        };
        tx.commit().await.map_err(fault)?;
        let app = enrolment_for(ISSUER, &person.email, &secret)?;
        Ok(OpsEnrolment { person: OpsPerson { name: person.name, email: person.email }, app })
    }

    /// Takes password and first code. The person signs in with both from then on.
    ///
    /// # Errors
    /// `NotFound` for a link that is over; `Invalid` at `password` or `code`; `RateLimited`.
    pub async fn enrol_ops(&self, form: EnrolOps, client: &Client) -> Result<(), AppError> {
        self.ops_doors()?;
        self.throttle.take(&client.address)?;
        let hash = token_hash(&form.token).ok_or_else(over)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let person = store::find_enrolling(&mut tx, &hash).await.map_err(fault)?.ok_or_else(over)?;
        check_new(&form.password, &person.name, &person.email)?;
        let sealed = person.totp_box.ok_or_else(over)?;
        let secret = self.settings.secrets.open(UserId(person.id.0), &sealed)?;
        let Some(step) = step_of(&secret, &form.code) else {
            note(&mut tx, Some(person.id), OpsAct::Enrol, false, &client.address).await.map_err(fault)?;
            tx.commit().await.map_err(fault)?;
            return Err(AppError::invalid("code", "This code is not right. Wait for the app's next one and try that."));
        };
        let password = self.passwords.hash(&Secret::new(form.password)).await?;
        store::finish_enrolment(&mut tx, person.id, &password, step).await.map_err(fault)?;
        note(&mut tx, Some(person.id), OpsAct::Enrol, true, &client.address).await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }
}

/// Whatever ended it, the answer is the same.
fn over() -> AppError {
    AppError::new(ErrorCode::NotFound, "This link is over or was used already. Ask for a new one.")
}

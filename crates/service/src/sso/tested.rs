//! An owner's test: a real way to the provider and back, which signs nobody in. What it found is shown on the page.
//!
//! It passes when the owner comes back as themselves, under the address of their account. They are signed in to that account and
//! have just shown it, so the provider's subject is linked to it: whoever sets single sign-on up is the first who can use it.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::AppError;
use clarity_domain::ids::UserId;
use clarity_domain::names::parse_email;
use clarity_domain::role::Permission;
use clarity_domain::view::session::UserCard;
use clarity_domain::view::sso::SsoFound;
use clarity_runtime::clock::now_us;
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::sso::attempt::AttemptRow;
use clarity_store::auth::sso::connection::{self, ConnectionRow};
use clarity_store::auth::sso::identity::{self, SubjectKey};
use clarity_store::auth::{member, user};
use serde_json::json;

use super::provider::Named;
use super::trouble::Trouble;
use super::{hold, over};
use crate::audit as log;
use crate::error::fault;
use crate::{Client, Services};

impl Services {
    /// Keeps what the test found.
    pub(super) async fn finish_test(
        &self,
        connection: &ConnectionRow,
        attempt: &AttemptRow,
        named: Result<Named, Trouble>,
        client: &Client,
    ) -> Result<(), AppError> {
        let tester = attempt.user.ok_or_else(over)?;
        let named = match named {
            Ok(named) => named,
            Err(trouble) => return self.note_failed_test(connection, tester, &trouble, client).await,
        };
        let email = named.email.as_deref().and_then(|email| parse_email(email).ok());
        let domain_verified = match email.as_deref().and_then(|email| email.split_once('@')) {
            Some((_, of_email)) => self.is_own_domain(connection, of_email).await?,
            None => false,
        };
        let mut tx = self.auth.begin_in(&connection.scope).await.map_err(fault)?;
        hold(&mut tx, connection).await?;
        // What was begun by an owner counts for one.
        let place = member::find(&mut tx, &connection.scope, tester).await.map_err(fault)?;
        if !place.is_some_and(|place| place.role.may(Permission::OwnWorkspace)) {
            return Err(over());
        }
        let owner = user::lock(&mut tx, tester).await.map_err(fault)?.ok_or_else(over)?.user;
        let own = email.as_deref() == Some(owner.email.as_str());
        let found = SsoFound {
            at: now_us(),
            issuer: connection.issuer.clone(),
            subject: named.subject.clone(),
            email,
            email_verified: named.email_verified,
            domain_verified,
            own,
            failed: None,
        };
        connection::note_test(&mut tx, &connection.scope, &found, own).await.map_err(fault)?;
        if own {
            let key = SubjectKey { scope: &connection.scope, issuer: &connection.issuer, subject: &named.subject };
            // A subject that is somebody already stays who it is.
            identity::link(&mut tx, key, owner.id).await.map_err(fault)?;
        }
        let after = json!({ "subject": found.subject, "email": found.email, "own": own });
        self.record_test(connection, &owner, Outcome::Done, after, client).await?;
        tx.commit().await.map_err(fault)
    }

    /// Keeps why the test failed.
    pub(super) async fn note_failed_test(
        &self,
        connection: &ConnectionRow,
        tester: UserId,
        trouble: &Trouble,
        client: &Client,
    ) -> Result<(), AppError> {
        let mut tx = self.auth.begin_in(&connection.scope).await.map_err(fault)?;
        hold(&mut tx, connection).await?;
        let owner = user::lock(&mut tx, tester).await.map_err(fault)?.ok_or_else(over)?.user;
        let found = SsoFound {
            at: now_us(),
            issuer: connection.issuer.clone(),
            subject: String::new(),
            email: None,
            email_verified: false,
            domain_verified: false,
            own: false,
            failed: Some(trouble.words.clone()),
        };
        connection::note_test(&mut tx, &connection.scope, &found, false).await.map_err(fault)?;
        let after = json!({ "reason": trouble.kind });
        self.record_test(connection, &owner, Outcome::Refused, after, client).await?;
        tx.commit().await.map_err(fault)
    }

    async fn record_test(
        &self,
        connection: &ConnectionRow,
        owner: &UserCard,
        outcome: Outcome,
        after: serde_json::Value,
        client: &Client,
    ) -> Result<(), AppError> {
        let (actor, id) = (log::person(owner), connection.id.to_string());
        let entry = Entry {
            actor: &actor,
            act: Act::TestSso,
            object: Object { kind: "sso", id: &id, name: &connection.issuer },
            before: None,
            after: Some(after),
            outcome,
            address: &client.address,
            request_id: client.request_id,
        };
        self.record_in(&connection.scope, &entry).await
    }
}

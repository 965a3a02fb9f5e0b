//! A place in the workspace for whoever the provider brings, while there is one, and a session that is the workspace's only.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::time::{Micros, SECOND};
use clarity_domain::view::session::{Session, UserCard};
use clarity_runtime::clock::now_us;
use clarity_store::AuthTx;
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::session::{NewSession, SsoSession};
use clarity_store::auth::sso::connection::ConnectionRow;
use clarity_store::auth::sso::identity::{self, SubjectKey};
use clarity_store::auth::workspace::SeatRow;
use clarity_store::auth::{member, session, workspace};
use serde_json::json;

use crate::account::{SESSION_LIFE, no_entry};
use crate::audit as log;
use crate::error::fault;
use crate::visitor::new_token;
use crate::{Client, Services, SignedIn};

impl Services {
    /// A place in the workspace with its default role, for whoever has none, written down. The caller holds the workspace, and
    /// gives all of it up when this fails: `LimitExceeded` when the plan has no seat left.
    pub(super) async fn join_workspace(
        &self,
        tx: &mut AuthTx,
        connection: &ConnectionRow,
        user: &UserCard,
        is_new: bool,
        client: &Client,
    ) -> Result<(), AppError> {
        if !identity::join(tx, &connection.scope, user.id, connection.default_role).await.map_err(fault)? {
            return Ok(());
        }
        let members = member::count(tx, &connection.scope).await.map_err(fault)?;
        self.permit_join(&connection.scope, members).await?;
        let (actor, id, name) = (log::person(user), user.id.to_string(), log::shown(user));
        let entry = Entry {
            actor: &actor,
            act: Act::JoinBySso,
            object: Object { kind: "member", id: &id, name: &name },
            before: None,
            after: Some(json!({ "role": connection.default_role.as_str(), "new_account": is_new })),
            outcome: Outcome::Done,
            address: &client.address,
            request_id: client.request_id,
        };
        self.record_in(&connection.scope, &entry).await
    }

    /// Somebody who cannot join: that there was no seat for them is written down.
    pub(super) async fn note_full(
        &self,
        connection: &ConnectionRow,
        user: &UserCard,
        error: AppError,
        client: &Client,
    ) -> Result<AppError, AppError> {
        if error.code == ErrorCode::LimitExceeded {
            self.note_sso_refused(connection, Some(&user.email), "no_seat", client).await?;
        }
        Ok(error)
    }

    /// A session that is this workspace's only. The caller commits: nobody is in whose sign-in is not written down.
    pub(super) async fn enter_by_sso(
        &self,
        tx: &mut AuthTx,
        connection: &ConnectionRow,
        key: SubjectKey<'_>,
        user: UserCard,
        confirmed_at: Option<Micros>,
        client: &Client,
    ) -> Result<SignedIn, AppError> {
        identity::note_use(tx, key).await.map_err(fault)?;
        let (token, hash) = new_token()?;
        let agent: String = client.user_agent.as_deref().unwrap_or_default().chars().take(300).collect();
        let new = NewSession {
            user: user.id,
            expires_at: now_us() + SESSION_LIFE,
            address: &client.address,
            user_agent: &agent,
            second_factor: false,
            sso: Some(SsoSession { scope: &connection.scope, confirmed_at }),
        };
        session::insert(tx, &hash, &new).await.map_err(no_entry)?;
        let seats = workspace::list_seats(tx, user.id).await.map_err(fault)?;
        let own = |seat: &SeatRow| seat.card.id == connection.workspace();
        let seat = seats.into_iter().find(own).ok_or_else(AppError::internal)?;
        let actor = log::person(&user);
        let entry = Entry {
            actor: &actor,
            act: Act::SignIn,
            object: Object::default(),
            before: None,
            after: Some(json!({ "by": "single sign-on" })),
            outcome: Outcome::Done,
            address: &client.address,
            request_id: client.request_id,
        };
        self.record_in(&seat.scope, &entry).await?;
        let session = Session { user, workspaces: vec![seat.card] };
        Ok(SignedIn { token, max_age_s: SESSION_LIFE / SECOND, session })
    }
}

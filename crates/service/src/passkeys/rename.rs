//! Calling a passkey something else: a device changes hands or gets a case, and two of one kind have to be told apart. It opens
//! nothing, so it asks for no confirmation.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::AppError;
use clarity_domain::ids::PasskeyId;
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::{passkey as store, workspace};
use serde_json::json;

use super::add::parse_name;
use crate::Services;
use crate::audit as log;
use crate::error::fault;
use crate::visitor::{Client, Visitor};

impl Services {
    /// Calls one of the person's passkeys `name`. What it is called already is no change, and is not written down.
    ///
    /// # Errors
    /// `Unauthenticated`; `Invalid` at the field `name`; `NotFound`, also of somebody else's.
    pub async fn rename_passkey(
        &self,
        visitor: &Visitor,
        id: PasskeyId,
        name: &str,
        client: &Client,
    ) -> Result<(), AppError> {
        let member = visitor.whole()?;
        let user = &member.session.user;
        let name = parse_name(name)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let before = store::rename(&mut tx, user.id, id, &name).await.map_err(fault)?;
        let before = before.ok_or_else(|| AppError::not_found("passkey"))?;
        if before != name {
            let seats = workspace::list_seats(&mut tx, user.id).await.map_err(fault)?;
            let (id, actor) = (id.to_string(), log::person(user));
            let entry = Entry {
                actor: &actor,
                act: Act::RenamePasskey,
                object: Object { kind: "passkey", id: &id, name: &name },
                before: Some(json!({ "name": before })),
                after: Some(json!({ "name": name })),
                outcome: Outcome::Done,
                address: &client.address,
                request_id: client.request_id,
            };
            self.record_in_each(&seats, &entry).await?;
        }
        tx.commit().await.map_err(fault)
    }
}

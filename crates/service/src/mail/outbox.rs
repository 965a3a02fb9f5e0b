//! The letters that a server without a mail server keeps. Whoever reaches such a server may read them, with their links:
//! it is for one machine, see the server's start.

use clarity_domain::error::AppError;
use clarity_domain::ids::MailId;
use clarity_domain::view::outbox::Outbox;
use clarity_store::auth::mail as store;

use super::KEPT;
use crate::Services;
use crate::error::fault;

impl Services {
    /// The newest letters, and the text of one of them.
    ///
    /// # Errors
    /// `NotFound` where letters are sent.
    pub async fn outbox(&self, open: Option<MailId>) -> Result<Outbox, AppError> {
        if !self.settings.mail.keeps_letters() {
            return Err(AppError::not_found("page"));
        }
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let letters = store::list_newest(&mut tx, KEPT).await.map_err(fault)?;
        let open = match open {
            Some(id) => store::find(&mut tx, id).await.map_err(fault)?,
            None => None,
        };
        tx.commit().await.map_err(fault)?;
        Ok(Outbox { letters, open })
    }
}

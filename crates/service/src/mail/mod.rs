//! Letters to people: written in the transaction of what they tell of, sent once that is committed.
//!
//! [`Services::post`] writes a letter down; [`Services::deliver_mail`] hands what is due to the mail server. Words, links
//! and addresses stand in the letter and in no log.

mod deliver;
mod kinds;
mod outbox;
mod render;
mod settings;
mod words;

use clarity_domain::error::AppError;
use clarity_domain::ids::MailId;
use clarity_domain::plan::{Limit, Standing};
use clarity_domain::role::Role;
use clarity_store::auth::mail::{self as store, NewMail};
use clarity_store::{AuthTx, StoreError};
use uuid::Uuid;

use crate::Services;
use crate::error::fault;

pub use kinds::LETTER_KINDS;
pub use settings::{MailSettings, MailSettingsError};

/// Letters that a server without a mail server keeps.
const KEPT: i64 = 100;

/// What is written to whom. A link is whole, from our own address on. No `Debug`: links let their bearer in.
pub(crate) enum Letter<'a> {
    /// 24 h. Asked for an account.
    ConfirmSignUp {
        link: &'a str,
    },
    /// Somebody tried to sign up with an address that has an account.
    AccountExists {
        sign_in: &'a str,
        reset: &'a str,
    },
    /// 30 min.
    ResetPassword {
        link: &'a str,
    },
    PasswordChanged {
        reset: &'a str,
    },
    /// 72 h.
    Invitation {
        workspace: &'a str,
        inviter: &'a str,
        role: Role,
        link: &'a str,
        /// One was sent before, whose link is dead.
        again: bool,
    },
    /// A member is offered to become an owner. The link is the members page.
    OwnershipOffer {
        workspace: &'a str,
        by: &'a str,
        link: &'a str,
    },
    SecondFactorAdded {
        reset: &'a str,
    },
    SecondFactorRemoved {
        reset: &'a str,
    },
    SecondFactorReset {
        reset: &'a str,
    },
    PasskeyAdded {
        name: &'a str,
        reset: &'a str,
    },
    PasskeyRemoved {
        name: &'a str,
        reset: &'a str,
    },
    /// An owner came in by password though the workspace asks for single sign-on. The link is the audit log.
    BreakGlass {
        workspace: &'a str,
        who: &'a str,
        page: &'a str,
    },
    /// 1 h. To an address that an account is to have.
    ConfirmEmail {
        link: &'a str,
    },
    /// Somebody wanted for their account an address that has one.
    EmailWanted {
        sign_in: &'a str,
        reset: &'a str,
    },
    /// 1 h. To the address that an account has: another one was asked for. The link stops it.
    EmailChangeAsked {
        email: &'a str,
        link: &'a str,
    },
    /// To the address that an account had.
    EmailChanged {
        email: &'a str,
        sign_in: &'a str,
    },
    /// How many are left. The link is the page that makes new ones.
    RecoveryCodeUsed {
        left: u32,
        page: &'a str,
    },
    /// `due` is the end, in words. The link is the page that takes it back.
    DeletionRequested {
        workspace: &'a str,
        by: &'a str,
        due: &'a str,
        link: &'a str,
    },
    DeletionCancelled {
        workspace: &'a str,
        by: &'a str,
        link: &'a str,
    },
    /// The link is the certificate.
    WorkspaceDeleted {
        workspace: &'a str,
        link: &'a str,
    },
    /// To owners. How much of a limit of the month is used.
    PlanNotice {
        workspace: &'a str,
        limit: Limit,
        standing: Standing,
    },
    /// One of our own people asks an owner for access. The link is the page where it is decided.
    SupportRequest {
        workspace: &'a str,
        by: &'a str,
        reason: &'a str,
        minutes: u32,
        link: &'a str,
    },
}

impl Services {
    /// Writes a letter down: it is sent if and only if `tx` is committed.
    pub(crate) async fn post(&self, tx: &mut AuthTx, to: &str, letter: &Letter<'_>) -> Result<(), AppError> {
        let kept = self.settings.mail.keeps_letters();
        write(tx, to, letter, kept).await.map_err(fault)?;
        if kept {
            store::keep_newest(tx, KEPT).await.map_err(fault)?;
        }
        self.posted.notify_one();
        Ok(())
    }
}

/// Writes a letter down as it will be sent; the workers do so too, whose letters a server finds by itself.
pub(crate) async fn write(tx: &mut AuthTx, to: &str, letter: &Letter<'_>, kept: bool) -> Result<(), StoreError> {
    let words = words::of(letter);
    let (text, html) = (render::text(&words), render::html(&words));
    let id = MailId(Uuid::now_v7());
    let new = NewMail { id, kind: letter.kind(), to, subject: &words.subject, text: &text, html: &html, kept };
    store::insert(tx, &new).await
}

//! The names of all kinds of letters, in one list: a kind that is not in it does not compile, and one without a row in the
//! proof of isolation (`server/tests/it/doors/letters`) fails there.

use super::Letter;

macro_rules! kinds {
    ($($letter:ident => $name:literal,)*) => {
        /// The kind of every letter there is.
        pub const LETTER_KINDS: &[&str] = &[$($name),*];

        impl Letter<'_> {
            /// Its name, for support and the log.
            pub(super) fn kind(&self) -> &'static str {
                match self {
                    $(Self::$letter { .. } => $name,)*
                }
            }
        }
    };
}

kinds! {
    ConfirmSignUp => "confirm_sign_up",
    AccountExists => "account_exists",
    ResetPassword => "reset_password",
    PasswordChanged => "password_changed",
    Invitation => "invitation",
    OwnershipOffer => "ownership_offer",
    SecondFactorAdded => "second_factor_added",
    SecondFactorRemoved => "second_factor_removed",
    SecondFactorReset => "second_factor_reset",
    PasskeyAdded => "passkey_added",
    PasskeyRemoved => "passkey_removed",
    ConfirmEmail => "confirm_email",
    EmailWanted => "email_wanted",
    EmailChangeAsked => "email_change_asked",
    EmailChanged => "email_changed",
    RecoveryCodeUsed => "recovery_code_used",
    DeletionRequested => "deletion_requested",
    DeletionCancelled => "deletion_cancelled",
    WorkspaceDeleted => "workspace_deleted",
    PlanNotice => "plan_notice",
    SupportRequest => "support_request",
    BreakGlass => "break_glass",
}

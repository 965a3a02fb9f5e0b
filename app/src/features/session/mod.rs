//! Signing up, in and out, and a password that was forgotten.

pub mod api;
mod code;
mod confirm;
mod new_workspace;
mod reset;
mod sign_in;
mod sign_out;
mod sign_up;

pub use code::CodeForm;
pub use confirm::ConfirmForm;
pub use new_workspace::NewWorkspaceForm;
pub use reset::{AskResetForm, ResetForm};
pub use sign_in::SignInForm;
pub use sign_out::SignOutButton;
pub use sign_up::SignUpForm;

//! Signing up, in and out.

pub mod api;
mod sign_in;
mod sign_out;
mod sign_up;

pub use sign_in::SignInForm;
pub use sign_out::SignOutButton;
pub use sign_up::SignUpForm;

//! The platform's own people: their sign-in, the workspaces there are, asking an owner, and what one lets them see.

pub mod api;
mod ask;
mod enrol;
mod frame;
mod look;
mod sign_in;
mod workspace;
mod workspaces;

pub use enrol::EnrolForm;
pub use frame::OpsFrame;
pub use sign_in::SignInForm;
pub use workspace::{Forms, WorkspaceContent};
pub use workspaces::WorkspacesContent;

//! The platform's own people: their sign-in, the workspaces there are, asking an owner, what one lets them see, and
//! what they all did at these doors.

pub mod api;
mod ask;
mod enrol;
mod events;
mod frame;
mod look;
mod sign_in;
mod workspace;
mod workspaces;

pub use enrol::EnrolForm;
pub use events::EventsContent;
pub use frame::OpsFrame;
pub use sign_in::SignInForm;
pub use workspace::{Forms, WorkspaceContent};
pub use workspaces::WorkspacesContent;

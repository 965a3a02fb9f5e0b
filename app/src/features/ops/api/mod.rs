//! Server functions of the platform's own people. None of them looks at a member's session.

mod ask;
mod current;
mod enrol;
mod events;
mod find_enrolment;
mod list;
mod look;
mod read;
mod sign_in;
mod sign_out;

pub use ask::{AskSupport, ask_support};
pub use current::current;
pub use enrol::{EnrolOps, enrol_ops};
pub use events::events;
pub use find_enrolment::find_enrolment;
pub use list::list;
pub use look::look;
pub use read::read;
pub use sign_in::{OpsSignIn, ops_sign_in};
pub use sign_out::{OpsSignOut, ops_sign_out};

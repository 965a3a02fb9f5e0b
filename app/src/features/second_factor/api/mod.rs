//! Server functions of a person's second factor. They need no workspace: the cookie says whose it is.

mod begin;
mod enrol;
mod kept;
mod new_codes;
mod read;
mod remove;

pub use begin::{Begin, begin};
pub use enrol::{Enrol, enrol};
pub use kept::{Kept, kept};
pub use new_codes::{NewCodes, new_codes};
pub use read::read;
pub use remove::{Remove, remove};

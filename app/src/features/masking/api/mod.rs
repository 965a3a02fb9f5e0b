//! Server functions of the masking page, one an act.

mod add;
mod read;
mod remove;

pub use add::{Add, add};
pub use read::read;
pub use remove::{Remove, remove};

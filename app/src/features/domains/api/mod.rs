//! Server functions of the domains, one an act.

mod add;
mod check;
mod read;
mod remove;

pub use add::{Add, add};
pub use check::{Check, check};
pub use read::read;
pub use remove::{Remove, remove};

//! Server functions of the page of API tokens, one an act.

mod add;
mod create;
mod read;
mod remove;
mod revoke;

pub use add::{Add, add};
pub use create::{Create, create};
pub use read::read;
pub use remove::{Remove, remove};
pub use revoke::{Revoke, revoke};

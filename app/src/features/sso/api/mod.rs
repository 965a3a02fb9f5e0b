//! Server functions of single sign-on, one an act. The ways to a provider and back are no server functions: see the server's `sso`.

mod break_glass;
mod find_link;
mod link;
mod read;
mod remove;
mod require;
mod said;
mod set;
mod unlink;

pub use break_glass::{BreakGlass, break_glass};
pub use find_link::find_link;
pub use link::{Link, link};
pub use read::read;
pub use remove::{Remove, remove};
pub use require::{Require, require};
pub use said::said;
pub use set::{SetSso, set_sso};
pub use unlink::{Unlink, unlink};

//! Server functions of an invitation's link.

mod accept;
mod find;

pub use accept::{Accept, accept};
pub use find::find;

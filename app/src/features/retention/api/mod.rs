//! Server functions of the retention page, one an act.

mod hold;
mod lift;
mod read;
mod set;

pub use hold::{Hold, hold};
pub use lift::{Lift, lift};
pub use read::read;
pub use set::{SetKeep, set_keep};

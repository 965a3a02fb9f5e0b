//! Server functions of the dead letters.

mod list;
mod replay;

pub use list::list;
pub use replay::{Replay, replay};

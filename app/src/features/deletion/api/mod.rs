//! Server functions of a workspace's end, one an act.

mod certificate;
mod keep;
mod read;
mod request;

pub use certificate::certificate;
pub use keep::{Keep, keep};
pub use read::read;
pub use request::{RequestDeletion, request};

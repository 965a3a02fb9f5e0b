//! Server functions of the sources, and of the agents that read them.

mod get;
mod list;
mod replace_key;
mod revoke_agent;

pub use get::get;
pub use list::list;
pub use replace_key::{ReplaceKey, replace_key};
pub use revoke_agent::{RevokeAgent, revoke_agent};

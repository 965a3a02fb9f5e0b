//! Server functions of the workspace's settings, one an act.

mod add_site;
mod address;
mod place;
mod read;
mod remove_site;
mod rename;
mod set_site;

pub use add_site::{AddSite, add_site};
pub use address::{ChangeAddress, change_address};
pub use place::{MovePlace, move_place};
pub use read::read;
pub use remove_site::{RemoveSite, remove_site};
pub use rename::{Rename, rename};
pub use set_site::{SetSite, set_site};

//! Server functions of the page of the sites, one an act.

mod add;
mod place;
mod read;

pub use add::{AddSite, add_site};
pub use place::{PlaceMachine, place_machine};
pub use read::read;

//! Server functions of the page of the sites, one an act.

mod place;
mod read;

pub use place::{PlaceMachine, place_machine};
pub use read::read;

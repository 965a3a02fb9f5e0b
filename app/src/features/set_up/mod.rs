//! Setting a workspace up, step by step; and what its Overview shows until its first machine is there.

pub mod api;
mod colleagues;
mod content;
mod first_event;
mod model;
mod place;
mod sample;
mod site;
mod source;
mod step;

pub use content::{Forms, SetUpContent};
pub use first_event::{FIRST_EVENT, FirstEvent, FirstEventContent};
pub use place::REGIONS;

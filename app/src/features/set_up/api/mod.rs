//! Server functions of the set-up, one an act.

mod dismiss;
mod invite;
mod place;
mod read;
mod sample;
mod site;
mod skip;

pub use dismiss::{Dismiss, dismiss};
pub use invite::{InviteColleague, invite_colleague};
pub use place::{SetPlace, set_place};
pub use read::read;
pub use sample::{ShowSample, show_sample};
pub use site::{SetSite, set_site};
pub use skip::{Skip, skip};

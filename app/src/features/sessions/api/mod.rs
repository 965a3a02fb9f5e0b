//! Server functions of a person's sessions. They need no workspace: the cookie says whose they are.

mod end;
mod end_others;
mod list;

pub use end::{End, end};
pub use end_others::{EndOthers, end_others};
pub use list::list;

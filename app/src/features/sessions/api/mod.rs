//! Server functions of a person's sessions. They need no workspace: the cookie says whose they are.

mod change_password;
mod end;
mod end_others;
mod list;

pub use change_password::{ChangePassword, change_password};
pub use end::{End, end};
pub use end_others::{EndOthers, end_others};
pub use list::list;

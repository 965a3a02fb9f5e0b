//! Server functions of support access, one an act.

mod approve;
mod end;
mod read;
mod refuse;

pub use approve::{ApproveSupport, approve_support};
pub use end::{EndSupport, end_support};
pub use read::read;
pub use refuse::{RefuseSupport, refuse_support};

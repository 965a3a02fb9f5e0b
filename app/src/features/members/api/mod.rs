//! Server functions of the members page, one an act.

mod accept_ownership;
mod change_role;
mod invite;
mod leave;
mod limit;
mod offer;
mod read;
mod remove;
mod require_second_factor;
mod resend;
mod revoke;
mod withdraw;

pub use accept_ownership::{AcceptOwnership, accept_ownership};
pub use change_role::{ChangeRole, change_role};
pub use invite::{Invite, invite};
pub use leave::{Leave, leave};
pub use limit::{Limit, limit};
pub use offer::{Offer, offer};
pub use read::read;
pub use remove::{Remove, remove};
pub use require_second_factor::{RequireSecondFactor, require_second_factor};
pub use resend::{Resend, resend};
pub use revoke::{Revoke, revoke};
pub use withdraw::{Withdraw, withdraw};

//! Server functions of another e-mail address.

mod ask;
mod change;
mod find;
mod find_stop;
mod stop;
mod withdraw;

pub use ask::{Ask, ask};
pub use change::{Change, change};
pub use find::find;
pub use find_stop::find_stop;
pub use stop::{Stop, stop};
pub use withdraw::{Withdraw, withdraw};

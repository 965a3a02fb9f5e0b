//! Server functions of the session.

mod current;
mod frame;
mod sign_in;
mod sign_out;
mod sign_up;

pub use current::current;
pub use frame::frame;
pub use sign_in::{SignIn, sign_in};
pub use sign_out::{SignOut, sign_out};
pub use sign_up::{SignUp, sign_up};

//! Server functions of the session, and of making an account.

mod add_workspace;
mod ask_reset;
mod confirm;
mod confirm_it;
mod current;
mod find_reset;
mod find_sign_up;
mod finish_sign_in;
mod frame;
mod reset;
mod seat;
mod second_step;
mod sign_in;
mod sign_out;
mod sign_up;

pub use add_workspace::{AddWorkspace, add_workspace};
pub use ask_reset::{AskReset, ask_reset};
pub use confirm::{Confirm, confirm};
pub use confirm_it::{ConfirmIt, confirm_it};
pub use current::current;
pub use find_reset::find_reset;
pub use find_sign_up::find_sign_up;
pub use finish_sign_in::{FinishSignIn, finish_sign_in};
pub use frame::frame;
pub use reset::{Reset, reset};
pub use seat::seat;
pub use second_step::second_step;
pub use sign_in::{SignIn, sign_in};
pub use sign_out::{SignOut, sign_out};
pub use sign_up::{SignUp, sign_up};

//! Server functions of passkeys. What is asked of a device comes and goes as the JSON of the Web Authentication standard.

mod add;
mod begin_add;
mod begin_confirm;
mod begin_second_step;
mod begin_sign_in;
mod confirm;
mod remove;
mod rename;
mod second_step;
mod sign_in;

pub use add::add;
pub use begin_add::begin_add;
pub use begin_confirm::begin_confirm;
pub use begin_second_step::begin_second_step;
pub use begin_sign_in::begin_sign_in;
pub use confirm::confirm;
pub use remove::{Remove, remove};
pub use rename::{Rename, rename};
pub use second_step::second_step;
pub use sign_in::sign_in;

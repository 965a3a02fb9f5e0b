//! The web app of Clarity Stream: pages, their features, the ui kit and the server functions that feed them.
//!
//! One crate, two builds: `hydrate` runs in the browser, `ssr` in the server. What a page shows first is rendered by
//! the server and hydrated as it is: nothing that differs between the two (clock, zone, stored theme) is drawn before
//! hydration has ended, see [`ui::time::Clock`].
#![recursion_limit = "256"]

pub mod context;
pub mod error;
pub mod features;
pub mod layout;
pub mod load;
mod once;
pub mod pages;
pub mod paths;
pub mod routes;
#[cfg(feature = "ssr")]
pub mod said;
#[cfg(feature = "ssr")]
pub mod server;
#[cfg(feature = "ssr")]
pub mod shell;
pub mod ui;
pub mod wire;

pub use routes::App;
#[cfg(feature = "ssr")]
pub use shell::shell;

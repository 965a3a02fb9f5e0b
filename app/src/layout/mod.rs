//! The frame around pages: side bar, top bar, phone bar, palette, theme; and the two halves of signing in.

pub mod auth;
pub mod frame;
pub mod nav;
pub mod page;
pub mod palette;
pub mod shortcuts;
pub mod theme;

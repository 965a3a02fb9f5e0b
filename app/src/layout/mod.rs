//! The frame around pages: side bar, top bar, phone bar, palette, theme; the two halves of signing in; and an act's refusal.

pub mod auth;
pub mod frame;
pub mod nav;
pub mod notes;
pub mod overlays;
pub mod page;
pub mod palette;
pub mod refused;
pub mod shortcuts;
pub mod still_in;
pub mod theme;

//! An invitation, as the person sees it who opens its link.

pub mod api;
mod content;

pub use content::InvitationContent;

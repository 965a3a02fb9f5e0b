//! Events that could not be refined, by cause, with their replay.

pub mod api;
mod content;
mod group;

pub use content::DeadLettersContent;

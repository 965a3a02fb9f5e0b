//! Masking: which fields are masked, where and for whom, and the form that masks another.

pub mod api;
mod content;
mod form;
mod model;
mod rows;

pub use content::{Forms, MaskingContent};

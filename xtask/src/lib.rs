//! `cargo xtask …`: builds, runs, tests and measures the product. Imports none of its crates: it starts its programs,
//! as an operator would. One file for each command; what they share is in `stack/`, `process.rs`, `paths.rs` and
//! `stamp.rs`.

pub mod answers;
pub mod asvs;
pub mod bench;
pub mod build;
pub mod classes;
pub mod demo;
pub mod deps;
pub mod dev;
pub mod e2e;
pub mod faults;
pub mod fields;
pub mod given;
pub mod isolation;
pub mod libraries;
pub mod listed;
pub mod paths;
pub mod prepare;
pub mod process;
pub mod quotes;
pub mod reach;
pub mod sbom;
pub mod services;
pub mod setup;
pub mod source_text;
pub mod stack;
pub mod stamp;
pub mod test;
pub mod wasm;

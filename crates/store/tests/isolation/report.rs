//! The figures, printed and written.

use std::path::Path;

use serde::Serialize;

/// The doors are counted by the server's own test; `cargo xtask test isolation` puts both together.
#[derive(Debug, Serialize)]
pub struct Figures {
    pub attempts: usize,
    pub leaks: usize,
    pub differences: usize,
    pub planted: usize,
    pub found: usize,
    /// Of them, without the list of all that is there.
    pub found_without_list: usize,
    pub seconds: f64,
}

impl Figures {
    /// As JSON, into a file when there is one to write.
    pub fn publish(&self, file: Option<&Path>) {
        let text = serde_json::to_string_pretty(self).expect("figures are JSON");
        println!("{text}");
        if let Some(file) = file {
            std::fs::write(file, text + "\n").unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        }
    }
}

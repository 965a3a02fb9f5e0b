//! The figures, printed and written.

use std::path::Path;

use serde::Serialize;

/// `doors` and `doors_without_row` are the HTTP half's, which is another suite's work: 0 here.
#[derive(Debug, Default, Serialize)]
pub struct Figures {
    pub attempts: usize,
    pub leaks: usize,
    pub differences: usize,
    pub planted: usize,
    pub found: usize,
    pub doors: usize,
    pub doors_without_row: usize,
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

//! What a scenario found, and all of them together.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::kills::Kill;

/// What `clarity-ledger check` says; what it says beyond this is kept as it came.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Checked {
    pub events: u64,
    pub rows: u64,
    pub lost: u64,
    pub doubled: u64,
    pub mismatched: u64,
    pub sequences: Sequences,
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub struct Sequences {
    pub segments: u64,
    pub epochs: u64,
    pub markers: u64,
    pub marked: u64,
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}

impl Checked {
    /// Rows of which bronze holds only that they were too large.
    pub fn withheld(&self, table: &str) -> u64 {
        let tables = self.rest.get("tables").and_then(|t| t.as_array());
        let found = tables.into_iter().flatten().find(|t| t["table"] == table);
        found.and_then(|t| t["withheld"].as_u64()).unwrap_or(0)
    }
}

#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    pub scenario: String,
    pub runs: u32,
    /// Runs in which the fault really struck.
    pub bit: u32,
    pub lost: u64,
    pub doubled: u64,
    /// Values that differ, in bronze or in read models.
    pub mismatched: u64,
    pub events: u64,
    pub rows: u64,
    pub epochs: u64,
    pub gap_markers: u64,
    /// Whether `clarity-workers verify` found read models equal to a rebuild.
    pub verified: bool,
    /// Processes that ended when Postgres went, and were started again as a service manager would.
    pub restarted: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kills: Vec<Kill>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub details: serde_json::Map<String, serde_json::Value>,
}

impl Outcome {
    pub fn of(scenario: &str, runs: u32, bit: u32, checked: Checked) -> Self {
        let mut details = checked.rest;
        details.insert("sequences".into(), serde_json::to_value(&checked.sequences).unwrap_or_default());
        Self {
            scenario: scenario.to_owned(),
            runs,
            bit,
            lost: checked.lost,
            doubled: checked.doubled,
            mismatched: checked.mismatched,
            events: checked.events,
            rows: checked.rows,
            epochs: checked.sequences.epochs,
            gap_markers: checked.sequences.markers,
            details,
            ..Self::default()
        }
    }

    pub fn failed(scenario: &str, error: &anyhow::Error) -> Self {
        Self { scenario: scenario.to_owned(), error: Some(format!("{error:#}")), ..Self::default() }
    }

    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Fails the scenario when what it expects beyond the sums is not so.
    pub fn expect(mut self, holds: bool, otherwise: &str) -> Self {
        if !holds && self.error.is_none() {
            self.error = Some(otherwise.to_owned());
        }
        self
    }

    pub fn verify(mut self, verified: Result<Option<u64>>) -> Self {
        match verified {
            Ok(None) => {}
            Ok(Some(differences)) => {
                self.verified = differences == 0;
                self.mismatched += differences;
            }
            Err(error) => {
                let said = format!("verify: {error:#}");
                self.error.get_or_insert(said);
            }
        }
        self
    }

    pub fn passed(&self) -> bool {
        self.error.is_none() && self.lost == 0 && self.doubled == 0 && self.mismatched == 0 && self.bit > 0
    }

    pub fn line(&self) -> String {
        let Self { runs, bit, lost, doubled, mismatched, events, .. } = self;
        let mut line =
            format!("{bit} of {runs} bit; lost {lost}, doubled {doubled}, mismatched {mismatched} of {events} events");
        if let Some(error) = &self.error {
            line += &format!("\n            {error}");
        }
        line
    }
}

#[derive(Debug, Serialize)]
pub struct Summary {
    pub passed: bool,
    pub seed: u64,
    pub reps: u32,
    pub runs: u32,
    pub bit: u32,
    pub lost: u64,
    pub doubled: u64,
    pub mismatched: u64,
    pub events: u64,
    pub scenarios: Vec<Outcome>,
}

impl Summary {
    pub fn of(seed: u64, reps: u32, scenarios: Vec<Outcome>) -> Self {
        Self {
            passed: !scenarios.is_empty() && scenarios.iter().all(Outcome::passed),
            seed,
            reps,
            runs: scenarios.iter().map(|o| o.runs).sum(),
            bit: scenarios.iter().map(|o| o.bit).sum(),
            lost: scenarios.iter().map(|o| o.lost).sum(),
            doubled: scenarios.iter().map(|o| o.doubled).sum(),
            mismatched: scenarios.iter().map(|o| o.mismatched).sum(),
            events: scenarios.iter().map(|o| o.events).sum(),
            scenarios,
        }
    }

    pub fn print(&self) {
        println!();
        println!(
            "  {:<18} {:>5} {:>5} {:>6} {:>8} {:>11} {:>9} {:>7} {:>5}  verified",
            "", "runs", "bit", "lost", "doubled", "mismatched", "events", "epochs", "gaps"
        );
        for o in &self.scenarios {
            let mark = if o.passed() { "" } else { "  FAILED" };
            println!(
                "  {:<18} {:>5} {:>5} {:>6} {:>8} {:>11} {:>9} {:>7} {:>5}  {}{mark}",
                o.scenario,
                o.runs,
                o.bit,
                o.lost,
                o.doubled,
                o.mismatched,
                o.events,
                o.epochs,
                o.gap_markers,
                if o.verified { "yes" } else { "no" }
            );
            for target in targets(&o.kills) {
                println!("    {target}");
            }
            for note in &o.notes {
                println!("    {note}");
            }
            if let Some(error) = &o.error {
                println!("    {error}");
            }
        }
    }
}

/// How often each target was hit.
fn targets(kills: &[Kill]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut names: Vec<&str> = kills.iter().map(|k| k.target.as_str()).collect();
    names.dedup();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let of: Vec<&Kill> = kills.iter().filter(|k| k.target == name).collect();
        let bit = of.iter().filter(|k| k.bit.is_some()).count();
        let slowest = of.iter().map(|k| k.back_ms).max().unwrap_or(0);
        lines.push(format!("{name:<16} {:>5} {bit:>5}   slowest to go on: {slowest} ms", of.len()));
    }
    lines
}

//! What was measured: the table for people, and the JSON with the agreed keys.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Map, Value, json};

/// Every key of the JSON, what it says in the table, its unit and what it has to reach.
const KEYS: [(&str, &str, &str, Option<Goal>); 18] = [
    (
        "backlog_to_bronze_rows_per_s",
        "backlog → durable bronze, refine stopped",
        "rows/s",
        Some(Goal::Least(100_000.0)),
    ),
    ("agent_cpu_s_per_million", "  agent's CPU for a million changes", "s", Some(Goal::Most(8.0))),
    ("agent_peak_rss_mb", "  agent's peak memory", "MB", Some(Goal::Most(100.0))),
    (
        "backlog_to_read_models_rows_per_s",
        "backlog → read models, every role running",
        "rows/s",
        Some(Goal::Least(50_000.0)),
    ),
    (
        "bronze_to_read_models_rows_per_s",
        "bronze → read models, rows of 21 metrics",
        "rows/s",
        Some(Goal::Least(80_000.0)),
    ),
    ("read_model_bytes_per_sample", "  chunks after compaction, a sample", "bytes", Some(Goal::Most(2.0))),
    ("commit_to_durable_p50_ms", "commit → durable, p50", "ms", None),
    ("commit_to_durable_p99_ms", "commit → durable, p99", "ms", Some(Goal::Most(50.0))),
    ("commit_to_browser_p99_ms", "commit → browser, p99", "ms", Some(Goal::Most(300.0))),
    ("first_event_s", "agent's start → first event on the page", "s", Some(Goal::Most(5.0))),
    ("overview_ttfb_p99_ms", "Overview, time to first byte, p99", "ms", Some(Goal::Most(50.0))),
    ("neighbours_ratio", "neighbours of a workspace at 10 × its rate, p95", "times", Some(Goal::Most(2.0))),
    ("rls_ingest_percent", "row-level security, of ingest's transaction", "%", Some(Goal::Most(3.0))),
    ("rls_read_ms", "row-level security, of a read", "ms", Some(Goal::Most(0.1))),
    ("sign_in_timing_t", "sign-in, with an account or without", "|t|", Some(Goal::Most(4.5))),
    ("reset_timing_t", "a new password, with an account or without", "|t|", Some(Goal::Most(4.5))),
    ("wasm_brotli_kb", "Overview's WASM, brotli", "kB", None),
    ("js_brotli_kb", "Overview's JavaScript with charts, brotli", "kB", None),
];

#[derive(Debug, Clone, Copy)]
enum Goal {
    Least(f64),
    Most(f64),
}

impl Goal {
    fn reached(self, value: f64) -> bool {
        match self {
            Self::Least(least) => value >= least,
            Self::Most(most) => value <= most,
        }
    }

    /// The goal, and whether the figure is there.
    fn said(self, value: f64) -> String {
        let (sign, bound) = match self {
            Self::Least(least) => ("≥", least),
            Self::Most(most) => ("≤", most),
        };
        let word = if self.reached(value) { "reached" } else { "missed" };
        format!("{sign} {} {word}", number(bound))
    }
}

/// Filled section by section. A key without a figure was not measured in this run.
#[derive(Debug, Default)]
pub struct Figures {
    /// Key → each run's figure. The median is what counts.
    measured: BTreeMap<&'static str, Vec<f64>>,
    notes: Vec<String>,
    failures: Vec<String>,
}

impl Figures {
    /// One run's figure. `key` is one of [`KEYS`].
    pub fn add(&mut self, key: &'static str, value: f64) {
        debug_assert!(KEYS.iter().any(|(known, ..)| *known == key), "{key} is not a key");
        self.measured.entry(key).or_default().push(value);
    }

    /// A line below the table: what belongs to a figure and has no key.
    pub fn note(&mut self, line: impl Into<String>) {
        let line = line.into();
        eprintln!("          {line}");
        self.notes.push(line);
    }

    pub fn fail(&mut self, section: &str, error: &anyhow::Error) {
        eprintln!("          {section}: {error:#}");
        self.failures.push(format!("{section}: {error:#}"));
    }

    pub fn failed(&self) -> bool {
        !self.failures.is_empty()
    }

    pub fn median(&self, key: &str) -> Option<f64> {
        self.measured.get(key).map(|runs| median(runs))
    }

    /// The agreed keys and nothing else; null is "not measured in this run".
    pub fn json(&self) -> Value {
        let keys = KEYS.iter().map(|(key, ..)| ((*key).to_owned(), json!(self.median(key).map(rounded))));
        Value::Object(keys.collect::<Map<_, _>>())
    }

    pub fn table(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "{:<44} {:>10} {:<7} {:<19} runs", "", "measured", "", "goal");
        for (key, title, unit, goal) in &KEYS {
            let Some(runs) = self.measured.get(key) else { continue };
            let value = median(runs);
            let mark = goal.map_or_else(String::new, |goal| goal.said(value));
            let all = if runs.len() > 1 {
                runs.iter().map(|run| number(*run)).collect::<Vec<_>>().join(" ")
            } else {
                String::new()
            };
            let _ = writeln!(out, "{title:<44} {:>10} {unit:<7} {mark:<19} {all}", number(value));
        }
        let first_load = self.median("wasm_brotli_kb").zip(self.median("js_brotli_kb")).map(|(wasm, js)| wasm + js);
        if let Some(total) = first_load {
            let _ = writeln!(
                out,
                "{:<44} {:>10} {:<7} {}",
                "  WASM and JavaScript in all",
                number(total),
                "kB",
                Goal::Most(450.0).said(total)
            );
        }
        for line in &self.notes {
            let _ = writeln!(out, "{line}");
        }
        for line in &self.failures {
            let _ = writeln!(out, "FAILED {line}");
        }
        out
    }
}

/// As many digits as mean something.
pub fn number(value: f64) -> String {
    if value.abs() >= 1000.0 {
        let digits = format!("{value:.0}");
        let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |rest| ("-", rest));
        let groups: Vec<&str> =
            digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
        return format!("{sign}{}", groups.join(","));
    }
    let text = if value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn rounded(value: f64) -> f64 {
    if value.abs() >= 1000.0 { value.round() } else { (value * 1000.0).round() / 1000.0 }
}

pub fn median(runs: &[f64]) -> f64 {
    let mut sorted = runs.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// Values with weights, for percentiles over what was seen.
#[derive(Debug, Default)]
pub struct Spread(Vec<(f64, u64)>);

impl Spread {
    pub fn add(&mut self, value: f64, weight: u64) {
        self.0.push((value, weight));
    }

    pub fn count(&self) -> u64 {
        self.0.iter().map(|(_, weight)| weight).sum()
    }

    /// The smallest value that at least the share `p` of all weight does not exceed; `None` of nothing.
    pub fn percentile(&mut self, p: f64) -> Option<f64> {
        self.0.sort_by(|a, b| a.0.total_cmp(&b.0));
        let wanted = (p * self.count() as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        self.0.iter().find_map(|(value, weight)| {
            seen += weight;
            (seen >= wanted).then_some(*value)
        })
    }

    /// `p50 4 ms, p99 12 ms, max 30 ms of 6,000`.
    pub fn text(&mut self, unit: &str) -> String {
        let mut at = |p| self.percentile(p).map_or_else(|| "–".to_owned(), number);
        let (p50, p99, max) = (at(0.5), at(0.99), at(1.0));
        format!("p50 {p50} {unit}, p99 {p99} {unit}, max {max} {unit} of {}", number(self.count() as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_weigh_what_was_seen() {
        let mut spread = Spread::default();
        assert_eq!(spread.percentile(0.5), None);
        spread.add(9.0, 1);
        spread.add(1.0, 98);
        spread.add(5.0, 1);
        assert_eq!(spread.percentile(0.5), Some(1.0));
        assert_eq!(spread.percentile(0.99), Some(5.0));
        assert_eq!(spread.percentile(1.0), Some(9.0));
        assert_eq!(spread.text("ms"), "p50 1 ms, p99 5 ms, max 9 ms of 100");
    }

    #[test]
    fn the_json_has_every_key_and_the_median_of_runs() {
        let mut figures = Figures::default();
        for run in [90_000.0, 120_000.0] {
            figures.add("backlog_to_bronze_rows_per_s", run);
        }
        let json = figures.json();
        assert_eq!(json.as_object().map(Map::len), Some(18));
        assert_eq!(json["backlog_to_bronze_rows_per_s"], 105_000.0);
        assert!(json["first_event_s"].is_null());
        assert!(figures.table().contains("105,000"));
    }

    #[test]
    fn each_figure_stands_beside_its_goal() {
        let mut figures = Figures::default();
        figures.add("backlog_to_bronze_rows_per_s", 91_309.0);
        figures.add("agent_cpu_s_per_million", 8.0);
        figures.add("wasm_brotli_kb", 300.0);
        figures.add("js_brotli_kb", 155.0);
        let table = figures.table();
        let line = |title: &str| table.lines().find(|line| line.contains(title)).unwrap_or_default();
        assert!(line("durable bronze").contains("≥ 100,000 missed"), "{table}");
        assert!(line("agent's CPU").contains("≤ 8 reached"), "{table}");
        assert!(line("JavaScript in all").contains("≤ 450 missed"), "{table}");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            [1_234_567.4, 1000.0, 450.4, 12.0, 1.509, 0.0].map(number),
            ["1,234,567", "1,000", "450", "12", "1.51", "0"]
        );
    }
}

//! Sections that measure inside one process what no whole stack can separate: examples of the crates that they measure. Each
//! says what it does on its way, and prints one line of JSON at its end.

use std::{path::Path, process::Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{Context, figures::Figures};
use crate::{paths::Mode, process::cargo, services};

pub fn neighbours(context: &Context, figures: &mut Figures) -> Result<()> {
    let said = run(context, "clarity-workers", "neighbours", &[])?;
    figures.add("neighbours_ratio", number(&said, "ratio")?);
    let (without, with) = (number(&said, "without_ms")?, number(&said, "with_ms")?);
    figures.note(format!("neighbours: p95 {without:.2} ms without the noisy one, {with:.2} ms with it"));
    Ok(())
}

pub fn rls(context: &Context, figures: &mut Figures) -> Result<()> {
    // A cluster of its own: whether it waits for the disk is switched meanwhile.
    let dir = context.paths.root.join(".clarity/bench-policies");
    let said = run(context, "clarity-store", "rls", &[("CLARITY_TEST_DIR", &dir)]);
    services::down_and_remove(&context.paths, Mode::Release, &dir.join("pg"))?;
    let said = said?;
    let (overview, series) = (number(&said, "overview_ms")?, number(&said, "series_ms")?);
    let reads = number(&said, "overview_reads")?;
    let (backlog, unsynced) = (number(&said, "backlog_percent")?, number(&said, "ingest_ms")?);
    figures.add("rls_ingest_percent", number(&said, "ingest_percent")?);
    figures.add("rls_read_ms", (overview / reads).max(series));
    figures.note(format!(
        "row-level security: {overview:+.3} ms on the Overview's {reads} reads together, {series:+.3} ms on a chart's one; of ingest \
         {backlog:+.1} % with a backlog's segments, and {unsynced:+.3} ms of a live one whose commit waits for no disk"
    ));
    Ok(())
}

pub fn sign_in(context: &Context, figures: &mut Figures) -> Result<()> {
    let said = run(context, "clarity-service", "sign_in_timing", &[])?;
    for (key, which, title) in
        [("sign_in_timing_t", "sign_in", "sign-in"), ("reset_timing_t", "reset", "a new password")]
    {
        figures.add(key, number(&said, &format!("{which}_t"))?.abs());
        let (apart, pairs) = (number(&said, &format!("{which}_ms"))?, number(&said, &format!("{which}_pairs"))?);
        figures.note(format!("{title}, known less unknown: {apart:+.4} ms between the medians of {pairs} pairs"));
    }
    Ok(())
}

fn number(said: &Value, key: &str) -> Result<f64> {
    said[key].as_f64().with_context(|| format!("the example did not say {key}: {said}"))
}

fn run(context: &Context, package: &str, example: &str, variables: &[(&str, &Path)]) -> Result<Value> {
    let mut command = cargo(&context.paths.root);
    command.args(["run", "--release", "--quiet", "--package", package, "--example", example]);
    command.envs(variables.iter().copied());
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("start {example}"))?;
    ensure!(output.status.success(), "{example} ended with {}", output.status);
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().rfind(|line| line.starts_with('{')).with_context(|| format!("{example} said nothing"))?;
    Ok(serde_json::from_str(line)?)
}

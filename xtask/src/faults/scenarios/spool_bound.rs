//! Ingest is away until the agent's spool has reached its bound: the agent stops reading and says so, the customer's log
//! keeps the rest, and all of it arrives when ingest is back.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::super::{
    Context,
    bed::{AGENT, Bed, INGEST, cursor},
    outcome::Outcome,
};
use crate::stack::SOURCE;

const LIMIT: u64 = 4 << 20;
/// A record and a file's header may be beyond the bound.
const ALLOWED: u64 = LIMIT + (2 << 20);

pub fn run(context: &Context, name: &str) -> Result<Outcome> {
    let mut bed = Bed::start(context, name, |_| Ok(()))?;
    bed.stack.stop(AGENT)?;
    let file = bed.stack.agent_dir().join("agent.toml");
    let toml = fs::read_to_string(&file)?;
    ensure!(!toml.contains("[spool]"), "agent.toml has a [spool] already");
    fs::write(&file, format!("[spool]\nlimit_bytes = {LIMIT}\nkeep_bytes = 1048576\n\n{toml}"))?;
    bed.stack.restart(AGENT)?;
    let mut session = bed.platform()?;
    let place = cursor(&mut session)?.context("the source is not known")?;
    bed.write()?;
    bed.wait_beyond(place, Duration::from_secs(60))?;

    bed.stack.kill(INGEST)?;
    // `wait` would start it again: it is away on purpose.
    let started = std::time::Instant::now();
    while !says_full(&bed)? {
        bed.context.interrupt.check()?;
        ensure!(
            started.elapsed() < Duration::from_secs(120),
            "the agent did not say within 120 s that its spool is full"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    // Some more is written into a spool that is full.
    std::thread::sleep(Duration::from_secs(2));
    let bytes = size_of(&bed.stack.agent_dir().join("spool").join(SOURCE))?;
    let place = cursor(&mut session)?.context("the source is not known")?;
    bed.stack.restart(INGEST)?;
    bed.wait_beyond(place, Duration::from_secs(60))?;

    let checked = bed.check()?;
    let verified = bed.verify();
    let outcome = Outcome::of(name, 1, 1, checked).verify(verified);
    let outcome = outcome
        .note(format!("the agent stopped reading at {:.1} MB, its bound being {:.1}", mb(bytes), mb(LIMIT)))
        .expect(bytes <= ALLOWED, &format!("the spool grew to {bytes} bytes"))
        .expect(!says_full(&bed)?, "the agent still says that its spool is full");
    bed.remove()?;
    Ok(outcome)
}

/// `clarity-agent status`, as an operator asks. It ends with an error where something needs attention.
fn says_full(bed: &Bed<'_>) -> Result<bool> {
    let output = bed.stack.agent_command(&["status", "--json"]).output().context("start clarity-agent")?;
    let status: Value = serde_json::from_slice(&output.stdout).context("answer of clarity-agent status")?;
    Ok(status.to_string().contains("spool_full"))
}

fn size_of(folder: &Path) -> Result<u64> {
    let sizes = fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len()));
    sizes.sum()
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

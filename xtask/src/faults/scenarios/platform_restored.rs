//! The platform's database is set back to an older copy: the agent finds it behind, and serves again what its spool has
//! kept beyond durable. What the spool no longer had would be marked as lost.

use std::{path::PathBuf, process::Command, time::Duration};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::super::{
    Context,
    bed::{Bed, cursor},
    evidence::kill_postgres,
    outcome::Outcome,
};
use crate::process::capture;

pub fn run(context: &Context, name: &str) -> Result<Outcome> {
    let mut bed = Bed::start(context, name, |_| Ok(()))?;
    bed.write()?;
    let first = cursor(&mut bed.platform()?)?.context("the source is not known")?;
    bed.wait_beyond(first, Duration::from_secs(30))?;

    let data = data_dir(&bed)?;
    let copy = data.with_file_name("data-copy");
    bed.stop_workers()?;
    bed.stack.platform()?.down()?;
    capture(Command::new("cp").arg("-a").arg(&data).arg(&copy))?;
    start_again(&mut bed)?;
    let at_copy = cursor(&mut bed.platform()?)?.context("the source is not known")?;
    let mut grown = at_copy;
    grown.next_seq += 5_000;
    bed.wait_beyond(grown, Duration::from_secs(60))?;

    bed.stop_workers()?;
    let before = cursor(&mut bed.platform()?)?.context("the source is not known")?;
    kill_postgres(bed.stack.platform()?.pid.context("the platform's Postgres has no pid")?)?;
    capture(Command::new("rm").arg("-rf").arg(&data))?;
    capture(Command::new("cp").arg("-a").arg(&copy).arg(&data))?;
    start_again(&mut bed)?;
    let restored = cursor(&mut bed.platform()?)?.context("the source is not known")?;
    bed.wait_beyond(before, Duration::from_secs(60))?;

    let checked = bed.check()?;
    let verified = bed.verify();
    let marked = checked.sequences.marked;
    let outcome = Outcome::of(name, 1, u32::from(restored < before), checked).verify(verified);
    let outcome = outcome
        .note(format!("set back by {} events, all served again", before.next_seq - restored.next_seq))
        .expect(marked == 0, "events were marked as lost that the agent's spool still had");
    bed.remove()?;
    Ok(outcome)
}

fn start_again(bed: &mut Bed<'_>) -> Result<()> {
    bed.stack.restart_platform()?;
    bed.start_workers()
}

fn data_dir(bed: &Bed<'_>) -> Result<PathBuf> {
    let mut status = Command::new(bed.stack.bin("clarity-services"));
    let answer = capture(status.args(["status", "--dir"]).arg(bed.stack.dir().join("platform")))?;
    let answer: Value = serde_json::from_str(&answer).context("answer of clarity-services")?;
    Ok(answer["data_dir"].as_str().context("clarity-services names no data_dir")?.into())
}

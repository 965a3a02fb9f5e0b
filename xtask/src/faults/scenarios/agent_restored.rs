//! The agent's machine is set back to an older copy: its spool is behind what is durable, so a new epoch begins at the
//! last durable position, and nothing is lost or doubled.

use std::{process::Command, time::Duration};

use anyhow::{Context as _, Result};
use rustix::process::Signal;

use super::super::{
    Context,
    bed::{AGENT, Bed, Place, cursor},
    outcome::Outcome,
};
use crate::process::capture;

pub fn run(context: &Context, name: &str) -> Result<Outcome> {
    let mut bed = Bed::start(context, name, |_| Ok(()))?;
    bed.write()?;
    let mut session = bed.platform()?;
    let (dir, copy) = (bed.stack.agent_dir(), bed.dir.join("agent-copy"));
    let first = cursor(&mut session)?.context("the source is not known")?;
    bed.wait_beyond(first, Duration::from_secs(30))?;

    // As a snapshot of a machine is taken: of a running one, at one instant.
    bed.signal(AGENT, Signal::STOP)?;
    let copied = capture(Command::new("cp").arg("-a").arg(&dir).arg(&copy));
    let at_copy = cursor(&mut session)?.context("the source is not known")?;
    bed.signal(AGENT, Signal::CONT)?;
    copied?;
    let mut grown = at_copy;
    grown.next_seq += 3_000;
    bed.wait_beyond(grown, Duration::from_secs(60))?;

    bed.stack.kill(AGENT)?;
    capture(Command::new("rm").arg("-rf").arg(&dir))?;
    capture(Command::new("cp").arg("-a").arg(&copy).arg(&dir))?;
    let before = cursor(&mut session)?.context("the source is not known")?;
    bed.stack.restart(AGENT)?;
    // What the killed agent had sent may still arrive, in the old epoch.
    bed.wait_beyond(Place { epoch: before.epoch + 1, next_seq: 0 }, Duration::from_secs(60))?;
    let after = cursor(&mut session)?.context("the source is not known")?;
    let mut further = after;
    further.next_seq += 2_000;
    bed.wait_beyond(further, Duration::from_secs(60))?;

    let checked = bed.check()?;
    let verified = bed.verify();
    let epochs = checked.sequences.epochs;
    let outcome = Outcome::of(name, 1, u32::from(after.epoch > before.epoch), checked).verify(verified);
    let outcome = outcome
        .note(format!("set back by {} events; a new epoch began", before.next_seq - at_copy.next_seq))
        .expect(epochs >= 2, "no new epoch began");
    bed.remove()?;
    Ok(outcome)
}

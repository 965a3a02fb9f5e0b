//! Midnight at the platform: just before it a batch is committed and its answer lost, and only after it, when bronze
//! writes into another day's partition, does the agent come back and go on. The batch is in neither day twice.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::super::{
    Context,
    another_clock::{AnotherClock, to_before_midnight},
    bed::{Bed, INGEST, cursor},
    evidence::{Fate, fate},
    hold::Held,
    outcome::Outcome,
};
use crate::stack::PLATFORM;

/// From the start of the platform's Postgres until its midnight.
const BEFORE_S: i64 = 30;
/// Ingest is killed so long before.
const CUT_S: u32 = 5;

pub fn run(context: &Context, name: &str) -> Result<Outcome> {
    let clock = AnotherClock::compile()?;
    let mut bed = Bed::start(context, name, |_| Ok(()))?;
    // The platform alone: how late it is there is its own matter.
    bed.stop_workers()?;
    bed.stack.platform()?.down()?;
    bed.stack.surround(PLATFORM, clock.ahead(to_before_midnight(BEFORE_S)?));
    bed.stack.restart_platform()?;
    bed.start_workers()?;
    bed.write()?;
    let mut session = bed.platform()?;
    let day = "(now() at time zone 'utc')::date";
    let first: String = session.get(&format!("select {day}"))?;
    let left: u32 =
        session.get(&format!("select ceil(extract(epoch from {day} + 1 - (now() at time zone 'utc')))::int"))?;
    ensure!(
        left > CUT_S && i64::from(left) <= BEFORE_S,
        "{left} s are left until midnight: too late, or another clock"
    );
    bed.wait("the last seconds of the day", Duration::from_secs(u64::from(left)), |_| {
        session.is(&format!("select {day} + 1 - (now() at time zone 'utc') < interval '{CUT_S} seconds'"))
    })?;

    let held = Held::before_answer(&bed)?;
    let batches = held.open.clone();
    bed.stack.kill(INGEST)?;
    held.release(&bed)?;
    // `wait` would start it again: it is away on purpose.
    while !session.is(&format!("select {day} > '{first}'"))? {
        context.interrupt.check()?;
        std::thread::sleep(Duration::from_millis(100));
    }
    let place = cursor(&mut session)?.context("the source is not known")?;
    bed.stack.restart(INGEST)?;
    let mut further = place;
    further.next_seq += 3_000;
    bed.wait_beyond(further, Duration::from_secs(60))?;

    let mut unanswered = 0;
    for xid in batches {
        unanswered += u32::from(fate(&mut session, xid)? == Fate::Committed);
    }
    let days: u64 = session.get("select count(distinct received_on) from bronze_segments")?;
    let twice: u64 = session.get(
        "select count(*) from (select from bronze_segments group by source_id, epoch, first_seq having count(*) > 1) s",
    )?;
    let checked = bed.check()?;
    let verified = bed.verify();
    let outcome = Outcome::of(name, 1, u32::from(unanswered > 0), checked).verify(verified);
    let outcome = outcome
        .note(format!("{unanswered} batch committed before midnight and not answered; bronze has {days} days"))
        .expect(days == 2, &format!("bronze has {days} days where it should have 2"))
        .expect(twice == 0, &format!("{twice} batches are in both days"));
    bed.remove()?;
    Ok(outcome)
}

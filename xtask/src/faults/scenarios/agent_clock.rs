//! An agent whose own clock is two hours ahead, and after a restart two hours behind: order and times come from the
//! source, so nothing but the skew that is told may show it.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::super::{
    Context,
    another_clock::AnotherClock,
    bed::{AGENT, Bed, cursor},
    outcome::Outcome,
};

const HOURS_2: i64 = 7_200;
/// The skew that is told, and the lag that is shown, may be off by so much.
const ALLOWED_S: i64 = 60;

pub fn run(context: &Context, name: &str) -> Result<Outcome> {
    let clock = AnotherClock::compile()?;
    let mut bed = Bed::start(context, name, |stack| {
        stack.surround(AGENT, clock.ahead(HOURS_2));
        Ok(())
    })?;
    bed.write()?;
    let mut told = Vec::new();
    for shift in [HOURS_2, -HOURS_2] {
        if shift < 0 {
            bed.stack.stop(AGENT)?;
            bed.stack.surround(AGENT, clock.ahead(shift));
            let slug = bed.workspace.slug.clone();
            bed.stack.start_agent(&slug)?;
        }
        let mut place = cursor(&mut bed.platform()?)?.context("the source is not known")?;
        place.next_seq += 3_000;
        bed.wait_beyond(place, Duration::from_secs(60))?;
        let mut session = bed.platform()?;
        let near = |skew: &str| format!("abs({skew} / 1000000 - {shift}) < {ALLOWED_S}");
        let (platforms, sources) = (near("a.clock_skew_us"), near("(s.status->>'source_clock_skew_us')::bigint"));
        bed.wait("the skew to be told", Duration::from_secs(30), |_| {
            session.is(&format!("select {platforms} and {sources} from agents a join sources s on s.agent_id = a.id"))
        })?;
        // As the Sources page reckons it: the platform's now, the source's time, and both skews.
        let lag: i64 = session.get(
            "select round(extract(epoch from now() - c.last_commit_at)
                          - ((s.status->>'source_clock_skew_us')::bigint - a.clock_skew_us) / 1e6)::bigint
             from source_cursors c
             join sources s on s.id = c.source_id
             join agents a on a.id = s.agent_id",
        )?;
        told.push(lag);
    }
    let checked = bed.check()?;
    let verified = bed.verify();
    let worst = told.iter().map(|lag| lag.abs()).max().unwrap_or(0);
    let outcome = Outcome::of(name, 2, told.len() as u32, checked).verify(verified);
    let outcome = outcome
        .note(format!("two hours ahead, then two behind; both told, and the lag was shown within {worst} s of none"))
        .expect(worst < ALLOWED_S, &format!("the agent's clock shows in the source's lag: {told:?} s"));
    bed.remove()?;
    Ok(outcome)
}

//! A machine whose clock is two hours ahead: its rows are kept with the times they carry, and are never the last value.

use std::time::Duration;

use super::super::{
    Context,
    bed::{Bed, cursor},
    outcome::Outcome,
};
use anyhow::{Context as _, Result};

pub fn run(context: &Context, name: &str) -> Result<Outcome> {
    let mut bed = Bed::start(context, name, |_| Ok(()))?;
    bed.write()?;
    let place = cursor(&mut bed.platform()?)?.context("the source is not known")?;
    bed.wait_beyond(place, Duration::from_secs(60))?;
    let sql = "insert into telemetry (machine_id, ts, cycle, t24, t30)
               select 'ENG-007', now() + interval '2 hours' + n * interval '1 second', 1, 640 + n, 1580 + n
               from generate_series(1, 60) n";
    bed.stack.customer()?.sql(bed.stack.customer_database()?, sql)?;
    let checked = bed.check()?;
    let verified = bed.verify();
    let ahead: u64 = bed.customer()?.get("select count(*) from telemetry where ts > now() + interval '1 hour'")?;
    let last: u64 =
        bed.platform()?.get("select count(*) from latest_samples where at > now() + interval '10 minutes'")?;
    let chunks: u64 =
        bed.platform()?.get("select count(*) from sample_chunks where to_at > now() + interval '1 hour'")?;
    let outcome = Outcome::of(name, 1, u32::from(ahead > 0), checked).verify(verified);
    let outcome = outcome
        .expect(chunks > 0 || context.bronze_only, "rows ahead of time are in no chunk")
        .note(format!("{ahead} rows two hours ahead, in {chunks} chunks; none is a last value"))
        .expect(last == 0, &format!("{last} last values are of a time that has not come"));
    bed.remove()?;
    Ok(outcome)
}

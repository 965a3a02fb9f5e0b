//! The connection dies without a word: the agent must notice the silence, connect anew and take over at once, and ingest
//! must not hold on to the dead one.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::super::{
    Context,
    bed::{AGENT, Bed, cursor},
    outcome::Outcome,
    relay::Relay,
};

/// The agent gives a silent connection 15 s; the rest is for the new one.
const NOTICED: Duration = Duration::from_secs(30);
const ROUNDS: u32 = 2;

pub fn run(context: &Context, name: &str) -> Result<Outcome> {
    let mut bed = Bed::start(context, name, |_| Ok(()))?;
    let relay = Relay::to(bed.stack.secrets.ingest_port)?;
    bed.stack.stop(AGENT)?;
    reroute(&bed, relay.port)?;
    bed.stack.restart(AGENT)?;
    bed.write()?;
    let mut session = bed.platform()?;
    bed.wait("the agent to come through the relay", Duration::from_secs(30), |_| Ok(relay.connections() > 0))?;
    let mut slowest = Duration::ZERO;
    for _ in 0..ROUNDS {
        let place = cursor(&mut session)?.context("the source is not known")?;
        bed.wait_beyond(place, NOTICED)?;
        let before = relay.connections();
        relay.silence();
        let since = Instant::now();
        let place = cursor(&mut session)?.context("the source is not known")?;
        bed.wait("the agent to notice and connect anew", NOTICED, |_| Ok(relay.connections() > before))?;
        bed.wait_beyond(place, NOTICED)?;
        slowest = slowest.max(since.elapsed());
    }
    let checked = bed.check()?;
    let verified = bed.verify();
    let note = format!("noticed and going on after {:.1} s at most", slowest.as_secs_f64());
    let outcome = Outcome::of(name, ROUNDS, ROUNDS, checked).verify(verified).note(note);
    let outcome = outcome.expect(bed.restarted == 0, "a process ended, where only a connection did");
    bed.remove()?;
    Ok(outcome)
}

/// Another port in the agent's identity: localhost, and so the certificate, stay.
fn reroute(bed: &Bed<'_>, port: u16) -> Result<()> {
    let file = bed.stack.agent_dir().join("identity.json");
    let mut identity: Value = serde_json::from_str(&fs::read_to_string(&file)?).context("the agent's identity.json")?;
    let server = identity.get_mut("server").context("identity.json names no server")?;
    *server = Value::String(format!("wss://localhost:{port}"));
    fs::write(&file, serde_json::to_vec_pretty(&identity)?)?;
    Ok(())
}

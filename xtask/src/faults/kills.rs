//! `kill -9` at random points, half of them aimed at a moment when a batch is in hand.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use rustix::process::Signal;
use serde::Serialize;

use super::{
    Context,
    bed::{AGENT, Bed, INGEST, Place, REFINE, cursor},
    evidence::{Fate, SpoolEnd, Waits, batches, fate, has_segment, kill_postgres, open_transactions, spool_end},
    hold::Held,
    outcome::Outcome,
};
use crate::{bench::session::Session, stack::SOURCE};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Target {
    Agent,
    Ingest,
    Refine,
    /// The platform's, postmaster and backends
    Postgres,
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::Agent => AGENT,
            Self::Ingest => INGEST,
            Self::Refine => REFINE,
            Self::Postgres => "postgres",
        }
    }

    /// Whose open transactions a kill would interrupt.
    fn roles(self) -> &'static [&'static str] {
        match self {
            Self::Ingest => &["clarity_ingest"],
            Self::Refine => &["clarity_worker"],
            Self::Agent | Self::Postgres => &["clarity_ingest", "clarity_worker"],
        }
    }
}

/// One kill.
#[derive(Debug, Serialize)]
pub struct Kill {
    pub target: String,
    /// Whether the moment was chosen, within the random one, so that a batch was in hand.
    pub aimed: bool,
    /// What it interrupted; none when it fell between batches.
    pub bit: Option<String>,
    pub pause_ms: u64,
    /// Of refine: from the restart until it had taken over the leases of the one that was killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leased_ms: Option<u64>,
    /// From the restart until bronze and read models grew again: with a backlog, that is until a whole group is refined.
    pub back_ms: u64,
}

/// Within an aimed kill, how long an open transaction is waited for.
const AIM: Duration = Duration::from_secs(2);
/// Grows with every lease of refine that is taken.
const LEASED: &str = "select coalesce(sum(token), 0) from ops.partition_leases where role = 'refine'";
/// Refine's leases must be taken over within this, from the restart.
const LEASED_WITHIN_MS: u64 = 10_000;
/// After a restart everything must go on within this.
const BACK: Duration = Duration::from_secs(60);

pub fn run(context: &Context, name: &str) -> Result<Outcome> {
    let mut bed = Bed::start(context, name, |_| Ok(()))?;
    bed.write()?;
    let mut dice = Dice(context.seed);
    let mut order: Vec<Target> = (0..context.reps).flat_map(|_| context.targets.iter().copied()).collect();
    for i in (1..order.len()).rev() {
        order.swap(i, dice.below(i as u64 + 1) as usize);
    }
    let mut kills = Vec::new();
    let mut turns = [0_u32; 4];
    for (number, target) in order.iter().enumerate() {
        let turn = &mut turns[*target as usize];
        *turn += 1;
        let aimed = (*turn).is_multiple_of(2).then_some(*turn / 2);
        let kill = once(&mut bed, *target, aimed, &mut dice)
            .with_context(|| format!("kill {} of {}, of {}", number + 1, order.len(), target.name()))?;
        let mark = kill.bit.as_deref().unwrap_or("between batches");
        eprintln!(
            "          {:>3} of {}  {:<9} {mark}; back after {} ms",
            number + 1,
            order.len(),
            kill.target,
            kill.back_ms
        );
        kills.push(kill);
    }
    let checked = bed.check()?;
    let verified = bed.verify();
    let bit = kills.iter().filter(|kill| kill.bit.is_some()).count() as u32;
    let mut outcome = Outcome::of(name, kills.len() as u32, bit, checked).verify(verified);
    outcome.restarted = bed.restarted;
    for target in &context.targets {
        let hit = kills.iter().any(|kill| kill.target == target.name() && kill.bit.is_some());
        outcome =
            outcome.expect(hit, &format!("no kill of {} fell inside a batch, so they prove nothing", target.name()));
    }
    let slowest = kills.iter().filter_map(|kill| kill.leased_ms).max();
    if let Some(slowest) = slowest {
        let late = format!("refine's leases were taken over only after {slowest} ms");
        outcome = outcome.expect(slowest <= LEASED_WITHIN_MS, &late);
        outcome = outcome.note(format!("refine's leases were taken over within {slowest} ms of its restart"));
    }
    outcome.kills = kills;
    bed.remove()?;
    Ok(outcome)
}

/// `aimed`: its number among the aimed kills of this target; none for a kill at whatever moment.
fn once(bed: &mut Bed<'_>, target: Target, aimed: Option<u32>, dice: &mut Dice) -> Result<Kill> {
    let mut session = bed.platform()?;
    std::thread::sleep(Duration::from_millis(100 + dice.below(1_400)));
    bed.context.interrupt.check()?;
    let mut aim = match (target, aimed) {
        (Target::Agent, Some(_)) => aim_at_spool(bed, &mut session)?,
        (Target::Agent, None) => Aim::default(),
        (Target::Ingest, Some(turn)) => aim_at_batch(bed, turn)?,
        (Target::Ingest, None) => Aim { open: batches(&mut session, Waits::Whatever)?, ..Aim::default() },
        (_, Some(_)) => aim_at_transaction(bed, target, &mut session)?,
        (_, None) => Aim { open: open_transactions(&mut session, target.roles())?, ..Aim::default() },
    };
    let token: u64 = session.get(LEASED)?;
    match target {
        Target::Postgres => kill_postgres(bed.stack.platform()?.pid.context("the platform's Postgres has no pid")?)?,
        _ => bed.stack.kill(target.name())?,
    }
    let mut bit = None;
    if target == Target::Agent {
        bit = spooled(bed, aim.confirmed)?;
    }
    for name in aim.frozen.iter().filter(|name| **name != target.name()) {
        bed.signal(name, Signal::CONT)?;
    }
    if let Some(held) = aim.held.take() {
        held.release(bed)?;
    }
    drop(session);
    let pause = dice.below(800);
    std::thread::sleep(Duration::from_millis(pause));
    let restarted = Instant::now();
    if target == Target::Postgres {
        bed.stack.restart_platform()?;
    } else {
        bed.stack.restart(target.name())?;
    }
    let mut session = bed.platform()?;
    if target != Target::Agent {
        bit = interrupted(&mut session, &aim, target)?;
    }
    let mut leased_ms = None;
    if target == Target::Refine {
        bed.wait("refine's leases to be taken over", BACK, |_| Ok(session.get::<u64>(LEASED)? > token))?;
        leased_ms = Some(restarted.elapsed().as_millis() as u64);
    }
    grows(bed, &mut session)?;
    let back_ms = restarted.elapsed().as_millis() as u64;
    Ok(Kill { target: target.name().to_owned(), aimed: aimed.is_some(), bit, pause_ms: pause, leased_ms, back_ms })
}

/// What was in hand just before the kill.
#[derive(Default)]
struct Aim {
    /// Transactions that had written and not ended.
    open: Vec<u64>,
    /// The target was not told of their end: it was frozen, or they were held.
    untold: bool,
    /// Processes that were stopped, so that they could not end what was in hand before the kill.
    frozen: Vec<&'static str>,
    held: Option<Held>,
    /// Where bronze was when ingest was stopped: the agent was told of nothing beyond.
    confirmed: Option<Place>,
}

/// A batch that is held at the database, before its commit and before the answer in turns.
fn aim_at_batch(bed: &Bed<'_>, turn: u32) -> Result<Aim> {
    let held = if turn % 2 == 1 { Held::before_commit(bed)? } else { Held::before_answer(bed)? };
    Ok(Aim { open: held.open.clone(), untold: true, held: Some(held), ..Aim::default() })
}

/// Waits for a transaction of the target, with those frozen who could end it.
fn aim_at_transaction(bed: &Bed<'_>, target: Target, session: &mut Session) -> Result<Aim> {
    let mut frozen = match target {
        Target::Postgres => vec![INGEST, REFINE],
        _ => vec![target.name()],
    };
    frozen.retain(|name| bed.pid(name).is_some());
    let started = Instant::now();
    loop {
        if !open_transactions(session, target.roles())?.is_empty() || started.elapsed() > AIM {
            frozen.iter().try_for_each(|name| bed.signal(name, Signal::STOP))?;
            let open = open_transactions(session, target.roles())?;
            if !open.is_empty() || started.elapsed() > AIM {
                return Ok(Aim { open, untold: true, frozen, ..Aim::default() });
            }
            frozen.iter().try_for_each(|name| bed.signal(name, Signal::CONT))?;
        }
    }
}

/// Stops ingest and waits until the agent's spool holds something that it was not told is durable.
fn aim_at_spool(bed: &Bed<'_>, session: &mut Session) -> Result<Aim> {
    bed.signal(INGEST, Signal::STOP)?;
    // A transaction whose commit was under way still ends.
    let place = settled(session)?;
    let started = Instant::now();
    while started.elapsed() < AIM && spool(bed)?.is_none_or(|end| end.place <= place) {
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(Aim { frozen: vec![INGEST], confirmed: Some(place), ..Aim::default() })
}

/// Which of the transactions that were open at the kill it interrupted. Where the target was told of no end, one that
/// committed all the same is one whose commit is known to nobody but the database.
fn interrupted(session: &mut Session, aim: &Aim, target: Target) -> Result<Option<String>> {
    let mut found = None;
    for xid in &aim.open {
        let started = Instant::now();
        let mut fate_now = fate(session, *xid)?;
        while fate_now == Fate::Running && started.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(10));
            fate_now = fate(session, *xid)?;
        }
        match fate_now {
            Fate::Aborted => return Ok(Some("inside a transaction, which was rolled back".into())),
            // Ingest also notes that it heard from an agent; only a batch counts.
            Fate::Committed if aim.untold && (target != Target::Ingest || has_segment(session, *xid)?) => {
                found = Some("between a commit and its answer".into());
            }
            _ => {}
        }
    }
    Ok(found)
}

fn spool(bed: &Bed<'_>) -> Result<Option<SpoolEnd>> {
    spool_end(&bed.stack.agent_dir().join("spool").join(SOURCE))
}

/// Where bronze ends once nothing is on its way any more.
fn settled(session: &mut Session) -> Result<Place> {
    let (mut at, mut since) = (cursor(session)?, Instant::now());
    while since.elapsed() < Duration::from_millis(150) {
        std::thread::sleep(Duration::from_millis(10));
        let now = cursor(session)?;
        if now != at {
            (at, since) = (now, Instant::now());
        }
    }
    Ok(at.unwrap_or(Place { epoch: 1, next_seq: 1 }))
}

/// What the killed agent's spool holds beyond what it was told is durable; where that is not known, beyond all of
/// bronze.
fn spooled(bed: &Bed<'_>, confirmed: Option<Place>) -> Result<Option<String>> {
    let told = match confirmed {
        Some(place) => place,
        None => settled(&mut bed.platform()?)?,
    };
    let Some(end) = spool(bed)? else { return Ok(None) };
    let beyond = end.place.next_seq.saturating_sub(told.next_seq);
    Ok(if end.torn_bytes > 0 {
        Some(format!("inside a record of the spool, {} bytes of it written", end.torn_bytes))
    } else if end.place <= told {
        None
    } else if confirmed.is_some() {
        Some(format!("{beyond} events spooled or sent, and not confirmed"))
    } else {
        Some(format!("{beyond} events spooled, not in bronze"))
    })
}

/// Waits until bronze and read models have both grown.
fn grows(bed: &mut Bed<'_>, session: &mut Session) -> Result<()> {
    let query = "select (select next_seq from source_cursors), (select coalesce(sum(events), 0) from refine_cursors)";
    let read = |session: &mut Session| -> Result<(u64, u64)> {
        let rows = session.rows(query)?;
        let row = rows.first().context("no cursors")?;
        Ok((crate::bench::session::column(row, 0)?, crate::bench::session::column(row, 1)?))
    };
    let before = read(session)?;
    bed.wait("bronze and read models to grow again", BACK, |bed| {
        let now = read(session)?;
        Ok(now.0 > before.0 && (now.1 > before.1 || bed.context.bronze_only))
    })
}

/// SplitMix64, so that a seed gives the same pauses and choices again.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

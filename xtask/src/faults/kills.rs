//! `kill -9` at random points, half of them aimed at a moment when a batch is in hand.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use rustix::process::Signal;
use serde::Serialize;

use super::{
    Context,
    bed::{AGENT, Bed, INGEST, Place, REFINE, cursor},
    evidence::{Fate, fate, kill_postgres, open_transactions, spool_end},
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
    /// From the restart until bronze and read models grew again.
    pub back_ms: u64,
}

/// Within an aimed kill, how long an open transaction is waited for.
const AIM: Duration = Duration::from_secs(2);
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
        let kill = once(&mut bed, *target, *turn % 2 == 0, &mut dice)
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
    outcome.kills = kills;
    bed.remove()?;
    Ok(outcome)
}

fn once(bed: &mut Bed<'_>, target: Target, aimed: bool, dice: &mut Dice) -> Result<Kill> {
    let mut session = bed.platform()?;
    std::thread::sleep(Duration::from_millis(100 + dice.below(1_400)));
    bed.context.interrupt.check()?;
    let open = if aimed { aim(bed, target, &mut session)? } else { open_transactions(&mut session, target.roles())? };
    match target {
        Target::Postgres => kill_postgres(bed.stack.platform()?.pid.context("the platform's Postgres has no pid")?)?,
        _ => bed.stack.kill(target.name())?,
    }
    drop(session);
    let pause = dice.below(800);
    let mut bit = None;
    if target == Target::Agent {
        bit = spooled(bed)?;
    }
    std::thread::sleep(Duration::from_millis(pause));
    let restarted = Instant::now();
    if target == Target::Postgres {
        bed.stack.restart_platform()?;
    } else {
        bed.stack.restart(target.name())?;
    }
    let mut session = bed.platform()?;
    if target != Target::Agent {
        bit = interrupted(&mut session, &open, aimed && target != Target::Postgres)?;
    }
    grows(bed, &mut session)?;
    let back_ms = restarted.elapsed().as_millis() as u64;
    Ok(Kill { target: target.name().to_owned(), aimed, bit, pause_ms: pause, back_ms })
}

/// Waits for a transaction of the target. A process of ours is frozen then, so that it cannot end the transaction before
/// the kill; Postgres cannot be asked once frozen.
fn aim(bed: &Bed<'_>, target: Target, session: &mut Session) -> Result<Vec<u64>> {
    let started = Instant::now();
    loop {
        let open = open_transactions(session, target.roles())?;
        let process = matches!(target, Target::Ingest | Target::Refine);
        if !open.is_empty() && process {
            bed.signal(target.name(), Signal::STOP)?;
            let still_open = open_transactions(session, target.roles())?;
            if !still_open.is_empty() || started.elapsed() > AIM {
                return Ok(still_open);
            }
            bed.signal(target.name(), Signal::CONT)?;
        } else if !open.is_empty() || started.elapsed() > AIM {
            return Ok(open);
        }
    }
}

/// Which of the transactions that were open at the kill it interrupted. Where the process was frozen before, one that
/// committed all the same is one whose commit nobody was told of.
fn interrupted(session: &mut Session, open: &[u64], frozen: bool) -> Result<Option<String>> {
    let mut found = None;
    for xid in open {
        let started = Instant::now();
        let mut fate_now = fate(session, *xid)?;
        while fate_now == Fate::Running && started.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(10));
            fate_now = fate(session, *xid)?;
        }
        match fate_now {
            Fate::Aborted => return Ok(Some("inside a transaction, which was rolled back".into())),
            Fate::Committed if frozen => found = Some("between a commit and its answer".into()),
            _ => {}
        }
    }
    Ok(found)
}

/// What the killed agent's spool holds beyond bronze.
fn spooled(bed: &Bed<'_>) -> Result<Option<String>> {
    let mut session = bed.platform()?;
    // What was on its way is taken in first.
    let (mut at, mut since) = (cursor(&mut session)?, Instant::now());
    while since.elapsed() < Duration::from_millis(150) {
        std::thread::sleep(Duration::from_millis(10));
        let now = cursor(&mut session)?;
        if now != at {
            (at, since) = (now, Instant::now());
        }
    }
    let Some(end) = spool_end(&bed.stack.agent_dir().join("spool").join(SOURCE))? else { return Ok(None) };
    let at = at.unwrap_or(Place { epoch: 1, next_seq: 1 });
    Ok(if end.torn_bytes > 0 {
        Some(format!("inside a record of the spool, {} bytes of it written", end.torn_bytes))
    } else if end.place > at {
        Some(format!("{} events spooled, not durable", end.place.next_seq.saturating_sub(at.next_seq)))
    } else {
        None
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

//! Holding a batch at the platform's database just before its commit, or between the commit and its answer, so that
//! ingest can be killed at that very point. Both are moments that a kill at any time meets rarely: they are short.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{
    bed::Bed,
    evidence::{Waits, batches},
};
use crate::bench::session::Session;

/// Batches that are held.
pub struct Held {
    /// Their transactions; none when no batch came in time.
    pub open: Vec<u64>,
    by: By,
}

enum By {
    /// A session that has locked the heads: the segment is stored, the transaction waits.
    Heads(Session),
    /// Commits wait, once they are in the log, for a standby that is not there.
    Standby,
}

/// How long a batch is waited for.
const WITHIN: Duration = Duration::from_secs(2);

impl Held {
    pub fn before_commit(bed: &Bed<'_>) -> Result<Self> {
        let mut heads = bed.platform()?;
        heads.rows("begin; select from ops.source_heads for update")?;
        let open = wait(&mut bed.platform()?, Waits::Lock)?;
        Ok(Self { open, by: By::Heads(heads) })
    }

    pub fn before_answer(bed: &Bed<'_>) -> Result<Self> {
        let mut session = bed.platform()?;
        session.rows("alter system set synchronous_standby_names = 'nobody'; select pg_reload_conf()")?;
        Ok(Self { open: wait(&mut session, Waits::Standby)?, by: By::Standby })
    }

    pub fn release(self, bed: &Bed<'_>) -> Result<()> {
        match self.by {
            By::Heads(session) => drop(session),
            By::Standby => {
                bed.platform()?.rows("alter system reset synchronous_standby_names; select pg_reload_conf()")?;
            }
        }
        Ok(())
    }
}

fn wait(session: &mut Session, waits: Waits) -> Result<Vec<u64>> {
    let started = Instant::now();
    loop {
        let open = batches(session, waits)?;
        if !open.is_empty() || started.elapsed() > WITHIN {
            return Ok(open);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

//! Ctrl-C and its kin: noted, so that a command can stop what it started before it ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

#[derive(Debug, Clone)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    pub fn listen() -> Result<Self> {
        let noted = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, noted.clone())?;
        }
        Ok(Self(noted))
    }

    pub fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub fn check(&self) -> Result<()> {
        if self.came() {
            bail!("interrupted");
        }
        Ok(())
    }

    /// Tries until it says yes, fails, is interrupted, or the time is over.
    pub fn wait_for(&self, what: &str, limit: Duration, mut ready: impl FnMut() -> Result<bool>) -> Result<()> {
        let deadline = Instant::now() + limit;
        while !ready()? {
            self.check()?;
            if Instant::now() >= deadline {
                bail!("waited {} s for {what}, in vain", limit.as_secs());
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        Ok(())
    }
}

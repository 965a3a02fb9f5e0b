//! The partitions that this process works on for a role: renewed in time, shared with other processes, given back at the
//! end.

use crate::context::WorkerContext;
use clarity_store::{StoreError, lease};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Leases are renewed so often; they run out after three times that.
const RENEW: Duration = Duration::from_secs(5);
/// One that has none looks more often: others may have gone.
const LOOK: Duration = Duration::from_secs(1);

pub struct Leases {
    ctx: WorkerContext,
    role: &'static str,
    tokens: HashMap<i32, i64>,
    renewed: Option<Instant>,
}

impl Leases {
    pub fn new(ctx: WorkerContext, role: &'static str) -> Self {
        Self { ctx, role, tokens: HashMap::new(), renewed: None }
    }

    /// Renews when it is time.
    pub async fn keep(&mut self) -> Result<(), StoreError> {
        let pause = if self.tokens.is_empty() { LOOK } else { RENEW };
        if self.renewed.is_some_and(|at| at.elapsed() < pause) {
            return Ok(());
        }
        let mut tx = self.ctx.system.begin().await?;
        let leases = lease::renew(&mut tx, self.role, self.ctx.holder).await?;
        tx.commit().await?;
        self.tokens = leases.into_iter().map(|l| (l.partition, l.token)).collect();
        self.renewed = Some(Instant::now());
        Ok(())
    }

    pub fn token(&self, partition: i32) -> Option<i64> {
        self.tokens.get(&partition).copied()
    }

    pub fn partitions(&self) -> Vec<i32> {
        self.tokens.keys().copied().collect()
    }

    /// Gives everything back; others take it at once.
    pub async fn release(&mut self) {
        self.tokens.clear();
        let released = async {
            let mut tx = self.ctx.system.begin().await?;
            lease::release(&mut tx, self.role, self.ctx.holder).await?;
            tx.commit().await
        };
        if let Err(e) = released.await {
            tracing::warn!(role = self.role, error = %e, "leases not given back; they run out by themselves");
        }
    }
}

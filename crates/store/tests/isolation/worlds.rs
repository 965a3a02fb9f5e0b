//! Two databases made alike: in one the victim has rows, in the other nobody but us was ever there. Whatever an attacker sees
//! or is told has to be the same in both, byte for byte.

use std::collections::HashMap;

use clarity_testkit::TestDb;
use clarity_testkit::cluster::connect;
use tokio_postgres::Client;

use crate::attempts::{Attempt, Context};
use crate::outcome::{Outcome, attempt, probe};
use crate::seed;
use crate::surface::Surface;
use crate::values::Who;

pub struct World {
    pub db: TestDb,
    /// One connection a role, opened when it is first needed.
    clients: HashMap<String, Client>,
    /// What the probe says as long as nobody has changed the victim's rows.
    untouched: String,
}

pub struct Worlds {
    pub with: World,
    pub without: World,
}

/// What one attempt came to in each.
pub struct Both {
    pub with: Outcome,
    pub without: Outcome,
}

impl World {
    async fn filled(people: &[Who]) -> Self {
        let db = TestDb::new().await;
        let admin = db.admin().await;
        let surface = Surface::read(&admin).await;
        seed::fill_ended_grant(&admin).await;
        seed::fill(&admin, &surface, people).await;
        let empty = seed::empty_tables(&admin, &surface, people).await;
        assert!(empty.is_empty(), "without seed rows: {empty:?}");
        seed::install_probe(&admin, &surface).await;
        Self::new(db, &admin).await
    }

    async fn new(db: TestDb, admin: &Client) -> Self {
        Self { db, clients: HashMap::new(), untouched: probe(admin).await }
    }

    async fn copy(&self) -> Self {
        let db = self.db.copy().await;
        let admin = db.admin().await;
        Self::new(db, &admin).await
    }

    /// As a role, in a context, all in order.
    pub async fn attempt(&mut self, role: &str, context: &Context, attempts: &[Attempt]) -> Vec<Outcome> {
        if !self.clients.contains_key(role) {
            let client = connect(&self.db.url(role)).await.unwrap_or_else(|e| panic!("{role} cannot connect: {e:#}"));
            self.clients.insert(role.to_owned(), client);
        }
        let (outcomes, usable) = attempt(&self.clients[role], self.db.name(), context, attempts).await;
        if !usable {
            self.clients.remove(role);
            self.end_copies(role).await;
        }
        outcomes
    }

    /// A COPY that waits for rows ends with its session alone.
    async fn end_copies(&self, role: &str) {
        let admin = self.db.admin().await;
        let sql = "select pg_terminate_backend(pid, 10000) from pg_stat_activity
                   where datname = current_database() and usename = $1 and query like '%from stdin%'";
        admin.query(sql, &[&role]).await.expect("ended");
    }

    /// Whether an outcome shows the victim's rows changed, or rows made in the victim's name.
    pub fn touched(&self, outcome: &Outcome) -> bool {
        outcome.victim.as_ref().is_some_and(|now| *now != self.untouched)
    }

    /// Whether the victim's rows, as committed, are what they were.
    pub async fn intact(&self) -> bool {
        probe(&self.db.admin().await).await == self.untouched
    }
}

impl Worlds {
    /// Freshly seeded. Nobody is connected to them, so they can be copied.
    pub async fn new() -> Self {
        Self { with: World::filled(&[Who::Own, Who::Victim]).await, without: World::filled(&[Who::Own]).await }
    }

    pub async fn copy(&self) -> Self {
        let (with, without) = tokio::join!(self.with.copy(), self.without.copy());
        Self { with, without }
    }

    /// In both at once: they are two databases, so nobody waits for a lock of the other.
    pub async fn attempt(&mut self, role: &str, context: &Context, attempts: &[Attempt]) -> Vec<Both> {
        let (with, without) =
            tokio::join!(self.with.attempt(role, context, attempts), self.without.attempt(role, context, attempts));
        with.into_iter().zip(without).map(|(with, without)| Both { with, without }).collect()
    }
}

//! How many of the planted faults are found, and by which part: a suite that finds nothing in a broken schema proves nothing
//! in a whole one.

use clarity_testkit::TestDb;
use futures::{StreamExt as _, stream};

use crate::blind::{BLIND, BLIND_OF_THE_CLUSTER};
use crate::faults::{FAULTS, Fault, OF_THE_CLUSTER};
use crate::matrix::{Scale, run};
use crate::surface::Surface;
use crate::worlds::Worlds;
use crate::{check, controls, frozen};

/// A fault and what told it.
pub struct Planted {
    pub what: &'static str,
    by_rules: bool,
    /// What changed in the list of all that is there.
    by_list: usize,
    by_leaks: usize,
    by_differences: usize,
    by_controls: usize,
}

impl Planted {
    pub fn found(&self) -> bool {
        self.found_without_list() || self.by_list > 0
    }

    /// Found by a rule or by what was tried. The list of all that is there differs with any change of the schema, a fault or
    /// none, and somebody has to read it.
    pub fn found_without_list(&self) -> bool {
        self.by_rules || self.by_attempts()
    }

    fn by_attempts(&self) -> bool {
        self.by_leaks + self.by_differences + self.by_controls > 0
    }

    /// No rule forbids it and no attempt felt it: somebody has to read its line.
    pub fn only_listed(&self) -> bool {
        self.by_list > 0 && !self.found_without_list()
    }

    /// Found by what was tried: no rule of the catalogue knows it.
    pub fn only_tried(&self) -> bool {
        !self.by_rules && self.by_attempts()
    }

    fn line(&self) -> String {
        let count = |n: usize| if n == 0 { "-".to_owned() } else { n.to_string() };
        let rules = if self.by_rules { "rules" } else { "-" };
        let mark = if self.found() { "found" } else { "MISSED" };
        let (leaks, differences) = (count(self.by_leaks), count(self.by_differences));
        let (list, controls) = (count(self.by_list), count(self.by_controls));
        format!("{mark:<7} {rules:<6} {list:>5} {leaks:>6} {differences:>6} {controls:>6}   {}", self.what)
    }

    fn heading() -> &'static str {
        "        rules   list  leaks  diffs  ctrls"
    }
}

/// Faults that are planted at the same time, each in copies of its own: while one waits, for a copy or for a lock, Postgres has
/// the other's attempts.
const AT_ONCE: usize = 2;

/// Plants each in copies of its own. Told in order.
pub async fn all(base: &Worlds) -> Vec<Planted> {
    let mut planted = Vec::new();
    println!("\n{}", Planted::heading());
    for (faults, of_the_cluster) in [(FAULTS, OF_THE_CLUSTER), (BLIND, BLIND_OF_THE_CLUSTER)] {
        // On the heap: trying is a lot of state.
        let mut tried = stream::iter(faults).map(|fault| Box::pin(one(base, fault))).buffered(AT_ONCE);
        while let Some(done) = tried.next().await {
            planted.push(told(done));
        }
        // One after the other and with nothing else under way: what they change is every database's, and nobody copies the
        // one that they look at.
        for (what, sql) in of_the_cluster {
            planted.push(told(self::of_the_cluster(&base.with.db, what, sql).await));
        }
    }
    planted
}

fn told(planted: Planted) -> Planted {
    println!("{}", planted.line());
    planted
}

async fn one(base: &Worlds, fault: &Fault) -> Planted {
    let mut worlds = base.copy().await;
    tokio::join!(plant(&worlds.with.db, fault), plant(&worlds.without.db, fault));
    let admin = worlds.with.db.admin().await;
    let surface = Surface::read(&admin).await;
    let by_rules = !check::check(&admin).await.is_empty();
    let by_list = frozen::differences(&admin).await.len();
    let findings = run(&mut worlds, &surface, Scale::Only(fault.on)).await;
    let controls = controls::run(&mut worlds, &surface, fault.on).await;
    Planted {
        what: fault.what,
        by_rules,
        by_list,
        by_leaks: findings.leaks.len(),
        by_differences: findings.differences.len(),
        by_controls: controls.failed.len(),
    }
}

async fn plant(db: &TestDb, fault: &Fault) {
    let admin = db.admin().await;
    let done = admin.batch_execute(fault.sql).await;
    done.unwrap_or_else(|e| panic!("{}: could not be planted: {e:?}\n{}", fault.what, fault.sql));
}

async fn of_the_cluster(db: &TestDb, what: &'static str, sql: &str) -> Planted {
    let admin = db.admin().await;
    admin.batch_execute(&format!("begin; {sql}")).await.unwrap_or_else(|e| panic!("{what}: {e:?}"));
    let by_rules = !check::check(&admin).await.is_empty();
    let by_list = frozen::differences(&admin).await.len();
    admin.batch_execute("rollback").await.expect("rolls back");
    Planted { what, by_rules, by_list, by_leaks: 0, by_differences: 0, by_controls: 0 }
}

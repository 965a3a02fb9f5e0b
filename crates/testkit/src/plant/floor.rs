//! All that is not the engines' telemetry: the rig, the states, the work orders. Its own connection, so that it never
//! waits behind the bulk.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use tokio_postgres::{Client, Statement};

use super::orders::Orders;
use super::rig::{RIG_ID, Rig};
use super::schema::machine_id;
use super::states::StateWalk;

/// Seconds of rig data that are caught up after a pause of the writer; a longer one is a gap.
const RIG_CATCH_UP_S: i64 = 10;

pub struct Floor {
    client: Client,
    insert_rig: Statement,
    insert_state: Statement,
    rig: Rig,
    rig_state: Option<(String, Option<String>)>,
    /// Seconds of Unix time.
    last_rig_s: i64,
    walks: Vec<StateWalk>,
    pub orders: Orders,
}

impl Floor {
    /// Goes on where the tables end.
    pub async fn load(client: Client, seed: u64, machines: usize, now_us: i64) -> Result<Self> {
        let insert_rig = client
            .prepare(
                "insert into rig_telemetry (machine_id, ts, ts1, ts2, ts3, ts4, vs1, se, ce, cp)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing",
            )
            .await?;
        let insert_state = client
            .prepare(
                "insert into machine_states (machine_id, state, reason, started_at, note, simulated)
                 values ($1, $2, $3, $4, $5, $6)",
            )
            .await?;
        let last = "select state, reason, (select count(*) from machine_states where machine_id = $1)
                    from machine_states where machine_id = $1 order by started_at desc, id desc limit 1";
        let last = client.prepare(last).await?;
        let mut walks = Vec::with_capacity(machines);
        for machine in 0..machines {
            let row = client.query_opt(&last, &[&machine_id(machine)]).await?;
            walks.push(match row {
                None => StateWalk::new(seed, machine, 0, false, now_us),
                Some(row) => {
                    let (running, count) = (row.get::<_, &str>(0) == "running", row.get::<_, i64>(2) as u64);
                    StateWalk::new(seed, machine, count, running, now_us).waiting()
                }
            });
        }
        let rig_state = client.query_opt(&last, &[&RIG_ID]).await?.map(|row| (row.get(0), row.get(1)));
        let orders = Orders::load(&client, seed, machines).await?;
        let last_rig_s = now_us / 1_000_000 - 1;
        Ok(Self { client, insert_rig, insert_state, rig: Rig::new(seed), rig_state, last_rig_s, walks, orders })
    }

    /// Writes what is due at `now_us`, and `orders` operations on work orders.
    pub async fn step(&mut self, now_us: i64, orders: usize) -> Result<()> {
        self.rig(now_us / 1_000_000).await?;
        for machine in 0..self.walks.len() {
            while let Some(change) = self.walks[machine].due(now_us) {
                let (id, at) = (machine_id(machine), system_time(change.started_us));
                let note: Option<&str> = None;
                self.client
                    .execute(&self.insert_state, &[&id, &change.state, &change.reason, &at, &note, &true])
                    .await?;
            }
        }
        for _ in 0..orders {
            self.orders.step(&self.client, system_time(now_us)).await?;
        }
        Ok(())
    }

    async fn rig(&mut self, now_s: i64) -> Result<()> {
        for second in (self.last_rig_s + 1).max(now_s - RIG_CATCH_UP_S)..=now_s {
            let at = system_time(second * 1_000_000);
            let v = self.rig.values(second);
            self.client
                .execute(&self.insert_rig, &[&RIG_ID, &at, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]])
                .await?;
            let condition = self.rig.condition(second);
            let (state, reason) = condition.state();
            let known = self.rig_state.as_ref().map(|(state, reason)| (state.as_str(), reason.as_deref()));
            if known != Some((state, reason)) {
                let note = condition.note();
                self.client.execute(&self.insert_state, &[&RIG_ID, &state, &reason, &at, &note, &false]).await?;
                self.rig_state = Some((state.to_owned(), reason.map(str::to_owned)));
            }
        }
        self.last_rig_s = now_s;
        Ok(())
    }
}

pub fn system_time(us: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(us.max(0) as u64)
}

/// Microseconds of Unix time.
pub fn now_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

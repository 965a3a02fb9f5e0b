//! Work orders: simulated; inserted, progressed and deleted, one operation at a time.

use std::time::SystemTime;

use anyhow::Result;
use serde_json::{Value, json};
use tokio_postgres::{Client, Statement};

use super::dice::Dice;
use super::schema::machine_id;

const STATUSES: [&str; 4] = ["planned", "released", "in progress", "completed"];
const OPEN_AT_LEAST: usize = 40;
const OPEN_AT_MOST: usize = 400;
/// One payload in this many is larger than a page's share and incompressible, so that Postgres keeps it out of line and
/// an update of the row does not carry it.
const LARGE_PAYLOAD_EVERY: usize = 10;

#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct OrderCounts {
    pub inserted: u64,
    pub updated: u64,
    pub deleted: u64,
}

pub struct Orders {
    dice: Dice,
    machines: usize,
    /// Id and index into `STATUSES`; a cancelled one counts as completed.
    open: Vec<(i64, usize)>,
    insert: Statement,
    update: Statement,
    delete: Statement,
    pub counts: OrderCounts,
}

impl Orders {
    /// Goes on with the orders that are there.
    pub async fn load(client: &Client, seed: u64, machines: usize) -> Result<Self> {
        let rows = client.query("select id, status from work_orders order by id", &[]).await?;
        let open = rows.iter().map(|row| {
            let status: &str = row.get(1);
            let index = STATUSES.iter().position(|known| *known == status);
            (row.get(0), index.unwrap_or(STATUSES.len() - 1))
        });
        let open: Vec<_> = open.collect();
        let last = open.last().map_or(0, |(id, _)| *id as u64);
        let insert = client
            .prepare(
                "insert into work_orders
                   (machine_id, product, quantity, status, due, due_at, tags, payload, created_at, updated_at)
                 values ($1, $2, $3::int8::numeric / 1000, 'planned',
                         ($4::timestamptz at time zone 'UTC')::date, $4, $5, $6, $7, $7)
                 returning id",
            )
            .await?;
        let update = client.prepare("update work_orders set status = $2, updated_at = $3 where id = $1").await?;
        let delete = client.prepare("delete from work_orders where id = $1").await?;
        let dice = Dice::new(seed, &[6, last]);
        Ok(Self { dice, machines, open, insert, update, delete, counts: OrderCounts::default() })
    }

    /// One operation.
    pub async fn step(&mut self, client: &Client, now: SystemTime) -> Result<()> {
        let choice = self.dice.below(100);
        let full = self.open.len() >= OPEN_AT_MOST;
        if self.open.len() < OPEN_AT_LEAST || (choice < 35 && !full) {
            return self.insert(client, now).await;
        }
        let index = self.dice.below(self.open.len());
        let closed = self.open[index].1 + 1 == STATUSES.len();
        if closed {
            let (id, _) = self.open.swap_remove(index);
            client.execute(&self.delete, &[&id]).await?;
            self.counts.deleted += 1;
            return Ok(());
        }
        let cancelled = self.dice.below(12) == 0;
        let (id, status) = &mut self.open[index];
        *status = if cancelled { STATUSES.len() - 1 } else { *status + 1 };
        let name = if cancelled { "cancelled" } else { STATUSES[*status] };
        client.execute(&self.update, &[&*id, &name, &now]).await?;
        self.counts.updated += 1;
        Ok(())
    }

    async fn insert(&mut self, client: &Client, now: SystemTime) -> Result<()> {
        let dice = &mut self.dice;
        let machine = machine_id(dice.below(self.machines));
        let product = dice.pick(&["Fan blade", "Seal ring", "Combustor liner", "Bearing set", "Fuel nozzle"]);
        let thousandths = 1 + dice.below(5_000_000) as i64;
        let due = now + std::time::Duration::from_secs(3_600 * (1 + dice.below(14 * 24)) as u64);
        let mut tags: Vec<&str> = Vec::new();
        for tag in ["urgent", "export", "rework", "first article"] {
            if dice.below(4) == 0 {
                tags.push(tag);
            }
        }
        let payload = payload(dice);
        let row =
            client.query_one(&self.insert, &[&machine, &product, &thousandths, &due, &tags, &payload, &now]).await?;
        self.open.push((row.get(0), 0));
        self.counts.inserted += 1;
        Ok(())
    }
}

fn payload(dice: &mut Dice) -> Value {
    let mut payload = json!({
        "customer": dice.pick(&["Northwind Air", "Helvetia Cargo", "Pacific Lift"]),
        "priority": dice.below(5),
        "routing": [{ "op": 10, "work_center": "WC-4" }, { "op": 20, "work_center": "WC-7" }],
    });
    if dice.below(3) == 0 {
        payload["inspection"] = json!({ "plan": "AS9102", "sample_size": 5 });
    }
    if dice.below(LARGE_PAYLOAD_EVERY) == 0 {
        let drawing: String = (0..512).map(|_| format!("{:016x}", dice.next_u64())).collect();
        payload["drawing"] = json!(drawing);
    }
    payload
}

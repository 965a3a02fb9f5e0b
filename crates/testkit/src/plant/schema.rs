//! The customer's tables, and the machines in them.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::rig::RIG_ID;

const SCHEMA: &str = include_str!("schema.sql");

/// Settings and sensors of `telemetry`, in the order of the recording.
const COLUMNS: [&str; 24] = [
    "setting1",
    "setting2",
    "setting3",
    "t2",
    "t24",
    "t30",
    "t50",
    "p2",
    "p15",
    "p30",
    "nf",
    "nc",
    "epr",
    "ps30",
    "phi",
    "nrf",
    "nrc",
    "bpr",
    "farb",
    "htbleed",
    "nf_dmd",
    "pcnfr_dmd",
    "w31",
    "w32",
];

pub fn telemetry_columns() -> [&'static str; 24] {
    COLUMNS
}

/// `ENG-001` is machine 0.
pub fn machine_id(machine: usize) -> String {
    format!("ENG-{:03}", machine + 1)
}

/// Makes the tables. Does nothing where they are there.
pub async fn init(client: &Client) -> Result<()> {
    client.batch_execute(SCHEMA).await.context("cannot make the plant's tables")
}

/// The rig and the first `machines` engines: their names, lines and sites are simulated.
pub async fn ensure_machines(client: &Client, machines: usize) -> Result<()> {
    let known = client.query_one("select to_regclass('machines') is not null", &[]).await?;
    if !known.get::<_, bool>(0) {
        anyhow::bail!("the plant's tables are missing: run `clarity-plant init --url …` first");
    }
    let sql = "insert into machines (id, name, line, site, model, commissioned_on, attributes)
               values ($1, $2, $3, $4, $5, '2024-01-01'::date + $6::int, $7) on conflict (id) do nothing";
    let statement = client.prepare(sql).await?;
    const SITES: [&str; 3] = ["Hamburg", "Toledo", "Nagoya"];
    for machine in 0..machines {
        let (id, name) = (machine_id(machine), format!("Engine {}", machine + 1));
        let site = SITES[machine % SITES.len()];
        let line = format!("{site} test bay {}", machine / SITES.len() % 4 + 1);
        let attributes = json!({ "thrust_class_lbf": 90_000, "data_set": "C-MAPSS FD001", "engine": machine + 1 });
        client.execute(&statement, &[&id, &name, &line, &site, &"C-MAPSS", &(machine as i32), &attributes]).await?;
    }
    let attributes = json!({ "data_set": "Condition Monitoring of Hydraulic Systems", "cycle_s": 60 });
    let name = "Hydraulic rig";
    client.execute(&statement, &[&RIG_ID, &name, &"Rig hall", &SITES[0], &"ZeMA rig", &0_i32, &attributes]).await?;
    Ok(())
}

/// What the plant has written so far.
pub async fn status(client: &Client) -> Result<Value> {
    let sql = "select (select count(*) from machines), (select count(*) from telemetry),
                      (select count(*) from rig_telemetry), (select count(*) from machine_states),
                      (select count(*) from work_orders),
                      (select extract(epoch from now() - max(ts))::float8 from telemetry),
                      pg_database_size(current_database())";
    let row = client.query_one(sql, &[]).await.context("cannot read the plant's tables: was `init` run?")?;
    Ok(json!({
        "machines": row.get::<_, i64>(0),
        "telemetry": row.get::<_, i64>(1),
        "rig_telemetry": row.get::<_, i64>(2),
        "machine_states": row.get::<_, i64>(3),
        "work_orders": row.get::<_, i64>(4),
        "newest_telemetry_age_s": row.get::<_, Option<f64>>(5),
        "database_bytes": row.get::<_, i64>(6),
    }))
}

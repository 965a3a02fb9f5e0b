//! History, for snapshots and for charts that look back: the same generators, over a time that has passed, as fast as
//! the database takes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use anyhow::{Context, Result};
use tokio_postgres::Client;

use super::copy::CopyWriter;
use super::fleet::Fleet;
use super::floor::{now_us, system_time};
use super::rig::{RIG_ID, Rig};
use super::schema::{ensure_machines, machine_id};
use super::states::StateWalk;
use crate::cluster::connect;

const ROWS_PER_TRANSACTION: u64 = 20_000;
const CONNECTIONS: u64 = 2;
/// One turn of the recording.
const RIG_ROWS_AT_MOST: i64 = 132_300;

/// What to write: `rows` of `telemetry`, taken in turn by the machines, ending where the present data begins (or now).
#[derive(Clone, Debug)]
pub struct Backfill {
    pub url: String,
    pub rows: u64,
    /// Rows a second of that history; by default one for each machine.
    pub rate: Option<u64>,
    pub machines: usize,
    pub seed: u64,
    pub rows_per_cycle: u64,
    /// Where history ends, in place of the beginning of the present data.
    pub end_us: Option<i64>,
    pub quiet: bool,
}

/// Gives the seconds it took. The rig's seconds and the engines' states cover the same time.
pub async fn backfill(options: Backfill) -> Result<f64> {
    let started = Instant::now();
    let client = connect(&options.url).await?;
    ensure_machines(&client, options.machines).await?;
    let oldest = "select least((select min(ts) from telemetry), (select min(ts) from rig_telemetry),
                               (select min(started_at) from machine_states))";
    let oldest: Option<std::time::SystemTime> = client.query_one(oldest, &[]).await?.get(0);
    let oldest_us = oldest.and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map(|since| since.as_micros() as i64);
    let end_us = options.end_us.or(oldest_us).unwrap_or_else(now_us);
    let machines = options.machines.clamp(1, super::recorded::ENGINES);
    let rate = options.rate.unwrap_or(machines as u64).max(1);
    let begin_us = end_us - (options.rows as i128 * 1_000_000 / i128::from(rate)) as i64 - 1_000_000;
    let fleet = Fleet::new(options.seed, machines, rate, options.rows_per_cycle, begin_us);

    let done = Arc::new(AtomicU64::new(0));
    let share = options.rows.div_ceil(CONNECTIONS);
    let mut tasks = tokio::task::JoinSet::new();
    for part in 0..CONNECTIONS {
        let rows = (part * share).min(options.rows)..((part + 1) * share).min(options.rows);
        let writer = CopyWriter::new(connect(&options.url).await?, machines).await?;
        tasks.spawn(write_rows(fleet.clone(), writer, rows, Arc::clone(&done)));
    }
    states(&client, options.seed, machines, begin_us, end_us).await?;
    rig(&client, options.seed, begin_us, end_us).await?;
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            ended = tasks.join_next() => match ended {
                None => break,
                Some(ended) => ended.context("a writer died")??,
            },
            _ = ticks.tick(), if !options.quiet => {
                let rows = done.load(Ordering::Relaxed);
                let per_s = rows as f64 / started.elapsed().as_secs_f64();
                eprintln!("backfill {rows:>11} of {} rows  {per_s:>7.0} rows/s", options.rows);
            }
        }
    }
    client.batch_execute("analyze telemetry, rig_telemetry, machine_states").await?;
    Ok(started.elapsed().as_secs_f64())
}

async fn write_rows(
    fleet: Fleet,
    mut writer: CopyWriter,
    rows: std::ops::Range<u64>,
    done: Arc<AtomicU64>,
) -> Result<()> {
    let mut next = rows.start;
    while next < rows.end {
        let end = (next + ROWS_PER_TRANSACTION).min(rows.end);
        writer.write((next..end).map(|row| fleet.reading(row))).await.context("cannot write telemetry")?;
        done.fetch_add(end - next, Ordering::Relaxed);
        next = end;
    }
    Ok(())
}

async fn states(client: &Client, seed: u64, machines: usize, begin_us: i64, end_us: i64) -> Result<()> {
    let sql = "insert into machine_states (machine_id, state, reason, started_at, simulated)
               select $1, s, r, t, true from unnest($2::text[], $3::text[], $4::timestamptz[]) as u(s, r, t)";
    let statement = client.prepare(sql).await?;
    for machine in 0..machines {
        let mut walk = StateWalk::new(seed, machine, 0, false, begin_us);
        let (mut names, mut reasons, mut times) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(change) = walk.due(end_us - 1) {
            names.push(change.state);
            reasons.push(change.reason);
            times.push(system_time(change.started_us));
        }
        client.execute(&statement, &[&machine_id(machine), &names, &reasons, &times]).await?;
    }
    Ok(())
}

async fn rig(client: &Client, seed: u64, begin_us: i64, end_us: i64) -> Result<()> {
    let rig = Rig::new(seed);
    let end_s = (end_us - 1).div_euclid(1_000_000);
    let begin_s = (begin_us / 1_000_000).max(end_s - RIG_ROWS_AT_MOST);
    let telemetry = client
        .prepare(
            "insert into rig_telemetry (machine_id, ts, ts1, ts2, ts3, ts4, vs1, se, ce, cp)
             select $1, u.* from unnest($2::timestamptz[], $3::float8[], $4::float8[], $5::float8[], $6::float8[],
                                        $7::float8[], $8::float8[], $9::float8[], $10::float8[]) as u
             on conflict do nothing",
        )
        .await?;
    let state = client
        .prepare(
            "insert into machine_states (machine_id, state, reason, started_at, note, simulated)
             values ($1, $2, $3, $4, $5, false)",
        )
        .await?;
    let mut known = None;
    let seconds: Vec<i64> = (begin_s..end_s).collect();
    for chunk in seconds.chunks(5_000) {
        let times: Vec<_> = chunk.iter().map(|second| system_time(second * 1_000_000)).collect();
        let column = |index: usize| chunk.iter().map(|second| rig.values(*second)[index]).collect::<Vec<f64>>();
        let c: [Vec<f64>; 8] = std::array::from_fn(column);
        client.execute(&telemetry, &[&RIG_ID, &times, &c[0], &c[1], &c[2], &c[3], &c[4], &c[5], &c[6], &c[7]]).await?;
        for second in chunk {
            let condition = rig.condition(*second);
            if known != Some(condition.state()) {
                known = Some(condition.state());
                let (name, reason) = condition.state();
                let (at, note) = (system_time(second * 1_000_000), condition.note());
                client.execute(&state, &[&RIG_ID, &name, &reason, &at, &note]).await?;
            }
        }
    }
    Ok(())
}

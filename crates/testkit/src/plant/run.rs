//! Live writing at a steady rate.
//!
//! Row `k` is due `k / rate` seconds after the start, and carries that time. Each tick writes all that is due in one
//! transaction. A writer that falls more than a second behind lets the lost time go, and says so: a backlog that only
//! grows would make every later time a lie.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::copy::CopyWriter;
use super::fleet::Fleet;
use super::floor::{Floor, now_us};
use super::schema::{ensure_machines, machine_id};
use crate::cluster::connect;

pub const MAX_RATE: u64 = 50_000;
const FLOOR_TICK: Duration = Duration::from_millis(250);

/// How to run.
#[derive(Clone, Debug)]
pub struct Run {
    pub url: String,
    /// Rows of `telemetry` a second.
    pub rate: u64,
    pub machines: usize,
    pub seed: u64,
    pub rows_per_cycle: u64,
    /// Operations on work orders a second.
    pub orders_per_s: u64,
    /// Stop after this long.
    pub seconds: Option<u64>,
    /// Stop after exactly so many rows of `telemetry`.
    pub rows: Option<u64>,
    /// Time of the first row, in place of now: with it the whole of `telemetry` repeats for a seed.
    pub start_us: Option<i64>,
    /// Without the status line a second on stderr.
    pub quiet: bool,
}

/// What a run wrote.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Written {
    pub rows: u64,
    pub seconds: f64,
    /// Time that the writer could not make up, and let go.
    pub lost_ms: u64,
}

#[derive(Default)]
struct Progress {
    rows: AtomicU64,
    /// Furthest behind within the last second.
    behind_us: AtomicU64,
    lost_ms: AtomicU64,
}

/// Writes until `stop` turns true, the time is over, or the rows are written.
pub async fn run(options: Run, mut stop: watch::Receiver<bool>) -> Result<Written> {
    ensure!((1..=MAX_RATE).contains(&options.rate), "the rate must be between 1 and {MAX_RATE} rows a second");
    let client = connect(&options.url).await?;
    ensure_machines(&client, options.machines).await?;

    let mut fleet = Fleet::new(options.seed, options.machines, options.rate, options.rows_per_cycle, 0);
    let newest_us = resume(&client, &mut fleet).await?;
    let base_us = options.start_us.unwrap_or_else(now_us).max(newest_us + 1_000);
    fleet.delay(base_us);

    let floor_client = connect(&options.url).await?;
    let floor = Floor::load(floor_client, options.seed, fleet.machines(), base_us).await?;
    let (end, ended) = watch::channel(false);
    let progress = Arc::new(Progress::default());
    let started = Instant::now();
    let floor = tokio::spawn(run_floor(floor, options.orders_per_s, base_us, started, ended.clone()));
    let reporter = (!options.quiet).then(|| tokio::spawn(report(Arc::clone(&progress), options.rate, ended)));

    let mut writer = CopyWriter::new(client, fleet.machines()).await?;
    let written = write_rows(&options, &mut fleet, &mut writer, &progress, started, &mut stop).await;
    // The others end whether or not the writer failed.
    let _ = end.send(true);
    let floor = floor.await.context("the floor's task died")?;
    if let Some(reporter) = reporter {
        let _ = reporter.await;
    }
    written?;
    floor?;
    Ok(Written {
        rows: progress.rows.load(Ordering::Relaxed),
        seconds: started.elapsed().as_secs_f64(),
        lost_ms: progress.lost_ms.load(Ordering::Relaxed),
    })
}

async fn write_rows(
    options: &Run,
    fleet: &mut Fleet,
    writer: &mut CopyWriter,
    progress: &Progress,
    started: Instant,
    stop: &mut watch::Receiver<bool>,
) -> Result<()> {
    let rate = options.rate;
    // Fewer, larger transactions where the rate is high; at a low one, a row when it is due.
    let tick = if rate >= 20_000 { 20_000 } else { (1_000_000 / rate).clamp(10_000, 100_000) };
    let mut ticks = tokio::time::interval(Duration::from_micros(tick));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let most = (rate / 10).max(100);
    let deadline = options.seconds.map(|seconds| started + Duration::from_secs(seconds));
    // Where the schedule began: moved when lost time is let go.
    let mut began = started;
    let mut written = 0;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
        }
        loop {
            if options.rows.is_some_and(|rows| written >= rows) || deadline.is_some_and(|at| Instant::now() >= at) {
                return Ok(());
            }
            let elapsed = began.elapsed();
            let due = (elapsed.as_micros() * u128::from(rate) / 1_000_000) as u64 + 1;
            let due = options.rows.map_or(due, |rows| due.min(rows));
            if due <= written {
                break;
            }
            let next = due.min(written + most);
            writer.write((written..next).map(|row| fleet.reading(row))).await.context("cannot write telemetry")?;
            written = next;
            progress.rows.store(written, Ordering::Relaxed);
            let behind = began.elapsed().saturating_sub(Duration::from_micros(written * 1_000_000 / rate));
            progress.behind_us.fetch_max(behind.as_micros() as u64, Ordering::Relaxed);
            if behind > Duration::from_secs(1) {
                progress.lost_ms.fetch_add(behind.as_millis() as u64, Ordering::Relaxed);
                began += behind;
                if options.start_us.is_none() {
                    fleet.delay(behind.as_micros() as i64);
                }
            }
            if *stop.borrow() {
                return Ok(());
            }
        }
    }
}

/// Points each engine behind its newest row. Gives the newest time, in microseconds of Unix time.
async fn resume(client: &tokio_postgres::Client, fleet: &mut Fleet) -> Result<i64> {
    let sql = "select ts, cycle from telemetry where machine_id = $1 order by ts desc limit 1";
    let statement = client.prepare(sql).await?;
    let mut newest_us = i64::MIN / 2;
    for machine in 0..fleet.machines() {
        if let Some(row) = client.query_opt(&statement, &[&machine_id(machine)]).await? {
            let (ts, cycle): (std::time::SystemTime, i32) = (row.get(0), row.get(1));
            fleet.resume(machine, cycle as u64);
            newest_us = newest_us.max(ts.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64));
        }
    }
    Ok(newest_us)
}

async fn run_floor(
    mut floor: Floor,
    orders_per_s: u64,
    base_us: i64,
    started: Instant,
    mut ended: watch::Receiver<bool>,
) -> Result<()> {
    let mut ticks = tokio::time::interval(FLOOR_TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut orders = 0;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = ended.wait_for(|ended| *ended) => return Ok(()),
        }
        let elapsed = started.elapsed();
        let due = (elapsed.as_millis() as u64 * orders_per_s / 1_000).min(orders + orders_per_s);
        let step = floor.step(base_us + elapsed.as_micros() as i64, (due - orders) as usize);
        step.await.context("cannot write the rig, the states or the work orders")?;
        orders = due;
    }
}

async fn report(progress: Arc<Progress>, rate: u64, mut ended: watch::Receiver<bool>) {
    let (started, mut before, mut at) = (Instant::now(), 0, Instant::now());
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.tick().await;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = ended.wait_for(|ended| *ended) => return,
        }
        let rows = progress.rows.load(Ordering::Relaxed);
        let per_s = (rows - before) as f64 / at.elapsed().as_secs_f64();
        (before, at) = (rows, Instant::now());
        let behind_us = progress.behind_us.swap(0, Ordering::Relaxed);
        let lost_ms = progress.lost_ms.load(Ordering::Relaxed);
        let word = if behind_us > 200_000 || per_s < rate as f64 * 0.95 - 1.0 { "  late" } else { "" };
        eprintln!(
            "plant {:>5.0} s  {per_s:>7.0} rows/s  {rows:>11} rows  behind {:>4} ms  lost {lost_ms} ms{word}",
            started.elapsed().as_secs_f64(),
            behind_us / 1_000,
        );
    }
}

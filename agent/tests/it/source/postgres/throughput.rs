//! How fast a backlog goes into the spool, and what it costs. By hand, in release:
//! `cargo test --release -p clarity-agent --test it throughput -- --ignored --nocapture`

use super::Plant;
use clarity_testkit::wait_until;
use std::time::{Duration, Instant};

const CHANGES: u64 = 1_000_000;

/// CPU time of this process, from `/proc/self/stat`.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

fn memory_mb(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[ignore = "a measurement, for a release build"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_of_a_million_changes() {
    let mut plant = Plant::new(
        "create table t (id bigint primary key, machine text, at timestamptz, temp float8, pressure float8,
                         status int, ok bool, note text)",
    )
    .await;
    plant.platform.counts_only = true;
    let running = plant.start().await;
    plant.snapshot_done_counting(&running).await;
    running.stop().await.unwrap();
    for part in 0..70 {
        plant
            .sql(&format!(
                "insert into t select i, 'ENG-' || i % 100, now(), 20 + random(), 1013.25 + random(), i % 7, i % 2 = 0,
                                      'note number ' || i
                 from generate_series({}, {}) i",
                part * 10_000 + 1,
                (part + 1) * 10_000
            ))
            .await;
    }
    for part in 0..30 {
        let (from, to) = (part * 10_000 + 1, (part + 1) * 10_000);
        plant.sql(&format!("update t set temp = temp + 1, note = 'changed' where id between {from} and {to}")).await;
    }
    let before = plant.platform.log.lock().unwrap().next_seq;
    let (cpu_before, started) = (cpu(), Instant::now());
    let running = plant.start().await;
    wait_until("all changes are durable", Duration::from_secs(120), || async {
        plant.platform.log.lock().unwrap().next_seq - before >= CHANGES
    })
    .await;
    let (took, cpu) = (started.elapsed(), cpu() - cpu_before);
    let rate = CHANGES as f64 / took.as_secs_f64();
    let (peak, now) = (memory_mb("VmHWM"), memory_mb("VmRSS"));
    println!(
        "{CHANGES} changes in {took:.2?} with start and set-up: {rate:.0}/s, {cpu:.2?} of CPU, {now} MB resident, {peak} MB peak, {} blocks",
        plant.platform.log.lock().unwrap().blocks.len()
    );
    assert!(rate > 50_000.0 && cpu < Duration::from_secs(8));
    running.stop().await.unwrap();
}

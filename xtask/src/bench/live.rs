//! Latencies while the plant writes 5,000 rows a second.
//!
//! Both clusters keep commit times, on one machine's clock, so each transaction of `telemetry` is followed by itself:
//! - durable: another session sees the source's cursor past the segment that holds it (polled every 2 ms, so up to that
//!   much too late; the commit time in Postgres, which is taken before its fsync, is told beside it);
//! - read model: commit time of the refine transaction that passed that segment;
//! - browser: receipt of the first message of Overview's event stream that carries the row's value, or a newer one of the
//!   same machine. Only machines that the page shows are counted.
//!
//! The first five seconds are left out.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{
    Context,
    bed::Bed,
    disk::Disk,
    figures::{Figures, Spread},
    node::Script,
    session::{Session, column},
};
use crate::process::step;

const RATE: u32 = 5_000;
const POLL: Duration = Duration::from_millis(2);
const WARM_US: i64 = 5_000_000;
/// Unix time in microseconds of a timestamp.
const US: &str = "(extract(epoch from {}) * 1e6)::bigint";

/// What a poll saw: the durable cursor, and the refine cursor with the time its transaction committed.
#[derive(Debug, Clone, Copy)]
struct Seen {
    at_us: i64,
    durable_seq: u64,
    refined_seq: u64,
    refined_us: i64,
}

#[derive(Debug, Clone, Copy)]
struct Segment {
    end_seq: u64,
    last_commit_us: i64,
    committed_us: i64,
}

/// A transaction of the plant on `telemetry`.
#[derive(Debug, Clone, Copy)]
struct Write {
    committed_us: i64,
    rows: u64,
}

pub fn measure(context: &Context, figures: &mut Figures) -> Result<()> {
    let mut bed = Bed::platform(context, "live", true)?;
    bed.with_customer(true)?;
    bed.recycle_logs()?;
    step("server, workers, agent", || {
        bed.stack.start_server()?;
        bed.stack.start_workers("workers", "all")
    })?;
    bed.settle_agent()?;
    bed.stack.restart("agent")?;
    // The event stream shows machines that are known when it opens.
    let mut platform = bed.platform_session()?;
    step("the fleet is known", || {
        bed.stack.plant_command(&["run", "--rate", "200", "--seconds", "2", "--quiet"])?;
        bed.wait("the assets to be known", Duration::from_secs(60), || {
            platform.get::<u64>("select count(*) from latest_samples").map(|assets| assets > 50)
        })
    })?;
    let seconds = context.scale.live_seconds + WARM_US as u64 / 1_000_000;
    let mut stream = Script::start(&bed, "live.mjs", &[(seconds + 3).to_string()], &[])?;
    let opened: Value = stream.line()?;
    ensure!(opened["open"] == true, "the event stream said {opened}");

    // What set-up left to be written must not fall into the measured minute.
    step("files of set-up on the disk", || Ok(std::process::Command::new("sync").status().map(drop)?))?;
    let disk = Disk::probe(bed.folder());
    let before = usages(&mut bed)?;
    let (began_us, seen) = step(&format!("{RATE} rows a second for {seconds} s"), || {
        let began_us = platform.get::<i64>(&format!("select {}", us("clock_timestamp()")))?;
        bed.stack.start_plant(RATE, &["--quiet"])?;
        // Two seconds more: what was written at the end must arrive too.
        Ok((began_us, watch(&mut bed, &mut platform, Duration::from_secs(seconds + 2))?))
    })?;
    let messages = stream.rest()?;
    let from_us = began_us + WARM_US;
    let to_us = began_us + seconds as i64 * 1_000_000;
    cpu(&mut bed, &before, seconds + 2, figures)?;
    bed.stack.stop("plant")?;
    figures.note(format!("live: {}", plant_word(&bed)));
    figures.note(format!("live: a bare sync of 8 kB on the same disk meanwhile: {}", disk.spread()?.text("ms")));

    let mut customer = bed.customer_session()?;
    let writes = writes(&mut customer, from_us, to_us)?;
    let rows: u64 = writes.iter().map(|write| write.rows).sum();
    ensure!(
        rows as f64 > 0.9 * f64::from(RATE) * context.scale.live_seconds as f64,
        "the plant wrote only {rows} rows"
    );
    let segments = segments(&mut platform, began_us)?;
    follow(&writes, &segments, &seen, figures)?;
    browser(&mut customer, &mut platform, &messages, from_us, to_us, figures)?;
    drop((customer, platform));
    bed.remove()
}

fn us(timestamp: &str) -> String {
    US.replace("{}", timestamp)
}

/// Polls both cursors until the time is over.
fn watch(bed: &mut Bed<'_>, platform: &mut Session, time: Duration) -> Result<Vec<Seen>> {
    let query = format!(
        "select {}, c.next_seq, r.next_seq, {}
         from source_cursors c join refine_cursors r using (workspace_id, source_id)",
        us("clock_timestamp()"),
        us("pg_xact_commit_timestamp(r.xmin)"),
    );
    let started = Instant::now();
    let mut all = Vec::new();
    while started.elapsed() < time {
        let polled = Instant::now();
        if let Some(row) = platform.rows(&query)?.first() {
            all.push(Seen {
                at_us: column(row, 0)?,
                durable_seq: column(row, 1)?,
                refined_seq: column(row, 2)?,
                refined_us: column(row, 3)?,
            });
        }
        if all.len() % 100 == 0 {
            bed.check()?;
        }
        std::thread::sleep(POLL.saturating_sub(polled.elapsed()));
    }
    Ok(all)
}

fn writes(customer: &mut Session, from_us: i64, to_us: i64) -> Result<Vec<Write>> {
    let query = format!(
        "select at, rows from (
           select {} as at, count(*) as rows from telemetry group by xmin
         ) t where at between {from_us} and {to_us} order by at",
        us("pg_xact_commit_timestamp(xmin)")
    );
    let rows = customer.rows(&query)?;
    rows.iter().map(|row| Ok(Write { committed_us: column(row, 0)?, rows: column(row, 1)? })).collect()
}

fn segments(platform: &mut Session, from_us: i64) -> Result<Vec<Segment>> {
    let query = format!(
        "select first_seq + event_count, {}, {} from bronze_segments
         where received_at > to_timestamp({from_us} / 1e6) and last_commit_at is not null order by epoch, first_seq",
        us("last_commit_at"),
        us("pg_xact_commit_timestamp(xmin)"),
    );
    let rows = platform.rows(&query)?;
    let segment = |row: &Vec<String>| {
        Ok(Segment { end_seq: column(row, 0)?, last_commit_us: column(row, 1)?, committed_us: column(row, 2)? })
    };
    rows.iter().map(segment).collect()
}

/// From each write to the segment that holds its end, and on to the polls that saw that segment passed.
fn follow(writes: &[Write], segments: &[Segment], seen: &[Seen], figures: &mut Figures) -> Result<()> {
    let (mut committed, mut durable, mut refined) = (Spread::default(), Spread::default(), Spread::default());
    let mut lost = 0;
    for write in writes {
        // Segments are in commit order, and a transaction may go on in the next: the last with its time, else the first
        // that is past it.
        let past = segments.partition_point(|segment| segment.last_commit_us <= write.committed_us);
        let index = match past.checked_sub(1).map(|index| segments[index]) {
            Some(segment) if segment.last_commit_us == write.committed_us => past - 1,
            _ => past,
        };
        let Some(segment) = segments.get(index) else {
            lost += write.rows;
            continue;
        };
        let ms = |at_us: i64| (at_us - write.committed_us) as f64 / 1000.0;
        committed.add(ms(segment.committed_us), write.rows);
        let polls = (
            seen.get(seen.partition_point(|poll| poll.durable_seq < segment.end_seq)),
            seen.get(seen.partition_point(|poll| poll.refined_seq < segment.end_seq)),
        );
        match polls {
            (Some(saw), Some(read)) => {
                durable.add(ms(saw.at_us), write.rows);
                refined.add(ms(read.refined_us), write.rows);
            }
            _ => lost += write.rows,
        }
    }
    ensure!(lost == 0, "{lost} rows had not arrived in the read models two seconds after the last write");
    figures.add("commit_to_durable_p50_ms", durable.percentile(0.5).context("nothing was seen")?);
    figures.add("commit_to_durable_p99_ms", durable.percentile(0.99).context("nothing was seen")?);
    figures.note(format!("commit → durable: {} rows, as another session sees it", durable.text("ms")));
    figures.note(format!("  by Postgres' commit time (before its fsync): {}", committed.text("ms")));
    figures.note(format!("commit → read model: {}", refined.text("ms")));
    Ok(())
}

fn browser(
    customer: &mut Session,
    platform: &mut Session,
    messages: &[Value],
    from_us: i64,
    to_us: i64,
    figures: &mut Figures,
) -> Result<()> {
    let keys: HashMap<String, String> = platform
        .rows("select id, key from assets")?
        .into_iter()
        .filter_map(|row| Some((row.first()?.clone(), row.get(1)?.clone())))
        .collect();
    // Machine → (time of the value, receipt), in order.
    let mut received: HashMap<&str, Vec<(i64, i64)>> = HashMap::new();
    let mut updates = 0;
    for message in messages {
        let (Some(at), Some(values)) = (message["received_us"].as_i64(), message["values"].as_array()) else {
            continue;
        };
        updates += 1;
        for value in values {
            let (Some(id), Some(ts)) = (value[0].as_str(), value[1].as_i64()) else { continue };
            if let Some(key) = keys.get(id) {
                received.entry(key).or_default().push((ts, at));
            }
        }
    }
    ensure!(updates > 0, "the event stream brought no values");
    let query = format!(
        "select machine_id, {}, {} from telemetry
         where ts between to_timestamp({from_us} / 1e6) and to_timestamp({to_us} / 1e6) order by machine_id, ts",
        us("ts"),
        us("pg_xact_commit_timestamp(xmin)"),
    );
    let (mut every, mut shown) = (Spread::default(), Spread::default());
    for row in customer.rows(&query)? {
        let (machine, ts, committed_us): (String, i64, i64) = (column(&row, 0)?, column(&row, 1)?, column(&row, 2)?);
        let Some(values) = received.get(machine.as_str()) else { continue };
        let Some((at_ts, at)) = values.get(values.partition_point(|(seen_ts, _)| *seen_ts < ts)) else { continue };
        let ms = (at - committed_us) as f64 / 1000.0;
        every.add(ms, 1);
        if *at_ts == ts {
            shown.add(ms, 1);
        }
    }
    figures.add("commit_to_browser_p99_ms", every.percentile(0.99).context("no value of the plant was seen")?);
    figures.note(format!(
        "commit → browser: {} rows of {} machines on the page ({} messages a second)",
        every.text("ms"),
        received.len(),
        super::figures::number(updates as f64 * 1e6 / (to_us - from_us + WARM_US) as f64),
    ));
    figures.note(format!("  of the values that a message carried: {}", shown.text("ms")));
    Ok(())
}

fn usages(bed: &mut Bed<'_>) -> Result<Vec<(&'static str, Duration)>> {
    ["agent", "workers", "server"].into_iter().map(|name| Ok((name, bed.stack.usage(name)?.cpu))).collect()
}

fn cpu(bed: &mut Bed<'_>, before: &[(&'static str, Duration)], seconds: u64, figures: &mut Figures) -> Result<()> {
    let mut words = Vec::new();
    for (name, cpu) in before {
        let share = (bed.stack.usage(name)?.cpu - *cpu).as_secs_f64() / seconds as f64 * 100.0;
        words.push(format!("{name} {} %", super::figures::number(share)));
    }
    figures.note(format!("live, of one core: {}", words.join(", ")));
    Ok(())
}

/// What the plant says of itself: did it keep its rate?
fn plant_word(bed: &Bed<'_>) -> String {
    let log = crate::stack::tail(&bed.stack.logs().join("plant.log"), 1);
    log.trim().to_owned()
}

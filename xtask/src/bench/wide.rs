//! The plant's wide rows: bronze is filled while refine is off, then refine, rollup and compaction start together.
//! Then what the sealed chunks take on disk.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use super::{
    Context,
    backlog::refined,
    bed::Bed,
    figures::{Figures, number},
    session::{Session, column},
};
use crate::process::step;

const METRICS: f64 = 21.0;
const REFINERS: &str = "refiners";
/// Compaction is at its end when the number of hot chunks has not changed for so long.
const STILL: Duration = Duration::from_secs(20);
const LIMIT: Duration = Duration::from_secs(300);

pub fn measure(context: &Context, figures: &mut Figures) -> Result<()> {
    for run in 1..=context.scale.runs.min(2) {
        one(context, &format!("wide-{run}"), figures)?;
    }
    Ok(())
}

fn one(context: &Context, name: &str, figures: &mut Figures) -> Result<()> {
    let rows = context.scale.wide_rows;
    let mut bed = Bed::platform(context, name, false)?;
    bed.with_customer(false)?;
    step("workers: ingest", || bed.stack.start_workers("workers", "ingest"))?;
    bed.settle_agent()?;
    let mut platform = bed.platform_session()?;
    step(&format!("{} rows of telemetry in bronze", number(rows as f64)), || {
        bed.stack.restart("agent")?;
        bed.stack.plant_command(&["backfill", "--rows", &rows.to_string(), "--quiet"])?;
        bed.wait_durable(&mut platform)
    })?;
    refine(&mut bed, &mut platform, figures, rows)?;
    step("hot chunks sealed", || sealing(&mut bed, &mut platform, figures))?;
    bytes(&mut bed, &mut platform, figures)?;
    bed.remove()
}

fn refine(bed: &mut Bed<'_>, platform: &mut Session, figures: &mut Figures, rows: u64) -> Result<()> {
    let done = "select coalesce(bool_and(r.next_seq = c.next_seq and r.epoch = c.epoch), false)
                from source_cursors c left join refine_cursors r using (workspace_id, source_id)";
    let seconds = step("refine, rollup and compaction: bronze to read models", || {
        let started = Instant::now();
        bed.stack.start_workers(REFINERS, "refine,rollup,compact")?;
        bed.wait("refine to reach the head", LIMIT, || platform.is(done))?;
        Ok(started.elapsed().as_secs_f64())
    })?;
    // With the snapshot of the empty table, which was one event.
    let refined = refined(platform, "public.telemetry")?;
    ensure!((rows..=rows + 1).contains(&refined), "{refined} of {rows} rows of telemetry are refined");
    let dead: u64 = platform.get("select count(*) from dead_letters")?;
    ensure!(dead == 0, "{dead} events are dead letters");
    let rate = rows as f64 / seconds;
    figures.add("bronze_to_read_models_rows_per_s", rate);
    let cpu = bed.stack.usage(REFINERS)?;
    figures.note(format!(
        "bronze → read models: {} rows/s = {} samples/s; workers {} s CPU of {} s, {} MB",
        number(rate),
        number(rate * METRICS),
        number(cpu.cpu.as_secs_f64()),
        number(seconds),
        number(cpu.peak_rss_bytes as f64 / 1e6),
    ));
    Ok(())
}

/// Does compaction keep up? Rows that are still hot when refine is done, 20 s later, and when nothing changes any more.
fn sealing(bed: &mut Bed<'_>, platform: &mut Session, figures: &mut Figures) -> Result<()> {
    let query = "select count(*), coalesce(sum(row_count), 0) from sample_chunks where not sealed";
    let mut read = || -> Result<(u64, u64)> {
        let rows = platform.rows(query)?;
        let row = rows.first().context("no answer")?;
        Ok((column(row, 0)?, column(row, 1)?))
    };
    let at_head = read()?;
    let started = Instant::now();
    let (mut last, mut changed, mut after_20_s) = (at_head, started, None);
    bed.wait("compaction to come to rest", LIMIT, || {
        let now = read()?;
        if now != last {
            (last, changed) = (now, Instant::now());
        }
        if after_20_s.is_none() && started.elapsed() > Duration::from_secs(20) {
            after_20_s = Some(now);
        }
        std::thread::sleep(Duration::from_millis(200));
        Ok(after_20_s.is_some() && changed.elapsed() > STILL)
    })?;
    let after_20_s = after_20_s.unwrap_or(last);
    figures.note(format!(
        "compaction: hot chunks when refine was done {} ({} rows), 20 s later {} ({} rows), at rest {} ({} rows) after {} s",
        at_head.0,
        number(at_head.1 as f64),
        after_20_s.0,
        number(after_20_s.1 as f64),
        last.0,
        number(last.1 as f64),
        number(changed.duration_since(started).as_secs_f64()),
    ));
    Ok(())
}

/// Size of the chunks after compaction ÷ samples that are not null, sensors that never change left out. A plain `vacuum`
/// goes before, as autovacuum's would within the minute: it gives back the pages at the end that compaction emptied, and
/// rewrites nothing. What is a sample is read at the platform (metrics of mappings; extras are none), how many there are at
/// the customer's.
fn bytes(bed: &mut Bed<'_>, platform: &mut Session, figures: &mut Figures) -> Result<()> {
    let size = |platform: &mut Session, table: &str| -> Result<u64> {
        platform.get(&format!("select pg_total_relation_size('{table}')"))
    };
    platform.rows("vacuum sample_chunks_hot")?;
    platform.rows("vacuum sample_chunks_sealed")?;
    let hot = size(platform, "sample_chunks_hot")?;
    let sealed = size(platform, "sample_chunks_sealed")?;
    platform.rows("vacuum full sample_chunks_sealed")?;
    let packed = size(platform, "sample_chunks_sealed")?;

    let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let metrics = "select s.name, m.column_name from metrics m
                   join streams s on (s.workspace_id, s.id) = (m.workspace_id, m.stream_id)
                   where not m.extra and m.sample_type in ('float', 'integer') order by 1, 2";
    for row in platform.rows(metrics)? {
        columns.entry(column(&row, 0)?).or_default().push(column(&row, 1)?);
    }
    ensure!(!columns.is_empty(), "no metric is known");
    let mut customer = bed.customer_session()?;
    let (mut samples, mut constant, mut changing) = (0_u64, 0_u64, 0);
    for (table, names) in &columns {
        let counts: Vec<String> = names
            .iter()
            .map(|name| format!("count(\"{name}\"), coalesce(min(\"{name}\") < max(\"{name}\"), false)"))
            .collect();
        let rows = customer.rows(&format!("select {} from {table}", counts.join(", ")))?;
        let row = rows.first().context("no answer")?;
        for index in 0..names.len() {
            let count: u64 = column(row, 2 * index)?;
            if row.get(2 * index + 1).is_some_and(|changes| changes == "t") {
                samples += count;
                changing += 1;
            } else {
                constant += count;
            }
        }
    }
    let per = |bytes: u64, samples: u64| bytes as f64 / samples as f64;
    figures.add("read_model_bytes_per_sample", per(hot + sealed, samples));
    figures.note(format!(
        "chunks: {} MB ({} of them hot) for {} samples of {changing} metrics that change: {} bytes a sample; sealed alone {}, \
         and {} after vacuum full; with {} samples that never change {}",
        number((hot + sealed) as f64 / 1e6),
        number(hot as f64 / 1e6),
        number(samples as f64),
        number(per(hot + sealed, samples)),
        number(per(sealed, samples)),
        number(per(packed, samples)),
        number(constant as f64),
        number(per(hot + sealed, samples + constant)),
    ));
    Ok(())
}

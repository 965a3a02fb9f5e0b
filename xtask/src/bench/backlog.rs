//! A backlog of a million changes: 700 transactions of 1,000 inserts and 300 of 1,000 updates, 8 columns, written while
//! the agent was away. The same statements as the peers' scripts use.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use super::{
    Context, Scale,
    bed::{Bed, script},
    figures::{Figures, number},
    session::{Session, column},
};
use crate::process::step;

pub const TABLE: &str = "create table machine_telemetry (
  id bigint primary key, machine_id int not null, metric text not null, ts timestamptz not null,
  value double precision, quality smallint, unit text, updated_at timestamptz)";
const TRANSACTION: u64 = 1_000;
const LIMIT: Duration = Duration::from_secs(300);

/// What one run of the agent on a backlog used.
#[derive(Debug, Clone, Copy)]
pub struct Drain {
    pub rows_per_s: f64,
    pub agent_cpu_s_per_million: f64,
    pub agent_peak_rss_mb: f64,
    pub workers_cpu_s: f64,
}

/// Which cursor has to reach the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Bronze,
    ReadModels,
}

pub fn to_bronze(context: &Context, figures: &mut Figures) -> Result<()> {
    for run in 1..=context.scale.runs {
        let drain = one(context, &format!("bronze-{run}"), "ingest", End::Bronze)?;
        add_bronze(figures, &drain);
    }
    Ok(())
}

/// The three figures of a run to bronze, and what has no key.
pub fn add_bronze(figures: &mut Figures, drain: &Drain) {
    figures.add("backlog_to_bronze_rows_per_s", drain.rows_per_s);
    figures.add("agent_cpu_s_per_million", drain.agent_cpu_s_per_million);
    figures.add("agent_peak_rss_mb", drain.agent_peak_rss_mb);
    figures.note(format!(
        "backlog → bronze: {} rows/s; agent {} s CPU a million, {} MB; ingest {} s CPU",
        number(drain.rows_per_s),
        number(drain.agent_cpu_s_per_million),
        number(drain.agent_peak_rss_mb),
        number(drain.workers_cpu_s),
    ));
}

pub fn to_read_models(context: &Context, figures: &mut Figures) -> Result<()> {
    for run in 1..=context.scale.runs {
        let drain = one(context, &format!("read-models-{run}"), "all", End::ReadModels)?;
        figures.add("backlog_to_read_models_rows_per_s", drain.rows_per_s);
        figures.note(format!(
            "backlog → read models: {} rows/s; agent {} s CPU a million; workers, all roles, {} s CPU",
            number(drain.rows_per_s),
            number(drain.agent_cpu_s_per_million),
            number(drain.workers_cpu_s),
        ));
    }
    Ok(())
}

fn one(context: &Context, name: &str, roles: &str, end: End) -> Result<Drain> {
    let mut bed = Bed::platform(context, name, false)?;
    bed.with_customer(false)?;
    script(bed.stack.customer()?, bed.stack.customer_database()?, &format!("{TABLE};\n"))?;
    step(&format!("workers: {roles}"), || bed.stack.start_workers("workers", roles))?;
    bed.settle_agent()?;
    let changes = context.scale.changes();
    step(&format!("backlog of {} changes", number(changes as f64)), || {
        script(bed.stack.customer()?, bed.stack.customer_database()?, &fill(&context.scale))
    })?;
    let drained = step("agent: the whole backlog", || drain(&mut bed, changes, end))?;
    bed.remove()?;
    Ok(drained)
}

/// Starts the agent and takes the time from its start to the moment the backlog's last change has arrived.
pub fn drain_to_bronze(bed: &mut Bed<'_>, changes: u64) -> Result<Drain> {
    drain(bed, changes, End::Bronze)
}

fn drain(bed: &mut Bed<'_>, changes: u64, end: End) -> Result<Drain> {
    let mut platform = bed.platform_session()?;
    let before: u64 = platform.get("select coalesce(sum(durable_events), 0)::bigint from source_cursors")?;
    let wanted = before + changes;
    let refined = |platform: &mut Session| refined(platform, "public.machine_telemetry");
    let refined_before = refined(&mut platform)?;
    let workers = bed.stack.usage("workers")?.cpu;
    let query = "select c.durable_events, coalesce(r.next_seq = c.next_seq and r.epoch = c.epoch, false)
                 from source_cursors c left join refine_cursors r using (workspace_id, source_id)";
    let mut durable = 0;

    let started = Instant::now();
    bed.stack.restart("agent")?;
    bed.wait("the backlog to arrive", LIMIT, || {
        let rows = platform.rows(query)?;
        let Some(row) = rows.first() else { return Ok(false) };
        durable = column(row, 0)?;
        Ok(durable >= wanted && (end == End::Bronze || row.get(1).is_some_and(|caught_up| caught_up == "t")))
    })?;
    let seconds = started.elapsed().as_secs_f64();
    let usage = bed.stack.usage("agent")?;
    let workers = bed.stack.usage("workers")?.cpu - workers;

    // Beside the changes there is a heartbeat every few seconds, and nothing else.
    let others = durable - wanted;
    ensure!(others as f64 <= 20.0 + seconds, "{others} more events are durable than changes were made");
    let stored: u64 = platform.get("select sum(event_count)::bigint from bronze_segments")?;
    ensure!(stored >= durable, "the cursor says {durable} events, bronze holds {stored}");
    if end == End::ReadModels {
        let refined = refined(&mut platform)? - refined_before;
        ensure!(refined == changes, "{refined} of {changes} changes are refined");
        let dead: u64 = platform.get("select count(*) from dead_letters")?;
        ensure!(dead == 0, "{dead} changes are dead letters");
    }
    let millions = changes as f64 / 1e6;
    Ok(Drain {
        rows_per_s: changes as f64 / seconds,
        agent_cpu_s_per_million: usage.cpu.as_secs_f64() / millions,
        agent_peak_rss_mb: usage.peak_rss_bytes as f64 / 1e6,
        workers_cpu_s: workers.as_secs_f64(),
    })
}

/// Events of a stream that refine has counted: its changes, and what a snapshot says of itself.
pub fn refined(platform: &mut Session, stream: &str) -> Result<u64> {
    platform.get(&format!("select coalesce(sum(events), 0)::bigint from streams where name = '{stream}'"))
}

fn fill(scale: &Scale) -> String {
    let mut sql = String::from("checkpoint;\n");
    for from in (0..scale.inserts).step_by(TRANSACTION as usize) {
        let to = from + TRANSACTION - 1;
        let _ = writeln!(
            sql,
            "insert into machine_telemetry select i, i%500, (array['temperature','pressure','vibration','rpm','power'])[1+i%5],
             '2026-11-22'::timestamptz + i*interval '10 ms', 20+(i::bigint*7919%1000)/13.0, (i%3)::smallint,
             (array['C','bar','mm/s','1/min','kW'])[1+i%5], now() from generate_series({from},{to}) i;"
        );
    }
    for from in (0..scale.updates).step_by(TRANSACTION as usize) {
        let to = from + TRANSACTION - 1;
        let _ = writeln!(
            sql,
            "update machine_telemetry set value=value+1, updated_at=now() where id between {from} and {to};"
        );
    }
    sql
}

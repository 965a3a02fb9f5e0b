//! How soon a person sees something: a new agent, a customer with a large table whose snapshot is still to come, and
//! machines that go on working. Streaming goes first, so it must not matter how large the table is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{
    Context,
    bed::{Bed, script},
    figures::{Figures, number},
    node::Script,
};
use crate::process::step;

/// The plant's machines, as keys and as names.
const MACHINE: &str = r"cs-overview__asset[^>]*>(<[^>]*>)*(ENG-\d+|RIG-\d+|Engine \d+|Hydraulic rig)";
const LIMIT_S: u64 = 120;

pub fn measure(context: &Context, figures: &mut Figures) -> Result<()> {
    let mut bed = Bed::platform(context, "first", false)?;
    bed.with_customer(false)?;
    let rows = context.scale.snapshot_rows;
    step(&format!("a table of {} rows", number(rows as f64)), || {
        let sql = format!(
            "create table history (id bigint primary key, machine_id text not null, at timestamptz not null, value float8);
             insert into history select i, 'ENG-' || lpad((i % 100 + 1)::text, 3, '0'), '2026-01-01'::timestamptz + i * interval '1 s', i % 977
             from generate_series(1, {rows}) i;
             analyze history; checkpoint;"
        );
        script(bed.stack.customer()?, bed.stack.customer_database()?, &sql)
    })?;
    step("server, workers, plant, pairing", || {
        bed.stack.start_server()?;
        bed.stack.start_workers("workers", "all")?;
        bed.stack.start_plant(50, &["--quiet"])?;
        bed.stack.configure_agent()?;
        let slug = bed.workspace.slug.clone();
        bed.stack.pair_agent(&slug)
    })?;
    let mut page = Script::start(&bed, "first.mjs", &[MACHINE.to_owned(), LIMIT_S.to_string()], &[])?;
    let ready: Value = page.line()?;
    ensure!(ready["ready"] == true, "the page said {ready}");

    let seen: Value = step("agent's start to the first event on the page", || {
        let started = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as i64;
        bed.stack.start_agent(&bed.workspace.slug.clone())?;
        let seen: Value = page.line()?;
        let seconds = (seen["seen_us"].as_i64().context("seen_us")? - started) as f64 / 1e6;
        ensure!(seconds > 0.0, "the page had events before the agent was started");
        figures.add("first_event_s", seconds);
        Ok(seen)
    })?;
    let mut platform = bed.platform_session()?;
    // The claim needs the table to be still waiting, or at least under way.
    let done = platform.is("select coalesce(bool_or((s ->> 'done')::bool), false) from sources, jsonb_array_elements(status -> 'snapshot') s where s ->> 'stream' = 'public.history'")?;
    ensure!(!done, "the snapshot of the large table was done already");
    figures.note(format!("first event: {} after {} looks at the page", seen["found"], seen["tries"]));
    bed.wait("the snapshot to be told", Duration::from_secs(30), || {
        platform.get::<u64>("select count(*) from sources where status ? 'snapshot'").map(|sources| sources > 0)
    })?;
    drop(platform);
    bed.remove()
}

//! Overview's HTML at 50 assets, while the plant writes.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{
    Context,
    bed::Bed,
    figures::{Figures, number},
    node::Script,
};
use crate::process::step;

/// With the rig: 50 assets.
const ENGINES: &str = "49";
const ASSETS: u64 = 50;
/// Rows of the asset table on one page, but one: where the rig is among them, it has other metrics than the engines.
const ROWS: u64 = 25 - 1;

pub fn measure(context: &Context, figures: &mut Figures) -> Result<()> {
    let mut bed = Bed::platform(context, "page", false)?;
    bed.with_customer(false)?;
    let mut platform = bed.platform_session()?;
    step("server, workers, agent, plant of 50 machines with an hour of history", || {
        bed.stack.start_server()?;
        bed.stack.start_workers("workers", "all")?;
        let history = (3_600 * (ASSETS - 1)).to_string();
        bed.stack.plant_command(&["backfill", "--machines", ENGINES, "--rows", &history, "--quiet"])?;
        bed.stack.start_plant(200, &["--machines", ENGINES, "--quiet"])?;
        let slug = bed.workspace.slug.clone();
        bed.stack.start_agent(&slug)?;
        bed.wait("50 assets and their history", Duration::from_secs(180), || {
            let assets: u64 = platform.get("select count(distinct asset_number) from latest_samples")?;
            let caught_up = platform.is(
                "select coalesce(bool_and(c.next_seq - r.next_seq < 2000), false) and
                        coalesce(bool_and(not exists (select from jsonb_array_elements(s.status -> 'snapshot') t where not (t ->> 'done')::bool)), false)
                 from sources s join source_cursors c on (s.workspace_id, s.id) = (c.workspace_id, c.source_id)
                 left join refine_cursors r on (s.workspace_id, s.id) = (r.workspace_id, r.source_id)
                 where s.status ->> 'state' = 'streaming'",
            )?;
            Ok(assets >= ASSETS && caught_up)
        })?;
        // A page is asked for all day, an hour of history comes once: its rollups and chunks are done first.
        bed.wait("the history's rollups and chunks", Duration::from_secs(60), || {
            platform.is("select (select coalesce(sum(row_count), 0) from sample_chunks where not sealed) < 10000
                   and not exists (select from dirty_marks
                                   where hour < date_trunc('hour', now()) and (minutes <> 0 or taking <> 0))")
        })
    })?;
    let names: Vec<String> = platform
        .rows("select name from assets union select key from assets")?
        .into_iter()
        .filter_map(|row| row.into_iter().next())
        .collect();
    let args = [context.scale.page_requests.to_string(), ROWS.to_string()];
    let page = Script::start(&bed, "page.mjs", &args, &[("BENCH_NAMES", json!(names).to_string())])?;
    let lines = step("Overview, one request after the other", || page.rest())?;
    let answer = lines.first().context("bench/page.mjs said nothing")?;
    let ms = |name: &str| answer[name].as_f64().with_context(|| format!("{name} of bench/page.mjs"));
    figures.add("overview_ttfb_p99_ms", ms("p99_ms")?);
    let shown = |value: &Value| value.as_f64().map_or_else(|| "?".into(), number);
    figures.note(format!(
        "Overview: first byte p50 {} ms, p99 {} ms, max {} ms; whole HTML ({} bytes, {} machines with values) p50 {} ms, p99 {} ms",
        number(ms("p50_ms")?),
        number(ms("p99_ms")?),
        number(ms("max_ms")?),
        shown(&answer["html_bytes"]),
        shown(&answer["rows"]),
        number(ms("all_p50_ms")?),
        number(ms("all_p99_ms")?),
    ));
    drop(platform);
    bed.remove()
}

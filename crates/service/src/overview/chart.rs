//! The chart: one metric of a few machines.

use std::collections::HashMap;

use clarity_domain::ids::StreamId;
use clarity_domain::mapping::SampleType;
use clarity_domain::masking::MaskRule;
use clarity_domain::time::{MINUTE, Micros};
use clarity_domain::view::overview::{Chart, MetricChoice, Series};
use clarity_store::asset::Asset;
use clarity_store::chunk::Latest;
use clarity_store::metric::Metric;
use clarity_store::{StoreError, WorkspaceTx};

use super::Extent;
use crate::frame::small;
use crate::masked::{self, Masks};
use crate::series_query::{self, SeriesQuery};

/// The colours end there.
const SERIES: usize = 6;
const POINTS: u32 = 300;

/// A metric by name, over all streams that measure it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Choice {
    pub name: String,
    unit: String,
    pub fields: Vec<Field>,
    /// Machines that have a value of it, ascending.
    assets: Vec<i32>,
    /// Masking leaves no number of it.
    pub hidden: bool,
}

/// What the newest values say of a metric.
struct Reported {
    assets: Vec<i32>,
    first: f64,
    /// Not every machine has the same value.
    differs: bool,
}

/// Where the metric stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub number: i32,
    stream: StreamId,
    rolled_up: bool,
    /// How its values are rounded.
    rounded: Option<MaskRule>,
}

impl Choice {
    pub fn unit(&self) -> Option<String> {
        Some(self.unit.clone()).filter(|unit| !unit.is_empty())
    }

    pub fn show(&self) -> MetricChoice {
        MetricChoice { name: self.name.clone(), unit: self.unit(), assets: small(self.assets.len() as i64) }
    }
}

/// What can be drawn: numbers that some machine has. Most widely reported first; of those, measurements (they have a
/// unit) whose newest values are not the same on every machine; then in the order of their columns; what masking hides comes
/// last. `latest` is masked.
pub(super) fn choices(metrics: &[Metric], latest: &[Latest], masks: &Masks) -> Vec<Choice> {
    let mut reported: HashMap<i32, Reported> = HashMap::new();
    for row in latest {
        for value in &row.values {
            let Some(number) = value.number else { continue };
            let of_metric = reported.entry(value.metric_number).or_insert_with(|| Reported {
                assets: Vec::new(),
                first: number,
                differs: false,
            });
            of_metric.assets.push(row.asset_number);
            of_metric.differs |= number.to_bits() != of_metric.first.to_bits();
        }
    }
    let mut choices: Vec<Choice> = Vec::new();
    for metric in metrics.iter().filter(|m| matches!(m.sample_type, SampleType::Float | SampleType::Integer)) {
        let hidden = masks.hide(metric);
        let assets = match reported.get(&metric.number) {
            Some(reported) => reported.assets.clone(),
            None if hidden => holders(metric.number, latest),
            None => continue,
        };
        let field = Field {
            number: metric.number,
            stream: metric.stream_id,
            rolled_up: !metric.extra,
            rounded: masks.rule_of(metric),
        };
        match choices.iter_mut().find(|c| c.name == metric.name && c.unit == metric.unit && c.hidden == hidden) {
            Some(known) => {
                known.fields.push(field);
                known.assets.extend(assets);
            }
            None => choices.push(Choice {
                name: metric.name.clone(),
                unit: metric.unit.clone(),
                fields: vec![field],
                assets,
                hidden,
            }),
        }
    }
    // Where another stream shows a metric of the same name, that one is meant.
    let shown: Vec<String> = choices.iter().filter(|c| !c.hidden).map(|c| c.name.clone()).collect();
    choices.retain(|c| !(c.assets.is_empty() || c.hidden && shown.contains(&c.name)));
    for choice in &mut choices {
        choice.assets.sort_unstable();
        choice.assets.dedup();
    }
    let differs = |c: &Choice| c.fields.iter().any(|f| reported.get(&f.number).is_some_and(|r| r.differs));
    choices.sort_by_key(|c| std::cmp::Reverse((!c.hidden, c.assets.len(), !c.unit.is_empty(), differs(c))));
    choices
}

/// Machines with a value of a metric, whatever it is.
fn holders(number: i32, latest: &[Latest]) -> Vec<i32> {
    let has = |row: &&Latest| row.values.iter().any(|value| value.metric_number == number);
    latest.iter().filter(has).map(|row| row.asset_number).collect()
}

/// The wanted metric, or the most widely reported one; a name that is gone falls back to that.
pub(super) fn choose<'a>(choices: &'a [Choice], wanted: Option<&str>) -> Option<&'a Choice> {
    choices.iter().find(|c| Some(c.name.as_str()) == wanted).or_else(|| choices.first())
}

/// Means of the first machines that report the metric, by name. For `Changes`, only the chart's last minute or buckets.
pub(super) async fn read(
    tx: &mut WorkspaceTx,
    choice: &Choice,
    machines: &[&Asset],
    latest: &[Latest],
    (from, to): (Micros, Micros),
    extent: Extent,
) -> Result<Option<Chart>, StoreError> {
    let mut drawn: Vec<&&Asset> = machines.iter().filter(|m| choice.assets.binary_search(&m.number).is_ok()).collect();
    let assets_total = small(drawn.len() as i64);
    drawn.sort_by(|a, b| a.name.cmp(&b.name));
    drawn.truncate(SERIES);

    let step = series_query::step_for(to - from, POINTS);
    let (from, points) = match extent {
        Extent::Page => (from, POINTS),
        Extent::Changes => {
            let tail = (4 * step).max(MINUTE).min(to - from);
            // As many points as give the page's own step.
            (to - tail, u32::try_from((tail + step - 1) / step).unwrap_or(1).max(1))
        }
    };
    let mut values: HashMap<i32, Vec<Option<f64>>> = HashMap::new();
    let mut grid_start = from - from.rem_euclid(step);
    for field in &choice.fields {
        // Nothing is read of what is not shown.
        let assets = if choice.hidden { Vec::new() } else { assets_of(field, &drawn, latest) };
        if assets.is_empty() {
            continue;
        }
        let query = SeriesQuery {
            stream: field.stream,
            metric_number: field.number,
            rolled_up: field.rolled_up,
            assets,
            from,
            to,
            max_points: points,
        };
        let mut grid = series_query::series(tx, &query).await?;
        if let Some(rule) = &field.rounded {
            grid = masked::grid(rule, grid);
        }
        grid_start = grid.from;
        for (asset, buckets) in grid.series {
            values.insert(asset, buckets.iter().map(|b| b.map(|b| b.mean())).collect());
        }
    }
    let series = drawn
        .into_iter()
        .filter_map(|m| {
            let values = values.remove(&m.number)?;
            Some(Series { asset_id: m.id, asset: m.name.clone(), values })
        })
        .collect();
    Ok(Some(Chart {
        metric: choice.name.clone(),
        unit: choice.unit(),
        from: grid_start,
        step_us: step,
        series,
        assets_total,
        hidden: choice.hidden,
    }))
}

/// The drawn machines whose newest value of the metric came by this field.
fn assets_of(field: &Field, drawn: &[&&Asset], latest: &[Latest]) -> Vec<i32> {
    let has = |number: i32| {
        latest.iter().any(|row| {
            row.asset_number == number
                && row.stream_id == field.stream
                && row.values.iter().any(|v| v.metric_number == field.number && v.number.is_some())
        })
    };
    drawn.iter().map(|m| m.number).filter(|number| has(*number)).collect()
}

//! One metric of one machine over time, for programs.

use clarity_domain::error::AppError;
use clarity_domain::ids::AssetId;
use clarity_domain::mapping::SampleType;
use clarity_domain::role::Permission;
use clarity_domain::time::{DAY, Micros};
use clarity_store::metric::Metric;
use clarity_store::{asset, chunk, metric};

use crate::error::fault;
use crate::masked::{self, Masks};
use crate::series_query::{self, SeriesQuery};
use crate::{Seat, Services};

/// Most points of an answer.
const POINTS: u32 = 2_000;
/// The longest step there is; a span has to fit the points with it.
const LONGEST_STEP: Micros = 100 * DAY;
/// Of a metric without rollups all samples are read.
const LONGEST_WITHOUT_ROLLUPS: Micros = 31 * DAY;

#[derive(Clone, Debug)]
pub struct SeriesRequest {
    pub asset: AssetId,
    /// Its name.
    pub metric: String,
    /// Half-open `[from, to)`.
    pub from: Micros,
    pub to: Micros,
    /// At most so many points, or one more where `from` is not the start of a step.
    pub points: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub asset: AssetId,
    pub metric: String,
    pub unit: Option<String>,
    /// How long each point's span is.
    pub step_us: Micros,
    /// In order of time. A span without a value has no point.
    pub points: Vec<SeriesPoint>,
    /// Why there are no points, or what was done to them.
    pub note: Option<&'static str>,
}

/// The values in `[from, from + step)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeriesPoint {
    pub from: Micros,
    pub count: u64,
    pub mean: f64,
    pub min: f64,
    pub max: f64,
    pub first: f64,
    pub last: f64,
}

impl Services {
    /// # Errors
    /// `NotFound` for a machine that is not there, or does not report the metric as a number; `Invalid` for a span.
    pub async fn series(&self, seat: &Seat, request: &SeriesRequest) -> Result<Series, AppError> {
        seat.may(Permission::View)?;
        check(request)?;
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let masks = Masks::of(&mut tx, seat, &self.settings.secrets).await.map_err(fault)?;
        let machines = asset::list(&mut tx).await.map_err(fault)?;
        let machine = machines.iter().find(|machine| machine.id == request.asset);
        let number = machine.ok_or_else(|| AppError::not_found("machine"))?.number;
        let metrics = masks.metrics(metric::list(&mut tx).await.map_err(fault)?);
        let latest = chunk::latest_of_asset(&mut tx, number).await.map_err(fault)?;
        // Where several streams measure it, the one that spoke last.
        let spoke = |metric: &Metric| {
            let values = latest.iter().filter(|row| row.stream_id == metric.stream_id).flat_map(|row| &row.values);
            values.filter(|value| value.metric_number == metric.number).map(|value| value.at).max()
        };
        let found = metrics
            .iter()
            .filter(|metric| metric.name == request.metric)
            .filter(|metric| matches!(metric.sample_type, SampleType::Float | SampleType::Integer))
            .filter_map(|metric| Some((spoke(metric)?, metric)))
            .max_by_key(|(at, _)| *at);
        let (_, metric) = found.ok_or_else(|| AppError::not_found("metric"))?;
        if metric.extra && request.to - request.from > LONGEST_WITHOUT_ROLLUPS {
            return Err(AppError::invalid("from", "This metric is mapped to nothing: ask for 31 days at most."));
        }
        let query = SeriesQuery {
            stream: metric.stream_id,
            metric_number: metric.number,
            rolled_up: !metric.extra,
            assets: vec![number],
            from: request.from,
            to: request.to,
            max_points: request.points,
        };
        let rule = masks.rule_of(metric);
        if masks.hide(metric) {
            let step_us = series_query::step_for(query.to - query.from, query.max_points);
            return Ok(Series { note: Some(masked::HIDDEN), ..empty(request, metric, step_us) });
        }
        let mut grid = series_query::series(&mut tx, &query).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        if let Some(rule) = &rule {
            grid = masked::grid(rule, grid);
        }
        let buckets = grid.series.into_iter().next().map(|(_, buckets)| buckets).unwrap_or_default();
        let points = (0_i64..).zip(buckets).filter_map(|(n, bucket)| {
            let stats = bucket?;
            Some(SeriesPoint {
                from: grid.from + n * grid.step_us,
                count: stats.count,
                mean: stats.mean(),
                min: stats.min,
                max: stats.max,
                first: stats.first,
                last: stats.last,
            })
        });
        let note = rule.is_some().then_some(masked::ROUNDED);
        Ok(Series { points: points.collect(), note, ..empty(request, metric, grid.step_us) })
    }
}

/// The answer without its points.
fn empty(request: &SeriesRequest, metric: &Metric, step_us: Micros) -> Series {
    Series {
        asset: request.asset,
        metric: metric.name.clone(),
        unit: Some(metric.unit.clone()).filter(|unit| !unit.is_empty()),
        step_us,
        points: Vec::new(),
        note: None,
    }
}

fn check(request: &SeriesRequest) -> Result<(), AppError> {
    if request.points == 0 || request.points > POINTS {
        return Err(AppError::invalid("points", format!("Ask for 1 to {POINTS} points.")));
    }
    // No time that comes from a date of four digits overflows here.
    let span = request.to.saturating_sub(request.from);
    if span <= 0 {
        return Err(AppError::invalid("to", "The span ends before it begins: \"to\" has to be after \"from\"."));
    }
    if span > i64::from(request.points) * LONGEST_STEP {
        return Err(AppError::invalid("points", "So long a span needs more points: one for each 100 days."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_span_has_to_fit_its_points() {
        let request =
            |from, to, points| SeriesRequest { asset: AssetId(Uuid::nil()), metric: "Speed".into(), from, to, points };
        let field = |request: &SeriesRequest| check(request).err().and_then(|error| error.field);
        assert_eq!(field(&request(0, DAY, 300)), None);
        assert_eq!(field(&request(0, 100 * DAY, 1)), None);
        for (from, to, points, wrong) in [
            (0, DAY, 0, "points"),
            (0, DAY, 2_001, "points"),
            (DAY, DAY, 300, "to"),
            (i64::MAX, i64::MIN, 300, "to"),
            (0, 101 * DAY, 1, "points"),
        ] {
            assert_eq!(field(&request(from, to, points)).as_deref(), Some(wrong), "{from} {to} {points}");
        }
    }
}

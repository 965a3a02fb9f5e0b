//! The machines one by one: who they are, the state each is in, and the newest value of everything it reports.

use std::collections::HashMap;

use clarity_domain::error::AppError;
use clarity_domain::ids::AssetId;
use clarity_domain::role::Permission;
use clarity_domain::state::StateCategory;
use clarity_domain::time::Micros;
use clarity_runtime::clock::now_us;
use clarity_store::asset::{self, Asset};
use clarity_store::chunk::{self, Latest};
use clarity_store::metric::{self, Metric};
use clarity_store::state::{self, Interval};

use crate::error::fault;
use crate::masked::Masks;
use crate::overview::{assets::label, figures};
use crate::{Seat, Services};

#[derive(Clone, Debug, PartialEq)]
pub struct AssetSummary {
    pub id: AssetId,
    /// As the sources write it.
    pub key: String,
    pub name: String,
    pub line: Option<String>,
    pub model: Option<String>,
    /// IANA name, of its site.
    pub time_zone: String,
    /// `None`: no source says.
    pub state: Option<AssetState>,
}

/// The state a machine is in.
#[derive(Clone, Debug, PartialEq)]
pub struct AssetState {
    pub category: StateCategory,
    /// The customer's word, when it is not ours.
    pub label: Option<String>,
    pub reason: Option<String>,
    pub since: Micros,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AssetDetail {
    pub asset: AssetSummary,
    /// By name of the metric.
    pub values: Vec<AssetValue>,
}

/// The newest value of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct AssetValue {
    pub metric: String,
    pub unit: Option<String>,
    /// `None` for what is no number, for null, and for what masking hides.
    pub value: Option<f64>,
    /// A value that is no number.
    pub text: Option<String>,
    pub at: Micros,
}

impl Services {
    /// At most `limit` machines in the order of their ids, from the one after `after` on, and whether there are more.
    pub async fn assets(
        &self,
        seat: &Seat,
        after: Option<AssetId>,
        limit: usize,
    ) -> Result<(Vec<AssetSummary>, bool), AppError> {
        seat.may(Permission::View)?;
        let now = now_us();
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let masks = Masks::of(&mut tx, seat, &self.settings.secrets).await.map_err(fault)?;
        let mut machines = masks.assets(asset::list(&mut tx).await.map_err(fault)?);
        let states = masks.intervals(state::list_intervals(&mut tx, now, now).await.map_err(fault)?);
        tx.commit().await.map_err(fault)?;
        machines.retain(|machine| after.is_none_or(|after| machine.id > after));
        machines.sort_unstable_by_key(|machine| machine.id);
        let more = machines.len() > limit;
        machines.truncate(limit);
        let open = figures::open(&states);
        Ok((machines.into_iter().map(|machine| summary(machine, &open)).collect(), more))
    }

    /// One machine with its newest values.
    ///
    /// # Errors
    /// `NotFound` for another workspace's as for none.
    pub async fn asset(&self, seat: &Seat, id: AssetId) -> Result<AssetDetail, AppError> {
        seat.may(Permission::View)?;
        let now = now_us();
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let masks = Masks::of(&mut tx, seat, &self.settings.secrets).await.map_err(fault)?;
        let machines = masks.assets(asset::list(&mut tx).await.map_err(fault)?);
        let machine =
            machines.into_iter().find(|machine| machine.id == id).ok_or_else(|| AppError::not_found("machine"))?;
        let states = masks.intervals(state::list_intervals(&mut tx, now, now).await.map_err(fault)?);
        let metrics = masks.metrics(metric::list(&mut tx).await.map_err(fault)?);
        let latest = masks.latest(chunk::latest_of_asset(&mut tx, machine.number).await.map_err(fault)?, &metrics);
        tx.commit().await.map_err(fault)?;
        Ok(AssetDetail { asset: summary(machine, &figures::open(&states)), values: values(&latest, &metrics) })
    }
}

fn summary(machine: Asset, open: &HashMap<i32, &Interval>) -> AssetSummary {
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    AssetSummary {
        id: machine.id,
        key: machine.key,
        name: machine.name,
        line: some(machine.line),
        model: some(machine.model),
        time_zone: machine.time_zone,
        state: open.get(&machine.number).map(|interval| AssetState {
            category: interval.category,
            label: label(interval),
            reason: interval.reason.clone(),
            since: interval.from,
        }),
    }
}

/// Where several streams have a metric of one name and unit, the newest of them.
fn values(latest: &[Latest], metrics: &[Metric]) -> Vec<AssetValue> {
    let known: HashMap<i32, &Metric> = metrics.iter().map(|metric| (metric.number, metric)).collect();
    let mut all: Vec<AssetValue> = Vec::new();
    for value in latest.iter().flat_map(|row| &row.values) {
        let Some(metric) = known.get(&value.metric_number) else { continue };
        all.push(AssetValue {
            metric: metric.name.clone(),
            unit: Some(metric.unit.clone()).filter(|unit| !unit.is_empty()),
            value: value.number.filter(|number| number.is_finite()),
            text: value.text.clone(),
            at: value.at,
        });
    }
    all.sort_by(|a, b| (&a.metric, &a.unit).cmp(&(&b.metric, &b.unit)).then(b.at.cmp(&a.at)));
    all.dedup_by(|later, first| later.metric == first.metric && later.unit == first.unit);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_domain::ids::StreamId;
    use clarity_domain::mapping::SampleType;
    use clarity_store::chunk::LatestValue;
    use uuid::Uuid;

    #[test]
    fn of_two_streams_with_one_metric_the_newer_value_counts() {
        let metric = |number, name: &str, unit: &str| Metric {
            number,
            stream_id: StreamId(Uuid::nil()),
            column_name: name.into(),
            name: name.into(),
            unit: unit.into(),
            sample_type: SampleType::Float,
            extra: false,
        };
        let value = |metric_number, at, number| LatestValue {
            metric_number,
            at,
            snapshot: false,
            number: Some(number),
            text: None,
        };
        let row = |values| Latest {
            stream_id: StreamId(Uuid::nil()),
            asset_number: 1,
            at: 0,
            received_at: 0,
            epoch: 1,
            seq: 1,
            values,
        };
        let metrics = [metric(1, "Speed", "rpm"), metric(2, "Speed", "rpm"), metric(3, "Load", "")];
        let latest =
            [row(vec![value(1, 10, 5.0), value(3, 10, f64::NAN)]), row(vec![value(2, 20, 6.0), value(9, 1, 1.0)])];
        let all = values(&latest, &metrics);
        let shown: Vec<_> = all.iter().map(|v| (v.metric.as_str(), v.unit.as_deref(), v.value, v.at)).collect();
        assert_eq!(shown, [("Load", None, None, 10), ("Speed", Some("rpm"), Some(6.0), 20)]);
    }
}

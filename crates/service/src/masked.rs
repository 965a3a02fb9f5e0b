//! What a role sees of masked values. Every way out of the read models passes here, in the transaction that reads them.
//!
//! A hidden number is not drawn, not rounded, not counted by value and not searched. A rounded one is rounded before anything
//! is computed of it that leaves: the ends of a span are those of the rounded values, and its mean is the middle between
//! them, since the mean of the clear values, asked for over shifted spans, would give them away.

use std::collections::HashMap;

use clarity_domain::ids::{SourceId, StreamId, WorkspaceId};
use clarity_domain::mapping::{MappingSpec, SampleType};
use clarity_domain::masking::{MaskKey, MaskPlace, MaskPolicy, MaskRule, mask_number, mask_text, rest_of};
use clarity_domain::state::StateCategory;
use clarity_runtime::planted::planted;
use clarity_store::asset::Asset;
use clarity_store::chunk::Latest;
use clarity_store::metric::Metric;
use clarity_store::state::Interval;
use clarity_store::stream_fields::{self, StreamFields};
use clarity_store::{StoreError, WorkspaceTx, masking};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::Seat;
use crate::secrets::SecretsKey;
use crate::series_query::{BucketStats, Grid};

/// What stands where a value would.
pub(crate) const HIDDEN: &str = "Hidden by your workspace's masking.";
/// Beside values that are rounded.
pub(crate) const ROUNDED: &str =
    "Rounded by your workspace's masking; means are the middle between the lowest and the highest rounded value.";
/// The column of extras beyond the limit: a document of many fields.
const OVERFLOW: &str = "#overflow";

/// The policies that hold for one seat, with the streams they are about.
pub(crate) struct Masks {
    policies: Vec<MaskPolicy>,
    /// Empty without policies.
    streams: HashMap<StreamId, StreamFields>,
    key: MaskKey,
}

/// A column of a mapping, if it has one.
type Part = fn(&MappingSpec) -> Option<&str>;

impl Masks {
    /// Those of the seat's workspace that its role does not see through.
    pub async fn of(tx: &mut WorkspaceTx, seat: &Seat, secrets: &SecretsKey) -> Result<Self, StoreError> {
        let role = seat.role();
        let mut policies = masking::list_live(tx).await?;
        // A policy that names nobody is for everybody.
        let sees_through =
            |p: &MaskPolicy| p.least_role.is_some_and(|least| role >= least) || planted("masks-forgotten");
        policies.retain(|p| p.place == MaskPlace::View && !sees_through(p));
        let streams = if policies.is_empty() { Vec::new() } else { stream_fields::list(tx).await? };
        Ok(Self::new(policies, streams, secrets, seat.scope.workspace_id()))
    }

    fn new(
        policies: Vec<MaskPolicy>,
        streams: Vec<StreamFields>,
        secrets: &SecretsKey,
        workspace: WorkspaceId,
    ) -> Self {
        let streams = streams.into_iter().map(|stream| (stream.id, stream)).collect();
        Self { policies, streams, key: secrets.mask_key(workspace) }
    }

    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }

    /// Whether anything of a stream is masked; of a source's, where the stream is not known.
    pub fn concern(&self, source: SourceId, stream: &str) -> bool {
        let of_source = |p: &MaskPolicy| p.source_id.is_none_or(|of| of == source);
        self.policies.iter().any(|p| if stream.is_empty() { of_source(p) } else { p.concerns(source, stream) })
    }

    /// What is done to a metric's values.
    pub fn rule_of(&self, metric: &Metric) -> Option<MaskRule> {
        if self.is_empty() {
            return None;
        }
        let Some(of) = self.streams.get(&metric.stream_id) else { return Some(MaskRule::Hide) };
        // Without its time nothing can be said of a value; a document of many fields is not looked into.
        let holds_any = metric.column_name == OVERFLOW && self.concern(of.source_id, &of.name);
        if holds_any || self.of_part(of, |spec| spec.time.as_deref()).is_some() {
            return Some(MaskRule::Hide);
        }
        // A text under a path above the masked one may be a document that holds it.
        let around = metric.sample_type == SampleType::Text
            && self.policies.iter().any(|p| {
                p.concerns(of.source_id, &of.name)
                    && rest_of(&p.field, &metric.column_name).is_some_and(|rest| !rest.is_empty())
            });
        if around {
            return Some(MaskRule::Hide);
        }
        names(&metric.column_name).filter_map(|name| self.of_field(of, name)).reduce(MaskRule::stricter)
    }

    /// Whether nothing of a metric's numbers is shown.
    pub fn hide(&self, metric: &Metric) -> bool {
        self.rule_of(metric).is_some_and(|rule| !matches!(rule, MaskRule::Bucket { .. }))
    }

    /// Without metrics whose very name is masked, and units that are: where rows name their metric, both are values.
    pub fn metrics(&self, mut metrics: Vec<Metric>) -> Vec<Metric> {
        if self.is_empty() {
            return metrics;
        }
        let is_named = |metric: &Metric, part: Part| {
            let of = self.streams.get(&metric.stream_id);
            metric.column_name.ends_with(']') && of.is_none_or(|of| self.of_part(of, part).is_some())
        };
        metrics.retain(|metric| !is_named(metric, |spec| spec.metric_name.as_deref()));
        for metric in &mut metrics {
            if is_named(metric, |spec| spec.unit.as_deref()) {
                metric.unit.clear();
            }
        }
        metrics
    }

    /// The newest values, masked.
    pub fn latest(&self, mut rows: Vec<Latest>, metrics: &[Metric]) -> Vec<Latest> {
        if self.is_empty() {
            return rows;
        }
        let rules: HashMap<i32, (Option<MaskRule>, SampleType)> =
            metrics.iter().map(|metric| (metric.number, (self.rule_of(metric), metric.sample_type))).collect();
        for row in &mut rows {
            // Of metrics that are not told of, nothing.
            row.values.retain(|value| rules.contains_key(&value.metric_number));
            for value in &mut row.values {
                let Some((Some(rule), of)) = rules.get(&value.metric_number) else { continue };
                let is_number = matches!(of, SampleType::Float | SampleType::Integer);
                value.number = value.number.filter(|_| is_number).and_then(|number| mask_number(rule, number));
                value.text = value.text.take().and_then(|text| self.text(rule, &text));
            }
        }
        rows
    }

    /// States of machines, masked. One whose state is not shown counts as unknown, and so in every figure.
    pub fn intervals(&self, intervals: Vec<Interval>) -> Vec<Interval> {
        if self.is_empty() {
            return intervals;
        }
        let masked = |mut interval: Interval| {
            let of = self.streams.get(&interval.stream_id)?;
            if self.of_part(of, |spec| spec.time.as_deref()).is_some() {
                return None;
            }
            if let Some(rule) = self.of_part(of, |spec| spec.states.as_ref().map(|states| states.state.as_str())) {
                interval.category = StateCategory::Unknown;
                let unknown = || StateCategory::Unknown.as_str().to_owned();
                interval.state = self.text(&rule, &interval.state).unwrap_or_else(unknown);
            }
            if let Some(rule) =
                self.of_part(of, |spec| spec.states.as_ref().and_then(|states| states.reason.as_deref()))
            {
                interval.reason = interval.reason.and_then(|reason| self.text(&rule, &reason));
            }
            Some(interval)
        };
        intervals.into_iter().filter_map(masked).collect()
    }

    /// The machines, masked by what any stream says of them. One without a name left is called by its number.
    pub fn assets(&self, mut assets: Vec<Asset>) -> Vec<Asset> {
        if self.is_empty() {
            return assets;
        }
        let key = self.of_any(|spec| spec.asset.as_deref());
        let name = self.of_any(|spec| spec.asset_name.as_deref());
        let line = self.of_any(|spec| spec.asset_line.as_deref());
        let model = self.of_any(|spec| spec.asset_model.as_deref());
        for asset in &mut assets {
            // Until it is described, a machine is called by its key.
            let of_name = if asset.name == asset.key {
                [key, name].into_iter().flatten().reduce(MaskRule::stricter)
            } else {
                name
            };
            if let Some(rule) = of_name {
                asset.name = self.text(&rule, &asset.name).unwrap_or_else(|| format!("Machine {}", asset.number));
            }
            if let Some(rule) = key {
                asset.key = self.text(&rule, &asset.key).unwrap_or_else(|| format!("machine-{}", asset.number));
            }
            if let Some(rule) = line {
                asset.line = self.text(&rule, &asset.line).unwrap_or_default();
            }
            if let Some(rule) = model {
                asset.model = self.text(&rule, &asset.model).unwrap_or_default();
            }
        }
        assets
    }

    /// The rule for a field, whichever of the policies leaves least.
    fn of_field(&self, of: &StreamFields, field: &str) -> Option<MaskRule> {
        let covering = self.policies.iter().filter(|policy| policy.covers(of.source_id, &of.name, field));
        covering.map(|policy| policy.rule).reduce(MaskRule::stricter)
    }

    /// The rule for a column that any version of a stream's mapping has in this part.
    fn of_part(&self, of: &StreamFields, part: Part) -> Option<MaskRule> {
        of.specs.iter().filter_map(part).filter_map(|field| self.of_field(of, field)).reduce(MaskRule::stricter)
    }

    fn of_any(&self, part: Part) -> Option<MaskRule> {
        self.streams.values().filter_map(|of| self.of_part(of, part)).reduce(MaskRule::stricter)
    }

    /// Nothing is left of nothing.
    fn text(&self, rule: &MaskRule, text: &str) -> Option<String> {
        if text.is_empty() {
            return Some(String::new());
        }
        mask_text(rule, text, &|bytes| keyed_hash(&self.key, bytes))
    }
}

/// HMAC-SHA-256 under a key of masks, which has the length that it takes.
pub fn keyed_hash(key: &MaskKey, bytes: &[u8]) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes());
    mac.map_or([0; 32], |mac| mac.chain_update(bytes).finalize().into_bytes().into())
}

/// The names that a metric's column has for a policy: `value[Speed]` is the column `value` and the tag `Speed` as well.
fn names(column: &str) -> impl Iterator<Item = &str> {
    let long = column.strip_suffix(']').and_then(|column| column.split_once('['));
    std::iter::once(column).chain(long.into_iter().flat_map(|(column, tag)| [column, tag]))
}

/// Spans of a rounded metric.
pub(crate) fn grid(rule: &MaskRule, mut grid: Grid) -> Grid {
    for (_, buckets) in &mut grid.series {
        for bucket in buckets {
            *bucket = bucket.and_then(|clear| stats(rule, &clear));
        }
    }
    grid
}

/// Computed of rounded values alone; rounding keeps the order, so the ends are those of the rounded values.
fn stats(rule: &MaskRule, clear: &BucketStats) -> Option<BucketStats> {
    let (min, max) = (mask_number(rule, clear.min)?, mask_number(rule, clear.max)?);
    let middle = mask_number(rule, f64::midpoint(min, max))?;
    Some(BucketStats {
        count: clear.count,
        sum: middle * clear.count as f64,
        min,
        max,
        first: mask_number(rule, clear.first)?,
        last: mask_number(rule, clear.last)?,
    })
}

#[cfg(test)]
#[path = "masked_tests.rs"]
mod tests;

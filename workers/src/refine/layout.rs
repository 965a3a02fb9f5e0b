//! What each cell of a row is for: a schema as it was when the events happened, read with one version of a mapping.

use clarity_domain::mapping::{ColumnInfo, ColumnType, MappingSpec, SampleType, StreamKind};
use clarity_wire::body::StreamSchema;

/// The part of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Asset,
    Time,
    Metric(SampleType),
    /// Long rows: the metric's name; its value.
    MetricName,
    Value(SampleType),
    /// No part: a typed extra.
    Extra,
}

#[derive(Clone, Debug)]
pub struct LayoutColumn {
    pub name: String,
    pub of: ColumnType,
    pub part: Part,
}

/// The columns of a stream with their parts.
#[derive(Clone, Debug)]
pub struct Layout {
    pub spec: MappingSpec,
    pub version: i32,
    pub columns: Vec<LayoutColumn>,
    /// Places of the key's columns; empty when the source has none.
    pub key: Vec<usize>,
    pub asset: Option<usize>,
    pub time: Option<usize>,
    pub metric_name: Option<usize>,
    pub value: Option<usize>,
    pub unit: Option<usize>,
    pub state: Option<usize>,
    /// The key is the asset and the time (and the metric): rows that meet there are one.
    pub key_is_place: bool,
}

impl Layout {
    pub fn new(schema: &StreamSchema, spec: &MappingSpec, version: i32) -> Self {
        let place = |name: Option<&String>| name.and_then(|n| schema.columns.iter().position(|c| c.name == *n));
        let telemetry = spec.kind == StreamKind::Telemetry;
        let asset = place(spec.asset.as_ref());
        let time = place(spec.time.as_ref());
        let metric_name = place(spec.metric_name.as_ref()).filter(|_| telemetry);
        let value = place(spec.value.as_ref()).filter(|_| telemetry);
        let columns: Vec<LayoutColumn> = schema
            .columns
            .iter()
            .enumerate()
            .map(|(i, column)| {
                let of = ColumnType::of(&column.type_name);
                let metric = spec.metrics.iter().find(|m| m.column == column.name);
                let part = match (i, metric) {
                    _ if asset == Some(i) => Part::Asset,
                    _ if time == Some(i) => Part::Time,
                    _ if metric_name == Some(i) => Part::MetricName,
                    _ if value == Some(i) && of == ColumnType::Integer => Part::Value(SampleType::Integer),
                    _ if value == Some(i) => Part::Value(SampleType::Float),
                    (_, Some(metric)) => Part::Metric(metric.sample_type),
                    (_, None) => Part::Extra,
                };
                LayoutColumn { name: column.name.clone(), of, part }
            })
            .collect();
        let key: Vec<usize> = schema.columns.iter().enumerate().filter(|(_, c)| c.key).map(|(i, _)| i).collect();
        let key_is_place = !key.is_empty()
            && key.iter().all(|i| matches!(columns[*i].part, Part::Asset | Part::Time | Part::MetricName));
        Self {
            state: place(spec.states.as_ref().map(|s| &s.state)),
            unit: place(spec.unit.as_ref()),
            spec: spec.clone(),
            version,
            columns,
            key,
            asset,
            time,
            metric_name,
            value,
            key_is_place,
        }
    }

    /// Places of the cells that identify a row: the key, or the whole row of a table that has none.
    pub fn identity(&self) -> std::borrow::Cow<'_, [usize]> {
        if self.key.is_empty() { (0..self.columns.len()).collect() } else { (&self.key[..]).into() }
    }
}

/// The schema's columns as a mapping is inferred from.
pub fn column_infos(schema: &StreamSchema) -> Vec<ColumnInfo> {
    let columns = schema.columns.iter().map(|c| ColumnInfo {
        name: c.name.clone(),
        type_name: c.type_name.clone(),
        key: c.key,
        comment: c.comment.clone(),
    });
    columns.collect()
}

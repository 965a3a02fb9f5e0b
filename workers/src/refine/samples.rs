//! Rows of telemetry into columns. Assets and fields are numbered as they come; the workspace's numbers follow once all
//! of a group is read ([`super::prepare`]).

use super::cast::{bool_of, clean, float_is_exact, float_of, int_of, parse_float, text_of, time_of};
use super::flatten::{Leaf, flatten};
use super::layout::{Layout, Part};
use clarity_domain::mapping::{ColumnType, SampleType};
use clarity_domain::time::{MINUTE, Micros};
use clarity_series::{ChunkBuilder, FieldType, Rows, flags};
use clarity_wire::body::Cell;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// A row's time may be so far ahead of its receipt before it is kept apart.
const AHEAD: Micros = 10 * MINUTE;
/// Extras of a stream that get a column; further ones go into one overflow column.
pub const MAX_EXTRAS: usize = 200;
/// Where they go. No column of a source has this name.
pub const OVERFLOW: &str = "#overflow";
/// Metrics of a stream with long rows.
const MAX_METRICS: usize = 2_000;

/// Why an event cannot be refined; without the values, so that equal causes read equal.
pub type Cause = Cow<'static, str>;

/// Fields known before, with their numbers: path and type.
#[derive(Debug, Default)]
pub struct KnownFields {
    pub numbers: HashMap<(String, SampleType), i32>,
    pub extras: usize,
}

/// A field that occurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub path: String,
    pub sample_type: SampleType,
    pub name: String,
    pub unit: String,
    pub extra: bool,
    /// As the catalogue of extras names it.
    pub value_type: &'static str,
}

/// Rows of one stream, and who the assets and fields in them are.
#[derive(Debug)]
pub struct Samples {
    builder: ChunkBuilder,
    known: Arc<KnownFields>,
    pub assets: Vec<String>,
    asset_index: HashMap<String, u32>,
    pub fields: Vec<Field>,
    field_index: HashMap<String, [Option<u32>; 5]>,
    metric_index: HashMap<String, usize>,
    new_extras: usize,
}

/// What is known of an event beside its cells.
#[derive(Clone, Copy, Debug)]
pub struct RowMeta {
    pub epoch: i32,
    pub seq: i64,
    pub snapshot: bool,
    pub received_at: Micros,
}

/// Columns of the builder for the columns of a layout, found once.
pub type Fixed = Vec<Option<usize>>;

impl Samples {
    pub fn new(known: Arc<KnownFields>) -> Self {
        Self {
            builder: ChunkBuilder::default(),
            known,
            assets: Vec::new(),
            asset_index: HashMap::new(),
            fields: Vec::new(),
            field_index: HashMap::new(),
            metric_index: HashMap::new(),
            new_extras: 0,
        }
    }

    pub fn row_count(&self) -> usize {
        self.builder.len()
    }

    pub fn finish(self) -> (Rows, Vec<String>, Vec<Field>) {
        (self.builder.finish(), self.assets, self.fields)
    }

    /// Adds a row, or says why it cannot be one. `fixed` belongs to the layout and to this stream.
    pub fn push(&mut self, layout: &Layout, fixed: &mut Fixed, row: &[Cell<'_>], meta: RowMeta) -> Result<(), Cause> {
        let cell = |place: Option<usize>, named: &Option<String>| {
            place.and_then(|i| row.get(i)).ok_or_else(|| missing(named.as_deref().unwrap_or("asset and time")))
        };
        let asset_cell = cell(layout.asset, &layout.spec.asset)?;
        let time_cell = cell(layout.time, &layout.spec.time)?;
        let at = time_of(time_cell).ok_or_else(|| no_time(layout, time_cell))?;
        let metric = match layout.metric_name {
            Some(place) => Some(self.metric(layout, row, place)?),
            None => None,
        };
        let asset = self.asset(asset_cell).ok_or_else(|| {
            Cow::Owned(format!("column {} names no machine", layout.spec.asset.as_deref().unwrap_or_default()))
        })?;
        let mut bits = if meta.snapshot { flags::SNAPSHOT } else { 0 };
        if at > meta.received_at + AHEAD {
            bits |= flags::FUTURE;
        }
        let key_hash = if layout.key_is_place || layout.key.is_empty() { 0 } else { key_hash(layout, row) };
        self.builder.push_row(asset, at, meta.epoch as u32, meta.seq as u64, bits, key_hash);
        fixed.resize(layout.columns.len(), None);
        let mut overflow = serde_json::Map::new();
        for (i, (column, cell)) in layout.columns.iter().zip(row).enumerate() {
            if *cell == Cell::Absent {
                continue;
            }
            match column.part {
                Part::Asset | Part::Time | Part::MetricName => {}
                Part::Metric(sample_type) => {
                    let field = match fixed[i] {
                        Some(field) => field,
                        None => *fixed[i].insert(self.metric_field(layout, &column.name, sample_type)),
                    };
                    self.push_typed(field, sample_type, &column.name, cell, &mut overflow);
                }
                Part::Value(sample_type) => {
                    if let Some((field, path)) = &metric {
                        self.push_typed(*field, sample_type, path, cell, &mut overflow);
                    }
                }
                Part::Extra => self.push_extra(&mut fixed[i], &column.name, column.of, cell, &mut overflow),
            }
        }
        if !overflow.is_empty() {
            let field = self.field(OVERFLOW, SampleType::Text, "json", true);
            self.builder.push_text(field, &serde_json::Value::Object(overflow).to_string());
        }
        Ok(())
    }

    fn asset(&mut self, cell: &Cell<'_>) -> Option<u32> {
        let mut digits = itoa::Buffer::new();
        let key: Cow<'_, str> = match cell {
            Cell::Text(text) => clean(text),
            Cell::Int(n) => digits.format(*n).into(),
            Cell::Float(_) | Cell::Bool(_) | Cell::Null | Cell::Absent => return None,
        };
        if key.is_empty() || key.len() > 500 {
            return None;
        }
        if let Some(number) = self.asset_index.get(key.as_ref()) {
            return Some(*number);
        }
        let number = self.assets.len() as u32;
        self.assets.push(key.clone().into_owned());
        self.asset_index.insert(key.into_owned(), number);
        Some(number)
    }

    /// The field of a long row's metric, and its path for values of another type.
    fn metric(&mut self, layout: &Layout, row: &[Cell<'_>], place: usize) -> Result<(usize, String), Cause> {
        let column = &layout.columns[place].name;
        let Some(Cell::Text(metric)) = row.get(place) else {
            return Err(Cow::Owned(format!("column {column} names no metric")));
        };
        let name = clean(metric);
        let value = layout.spec.value.as_deref().unwrap_or_default();
        if let Some(field) = self.metric_index.get(name.as_ref()) {
            return Ok((*field, String::new()));
        }
        if name.is_empty() || name.len() > 200 {
            return Err(Cow::Owned(format!("column {column} names no metric")));
        }
        let sample_type = match layout.value.map(|i| layout.columns[i].part) {
            Some(Part::Value(sample_type)) => sample_type,
            _ => return Err(missing(value)),
        };
        let path = format!("{value}[{name}]");
        let known = self.known.numbers.contains_key(&(path.clone(), sample_type));
        if !known && self.known.numbers.len() + self.metric_index.len() >= MAX_METRICS {
            return Err(Cow::Owned(format!("column {column} names more than {MAX_METRICS} metrics")));
        }
        let unit = layout.unit.and_then(|i| row.get(i)).and_then(text_of).unwrap_or_default().into_owned();
        let field = self.add(Field {
            path: path.clone(),
            sample_type,
            name: name.clone().into_owned(),
            unit,
            extra: false,
            value_type: value_type(sample_type),
        });
        self.metric_index.insert(name.into_owned(), field);
        Ok((field, path))
    }

    fn metric_field(&mut self, layout: &Layout, column: &str, sample_type: SampleType) -> usize {
        if let Some(field) = self.field_index.get(column).and_then(|types| types[slot(sample_type)]) {
            return field as usize;
        }
        let metric = layout.spec.metrics.iter().find(|m| m.column == column);
        self.add(Field {
            path: column.to_owned(),
            sample_type,
            name: metric.map_or(column, |m| &m.name).to_owned(),
            unit: metric.map_or("", |m| &m.unit).to_owned(),
            extra: false,
            value_type: value_type(sample_type),
        })
    }

    fn field(&mut self, path: &str, sample_type: SampleType, value_type: &'static str, extra: bool) -> usize {
        if let Some(field) = self.field_index.get(path).and_then(|types| types[slot(sample_type)]) {
            return field as usize;
        }
        let (path, name) = (path.to_owned(), path.to_owned());
        self.add(Field { path, sample_type, name, unit: String::new(), extra, value_type })
    }

    fn add(&mut self, field: Field) -> usize {
        let number = self.fields.len();
        let field_type = match field.sample_type {
            SampleType::Float => FieldType::Float,
            SampleType::Integer => FieldType::Int,
            SampleType::Boolean => FieldType::Bool,
            SampleType::Text => FieldType::Text,
            SampleType::Time => FieldType::Time,
        };
        let column = self.builder.field(number as u32, field_type);
        self.field_index.entry(field.path.clone()).or_default()[slot(field.sample_type)] = Some(column as u32);
        self.fields.push(field);
        column
    }

    /// The column of an extra, unless the stream has too many.
    fn extra_field(&mut self, path: &str, sample_type: SampleType, value_type: &'static str) -> Option<usize> {
        if let Some(field) = self.field_index.get(path).and_then(|types| types[slot(sample_type)]) {
            return Some(field as usize);
        }
        if !self.known.numbers.contains_key(&(path.to_owned(), sample_type)) {
            if self.known.extras + self.new_extras >= MAX_EXTRAS {
                return None;
            }
            self.new_extras += 1;
        }
        Some(self.field(path, sample_type, value_type, true))
    }

    /// A value into the column of its declared type; one of another type goes beside it, under the same path.
    fn push_typed(
        &mut self,
        field: usize,
        sample_type: SampleType,
        path: &str,
        cell: &Cell<'_>,
        overflow: &mut serde_json::Map<String, serde_json::Value>,
    ) {
        match (sample_type, cell) {
            (_, Cell::Absent) => return,
            (_, Cell::Null) => return self.builder.push_null(field),
            (SampleType::Float, Cell::Float(n)) => return self.builder.push_float(field, *n),
            (SampleType::Float, _) => {
                if let Some(n) = float_of(cell) {
                    return self.builder.push_float(field, n);
                }
            }
            (SampleType::Integer, _) => {
                if let Some(n) = int_of(cell) {
                    return self.builder.push_int(field, n);
                }
            }
            (SampleType::Boolean, _) => {
                if let Some(b) = bool_of(cell) {
                    return self.builder.push_bool(field, b);
                }
            }
            (SampleType::Time, _) => {
                if let Some(at) = time_of(cell) {
                    return self.builder.push_time(field, at);
                }
            }
            (SampleType::Text, _) => {
                if let Some(text) = text_of(cell) {
                    return self.builder.push_text(field, &text);
                }
            }
        }
        let path = if path.is_empty() { self.fields[field].path.clone() } else { path.to_owned() };
        let leaf = match cell {
            Cell::Bool(b) => Leaf::Bool(*b),
            Cell::Float(n) => Leaf::Float(*n),
            Cell::Int(n) => Leaf::Int(*n),
            Cell::Text(text) => match parse_float(text).filter(|_| sample_type == SampleType::Integer) {
                Some(n) => Leaf::Float(n),
                None => Leaf::Text(clean(text).into_owned()),
            },
            Cell::Null | Cell::Absent => return,
        };
        self.push_leaf(&path, leaf, overflow);
    }

    fn push_extra(
        &mut self,
        fixed: &mut Option<usize>,
        path: &str,
        of: ColumnType,
        cell: &Cell<'_>,
        overflow: &mut serde_json::Map<String, serde_json::Value>,
    ) {
        let (sample_type, value_type) = match of {
            ColumnType::Integer => (SampleType::Integer, "integer"),
            ColumnType::Number => (SampleType::Float, "float"),
            ColumnType::Boolean => (SampleType::Boolean, "boolean"),
            ColumnType::Time => (SampleType::Time, "time"),
            ColumnType::Text | ColumnType::Uuid | ColumnType::Other => (SampleType::Text, "text"),
            ColumnType::Json => {
                match cell {
                    Cell::Text(text) => flatten(path, text, &mut |path, leaf| self.push_leaf(path, leaf, overflow)),
                    Cell::Absent => {}
                    Cell::Null => self.push_leaf(path, Leaf::Null, overflow),
                    Cell::Bool(_) | Cell::Int(_) | Cell::Float(_) => {
                        let text = text_of(cell).unwrap_or_default().into_owned();
                        flatten(path, &text, &mut |path, leaf| self.push_leaf(path, leaf, overflow));
                    }
                }
                return;
            }
        };
        // A decimal that no float holds stays the source's text.
        if let (ColumnType::Number, Cell::Text(text)) = (of, cell)
            && !float_is_exact(text)
        {
            return self.push_leaf(path, Leaf::Text(clean(text).into_owned()), overflow);
        }
        let field = match *fixed {
            Some(field) => Some(field),
            None => self.extra_field(path, sample_type, value_type),
        };
        let Some(field) = field else {
            if let Some(text) = text_of(cell) {
                overflow.insert(path.to_owned(), text.into_owned().into());
            }
            return;
        };
        *fixed = Some(field);
        self.push_typed(field, sample_type, path, cell, overflow);
    }

    fn push_leaf(&mut self, path: &str, leaf: Leaf, overflow: &mut serde_json::Map<String, serde_json::Value>) {
        let Some(sample_type) = leaf.sample_type() else {
            // Null fits whatever column the path has; a path that was never anything else has none.
            let columns = self.field_index.get(path).copied().unwrap_or_default();
            if let Some(column) = columns.into_iter().flatten().next() {
                self.builder.push_null(column as usize);
            } else if let Some(sample_type) = self.known_type(path)
                && let Some(field) = self.extra_field(path, sample_type, value_type(sample_type))
            {
                self.builder.push_null(field);
            }
            return;
        };
        let value_type = if matches!(leaf, Leaf::Json(_)) { "json" } else { value_type(sample_type) };
        let Some(field) = self.extra_field(path, sample_type, value_type) else {
            let value = match leaf {
                Leaf::Null => serde_json::Value::Null,
                Leaf::Float(n) => n.into(),
                Leaf::Int(n) => n.into(),
                Leaf::Bool(b) => b.into(),
                Leaf::Text(text) | Leaf::Json(text) => text.into(),
            };
            overflow.insert(path.to_owned(), value);
            return;
        };
        match leaf {
            Leaf::Null => {}
            Leaf::Float(n) => self.builder.push_float(field, n),
            Leaf::Int(n) => self.builder.push_int(field, n),
            Leaf::Bool(b) => self.builder.push_bool(field, b),
            Leaf::Text(text) | Leaf::Json(text) => self.builder.push_text(field, &text),
        }
    }

    fn known_type(&self, path: &str) -> Option<SampleType> {
        let types = [SampleType::Float, SampleType::Integer, SampleType::Boolean, SampleType::Text, SampleType::Time];
        types.into_iter().find(|t| self.known.numbers.contains_key(&(path.to_owned(), *t)))
    }
}

const fn slot(sample_type: SampleType) -> usize {
    match sample_type {
        SampleType::Float => 0,
        SampleType::Integer => 1,
        SampleType::Boolean => 2,
        SampleType::Text => 3,
        SampleType::Time => 4,
    }
}

const fn value_type(sample_type: SampleType) -> &'static str {
    sample_type.as_str()
}

pub fn missing(column: &str) -> Cause {
    Cow::Owned(format!("the column {column} that the mapping names is not in the event"))
}

pub fn no_time(layout: &Layout, cell: &Cell<'_>) -> Cause {
    let column = layout.spec.time.as_deref().unwrap_or_default();
    Cow::Owned(match cell {
        Cell::Null | Cell::Absent => format!("column {column} has no time"),
        _ => format!("column {column} is not a time between the years 1 and 9999"),
    })
}

/// FNV-1a over the key's cells; never 0, which stands for keys that are the place itself.
fn key_hash(layout: &Layout, row: &[Cell<'_>]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    for place in &layout.key {
        match row.get(*place) {
            Some(Cell::Int(n)) => add(&n.to_le_bytes()),
            Some(cell) => add(text_of(cell).unwrap_or_default().as_bytes()),
            None => {}
        }
        add(&[0xff]);
    }
    hash.max(1)
}

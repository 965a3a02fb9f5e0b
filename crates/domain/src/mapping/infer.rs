//! A first mapping from a table's name and columns. People correct what it gets wrong; nothing is lost meanwhile, since
//! columns without a part are kept as extras.

use std::collections::HashMap;

use super::{
    ColumnInfo, ColumnType, MappingSpec, MetricColumn, SampleType, StateColumns, StreamKind, name_of, unit_of,
};

/// Names that a machine goes by in other tables, best first; `_id`, `_no`, `_key`, `_name`, `_code` may follow.
const MACHINE: &[&str] = &[
    "machine",
    "asset",
    "device",
    "equipment",
    "engine",
    "unit",
    "robot",
    "station",
    "rig",
    "press",
    "sensor",
    "line",
    "plc",
    "node",
];
const MACHINE_TABLES: &[&str] = &["machine", "asset", "device", "equipment", "engine", "robot", "station", "rig"];
/// When something was measured.
const TIME: &[&str] = &[
    "ts",
    "time",
    "timestamp",
    "at",
    "measured_at",
    "recorded_at",
    "sampled_at",
    "observed_at",
    "event_time",
    "reading_time",
    "datetime",
    "date_time",
    "logged_at",
    "received_at",
    "t",
];
/// When a state began.
const START: &[&str] = &[
    "started_at",
    "start",
    "start_time",
    "started",
    "since",
    "from_at",
    "valid_from",
    "begin",
    "begin_at",
    "changed_at",
];
const STATE: &[&str] = &["state", "status", "machine_state", "mode", "condition"];
const REASON: &[&str] = &["reason", "reason_code", "cause", "stop_reason", "downtime_reason"];
const METRIC_NAME: &[&str] = &[
    "metric",
    "metric_name",
    "tag",
    "tag_name",
    "parameter",
    "signal",
    "channel",
    "variable",
    "measurement",
    "sensor",
];
const VALUE: &[&str] = &["value", "val", "reading", "measured_value", "v", "number"];

/// How a stream is read, as far as its name and columns say.
pub fn infer(stream: &str, columns: &[ColumnInfo]) -> MappingSpec {
    let table = Table { columns };
    let mut spec = MappingSpec {
        kind: StreamKind::Records,
        key: columns.iter().filter(|c| c.key).map(|c| c.name.clone()).collect(),
        asset: None,
        time: None,
        metrics: Vec::new(),
        metric_name: None,
        value: None,
        unit: None,
        states: None,
        asset_name: None,
        asset_line: None,
        asset_site: None,
        asset_model: None,
    };
    let Some(time) = table.time() else {
        if is_machine_list(stream, &table) {
            describe_machines(&mut spec, &table);
        }
        return spec;
    };
    let Some(asset) = table.asset(&time.name) else { return spec };

    let state = table.named(STATE, &[ColumnType::Text, ColumnType::Other, ColumnType::Integer]);
    if let Some(state) = state.filter(|_| is_one_of(&time.name, START)) {
        spec.kind = StreamKind::States;
        spec.states = Some(StateColumns {
            state: state.name.clone(),
            reason: table.named(REASON, &[ColumnType::Text, ColumnType::Other]).map(|c| c.name.clone()),
        });
    } else if let Some((name, value)) = table.long_rows(asset, time) {
        spec.kind = StreamKind::Telemetry;
        spec.metric_name = Some(name.name.clone());
        spec.value = Some(value.name.clone());
        spec.unit = table.named(&["unit", "units", "uom"], &[ColumnType::Text]).map(|c| c.name.clone());
    } else {
        spec.metrics = table.metrics(asset, time);
        if spec.metrics.iter().all(|m| m.sample_type == SampleType::Boolean) {
            spec.metrics.clear();
            return spec;
        }
        spec.kind = StreamKind::Telemetry;
    }
    spec.asset = Some(asset.name.clone());
    spec.time = Some(time.name.clone());
    spec
}

struct Table<'a> {
    columns: &'a [ColumnInfo],
}

impl<'a> Table<'a> {
    /// The first of these names, in the list's order, that a column of one of these types has.
    fn named(&self, names: &[&str], types: &[ColumnType]) -> Option<&'a ColumnInfo> {
        names.iter().find_map(|name| {
            self.columns.iter().find(|c| plain(&c.name) == *name && types.contains(&ColumnType::of(&c.type_name)))
        })
    }

    /// A time of the key, else one with a name that says it. `created_at`, `updated_at` and `due_at` say nothing.
    fn time(&self) -> Option<&'a ColumnInfo> {
        let is_time = |c: &&ColumnInfo| ColumnType::of(&c.type_name) == ColumnType::Time;
        let of_key = self.columns.iter().filter(|c| c.key).find(is_time);
        of_key.or_else(|| self.named(TIME, &[ColumnType::Time])).or_else(|| self.named(START, &[ColumnType::Time]))
    }

    /// A column that names a machine; else what stands beside the time in the key.
    fn asset(&self, time: &str) -> Option<&'a ColumnInfo> {
        let fits = |c: &&ColumnInfo| {
            let of = ColumnType::of(&c.type_name);
            c.name != time
                && matches!(of, ColumnType::Text | ColumnType::Integer | ColumnType::Uuid | ColumnType::Other)
        };
        let by_name =
            MACHINE.iter().find_map(|machine| self.columns.iter().filter(fits).find(|c| names(&c.name, machine)));
        let key: Vec<&ColumnInfo> = self.columns.iter().filter(|c| c.key).collect();
        by_name.or_else(|| {
            let beside = key.iter().copied().filter(|c| c.name != time).find(fits);
            beside.filter(|_| key.len() > 1 && key.iter().any(|c| c.name == time))
        })
    }

    fn long_rows(&self, asset: &ColumnInfo, time: &ColumnInfo) -> Option<(&'a ColumnInfo, &'a ColumnInfo)> {
        let name = self.named(METRIC_NAME, &[ColumnType::Text])?;
        let value = self.named(VALUE, &[ColumnType::Number, ColumnType::Integer])?;
        (name.name != asset.name && value.name != time.name).then_some((name, value))
    }

    /// Numbers and switches that are neither keys nor references.
    fn metrics(&self, asset: &ColumnInfo, time: &ColumnInfo) -> Vec<MetricColumn> {
        let measured = self.columns.iter().filter(|c| {
            !c.key
                && c.name != asset.name
                && c.name != time.name
                && !plain(&c.name).ends_with("_id")
                && plain(&c.name) != "id"
        });
        let mut metrics: Vec<MetricColumn> = measured
            .filter_map(|c| {
                let sample_type = match ColumnType::of(&c.type_name) {
                    ColumnType::Number => SampleType::Float,
                    ColumnType::Integer => SampleType::Integer,
                    ColumnType::Boolean => SampleType::Boolean,
                    _ => return None,
                };
                Some(MetricColumn {
                    column: c.name.clone(),
                    name: name_of(c),
                    unit: unit_of(c.comment.as_deref()).to_owned(),
                    sample_type,
                })
            })
            .collect();
        tell_apart(&mut metrics);
        metrics
    }
}

/// Metrics of one stream have names of their own: where two would share one, both keep their column's.
fn tell_apart(metrics: &mut [MetricColumn]) {
    loop {
        let mut times: HashMap<String, usize> = HashMap::new();
        for metric in metrics.iter() {
            *times.entry(metric.name.to_lowercase()).or_default() += 1;
        }
        let shared =
            |metric: &&mut MetricColumn| times[&metric.name.to_lowercase()] > 1 && metric.name != metric.column;
        let mut any = false;
        for metric in metrics.iter_mut().filter(shared) {
            metric.name.clone_from(&metric.column);
            any = true;
        }
        // A column's name can be what another was called: then that one steps back too.
        if !any {
            return;
        }
    }
}

fn is_machine_list(stream: &str, table: &Table<'_>) -> bool {
    let name = plain(stream.rsplit(['.', '/']).next().unwrap_or(stream));
    let singular = name.strip_suffix('s').unwrap_or(&name);
    MACHINE_TABLES.contains(&singular) && table.columns.iter().filter(|c| c.key).count() == 1
}

fn describe_machines(spec: &mut MappingSpec, table: &Table<'_>) {
    let text = |names: &[&str]| {
        let types = [ColumnType::Text, ColumnType::Other, ColumnType::Integer, ColumnType::Uuid];
        table.named(names, &types).map(|c| c.name.clone())
    };
    spec.kind = StreamKind::Assets;
    spec.asset = spec.key.first().cloned();
    spec.asset_name = text(&["name", "label", "title", "description"]);
    spec.asset_line = text(&["line", "production_line", "line_name", "cell", "area", "line_id"]);
    spec.asset_site = text(&["site", "plant", "factory", "location", "site_name", "site_id"]);
    spec.asset_model = text(&["model", "type", "machine_type", "model_name"]);
}

/// `machine`, `machine_id`, `MachineNo`, `machine-code` name a machine.
fn names(column: &str, machine: &str) -> bool {
    let plain = plain(column);
    plain.strip_prefix(machine).is_some_and(|rest| {
        matches!(rest, "" | "_id" | "id" | "_no" | "no" | "_key" | "_name" | "_code" | "_number" | "_uuid" | "_tag")
    })
}

fn is_one_of(column: &str, names: &[&str]) -> bool {
    names.contains(&plain(column).as_str())
}

fn plain(name: &str) -> String {
    name.to_lowercase().replace(['-', ' '], "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `name type` a column; `*` before the name: key; ` -- ` before a comment.
    fn columns(text: &str) -> Vec<ColumnInfo> {
        let lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
        lines
            .map(|line| {
                let (head, comment) = line.split_once(" -- ").map_or((line, None), |(h, c)| (h, Some(c.to_owned())));
                let (name, type_name) = head.split_once(' ').unwrap();
                ColumnInfo {
                    key: name.starts_with('*'),
                    name: name.trim_start_matches('*').to_owned(),
                    type_name: type_name.to_owned(),
                    comment,
                }
            })
            .collect()
    }

    #[test]
    fn wide_telemetry() {
        let spec = infer(
            "public.telemetry",
            &columns(
                "*machine_id text
                 *ts timestamptz
                 cycle integer
                 t24 double precision -- unit: °R; total temperature
                 bpr numeric(8,3)
                 on_load boolean
                 operator_id integer
                 extra jsonb",
            ),
        );
        assert_eq!(spec.kind, StreamKind::Telemetry);
        assert_eq!((spec.asset.as_deref(), spec.time.as_deref()), (Some("machine_id"), Some("ts")));
        assert_eq!(spec.key, ["machine_id", "ts"]);
        let metrics: Vec<_> =
            spec.metrics.iter().map(|m| (m.column.as_str(), m.unit.as_str(), m.sample_type)).collect();
        assert_eq!(
            metrics,
            [
                ("cycle", "", SampleType::Integer),
                ("t24", "°R", SampleType::Float),
                ("bpr", "", SampleType::Float),
                ("on_load", "", SampleType::Boolean)
            ]
        );
    }

    #[test]
    fn metrics_of_a_stream_have_names_of_their_own() {
        let spec = infer(
            "public.telemetry",
            &columns(
                "*machine_id text
                 *ts timestamptz
                 oil_pressure double precision
                 t1 double precision -- unit: °C; temperature
                 t2 double precision -- unit: °C; Temperature
                 a double precision -- b
                 b double precision -- level
                 level double precision
                 t24 double precision -- unit: °R; LPC outlet temperature",
            ),
        );
        let names: Vec<_> = spec.metrics.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(names, ["Oil pressure", "t1", "t2", "a", "b", "level", "LPC outlet temperature"]);
    }

    #[test]
    fn long_telemetry() {
        let spec = infer(
            "public.machine_telemetry",
            &columns(
                "*id bigint
                 machine_id int
                 metric text
                 ts timestamptz
                 value double precision
                 quality smallint
                 unit text
                 updated_at timestamptz",
            ),
        );
        assert_eq!(spec.kind, StreamKind::Telemetry);
        assert_eq!(spec.metric_name.as_deref(), Some("metric"));
        assert_eq!(spec.value.as_deref(), Some("value"));
        assert_eq!(spec.unit.as_deref(), Some("unit"));
        assert_eq!((spec.asset.as_deref(), spec.time.as_deref()), (Some("machine_id"), Some("ts")));
        assert!(spec.metrics.is_empty());
    }

    #[test]
    fn states_orders_and_machines() {
        let states = infer(
            "public.machine_states",
            &columns(
                "*id bigint
                 machine_id text
                 state text
                 reason text
                 started_at timestamptz
                 note text
                 simulated boolean",
            ),
        );
        assert_eq!(states.kind, StreamKind::States);
        assert_eq!(states.states, Some(StateColumns { state: "state".into(), reason: Some("reason".into()) }));
        assert_eq!(states.time.as_deref(), Some("started_at"));

        let orders = infer(
            "public.work_orders",
            &columns(
                "*id bigint
                 machine_id text
                 quantity numeric(12,3)
                 status text
                 due_at timestamptz
                 tags text[]
                 payload jsonb
                 created_at timestamptz
                 updated_at timestamptz",
            ),
        );
        assert_eq!(orders.kind, StreamKind::Records);

        let machines = infer(
            "public.machines",
            &columns(
                "*id text
                 name text
                 line text
                 site text
                 model text
                 commissioned_on date",
            ),
        );
        assert_eq!(machines.kind, StreamKind::Assets);
        assert_eq!(machines.asset.as_deref(), Some("id"));
        assert_eq!(machines.asset_name.as_deref(), Some("name"));
        assert_eq!(machines.asset_site.as_deref(), Some("site"));
    }

    #[test]
    fn other_shapes() {
        for (table, text, is) in [
            ("readings", "*device uuid\n*time timestamp\ntemp real", StreamKind::Telemetry),
            ("readings", "*code varchar(8)\n*time timestamp\ntemp real", StreamKind::Telemetry),
            ("events", "*id int\nmachine_id int\nat timestamptz\nmessage text", StreamKind::Records),
            ("stops", "*id int\nmachine_no int\nstart timestamptz\nstatus text\nduration_s int", StreamKind::States),
            ("nothing", "a text", StreamKind::Records),
            ("machines", "a text", StreamKind::Records),
            ("log", "*id int\nts timestamptz\nvalue real", StreamKind::Records),
        ] {
            assert_eq!(infer(table, &columns(text)).kind, is, "{table}: {text}");
        }
    }

    proptest! {
        /// Whatever the columns: what is named exists, and telemetry and states have their asset and time.
        #[test]
        fn a_mapping_names_only_columns(names in proptest::collection::vec(
            (prop_oneof![Just("ts"), Just("machine_id"), Just("state"), Just("value"), Just("metric"), Just("started_at"), Just("x")],
             prop_oneof![Just("text"), Just("timestamptz"), Just("int4"), Just("float8"), Just("jsonb"), Just("bool")],
             any::<bool>()), 0..8)) {
            let columns: Vec<ColumnInfo> = names.iter().enumerate().map(|(i, (name, type_name, key))| ColumnInfo {
                name: if names[..i].iter().any(|n| n.0 == *name) { format!("{name}{i}") } else { (*name).to_owned() },
                type_name: (*type_name).to_owned(), key: *key, comment: None,
            }).collect();
            let spec = infer("t", &columns);
            let known = |name: &String| columns.iter().any(|c| c.name == *name);
            let named = spec.metrics.iter().map(|m| &m.column).chain(&spec.key).chain(&spec.asset).chain(&spec.time)
                .chain(&spec.metric_name).chain(&spec.value);
            prop_assert!(named.into_iter().all(known));
            if matches!(spec.kind, StreamKind::Telemetry | StreamKind::States) {
                prop_assert!(spec.asset.is_some() && spec.time.is_some() && spec.asset != spec.time);
            }
        }
    }
}

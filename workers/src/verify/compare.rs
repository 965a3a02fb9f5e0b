//! What should be there against what is there.

use super::days::Days;
use super::kept::Kept;
use super::recompute::{Expected, ExpectedSource};
use super::{Differences, Report};
use crate::refine::derive;
use crate::rollup::{buckets, day};
use anyhow::Context;
use clarity_domain::ids::{SourceId, StreamId};
use clarity_domain::mapping::{SampleType, StreamKind};
use clarity_domain::time::{HOUR, MINUTE, Micros, bucket_start, day_start};
use clarity_series::{CellRef, FieldId, FieldType, Projection, Rows, decode, merge};
use clarity_store::chunk::{self, LatestValue};
use clarity_store::state::StateRow;
use clarity_store::{WorkspaceTx, asset, dead_letter, metric, record, rollup, state};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A state that a row says, with the asset's number; and its stream.
pub type Said = (StreamId, StateRow);

/// Names for what differs.
struct Names {
    assets: HashMap<i32, String>,
    fields: HashMap<i32, String>,
    /// Time zones of the assets' sites.
    zones: HashMap<i32, TimeZone>,
}

pub async fn source(
    tx: &mut WorkspaceTx,
    id: SourceId,
    expected: ExpectedSource,
    kept: &Kept,
    said: &mut Vec<Said>,
    report: &mut Report,
    differences: &mut Differences,
) -> anyhow::Result<()> {
    if let Some(short) = expected.short {
        differences.add(format!("source {id}"), || short);
    }
    let listed = asset::list(tx).await?;
    let zones = listed.iter().map(|a| (a.number, day::zone(&a.time_zone))).collect();
    let assets: HashMap<String, i32> = listed.into_iter().map(|a| (a.key, a.number)).collect();
    let metrics = metric::list_of_source(tx, id).await?;
    let names = Names {
        assets: assets.iter().map(|(key, number)| (*number, key.clone())).collect(),
        fields: metrics.iter().map(|m| (m.number, m.column_name.clone())).collect(),
        zones,
    };
    let open: HashSet<_> = dead_letter::list_open_places(tx, id).await?.into_iter().collect();
    // An open letter may have gone by its age, and must not have come from nowhere.
    let missing = expected.dead.difference(&open).filter(|_| !kept.letters_cut);
    for place in open.difference(&expected.dead).chain(missing) {
        differences.add(format!("source {id}: dead letters"), || format!("{place:?}"));
    }
    for stream in expected.streams {
        report.streams += 1;
        let rolled: Vec<u32> = metrics
            .iter()
            .filter(|m| m.stream_id == stream.view.id && !m.extra)
            .filter(|m| matches!(m.sample_type, SampleType::Float | SampleType::Integer | SampleType::Boolean))
            .map(|m| m.number as u32)
            .collect();
        samples(tx, &stream, &rolled, &names, kept, report, differences).await?;
        latest(tx, &stream, &names, differences).await?;
        records(tx, &stream, report, differences).await?;
        states_of(&stream, &assets, said);
    }
    Ok(())
}

/// Hour by hour, so that no more than an hour of a stream is decoded at one time.
async fn samples(
    tx: &mut WorkspaceTx,
    stream: &Expected,
    rolled: &[u32],
    names: &Names,
    kept: &Kept,
    report: &mut Report,
    differences: &mut Differences,
) -> anyhow::Result<()> {
    let id = stream.view.id;
    let mut hours = stream.hours.clone();
    let stored: Vec<_> = chunk::list_all(tx, id).await?;
    for group in stored.chunks(500) {
        for sealed in [false, true] {
            let ids: Vec<_> = group.iter().filter(|c| c.1 == sealed).map(|c| c.0).collect();
            for body in chunk::read_bodies(tx, sealed, &ids).await? {
                let rows = decode(&body, &Projection::all().fields(&[])).context("a chunk cannot be read")?;
                hours.extend(rows.at.iter().map(|at| bucket_start(*at, HOUR)));
            }
        }
    }
    let sealed = stored.iter().filter(|c| c.1).map(|c| c.2);
    let numbers: Vec<i32> = names.assets.keys().copied().chain(sealed).collect::<BTreeSet<_>>().into_iter().collect();
    let mut days = Days::new(&names.zones);
    for hour in hours.into_iter().filter(|hour| *hour >= kept.hours_from) {
        let end = hour + HOUR;
        let bodies: Vec<Vec<u8>> =
            chunk::list_chunks(tx, id, &numbers, hour, end).await?.into_iter().map(|c| c.body).collect();
        let own = stream.chunks.iter().filter(|c| c.from < end && c.to >= hour).map(|c| &c.body);
        let expected = merged(own, hour, end)?;
        let found = merged(bodies.iter(), hour, end)?;
        report.rows += expected.len() as u64;
        report.samples += expected.sample_count();
        compare_rows(&stream.view.name, &expected, &found, names, differences);
        buckets_of(tx, stream, &expected, hour, rolled, names, &mut days, report, differences).await?;
    }
    let place = |asset: i32| format!("{} {}", stream.view.name, names.assets.get(&asset).map_or("?", |n| n));
    days.compare(tx, id, kept.days_from, &place, report, differences).await
}

fn merged<'a>(bodies: impl Iterator<Item = &'a Vec<u8>>, from: Micros, to: Micros) -> anyhow::Result<Rows> {
    let parts: Vec<Rows> = bodies
        .map(|body| decode(body, &Projection::all().between(from, to)))
        .collect::<Result<_, _>>()
        .context("a chunk cannot be read")?;
    Ok(merge(&parts).0)
}

fn compare_rows(stream: &str, expected: &Rows, found: &Rows, names: &Names, differences: &mut Differences) {
    let place_of = |rows: &Rows| (0..rows.len()).map(|i| (rows.key(i), i)).collect::<BTreeMap<_, _>>();
    let (ours, theirs) = (place_of(expected), place_of(found));
    let fields: BTreeSet<(FieldId, FieldType)> =
        expected.columns.iter().chain(&found.columns).map(|c| (c.field, c.field_type())).collect();
    let keys: BTreeSet<_> = ours.keys().chain(theirs.keys()).copied().collect();
    for (field, field_type) in fields {
        let (a, b) = (expected.column_typed(field, field_type), found.column_typed(field, field_type));
        for key in &keys {
            let cell = |column: Option<&clarity_series::Column>, places: &BTreeMap<_, usize>| match (
                column,
                places.get(key),
            ) {
                (Some(column), Some(row)) => said(column.get(*row)),
                _ => None,
            };
            let (should, is) = (cell(a, &ours), cell(b, &theirs));
            if should != is {
                let asset = names.assets.get(&(key.0 as i32)).map_or("?", String::as_str);
                let column = names.fields.get(&(field as i32)).map_or("?", String::as_str);
                let day = day_start(key.1) / 1_000_000;
                differences.add(format!("{stream} {asset} {column} day {day}"), || {
                    format!("at {} should be {should:?}, is {is:?}", key.1)
                });
            }
        }
    }
}

/// A cell's content in a form that is equal exactly when the bits are.
fn said(cell: CellRef<'_>) -> Option<String> {
    Some(match cell {
        CellRef::Absent => return None,
        CellRef::Null => "null".to_owned(),
        CellRef::Float(value) => format!("{value} ({:x})", value.to_bits()),
        CellRef::Int(value) => value.to_string(),
        CellRef::Bool(value) => value.to_string(),
        CellRef::Text(value) => format!("{value:?}"),
        CellRef::Time(value) => format!("time {value}"),
    })
}

#[allow(clippy::too_many_arguments)]
async fn buckets_of(
    tx: &mut WorkspaceTx,
    stream: &Expected,
    rows: &Rows,
    hour: Micros,
    rolled: &[u32],
    names: &Names,
    days: &mut Days<'_>,
    report: &mut Report,
    differences: &mut Differences,
) -> anyhow::Result<()> {
    let id = stream.view.id;
    let parts = rows.split_by_asset();
    let assets: Vec<i32> = parts.iter().map(|p| p.0 as i32).collect();
    let dirty: HashMap<i32, u64> = rollup::list_dirty(tx, id, &assets, hour, hour + HOUR)
        .await?
        .into_iter()
        .map(|m| (m.asset_number, m.minutes))
        .collect();
    let spans: Vec<_> = assets.iter().map(|a| (*a, hour, hour + HOUR)).collect();
    let mut found = HashMap::new();
    for row in rollup::list_encoded(tx, id, rollup::MINUTE_GRAIN, &spans).await? {
        found.insert((row.asset_number, row.from), buckets::decode(&row).context("a rollup cannot be read")?);
    }
    let mut hours = HashMap::new();
    for row in rollup::list_encoded(tx, id, rollup::HOUR_GRAIN, &spans).await? {
        hours.insert(row.asset_number, buckets::decode(&row).context("a rollup cannot be read")?);
    }
    for (asset, part) in parts {
        let asset = asset as i32;
        let marks = dirty.get(&asset).copied().unwrap_or(0);
        let minutes = buckets::minutes(&part, rolled, hour, hour + HOUR, MINUTE);
        days.add(asset, hour, &minutes);
        let name = || names.assets.get(&asset).cloned().unwrap_or_default();
        for (start, should) in &minutes {
            if marks >> ((start - hour) / MINUTE) & 1 == 1 {
                continue;
            }
            report.buckets += 1;
            if found.get(&(asset, *start)) != Some(should) {
                let place = format!("{} {} minutes", stream.view.name, name());
                differences.add(place, || format!("the bucket from {start}"));
            }
        }
        let should = buckets::merged(minutes.values());
        if marks == 0 && !should.is_empty() {
            report.buckets += 1;
            if hours.get(&asset) != Some(&should) {
                differences.add(format!("{} {} hours", stream.view.name, name()), || format!("the bucket from {hour}"));
            }
        }
    }
    Ok(())
}

async fn latest(
    tx: &mut WorkspaceTx,
    stream: &Expected,
    names: &Names,
    differences: &mut Differences,
) -> anyhow::Result<()> {
    let mut all: Vec<i32> = names.assets.keys().copied().collect();
    all.extend(stream.latest.keys());
    let found = chunk::latest_of(tx, stream.view.id, &all).await?;
    let content = |values: &[LatestValue]| {
        let of = |v: &LatestValue| (v.metric_number, v.at, v.snapshot, v.number.map(f64::to_bits), v.text.clone());
        values.iter().map(of).collect::<Vec<_>>()
    };
    let found: HashMap<i32, _> = found.iter().map(|l| (l.asset_number, content(&l.values))).collect();
    for number in stream.latest.keys().chain(found.keys()).collect::<BTreeSet<_>>() {
        let should = stream.latest.get(number).map(|l| content(&l.values));
        if should.as_ref() != found.get(number) {
            differences.add(format!("{} newest values", stream.view.name), || {
                format!(
                    "{}: should be {should:?}, are {:?}",
                    names.assets.get(number).map_or("?", |n| n),
                    found.get(number)
                )
            });
        }
    }
    Ok(())
}

async fn records(
    tx: &mut WorkspaceTx,
    stream: &Expected,
    report: &mut Report,
    differences: &mut Differences,
) -> anyhow::Result<()> {
    let found: HashMap<String, _> =
        record::list(tx, stream.view.id).await?.into_iter().map(|r| (r.key, r.image)).collect();
    let expected = &stream.fold.records;
    for key in expected.keys().chain(found.keys()).collect::<HashSet<_>>() {
        report.records += 1;
        report.rows += 1;
        // A tombstone and nothing at all read the same.
        let should = expected.get(key).and_then(|r| r.image.as_ref());
        let is = found.get(key).and_then(Option::as_ref);
        if should != is {
            differences
                .add(format!("{} records", stream.view.name), || format!("{key}: should be {should:?}, is {is:?}"));
        }
    }
    Ok(())
}

fn states_of(stream: &Expected, assets: &HashMap<String, i32>, out: &mut Vec<Said>) {
    let Some(layout) = stream.layout.as_ref().filter(|l| l.spec.kind == StreamKind::States) else { return };
    for record in stream.fold.records.values() {
        if let Some((asset, row)) = derive::state_of(&layout.spec, record) {
            let asset_number = assets.get(&asset).copied().unwrap_or(0);
            out.push((stream.view.id, StateRow { asset_number, ..row }));
        }
    }
}

/// States of all sources: where one ends is where the asset's next begins, whichever source says it.
pub async fn states(
    tx: &mut WorkspaceTx,
    mut said: Vec<Said>,
    report: &mut Report,
    differences: &mut Differences,
) -> anyhow::Result<()> {
    said.sort_by(|a, b| {
        let order = |s: &Said| (s.1.asset_number, s.1.from, s.1.epoch, s.1.seq, s.0);
        order(a).cmp(&order(b)).then_with(|| a.1.source_key.cmp(&b.1.source_key))
    });
    let mut expected = BTreeMap::new();
    for (i, (stream, row)) in said.iter().enumerate() {
        let next = said.get(i + 1).filter(|n| n.1.asset_number == row.asset_number).map(|n| n.1.from);
        let place = (*stream, row.source_key.clone());
        expected.insert(place, (row.asset_number, row.from, next, row.state.clone(), row.reason.clone()));
    }
    let mut found = BTreeMap::new();
    for (stream, row, to) in state::list_rows(tx).await? {
        found.insert((stream, row.source_key), (row.asset_number, row.from, to, row.state, row.reason));
    }
    for place in expected.keys().chain(found.keys()).collect::<BTreeSet<_>>() {
        report.intervals += 1;
        let (should, is) = (expected.get(place), found.get(place));
        if should != is {
            differences.add("states".to_owned(), || format!("row {}: should be {should:?}, is {is:?}", place.1));
        }
    }
    Ok(())
}

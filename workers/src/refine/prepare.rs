//! Samples of a group, once assets and fields have their numbers: hot chunks, newest values, dirty marks.

use super::samples::{Field, OVERFLOW};
use clarity_domain::ids::StreamId;
use clarity_domain::time::{HOUR, MINUTE, bucket_start};
use clarity_series::{Cell, CellRef, ChunkError, Rows, encode_hot, encode_stats, flags};
use clarity_store::chunk::{Latest, LatestValue, NewChunk};
use clarity_store::extras::SeenPath;
use clarity_store::rollup::DirtyMark;
use std::collections::HashMap;

/// What a group's samples write.
#[derive(Debug)]
pub struct PreparedSamples {
    pub stream: StreamId,
    pub chunks: Vec<NewChunk>,
    /// Newest value of each asset and field in this group.
    pub latest: Vec<Latest>,
    pub marks: Vec<DirtyMark>,
    pub seen: Vec<SeenPath>,
}

/// Texts in the table of newest values are cut here; the chunk has all of it.
const LATEST_TEXT_BYTES: usize = 200;

/// Numbers, computes and encodes. `assets` and `numbers` are in the order of the rows' own numbering.
pub fn prepare(
    stream: StreamId,
    mut rows: Rows,
    assets: &[i32],
    fields: &[Field],
    numbers: &[i32],
) -> Result<PreparedSamples, ChunkError> {
    let latest = latest(stream, &rows, assets, fields, numbers);
    let marks = marks(&rows, assets);
    let mut seen = Vec::new();
    for column in &mut rows.columns {
        let (field, number) = (&fields[column.field as usize], numbers[column.field as usize]);
        column.field = number as u32;
        if field.extra {
            let count = column.cells.iter().filter(|c| **c == Cell::Value).count() as i64;
            let path =
                SeenPath { path: field.path.clone(), value_type: field.value_type, count, metric_number: Some(number) };
            seen.push(path);
        }
    }
    for asset in &mut rows.asset {
        *asset = assets[*asset as usize] as u32;
    }
    let mut chunks = Vec::new();
    encode(&rows, &mut chunks)?;
    Ok(PreparedSamples { stream, chunks, latest, marks, seen })
}

/// One hot chunk, or several where one would be beyond its limits.
pub fn encode(rows: &Rows, out: &mut Vec<NewChunk>) -> Result<(), ChunkError> {
    match encode_hot(rows) {
        Ok(encoded) => {
            let first = (0..rows.len()).map(|i| (rows.epoch[i], rows.seq[i])).min().unwrap_or_default();
            let mut assets: Vec<i32> = rows.asset.iter().map(|asset| *asset as i32).collect();
            assets.sort_unstable();
            assets.dedup();
            out.push(NewChunk {
                asset_number: 0,
                asset_numbers: assets,
                from: encoded.stats.from,
                to: encoded.stats.to,
                row_count: encoded.stats.rows as i32,
                sample_count: i32::try_from(encoded.stats.samples).unwrap_or(i32::MAX),
                epoch: first.0 as i32,
                first_seq: first.1 as i64,
                stats: encode_stats(&encoded.stats),
                body: encoded.bytes,
            });
            Ok(())
        }
        Err(ChunkError::TooLarge { .. }) if rows.len() > 1 => {
            let half = rows.len() / 2;
            encode(&rows.slice(0..half), out)?;
            encode(&rows.slice(half..rows.len()), out)
        }
        Err(e) => Err(e),
    }
}

fn latest(stream: StreamId, rows: &Rows, assets: &[i32], fields: &[Field], numbers: &[i32]) -> Vec<Latest> {
    let mut of_asset: Vec<Vec<LatestValue>> = vec![Vec::new(); assets.len()];
    let mut newest: Vec<Option<usize>> = vec![None; assets.len()];
    for column in &rows.columns {
        let field = &fields[column.field as usize];
        if field.path == OVERFLOW {
            continue;
        }
        newest.fill(None);
        for row in 0..rows.len() {
            if column.cells[row] == Cell::Absent || rows.flags[row] & flags::FUTURE != 0 {
                continue;
            }
            let best = &mut newest[rows.asset[row] as usize];
            let wins = best.is_none_or(|b| {
                rows.at[row] > rows.at[b] || (rows.at[row] == rows.at[b] && rows.version(row) >= rows.version(b))
            });
            if wins {
                *best = Some(row);
            }
        }
        for (asset, row) in newest.iter().enumerate() {
            let Some(row) = *row else { continue };
            let text = match column.get(row) {
                CellRef::Text(text) => Some(cut(text).to_owned()),
                CellRef::Time(at) => {
                    Some(jiff::Timestamp::from_microsecond(at).map(|t| t.to_string()).unwrap_or_default())
                }
                _ => None,
            };
            of_asset[asset].push(LatestValue {
                metric_number: numbers[column.field as usize],
                at: rows.at[row],
                snapshot: rows.flags[row] & flags::SNAPSHOT != 0,
                number: column.number(row),
                text,
            });
        }
    }
    let version = (0..rows.len()).map(|i| (rows.epoch[i], rows.seq[i])).max().unwrap_or_default();
    let mut out: Vec<Latest> = of_asset
        .into_iter()
        .enumerate()
        .filter(|(_, values)| !values.is_empty())
        .map(|(asset, mut values)| {
            values.sort_unstable_by_key(|v| v.metric_number);
            Latest {
                stream_id: stream,
                asset_number: assets[asset],
                at: values.iter().map(|v| v.at).max().unwrap_or_default(),
                received_at: 0,
                epoch: version.0 as i32,
                seq: version.1 as i64,
                values,
            }
        })
        .collect();
    out.sort_unstable_by_key(|l| l.asset_number);
    out
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(LATEST_TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Puts what is known together with what came: per metric the later time wins; at one time what came, unless a snapshot
/// read it and a streamed row stands there. `replayed`: what came is older than what is known.
pub fn merge_latest(known: Option<&Latest>, came: Latest, replayed: bool) -> Latest {
    let Some(known) = known else { return came };
    let mut values: HashMap<i32, LatestValue> = known.values.iter().map(|v| (v.metric_number, v.clone())).collect();
    for value in came.values {
        let wins = values.get(&value.metric_number).is_none_or(|k| {
            let yields = value.snapshot && !k.snapshot;
            value.at > k.at || (value.at == k.at && !replayed && !yields)
        });
        if wins {
            values.insert(value.metric_number, value);
        }
    }
    let mut values: Vec<LatestValue> = values.into_values().collect();
    values.sort_unstable_by_key(|v| v.metric_number);
    let version = (known.epoch, known.seq).max((came.epoch, came.seq));
    Latest {
        at: values.iter().map(|v| v.at).max().unwrap_or(came.at),
        epoch: version.0,
        seq: version.1,
        values,
        ..*known
    }
}

fn marks(rows: &Rows, assets: &[i32]) -> Vec<DirtyMark> {
    let mut bits: HashMap<(u32, i64), u64> = HashMap::new();
    for (asset, at) in rows.asset.iter().zip(&rows.at) {
        let hour = bucket_start(*at, HOUR);
        *bits.entry((*asset, hour)).or_default() |= 1 << ((at - hour) / MINUTE);
    }
    bits.into_iter()
        .map(|((asset, hour), minutes)| DirtyMark { asset_number: assets[asset as usize], hour, minutes })
        .collect()
}

//! Cutting a record: the part of its events that ingest still wants, compressed anew.

use crate::spool::Record;
use bytes::Bytes;
use clarity_wire::body;
use clarity_wire::hash::BatchHash;
use std::ops::Range;

/// The record with only the events of `range` (sequences). The position stays the record's: a piece that ends before the
/// record does must be sent with the position before it, or a new epoch from there would leave events out.
pub fn cut(record: &Record, range: Range<u64>) -> Result<Record, String> {
    if range.start == record.first_seq && range.end == record.next_seq() {
        return Ok(record.clone());
    }
    if range.start < record.first_seq || range.end > record.next_seq() || range.is_empty() {
        return Err(format!("{range:?} is not within {}..{}", record.first_seq, record.next_seq()));
    }
    let raw = body::decompress(&record.body).map_err(|e| e.to_string())?;
    let (_, lines) = body::read(&raw).map_err(|e| e.to_string())?;
    let header = memchr::memchr(b'\n', &raw).map_or(raw.len(), |end| end + 1);
    let mut kept = raw[..header].to_vec();
    let skip = (range.start - record.first_seq) as usize;
    let count = (range.end - range.start) as usize;
    let mut taken = 0;
    for line in lines.skip(skip).take(count) {
        kept.extend_from_slice(line);
        kept.push(b'\n');
        taken += 1;
    }
    if taken != count {
        return Err(format!("the record says {} events, its body has {}", record.count, skip + taken));
    }
    let body = Bytes::from(zstd::bulk::compress(&kept, 1).map_err(|e| e.to_string())?);
    Ok(Record {
        first_seq: range.start,
        count: count as u32,
        raw_bytes: kept.len() as u32,
        body_hash: BatchHash::of_body(&body),
        body,
        ..record.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_wire::body::{BodyHeader, BodyWriter, Op};
    use proptest::prelude::*;

    fn record(count: u32) -> Record {
        let mut writer = BodyWriter::default();
        for i in 0..count {
            writer.begin(Op::Insert, 0, i64::from(i), 7, 9);
            writer.row();
            writer.cell_text(&format!("row {i}"));
            writer.end_cells();
            writer.end();
        }
        let header = BodyHeader { v: 1, ..BodyHeader::default() };
        let (body, raw_bytes) = writer.finish(&header, 1).unwrap();
        let body = Bytes::from(body);
        Record {
            first_seq: 100,
            count,
            raw_bytes,
            last_commit_us: None,
            appended_us: 0,
            body_hash: BatchHash::of_body(&body),
            position: serde_json::Value::Null,
            body,
            file: 1,
            start: 0,
            end: 10,
        }
    }

    proptest! {
        #[test]
        fn any_cut_holds_exactly_its_events(count in 1..40_u32, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
            let whole = record(count);
            let (a, b) = (a.index(count as usize) as u64, b.index(count as usize) as u64);
            let (from, to) = (a.min(b), a.max(b) + 1);
            let piece = cut(&whole, 100 + from..100 + to).unwrap();
            prop_assert_eq!((piece.first_seq, piece.next_seq()), (100 + from, 100 + to));
            prop_assert_eq!(piece.body_hash, BatchHash::of_body(&piece.body));
            let raw = body::decompress(&piece.body).unwrap();
            prop_assert_eq!(raw.len(), piece.raw_bytes as usize);
            let (_, lines) = body::read(&raw).unwrap();
            let times: Vec<_> = lines.map(|l| body::read_event(l).unwrap().commit_us as u64).collect();
            prop_assert_eq!(times, (from..to).collect::<Vec<_>>());
        }
    }

    #[test]
    fn beyond_the_record_is_an_error() {
        assert!(cut(&record(3), 99..101).is_err());
        assert!(cut(&record(3), 101..104).is_err());
        assert!(cut(&record(3), 101..101).is_err());
    }
}

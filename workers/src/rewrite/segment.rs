//! One segment's body under the masks: the same events at the same sequences, with what is left of their values. Lines of
//! streams that nothing is masked of stay byte for byte.
//!
//! What cannot be read cannot be masked: a line that is no event, and the words of an agent that could not decode one, go.

use super::columns::ColumnMasks;
use clarity_domain::ids::SourceId;
use clarity_domain::masking::{KeyedHash, MaskPolicy};
use clarity_wire::body::{self, BodyHeader, Op};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// As agents compress.
const LEVEL: i32 = 3;
const REMOVED: &str = "removed by a rewrite of history";

/// A line as its cells were written.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "o")]
    op: Op,
    #[serde(rename = "s", default)]
    stream: u32,
    #[serde(rename = "t", default, borrow)]
    at: Option<&'a RawValue>,
    #[serde(rename = "x", default, borrow)]
    xid: Option<&'a RawValue>,
    #[serde(rename = "l", default, borrow)]
    lsn: Option<&'a RawValue>,
    #[serde(rename = "c", default, borrow)]
    chunk: Option<&'a RawValue>,
    #[serde(rename = "n", default, borrow)]
    count: Option<&'a RawValue>,
    #[serde(rename = "m", default, borrow)]
    message: Option<&'a RawValue>,
    #[serde(rename = "r", default, borrow)]
    row: Option<Vec<&'a RawValue>>,
    #[serde(rename = "k", default, borrow)]
    old: Option<Vec<&'a RawValue>>,
}

/// A body after its rewrite.
#[derive(Debug, PartialEq, Eq)]
pub struct Rewritten {
    pub body: Vec<u8>,
    /// Size before compression.
    pub raw_bytes: u32,
    /// Values that are not what they were.
    pub values: i64,
    /// Its lines, for the letters that copy them.
    pub lines: Vec<Vec<u8>>,
}

/// Masks a body. None: nothing in it is masked.
///
/// # Errors
/// When the body cannot be read, which ingest lets none into bronze that is so.
pub fn rewrite(
    packed: &[u8],
    policies: &[MaskPolicy],
    source: SourceId,
    key: KeyedHash<'_>,
) -> anyhow::Result<Option<Rewritten>> {
    let raw = body::decompress(packed)?;
    let (mut header, lines) = body::read(&raw)?;
    let before = header.clone();
    let masks: Vec<Option<ColumnMasks>> =
        header.streams.iter_mut().map(|schema| ColumnMasks::compile(policies, source, schema)).collect();
    let (mut values, mut changed, mut out) = (0, header != before, Vec::new());
    for line in lines {
        let new = masked(line, &masks, key, &mut values);
        changed |= *new != *line;
        out.push(new.into_owned());
    }
    if !changed {
        return Ok(None);
    }
    let raw = joined(&header, &out)?;
    let body = zstd::bulk::compress(&raw, LEVEL)?;
    anyhow::ensure!(body::decompress(&body).is_ok_and(|again| again == raw), "a rewritten segment cannot be read back");
    let raw_bytes = u32::try_from(raw.len())?;
    Ok(Some(Rewritten { body, raw_bytes, values, lines: out }))
}

fn joined(header: &BodyHeader, lines: &[Vec<u8>]) -> anyhow::Result<Vec<u8>> {
    let mut raw = serde_json::to_vec(header)?;
    raw.push(b'\n');
    for line in lines {
        raw.extend_from_slice(line);
        raw.push(b'\n');
    }
    Ok(raw)
}

fn masked<'a>(line: &'a [u8], masks: &[Option<ColumnMasks>], key: KeyedHash<'_>, values: &mut i64) -> Cow<'a, [u8]> {
    let Ok(event) = serde_json::from_slice::<Line<'_>>(line) else {
        // It may be a line of any stream, with anything in it.
        return if masks.iter().any(Option::is_some) { Cow::Owned(removed()) } else { Cow::Borrowed(line) };
    };
    match masks.get(event.stream as usize) {
        Some(Some(of)) => Cow::Owned(written(&event, of, key, values)),
        Some(None) => Cow::Borrowed(line),
        None if event.op == Op::Heartbeat => Cow::Borrowed(line),
        None => Cow::Owned(removed()),
    }
}

fn removed() -> Vec<u8> {
    format!("{{\"o\":\"!\",\"s\":0,\"t\":0,\"x\":0,\"l\":0,\"m\":\"{REMOVED}\"}}").into_bytes()
}

fn written(event: &Line<'_>, of: &ColumnMasks, key: KeyedHash<'_>, values: &mut i64) -> Vec<u8> {
    let op = serde_json::to_string(&event.op).unwrap_or_default();
    let mut out = format!("{{\"o\":{op},\"s\":{}", event.stream);
    // A poisoned event's words may quote it; a stub's are the hash of what it was, by which values could be tried.
    let quoted = format!("\"{REMOVED}\"");
    let message = event.message.map(|_| quoted.as_str());
    let fields = [
        ("t", event.at.map(RawValue::get)),
        ("x", event.xid.map(RawValue::get)),
        ("l", event.lsn.map(RawValue::get)),
        ("c", event.chunk.map(RawValue::get)),
        ("n", event.count.map(RawValue::get)),
        ("m", message),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            out.push_str(&format!(",\"{name}\":{value}"));
        }
    }
    for (name, cells) in [("r", &event.row), ("k", &event.old)] {
        if let Some(cells) = cells {
            out.push_str(&format!(",\"{name}\":["));
            push_cells(&mut out, cells, of, key, values);
            out.push(']');
        }
    }
    out.push('}');
    out.into_bytes()
}

/// Cells that fit no columns are hidden, all of them.
fn push_cells(out: &mut String, cells: &[&RawValue], of: &ColumnMasks, key: KeyedHash<'_>, values: &mut i64) {
    let fits = cells.len() == of.columns();
    for (column, cell) in cells.iter().enumerate() {
        if column > 0 {
            out.push(',');
        }
        if !fits {
            *values += 1;
            out.push_str("null");
            continue;
        }
        match of.leave(column, cell, key) {
            Some(left) => {
                *values += 1;
                out.push_str(left.get());
            }
            None => out.push_str(cell.get()),
        }
    }
}

#[cfg(test)]
// Helpers of tests fail by panicking, as tests do.
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use clarity_domain::masking::{MaskPlace, MaskRule};
    use clarity_wire::body::{BodyWriter, Column, StreamSchema};
    use uuid::Uuid;

    const SOURCE: SourceId = SourceId(Uuid::from_u128(1));

    fn key(bytes: &[u8]) -> [u8; 32] {
        use sha2::Digest as _;
        sha2::Sha256::digest(bytes).into()
    }

    fn policy(field: &str, rule: MaskRule) -> MaskPolicy {
        MaskPolicy {
            id: Uuid::nil(),
            source_id: None,
            stream: "public.staff".into(),
            field: field.into(),
            rule,
            place: MaskPlace::Agent,
            least_role: None,
        }
    }

    fn header() -> BodyHeader {
        let column = |name: &str, of: &str, key| Column { name: name.into(), type_name: of.into(), key, comment: None };
        let staff = vec![
            column("id", "int8", true),
            column("name", "text", false),
            column("pay", "int4", false),
            column("detail", "jsonb", false),
        ];
        let schema = |name: &str, columns| StreamSchema { name: name.into(), columns, full_old_row: false };
        let streams = vec![schema("public.staff", staff), schema("public.other", vec![column("name", "text", false)])];
        BodyHeader { v: 1, streams, chunks: vec![] }
    }

    /// One row of each stream, an odd row, a message and a line that is none.
    fn packed() -> Vec<u8> {
        let mut writer = BodyWriter::default();
        writer.begin(Op::Insert, 0, 5, 6, 7);
        writer.row();
        writer.cell_number("17");
        writer.cell_text("zqcanary name");
        writer.cell_number("73519");
        writer.cell_text(r#"{"phone": "zqcanary 0151", "shift": 2}"#);
        writer.end_cells();
        writer.old();
        writer.cell_number("17");
        writer.cell_absent();
        writer.cell_null();
        writer.cell_text("zqcanary no document");
        writer.end_cells();
        writer.end();
        writer.begin(Op::Insert, 1, 5, 6, 7);
        writer.row();
        writer.cell_text("kept  as \\u0041 it is");
        writer.end_cells();
        writer.end();
        writer.begin(Op::Insert, 0, 5, 6, 7);
        writer.row();
        writer.cell_text("zqcanary too few");
        writer.end_cells();
        writer.end();
        writer.begin(Op::Poison, 0, 5, 6, 7);
        writer.message("zqcanary is no number");
        writer.end();
        writer.finish(&header(), 1).unwrap().0
    }

    fn policies() -> Vec<MaskPolicy> {
        let bucket = MaskRule::Bucket { width: 1000.0 };
        vec![
            policy("id", MaskRule::Hide),
            policy("name", MaskRule::Hash),
            policy("pay", bucket),
            policy("detail.phone", MaskRule::Hide),
        ]
    }

    #[test]
    fn what_is_masked_is_gone_and_all_else_stays() {
        let done = rewrite(&packed(), &policies(), SOURCE, &key).unwrap().unwrap();
        let raw = body::decompress(&done.body).unwrap();
        assert_eq!(raw.len(), done.raw_bytes as usize);
        let text = String::from_utf8(raw.clone()).unwrap();
        assert!(!text.contains("zqcanary") && !text.contains("73519"), "{text}");
        let (header, lines) = body::read(&raw).unwrap();
        let types: Vec<&str> = header.streams[0].columns.iter().map(|c| c.type_name.as_str()).collect();
        assert_eq!(types, ["text", "text", "int4", "jsonb"], "a key is hashed whatever its rule");
        let lines: Vec<Vec<u8>> = lines.map(<[u8]>::to_vec).collect();
        assert_eq!(lines, done.lines);
        let events: Vec<_> = lines.iter().map(|line| body::read_event(line).unwrap()).collect();
        assert_eq!(events.len(), 4, "as many events as before");
        assert_eq!((events[0].commit_us, events[0].xid, events[0].lsn), (5, 6, 7));
        assert_eq!(events[0].row[2], body::Cell::Int(73_000));
        assert_eq!(events[0].row[3], body::Cell::Text(r#"{"phone":null,"shift":2}"#.into()));
        assert_eq!(events[0].row[0], events[0].old[0], "equal values stay equal");
        assert_eq!(events[0].old[1..], [body::Cell::Absent, body::Cell::Null, body::Cell::Null]);
        assert_eq!(events[2].row, [body::Cell::Null]);
        assert_eq!(events[3].message.as_deref(), Some(REMOVED));
        let other = body::decompress(&packed()).unwrap();
        assert_eq!(lines[1], body::read(&other).unwrap().1.nth(1).unwrap(), "byte for byte");
    }

    /// One row of staff with these cells, the last one a badge's number.
    fn with_cells(cells: [&str; 5]) -> Vec<u8> {
        let mut header = header();
        let badge = Column { name: "badge".into(), type_name: "numeric".into(), key: false, comment: None };
        header.streams[0].columns.push(badge);
        let mut raw = serde_json::to_vec(&header).unwrap();
        let line = format!("\n{{\"o\":\"i\",\"s\":0,\"t\":5,\"x\":6,\"l\":7,\"r\":[{}]}}\n", cells.join(","));
        raw.extend_from_slice(line.as_bytes());
        zstd::bulk::compress(&raw, 1).unwrap()
    }

    fn row(done: &Rewritten) -> Vec<body::Cell<'_>> {
        body::read_event(&done.lines[0]).unwrap().row
    }

    #[test]
    fn again_it_changes_nothing() {
        let last = MaskRule::Partial { keep_last: 4 };
        let mut policies = policies();
        policies.push(policy("detail.worker", MaskRule::Hash));
        policies.push(policy("detail.team", last));
        policies.push(policy("badge", last));
        let detail = r#""{\"worker\": \"zqcanary\", \"team\": \"zqcanary 1234\"}""#;
        let staff = with_cells(["17", "\"zqcanary name\"", "73519", detail, "\"990000001234\""]);
        let other_key = |_: &[u8]| [9; 32];
        for packed in [packed(), staff.clone()] {
            let done = rewrite(&packed, &policies, SOURCE, &key).unwrap().unwrap();
            assert_eq!(rewrite(&done.body, &policies, SOURCE, &other_key).unwrap(), None);
        }
        let done = rewrite(&staff, &policies, SOURCE, &key).unwrap().unwrap();
        let cells = row(&done);
        assert_eq!(cells[4], body::Cell::Text("•••1234".into()));
        let body::Cell::Text(detail) = &cells[3] else { panic!("a document is text") };
        assert!(detail.contains("\"•••1234\"") && detail.contains("\"h:") && !detail.contains("zqcanary"), "{detail}");
    }

    #[test]
    fn a_rounded_cell_is_of_the_kind_that_it_was() {
        let bucket = MaskRule::Bucket { width: 1000.0 };
        let policies = [policy("pay", bucket), policy("badge", bucket)];
        let packed = with_cells(["17", "null", "73519", "null", "\"73519.25\""]);
        let done = rewrite(&packed, &policies, SOURCE, &key).unwrap().unwrap();
        assert_eq!(row(&done)[2], body::Cell::Int(73_000));
        assert_eq!(row(&done)[4], body::Cell::Text("73000".into()), "as agents write decimals");
    }

    #[test]
    fn a_cell_that_is_a_list_is_no_way_around() {
        let policies = [policy("name", MaskRule::Hash), policy("detail.phone", MaskRule::Hide)];
        let packed = with_cells(["17", "[\"zqcanary\"]", "[]", "[[\"zqcanary\"]]", "[]"]);
        let done = rewrite(&packed, &policies, SOURCE, &key).unwrap().unwrap();
        assert!(!String::from_utf8(done.lines[0].clone()).unwrap().contains("zqcanary"));
        let (null, absent) = (body::Cell::Null, body::Cell::Absent);
        assert_eq!(row(&done)[1..], [null.clone(), absent.clone(), null, absent]);
    }

    #[test]
    fn without_a_policy_of_its_streams_a_segment_stays() {
        let mut policies = policies();
        policies.iter_mut().for_each(|p| p.stream = "public.third".into());
        assert_eq!(rewrite(&packed(), &policies, SOURCE, &key).unwrap(), None);
    }

    #[test]
    fn a_line_that_is_no_event_goes() {
        let mut raw = serde_json::to_vec(&header()).unwrap();
        raw.extend_from_slice(b"\nzqcanary {\n");
        let packed = zstd::bulk::compress(&raw, 1).unwrap();
        let done = rewrite(&packed, &policies(), SOURCE, &key).unwrap().unwrap();
        assert_eq!(body::read_event(&done.lines[0]).unwrap().op, Op::Poison);
        assert!(!String::from_utf8(body::decompress(&done.body).unwrap()).unwrap().contains("zqcanary"));
    }
}

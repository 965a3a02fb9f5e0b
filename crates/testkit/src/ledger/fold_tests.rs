//! Hand-made bodies: the cases where order in bronze and order of what was seen differ.

use clarity_wire::body::{BodyHeader, BodyWriter, Column, Op, SnapshotChunk, StreamSchema, decompress};

use super::super::image::Known;
use super::super::table::Table;
use super::Fold;

/// A cell: `-` absent, `~` null, else text or a number.
type Cells<'a> = &'a [&'a str];

enum Line<'a> {
    Insert(u64, Cells<'a>),
    Update(u64, Cells<'a>),
    /// Old key and new row.
    Rename(u64, Cells<'a>, Cells<'a>),
    Delete(u64, Cells<'a>),
    Truncate(u64),
    Stub(u64, Cells<'a>),
    Read(Cells<'a>),
}
use Line::{Delete, Insert, Read, Rename, Stub, Truncate, Update};

fn column(name: &str, type_name: &str, key: bool) -> Column {
    Column { name: name.into(), type_name: type_name.into(), key, comment: None }
}

/// `t (id int8 primary key, a text, big text)`.
fn schema() -> StreamSchema {
    let columns = vec![column("id", "int8", true), column("a", "text", false), column("big", "text", false)];
    StreamSchema { name: "public.t".into(), columns, full_old_row: false }
}

fn cells(w: &mut BodyWriter, cells: Cells<'_>) {
    for (i, cell) in cells.iter().enumerate() {
        match (*cell, i) {
            ("-", _) => w.cell_absent(),
            ("~", _) => w.cell_null(),
            (number, 0) => w.cell_number(number),
            (text, _) => w.cell_text(text),
        }
    }
    w.end_cells();
}

fn body(schema: StreamSchema, snapshot: &str, lines: &[Line<'_>]) -> Vec<u8> {
    let mut w = BodyWriter::default();
    for line in lines {
        let (op, xid) = match line {
            Insert(x, _) => (Op::Insert, *x),
            Update(x, _) | Rename(x, ..) => (Op::Update, *x),
            Delete(x, _) => (Op::Delete, *x),
            Truncate(x) => (Op::Truncate, *x),
            Stub(x, _) => (Op::Stub, *x),
            Read(_) => (Op::Read, 0),
        };
        w.begin(op, 0, 0, xid, xid * 100);
        match line {
            Insert(_, row) | Update(_, row) => {
                w.row();
                cells(&mut w, row);
            }
            Rename(_, old, row) => {
                w.old();
                cells(&mut w, old);
                w.row();
                cells(&mut w, row);
            }
            Delete(_, key) | Stub(_, key) => {
                w.old();
                cells(&mut w, key);
            }
            Truncate(_) => {}
            Read(row) => {
                w.chunk(0);
                w.row();
                cells(&mut w, row);
            }
        }
        w.end();
    }
    let chunks = vec![SnapshotChunk { stream: 0, snapshot: snapshot.into() }];
    let (body, _) = w.finish(&BodyHeader { v: 1, streams: vec![schema], chunks }, 1).unwrap();
    decompress(&body).unwrap()
}

fn folded(parts: &[(&str, &[Line<'_>])]) -> Fold {
    let mut fold = Fold::default();
    for (snapshot, lines) in parts {
        fold.body(&body(schema(), snapshot, lines)).unwrap();
    }
    fold
}

fn rows(table: &Table) -> Vec<Vec<String>> {
    let show = |known| match known {
        Known::Absent => "-".into(),
        Known::Null => "~".into(),
        Known::Withheld => "?".into(),
        Known::Text(text) => String::from(text),
    };
    let live = table.rows.values().filter_map(|e| e.image.as_ref());
    let mut rows: Vec<Vec<String>> = live.map(|i| i.columns().take(3).map(show).collect()).collect();
    rows.sort();
    rows
}

fn fold_rows(parts: &[(&str, &[Line<'_>])]) -> Vec<Vec<String>> {
    let fold = folded(parts);
    assert_eq!((fold.doubled, fold.disordered), (0, 0));
    rows(&fold.tables[0])
}

/// Sees transactions below 100 and none from 100 on.
const EARLY: &str = "100:100:";
/// Sees transactions below 200.
const LATE: &str = "200:200:";

#[test]
fn a_change_the_chunk_did_not_see_beats_its_row_even_when_it_came_first() {
    assert_eq!(
        fold_rows(&[(EARLY, &[Update(150, &["1", "new", "b"]), Read(&["1", "old", "b"])])]),
        [["1", "new", "b"]]
    );
    assert_eq!(
        fold_rows(&[(EARLY, &[Read(&["1", "old", "b"]), Update(150, &["1", "new", "b"])])]),
        [["1", "new", "b"]]
    );
}

#[test]
fn a_change_the_chunk_saw_is_in_its_row_already() {
    // 150 was decoded; then 160 committed; then the chunk read both; then 160 was decoded.
    let lines = [Update(150, &["1", "a150", "-"]), Read(&["1", "a160", "b"]), Update(160, &["1", "a160", "-"])];
    assert_eq!(fold_rows(&[(LATE, &lines)]), [["1", "a160", "b"]]);
}

#[test]
fn a_commit_can_be_decoded_before_it_is_visible() {
    // 150 is still in the running list of a snapshot whose row comes after it in bronze.
    let lines = [Update(150, &["1", "new", "-"]), Read(&["1", "old", "big"])];
    assert_eq!(fold_rows(&[("150:160:150", &lines)]), [["1", "new", "big"]], "beaten, and still fills");
    assert_eq!(fold_rows(&[("150:160:", &lines)]), [["1", "old", "big"]], "seen, so the row is as new");
}

#[test]
fn unchanged_toast_is_kept_from_stream_and_from_snapshot() {
    let lines = [Insert(110, &["1", "a", "BIG"]), Update(120, &["1", "b", "-"]), Update(130, &["1", "c", "-"])];
    assert_eq!(fold_rows(&[(EARLY, &lines)]), [["1", "c", "BIG"]]);
    let lines = [Read(&["1", "a", "BIG"]), Update(120, &["1", "b", "-"])];
    assert_eq!(fold_rows(&[(EARLY, &lines)]), [["1", "b", "BIG"]]);
    // Null is a value: the row does not fill it.
    let lines = [Update(120, &["1", "b", "~"]), Read(&["1", "a", "BIG"])];
    assert_eq!(fold_rows(&[(EARLY, &lines)]), [["1", "b", "~"]]);
}

#[test]
fn what_nobody_carried_stays_unknown() {
    assert_eq!(fold_rows(&[(EARLY, &[Update(150, &["1", "new", "-"])])]), [["1", "new", "-"]]);
}

#[test]
fn deletes_beat_rows_they_were_not_seen_by() {
    let gone: Vec<Vec<String>> = Vec::new();
    assert_eq!(fold_rows(&[(EARLY, &[Delete(150, &["1", "-", "-"]), Read(&["1", "a", "b"])])]), gone);
    assert_eq!(fold_rows(&[(EARLY, &[Read(&["1", "a", "b"]), Delete(150, &["1", "-", "-"])])]), gone);
    // Deleted and inserted again before the chunk read it.
    let lines = [Delete(150, &["1", "-", "-"]), Read(&["1", "again", "b"]), Insert(160, &["1", "again", "b"])];
    assert_eq!(fold_rows(&[(LATE, &lines)]), [["1", "again", "b"]]);
}

#[test]
fn a_changed_key_takes_the_row_along() {
    let lines = [Read(&["1", "a", "BIG"]), Rename(150, &["1", "-", "-"], &["2", "b", "-"])];
    assert_eq!(fold_rows(&[(EARLY, &lines)]), [["2", "b", "BIG"]]);
    // The row under its old key comes later, and fills the one under the newest.
    let lines = [
        Rename(150, &["1", "-", "-"], &["2", "b", "-"]),
        Rename(160, &["2", "-", "-"], &["3", "c", "-"]),
        Read(&["1", "a", "BIG"]),
    ];
    assert_eq!(fold_rows(&[(EARLY, &lines)]), [["3", "c", "BIG"]]);
    let lines =
        [Rename(150, &["1", "-", "-"], &["2", "b", "-"]), Delete(160, &["2", "-", "-"]), Read(&["1", "a", "B"])];
    assert!(fold_rows(&[(EARLY, &lines)]).is_empty());
}

#[test]
fn a_truncate_empties_the_table_and_beats_rows_of_before() {
    let lines = [Read(&["1", "a", "b"]), Truncate(150), Read(&["2", "a", "b"]), Insert(160, &["3", "c", "d"])];
    assert_eq!(fold_rows(&[(EARLY, &lines)]), [["3", "c", "d"]]);
    let parts: [(&str, &[Line<'_>]); 2] = [(EARLY, &[Truncate(150)]), (LATE, &[Read(&["2", "after", "b"])])];
    assert_eq!(fold_rows(&parts), [["2", "after", "b"]]);
}

#[test]
fn a_change_sent_twice_is_counted() {
    let lines = [Insert(110, &["1", "a", "b"]), Insert(110, &["2", "a", "b"]), Insert(110, &["1", "a", "b"])];
    let fold = folded(&[(EARLY, &lines)]);
    assert_eq!((fold.doubled, fold.events), (1, 3));
    // Across batches, and where rows and keys are the same but the transaction is not.
    let parts: [(&str, &[Line<'_>]); 2] =
        [(EARLY, &[Update(110, &["1", "a", "b"])]), (LATE, &[Update(120, &["1", "a", "b"])])];
    assert_eq!(folded(&parts).doubled, 0);
    let parts: [(&str, &[Line<'_>]); 2] =
        [(EARLY, &[Update(110, &["1", "a", "b"])]), (LATE, &[Update(110, &["1", "a", "b"])])];
    assert_eq!(folded(&parts).doubled, 1);
    let fold = folded(&[(EARLY, &[Insert(120, &["1", "a", "b"]), Insert(110, &["2", "a", "b"])])]);
    assert_eq!(fold.disordered, 1);
}

#[test]
fn a_stub_withholds_its_row_until_a_change_carries_it() {
    let lines = [Stub(110, &["1", "-", "-"]), Update(120, &["1", "b", "-"])];
    let fold = folded(&[(EARLY, &lines)]);
    assert_eq!(rows(&fold.tables[0]), [["1", "b", "?"]]);
    assert_eq!(fold.tables[0].stubs, 1);
}

#[test]
fn a_column_that_came_later_finds_its_place() {
    let mut wider = schema();
    wider.columns.insert(1, column("new", "int4", false));
    let mut fold = folded(&[(EARLY, &[Insert(110, &["1", "a", "b"])])]);
    fold.body(&body(wider, EARLY, &[Insert(120, &["2", "5", "c", "d"])])).unwrap();
    let names: Vec<&str> = fold.tables[0].columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["id", "a", "big", "new"]);
    assert_eq!(rows(&fold.tables[0]), [["1", "a", "b"], ["2", "c", "d"]]);
    let two = fold.tables[0]
        .rows
        .values()
        .filter_map(|e| e.image.as_ref())
        .find(|i| i.columns().next() == Some(Known::Text("2")));
    assert_eq!(two.unwrap().columns().nth(3), Some(Known::Text("5")));
}

#[test]
fn a_table_without_a_key_is_counted_not_folded() {
    let mut keyless = schema();
    keyless.columns[0].key = false;
    let mut fold = Fold::default();
    fold.body(&body(keyless, EARLY, &[Insert(110, &["1", "a", "b"]), Read(&["2", "a", "b"])])).unwrap();
    assert_eq!((fold.tables[0].unkeyed, fold.tables[0].rows.len()), (2, 0));
}

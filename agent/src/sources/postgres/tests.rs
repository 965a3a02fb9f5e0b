//! Properties of the decoder and of blocks: any input is survived, and what is counted once is counted once.

use super::assemble::{Assembler, BLOCK_EVENTS};
use super::decode::{Message, Tuple, Value, decode};
use super::encode::{CellKind, Shape};
use super::flow::{ZSTD_LEVEL, compress};
use super::position::{Cursor, Step};
use clarity_wire::body::{self, BodyWriter, Column, Op, Packer, StreamSchema};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum V {
    Null,
    Unchanged,
    Text(Vec<u8>),
}

fn any_value() -> impl Strategy<Value = V> {
    prop_oneof![
        Just(V::Null),
        Just(V::Unchanged),
        ".{0,40}".prop_map(|t| V::Text(t.into_bytes())),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(V::Text),
    ]
}

fn tuple(values: &[V]) -> Vec<u8> {
    let mut out = (values.len() as u16).to_be_bytes().to_vec();
    for value in values {
        match value {
            V::Null => out.push(b'n'),
            V::Unchanged => out.push(b'u'),
            V::Text(text) => {
                out.push(b't');
                out.extend_from_slice(&(text.len() as u32).to_be_bytes());
                out.extend_from_slice(text);
            }
        }
    }
    out
}

fn insert(relation: u32, values: &[V]) -> Vec<u8> {
    [&b"I"[..], &relation.to_be_bytes(), b"N", &tuple(values)].concat()
}

fn update(relation: u32, old: &[V], new: &[V]) -> Vec<u8> {
    [&b"U"[..], &relation.to_be_bytes(), b"O", &tuple(old), b"N", &tuple(new)].concat()
}

fn begin(commit_lsn: u64, xid: u32) -> Vec<u8> {
    [&b"B"[..], &commit_lsn.to_be_bytes(), &1_000_000_i64.to_be_bytes(), &xid.to_be_bytes()].concat()
}

fn commit(commit_lsn: u64) -> Vec<u8> {
    [&b"C\0"[..], &commit_lsn.to_be_bytes(), &(commit_lsn + 8).to_be_bytes(), &1_000_000_i64.to_be_bytes()].concat()
}

fn shape(columns: usize) -> Shape {
    let column = |i| Column { name: format!("c{i}"), type_name: "text".into(), key: i == 0, comment: None };
    Shape {
        schema: StreamSchema {
            name: "public.t".into(),
            columns: (0..columns).map(column).collect(),
            full_old_row: true,
        },
        kinds: vec![CellKind::Text; columns],
        identity: vec![true; columns],
        masks: None,
    }
}

fn assembler(resume: Cursor, columns: usize) -> Assembler {
    let mut assembler = Assembler::new(resume, 100, true);
    assembler.describe(7, Some(shape(columns)));
    assembler
}

/// The events of a block, and the cursor after it.
fn cut(assembler: &mut Assembler) -> (Vec<(Op, u64, Vec<String>)>, Cursor) {
    let mut draft = assembler.cut(BodyWriter::default());
    let (bytes, _) = compress(&mut Packer::new(ZSTD_LEVEL).unwrap(), &mut draft).unwrap();
    let raw = body::decompress(&bytes).unwrap();
    let (header, lines) = body::read(&raw).unwrap();
    let events = lines
        .map(|line| {
            let event = body::read_event(line).unwrap();
            assert!(
                event.op == Op::Heartbeat
                    || header.streams.is_empty()
                    || (event.stream as usize) < header.streams.len()
            );
            (event.op, event.lsn, event.row.iter().map(|c| format!("{c:?}")).collect())
        })
        .collect();
    let Step::Stream(cursor, _) = draft.step else { panic!("a streamed block") };
    (events, cursor)
}

proptest! {
    #[test]
    fn a_row_is_decoded_as_it_was_written(old in proptest::collection::vec(any_value(), 0..12),
                                         new in proptest::collection::vec(any_value(), 0..12)) {
        let bytes = update(7, &old, &new);
        let Ok(Message::Update { relation: 7, old: Some(decoded_old), new: decoded_new }) = decode(&bytes) else {
            panic!("{:?}", decode(&bytes));
        };
        let values = |t: &Tuple<'_>| t.values().map(|v| match v {
            Value::Null => V::Null,
            Value::Unchanged => V::Unchanged,
            Value::Text(t) => V::Text(t.to_vec()),
        }).collect::<Vec<_>>();
        prop_assert_eq!(format!("{:?}", values(&decoded_old.tuple)), format!("{:?}", old));
        prop_assert_eq!(format!("{:?}", values(&decoded_new)), format!("{:?}", new));
        // A message that ends anywhere else is none.
        for end in 0..bytes.len() {
            prop_assert!(decode(&bytes[..end]).is_err());
        }
    }

    #[test]
    fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes);
        for kind in *b"IUDBCRTMOY" {
            let bytes = [&[kind][..], &bytes].concat();
            let _ = decode(&bytes);
            let mut assembler = assembler(Cursor::default(), 3);
            let _ = assembler.take(&begin(10, 1));
            let _ = assembler.take(&bytes);
            assembler.take_oversized(&bytes, 9_000_000, &[0; 32]);
            let _ = cut(&mut assembler);
        }
    }

    /// Bits flip in one message of a transaction: that event may turn into poison or another value, the others stay.
    #[test]
    fn a_damaged_event_leaves_its_neighbours(values in proptest::collection::vec(any_value(), 3),
                                             at in any::<prop::sample::Index>(), bit in 0..8) {
        let mut damaged = insert(7, &values);
        // The kind and the table say what it is; damage there is another event.
        let at = 5 + at.index(damaged.len() - 5);
        damaged[at] ^= 1_u8 << bit;
        let good = insert(7, &[V::Text(b"a".to_vec()), V::Null, V::Text(b"b".to_vec())]);
        let mut assembler = assembler(Cursor::default(), 3);
        for message in [&begin(10, 1), &good, &damaged, &good, &commit(10)] {
            assembler.take(message).unwrap();
        }
        let (events, cursor) = cut(&mut assembler);
        prop_assert_eq!(events.len(), 3);
        prop_assert_eq!(&events[0], &events[2]);
        prop_assert_eq!(events[0].0, Op::Insert);
        prop_assert!(matches!(events[1].0, Op::Insert | Op::Poison));
        prop_assert_eq!(cursor, Cursor { commit_lsn: 10, index: 3, safe_lsn: 18 });
    }

    /// A crash after any block: what comes again is skipped exactly up to what was spooled.
    #[test]
    fn any_cut_resumes_without_loss_or_doubles(sizes in proptest::collection::vec(0_usize..6, 1..8),
                                               cuts in proptest::collection::vec(any::<bool>(), 40),
                                               crash in 0_usize..40) {
        let messages: Vec<(u64, Vec<u8>)> = sizes.iter().enumerate().flat_map(|(t, &size)| {
            let lsn = 100 * (t as u64 + 1);
            let rows = (0..size).map(move |i| (lsn, insert(7, &[V::Text(format!("{t}.{i}").into_bytes())])));
            std::iter::once((lsn, begin(lsn, t as u32))).chain(rows).chain([(lsn, commit(lsn))])
        }).collect();
        let run = |resume: Cursor, crash: usize| {
            let (mut spooled, mut cursor) = (Vec::new(), resume);
            let mut assembler = assembler(resume, 1);
            // The server sends again what was not confirmed: transactions that end after `safe_lsn`.
            let again = messages.iter().filter(|(lsn, _)| lsn + 8 > resume.safe_lsn);
            for (i, (_, message)) in again.enumerate() {
                if i == crash {
                    return (spooled, cursor);
                }
                assembler.take(message).unwrap();
                if cuts[i % cuts.len()] && !assembler.is_empty() {
                    let (events, at) = cut(&mut assembler);
                    spooled.extend(events);
                    cursor = at;
                }
            }
            let (events, at) = cut(&mut assembler);
            spooled.extend(events);
            (spooled, at)
        };
        let (whole, end) = run(Cursor::default(), usize::MAX);
        let (mut resumed, cursor) = run(Cursor::default(), crash);
        let (rest, resumed_end) = run(cursor, usize::MAX);
        resumed.extend(rest);
        prop_assert_eq!(resumed, whole);
        prop_assert_eq!(resumed_end.safe_lsn, end.safe_lsn);
    }
}

#[test]
fn transaction_ids_are_widened_by_the_nearest() {
    for (reference, short, wide) in [
        (100, 90_u32, 90_u64),
        ((1 << 32) + 5, 4_294_967_290, 4_294_967_290),
        ((1 << 32) - 5, 3, (1 << 32) + 3),
        ((7 << 32) + 1_000, 900, (7 << 32) + 900),
    ] {
        let mut assembler = Assembler::new(Cursor::default(), reference, true);
        assembler.describe(7, Some(shape(1)));
        for message in [begin(10, short), insert(7, &[V::Null]), commit(10)] {
            assembler.take(&message).unwrap();
        }
        let mut draft = assembler.cut(BodyWriter::default());
        let raw = body::decompress(&compress(&mut Packer::new(ZSTD_LEVEL).unwrap(), &mut draft).unwrap().0).unwrap();
        let (_, mut lines) = body::read(&raw).unwrap();
        assert_eq!(body::read_event(lines.next().unwrap()).unwrap().xid, wide);
    }
}

#[test]
fn a_table_that_may_not_be_read_leaves_no_trace() {
    let mut assembler = Assembler::new(Cursor::default(), 1, true);
    assembler.describe(7, None);
    let mut broken = insert(7, &[V::Text(b"secret".to_vec())]);
    broken.push(0);
    for message in [begin(10, 1), insert(7, &[V::Text(b"secret".to_vec())]), broken, commit(10)] {
        assembler.take(&message).unwrap();
    }
    assembler.take(&begin(20, 2)).unwrap();
    assembler.take_oversized(&insert(7, &[V::Text(b"secret".to_vec())]), 9_000_000, &[1; 32]);
    assert!(assembler.is_empty());
}

#[test]
fn a_large_transaction_is_cut_into_blocks() {
    let mut assembler = assembler(Cursor::default(), 1);
    assembler.take(&begin(10, 1)).unwrap();
    // All alike: also what shrinks a thousandfold must pass the protocol's limits.
    let row = insert(7, &[V::Text(vec![b'x'; 100])]);
    let mut rows = 0;
    for _ in 0..4 {
        while !assembler.is_full() {
            assembler.take(&row).unwrap();
            rows += 1;
        }
        let (events, cursor) = cut(&mut assembler);
        assert!((1_000..=BLOCK_EVENTS as usize).contains(&events.len()));
        assert_eq!(cursor, Cursor { commit_lsn: 10, index: rows, safe_lsn: 0 });
    }
}

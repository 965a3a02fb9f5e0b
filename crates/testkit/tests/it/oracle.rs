//! The ledger's check on real databases: bronze made by hand from a table is clean, and every way to spoil it is found.

use std::time::Duration;

use clarity_testkit::ledger::{Check, Report, Settle, check};
use clarity_testkit::{CustomerDb, TestDb};
use clarity_wire::body::{BodyHeader, BodyWriter, Column, Op, SnapshotChunk, StreamSchema};
use clarity_wire::hash::BatchHash;
use tokio_postgres::{Client, SimpleQueryMessage};

const TABLE: &str = "create table typed (
  id bigint primary key, f double precision, r real, n numeric(12,3), b boolean, t text, at timestamptz, a text[],
  j jsonb, y bytea, u uuid, i interval, d date);
insert into typed values
  (1, 0.1, 0.1, 12.500, true, 'tab\tand \"quote\"', '2026-01-31 12:34:56.789012+02', '{a,NULL,\"b c\"}', '{\"k\": [1]}',
   '\\xdeadbeef', '6f1b5a30-0000-4000-8000-000000000001', '1 mon -3 days 04:05:06.5', '0044-03-15 BC'),
  (2, '-0', '1e20', 'NaN', false, '', 'infinity', '{}', 'null', '', null, null, '-infinity'),
  (3, 'NaN', '-Infinity', -0.001, null, null, null, null, null, null, null, null, null),
  (4, 100, 1e-30, 0, true, 'ünïcödé \u{1}', '-infinity', '{{1,2},{3,4}}', '\"x\"', '\\x00', null, '00:00:00', '2026-02-28')";
const COLUMNS: [(&str, &str); 13] = [
    ("id", "int8"),
    ("f", "float8"),
    ("r", "float4"),
    ("n", "numeric(12,3)"),
    ("b", "bool"),
    ("t", "text"),
    ("at", "timestamptz"),
    ("a", "text[]"),
    ("j", "jsonb"),
    ("y", "bytea"),
    ("u", "uuid"),
    ("i", "interval"),
    ("d", "date"),
];

/// The table as a snapshot chunk's body.
async fn body(owner: &Client) -> (Vec<u8>, u32) {
    let columns = COLUMNS.map(|(name, type_name)| Column {
        name: name.into(),
        type_name: type_name.into(),
        key: name == "id",
        comment: None,
    });
    let mut w = BodyWriter::default();
    let session = "set datestyle = ISO; set timezone = UTC; set intervalstyle = postgres; set bytea_output = hex";
    owner.batch_execute(session).await.unwrap();
    for message in owner.simple_query("select * from typed").await.unwrap() {
        let SimpleQueryMessage::Row(row) = message else { continue };
        w.begin(Op::Read, 0, 0, 0, 0);
        w.chunk(0);
        w.row();
        for (i, (_, type_name)) in COLUMNS.iter().enumerate() {
            match (row.get(i), *type_name) {
                (None, _) => w.cell_null(),
                (Some(text), "bool") => w.cell_bool(text == "t"),
                (Some(text), "int8" | "float8" | "float4") => w.cell_number(text),
                (Some(text), _) => w.cell_text(text),
            }
        }
        w.end_cells();
        w.end();
    }
    let schema = StreamSchema { name: "public.typed".into(), columns: columns.into(), full_old_row: false };
    let chunks = vec![SnapshotChunk { stream: 0, snapshot: "100:100:".into() }];
    let count = w.events();
    (w.finish(&BodyHeader { v: 1, streams: vec![schema], chunks }, 1).unwrap().0, count)
}

async fn store(admin: &Client, body: &[u8], count: u32) {
    let hash = BatchHash::chain(BatchHash::ZERO, 1, 1, count, &BatchHash::of_body(body));
    // Only bronze matters here, not what it refers to.
    admin
        .batch_execute(
            "set session_replication_role = replica;
             create temporary table w as select gen_random_uuid() as id;
             insert into sources (workspace_id, id, agent_id, name, kind, partition)
             select id, id, id, 'plant-db', 'postgres', 0 from w",
        )
        .await
        .unwrap();
    let sql = "insert into bronze_segments
                 (workspace_id, source_id, epoch, first_seq, event_count, raw_bytes, hash, body)
               select id, id, 1, 1, $1, 0, $2, $3 from w";
    admin.execute(sql, &[&(count as i32), &&hash.0[..], &body]).await.unwrap();
    let sql = "insert into source_cursors (workspace_id, source_id, epoch, next_seq) select id, id, 1, $1 from w";
    admin.execute(sql, &[&(i64::from(count) + 1)]).await.unwrap();
}

#[tokio::test]
async fn bronze_of_a_table_is_clean_until_it_is_spoilt() {
    let (platform, customer) = (TestDb::new().await, CustomerDb::new().await);
    let (admin, owner) = (platform.admin().await, customer.owner().await);
    owner.batch_execute(TABLE).await.unwrap();
    let (body, count) = body(&owner).await;
    assert_eq!(count, 4);
    store(&admin, &body, count).await;
    let what = Check {
        platform_url: platform.admin_url(),
        customer_url: customer.admin_url(),
        source: None,
        ledger: None,
        settle: Settle { limit: Duration::from_secs(5), refined: false },
    };
    let look = async || -> Report { check(&what).await.unwrap() };

    let report = look().await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.rows, report.events), (4, 4));

    owner.batch_execute("update typed set f = 0.10000000000000002 where id = 1").await.unwrap();
    let report = look().await;
    assert_eq!((report.lost, report.mismatched), (0, 1), "one bit of a float: {report:?}");
    assert!(report.tables[0].examples[0].what.starts_with("f is 0.10000000000000002"), "{report:?}");
    owner.batch_execute("update typed set f = 0.1 where id = 1; update typed set f = 0 where id = 2").await.unwrap();
    assert_eq!(look().await.mismatched, 1, "minus zero is another value");
    owner.batch_execute("update typed set f = '-0' where id = 2; update typed set t = '' where id = 3").await.unwrap();
    assert_eq!(look().await.mismatched, 1, "the empty text is not null");
    owner.batch_execute("update typed set t = null where id = 3").await.unwrap();
    assert!(look().await.is_clean());

    owner.batch_execute("insert into typed (id) values (9)").await.unwrap();
    assert_eq!(look().await.lost, 1);
    owner.batch_execute("delete from typed where id in (9, 4)").await.unwrap();
    let report = look().await;
    assert_eq!((report.lost, report.mismatched, report.tables[0].extra), (0, 1, 1));

    owner.batch_execute("create table unheard (id int); insert into unheard values (1), (2)").await.unwrap();
    owner.batch_execute("create publication clarity_oracle for table typed, unheard").await.unwrap();
    let waiting = check(&Check { settle: Settle { limit: Duration::ZERO, refined: false }, ..what.clone() }).await;
    assert_eq!(format!("{:#}", waiting.unwrap_err()), "waited 0 s in vain: the snapshot of public.typed has not ended");
    let ended = "update source_cursors set position =
                   '{\"tables\": {\"public.typed\": {\"done\": true}, \"public.unheard\": {\"done\": true}}}'";
    admin.batch_execute(ended).await.unwrap();
    assert_eq!(look().await.lost, 2, "a published table that bronze never heard of");
    owner.batch_execute("drop table unheard").await.unwrap();

    admin.batch_execute("update source_cursors set next_seq = next_seq + 5").await.unwrap();
    assert!(!look().await.sequences.cursor_at_end);
    admin
        .batch_execute("update bronze_segments set first_seq = 3; update source_cursors set next_seq = 7")
        .await
        .unwrap();
    let report = look().await;
    assert_eq!((report.sequences.holes, report.lost), (2, 2), "an epoch begins at 1: {report:?}");
    admin
        .batch_execute(
            "insert into gap_markers (workspace_id, id, source_id, epoch, from_seq, to_seq, kind, reason)
             select id, id, id, 1, 1, 3, 'lost', 'test' from w",
        )
        .await
        .unwrap();
    let report = look().await;
    assert_eq!((report.sequences.holes, report.sequences.marked, report.lost), (0, 2, 0), "marked, so not silent");
}

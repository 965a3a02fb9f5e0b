//! Changes as they happen: every type, every kind of change, schemas that change meanwhile.

use super::{PATIENCE, Plant};
use crate::source::fold::fold;
use crate::source::harness::Cell;
use clarity_testkit::wait_until;
use clarity_wire::body::Op;

const TYPES: &str = r#"
create type mood as enum ('fine', 'so "so"');
create domain percent as numeric(5,2) check (value between 0 and 100);
create type pair as (a int, b text);
create table types (
  id bigint primary key, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric, n2 numeric(12,3), b bool,
  t text, v varchar(20), c char(5), nm name, by bytea, d date, tm time, tz timetz, ts timestamp, tstz timestamptz(3),
  iv interval, u uuid, j json, jb jsonb, x xml, m money, ip inet, cd cidr, ma macaddr, bt bit(3), vb varbit,
  pt point, bx box, ts_v tsvector, i4r int4range, nr nummultirange, o oid, l pg_lsn,
  ia int4[], ta text[], na numeric[], ba bool[], da date[], jba jsonb[], ia2 int[][],
  e mood, ea mood[], p percent, pa percent[], pr pair, h "char"
);
comment on column types.f8 is 'oven temperature, unit: °C';
"#;

const VALUES: [&str; 4] = [
    r#"(1, -32768, -2147483648, -9223372036854775808, 'NaN', '-Infinity', 'NaN', -123456789.125, true,
     E'tab\t"quoted" back\\slash \n line ünï 🙂 \x01', 'v', 'c', 'nm', '\xdeadbeef', '0044-03-15 BC', '23:59:59.999999',
     '12:00:00+05:30', '4713-01-01 00:00:00 BC', '2024-02-29 23:59:59.999+02', '1 year -2 mons 3 days -04:05:06.789',
     'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": 1,  "a": 2}', '{"b": [1.10, null, "ü"]}', '<a>b</a>', '-12.34',
     '10.0.0.1/8', '10.0.0.0/8', '08:00:2b:01:02:03', B'101', B'1', '(1.5,-2)', '(2,2),(0,0)', 'a:1 b:2', '[1,5)',
     '{[1.1,2.2)}', 4294967295, '16/B374D848',
     '{1,NULL,3}', '{"a b",NULL,"c\"d","e,f",""}', '{1.100,NaN}', '{t,f,NULL}', '{0044-03-15 BC,infinity}',
     array['{"k": "v"}']::jsonb[], '{{1,2},{3,4}}', 'so "so"', '{fine,"so \"so\""}', 99.99, '{1.00}', '(1,"x y")', 'z')"#,
    "(2)",
    r#"(3, 32767, 2147483647, 9223372036854775807, 1.1754944e-38, 1.7976931348623157e308,
     123456789012345678901234567890123456789012345678901234567890.123456789012345678901234567890, 0.001, false, '', '', '',
     '', '', 'infinity', '00:00', '00:00:00-15:59', '-infinity', 'infinity', '0', null, '[]', 'null', '<x/>', 0,
     '::1', '::/0', 'ff:ff:ff:ff:ff:ff', B'000', B'', '(0,0)', '(1,1),(1,1)', '', 'empty', '{}', 0, '0/0',
     '{}', '{}', '{}', '{}', '{}', '{}', '{}', 'fine', '{}', 0, '{}', '(,)', '')"#,
    "(4, 0, -1, 5, 3.4e38, 0.1, 1e-20, 100, null, 'NULL', '[]', 'true')",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_arrives_as_the_table_has_it() {
    // Half of the rows are there before, so snapshot and stream must agree on every form.
    let plant = Plant::new(TYPES).await;
    for values in &VALUES[..2] {
        plant.sql(&format!("insert into types values {values}")).await;
    }
    let running = plant.start().await;
    plant.snapshot_done(&running, "public.types").await;
    for values in &VALUES[2..] {
        plant.sql(&format!("insert into types values {values}")).await;
    }
    plant.sql("insert into types select 10 + id, i2, i4, i8, f4, f8, n, n2, b, t, v, c, nm, by, d, tm, tz, ts, tstz, iv, u, j, jb, x, m, ip, cd, ma, bt, vb, pt, bx, ts_v, i4r, nr, o, l, ia, ta, na, ba, da, jba, ia2, e, ea, p, pa, pr, h from types").await;
    plant.quiesce().await;
    let events = plant.platform.events();
    assert_eq!(fold(&events, "public.types"), plant.rows("types").await);
    assert_eq!(plant.platform.count(|e| e.op == Op::Poison), 0);

    let inserted = events.iter().find(|e| e.op == Op::Insert).unwrap();
    let schema = inserted.stream.as_ref().unwrap();
    let type_of = |name: &str| schema.columns.iter().find(|c| c.name == name).unwrap().type_name.clone();
    for (column, expected) in [
        ("i4", "int4"),
        ("f8", "float8"),
        ("n2", "numeric(12,3)"),
        ("v", "varchar(20)"),
        ("tstz", "timestamptz(3)"),
        ("p", "numeric(5,2)"),
        ("ta", "text[]"),
        ("e", "mood"),
        ("ea", "mood[]"),
        ("pa", "numeric(5,2)[]"),
        ("c", "bpchar(5)"),
    ] {
        assert_eq!(type_of(column), expected, "{column}");
    }
    let f8 = schema.columns.iter().find(|c| c.name == "f8").unwrap();
    assert_eq!(f8.comment.as_deref(), Some("oven temperature, unit: °C"));
    assert_eq!(schema.columns.iter().filter(|c| c.key).map(|c| c.name.as_str()).collect::<Vec<_>>(), ["id"]);
    // The snapshot describes the table as the stream does.
    let read = events.iter().find(|e| e.op == Op::Read).unwrap();
    assert_eq!(read.stream, inserted.stream);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updates_deletes_truncates_and_untouched_toast() {
    let plant = Plant::new(
        "create table t (a int, b text, big text, n int, primary key (b, a));
         alter table t alter big set storage external;
         create table f (id int primary key, v text, big text); alter table f replica identity full;
         alter table f alter big set storage external;
         create table other (id int primary key);",
    )
    .await;
    plant.sql("insert into t values (1, 'x', repeat('before ', 3000), 0)").await;
    let running = plant.start().await;
    for table in ["public.t", "public.f", "public.other"] {
        plant.snapshot_done(&running, table).await;
    }
    plant
        .sql(
            "insert into t select i, 'x', repeat(i::text, 5000), i from generate_series(2, 20) i;
             insert into f select i, 'v', repeat(i::text, 5000) from generate_series(1, 5) i;",
        )
        .await;
    plant.sql("update t set n = n + 1").await;
    plant.sql("update t set a = a + 100 where a between 5 and 8").await;
    plant.sql("delete from t where a = 3; update f set v = 'w' where id = 2; delete from f where id = 1").await;
    plant.quiesce().await;
    let events = plant.platform.events();
    for table in ["t", "f"] {
        assert_eq!(fold(&events, &format!("public.{table}")), plant.rows(table).await, "{table}");
    }
    let untouched = events.iter().find(|e| e.op == Op::Update && e.is_of("public.t")).unwrap();
    assert_eq!(untouched.cell("big"), Some(&Cell::Absent), "an unchanged TOASTed value is absent, not null");
    let moved = events.iter().find(|e| e.op == Op::Update && !e.old.is_empty() && e.is_of("public.t")).unwrap();
    assert!(matches!(moved.old[2], Cell::Absent), "an old key carries the key alone: {:?}", moved.old);
    let deleted = events.iter().find(|e| e.op == Op::Delete && e.is_of("public.f")).unwrap();
    assert!(deleted.row.is_empty());
    assert_eq!(deleted.old[1], Cell::Text("v".into()), "with replica identity full the whole old row comes");
    assert!(deleted.stream.as_ref().unwrap().full_old_row);

    plant.sql("begin; truncate t, other; insert into t values (7, 'after', 'small', 1); commit").await;
    plant.quiesce().await;
    let events = plant.platform.events();
    assert_eq!(events.iter().filter(|e| e.op == Op::Truncate).count(), 2, "one event a table");
    assert_eq!(fold(&events, "public.t"), plant.rows("t").await);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_may_change_while_streaming() {
    let plant = Plant::new("create table t (id int primary key, a int)").await;
    let running = plant.start().await;
    plant.snapshot_done(&running, "public.t").await;
    // In one go, so that several versions fall into one block.
    plant
        .sql(
            "insert into t values (1, 1);
             alter table t add b text default 'new';
             insert into t values (2, 2, 'two');
             alter table t rename a to renamed;
             insert into t values (3, 3, 'three');
             alter table t alter renamed type text;
             insert into t values (4, 'four', 'x');
             alter table t drop b;
             insert into t values (5, 'five')",
        )
        .await;
    plant.quiesce().await;
    let seen: Vec<Vec<String>> = plant
        .platform
        .events()
        .iter()
        .filter(|e| e.op == Op::Insert)
        .map(|e| {
            let columns = &e.stream.as_ref().unwrap().columns;
            columns
                .iter()
                .zip(&e.row)
                .map(|(c, v)| format!("{}:{}={}", c.name, c.type_name, v.text().unwrap()))
                .collect()
        })
        .collect();
    assert_eq!(
        seen,
        [
            vec!["id:int4=1", "a:int4=1"],
            vec!["id:int4=2", "a:int4=2", "b:text=two"],
            vec!["id:int4=3", "renamed:int4=3", "b:text=three"],
            vec!["id:int4=4", "renamed:text=four", "b:text=x"],
            vec!["id:int4=5", "renamed:text=five"],
        ]
    );
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_too_large_leaves_a_stub_and_its_neighbours_land() {
    let plant = Plant::new("create table t (id int primary key, big text)").await;
    plant.sql("alter table t alter big set storage external; insert into t values (1, repeat('x', 2000000))").await;
    let running = plant.start().await;
    plant.snapshot_done(&running, "public.t").await;
    // One is held whole and found too large, one passes through without being held.
    plant
        .sql(
            "begin; insert into t values (2, 'before'); insert into t values (3, repeat('y', 1500000));
             insert into t values (4, 'between'); insert into t values (5, repeat('z', 20000000));
             insert into t values (6, 'after'); commit",
        )
        .await;
    plant.quiesce().await;
    let events = plant.platform.events();
    let stubs: Vec<_> = events.iter().filter(|e| e.op == Op::Stub).collect();
    assert_eq!(stubs.len(), 3);
    let ids: Vec<_> = stubs.iter().map(|e| e.old[0].text().unwrap()).collect();
    assert_eq!(ids, ["1", "3", "5"]);
    assert!(stubs.iter().all(|e| e.message.as_ref().unwrap().starts_with("sha256:") && e.old[1] == Cell::Absent));
    assert!(stubs[2].count.unwrap() > 20_000_000);
    let landed: Vec<_> = events.iter().filter(|e| e.op == Op::Insert).map(|e| e.row[0].text().unwrap()).collect();
    assert_eq!(landed, ["2", "4", "6"]);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heartbeats_travel_with_the_data_and_the_slot_is_confirmed() {
    let plant = Plant::new("create table t (id int primary key)").await;
    let running = plant.start().await;
    running.streaming().await;
    plant.sql("insert into t select generate_series(1, 100)").await;
    plant.quiesce().await;
    let event = plant.platform.events().into_iter().find(|e| e.op == Op::Insert).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros() as i64;
    assert!((now - event.commit_us).abs() < 60_000_000, "commit time is in microseconds since 1970");
    let xid: String = plant.owner.query_one("select xmin::text from t limit 1", &[]).await.unwrap().get(0);
    assert_eq!(event.xid as u32, xid.parse::<u32>().unwrap());
    let lsn = event.lsn;
    wait_until("the slot is confirmed up to the rows", PATIENCE, || async {
        let sql = "select (confirmed_flush_lsn - '0/0')::int8 from pg_replication_slots where slot_name = $1";
        plant.owner.query_one(sql, &[&plant.slot()]).await.unwrap().get::<_, i64>(0) as u64 > lsn
    })
    .await;
    wait_until("lag is reported", PATIENCE, || async { running.status().lag_bytes.is_some() }).await;
    assert!(running.status().product.starts_with("PostgreSQL 1"));
    running.stop().await.unwrap();
}

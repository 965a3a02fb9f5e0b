//! The plant against a real customer's database.

use clarity_testkit::CustomerDb;
use clarity_testkit::plant::{self, Backfill, Run};
use tokio::sync::watch;
use tokio_postgres::Client;

const START_US: i64 = 1_750_000_000_000_000;

async fn database() -> (CustomerDb, Client) {
    let db = CustomerDb::new().await;
    let owner = db.owner().await;
    plant::init(&owner).await.expect("tables");
    plant::init(&owner).await.expect("a second time");
    (db, owner)
}

fn options(db: &CustomerDb, rows: u64) -> Run {
    Run {
        url: db.owner_url(),
        rate: 5_000,
        machines: 10,
        seed: 42,
        rows_per_cycle: 1,
        orders_per_s: 20,
        seconds: None,
        rows: Some(rows),
        start_us: Some(START_US),
        quiet: true,
    }
}

async fn run(options: Run) -> u64 {
    let (_keep, stop) = watch::channel(false);
    plant::run(options, stop).await.expect("runs").rows
}

async fn one<T: for<'a> tokio_postgres::types::FromSql<'a>>(client: &Client, sql: &str) -> T {
    client.query_one(sql, &[]).await.expect("reads").get(0)
}

#[tokio::test]
async fn the_same_seed_writes_the_same_rows_into_two_databases() {
    let digest = "select md5(string_agg(t::text, '|' order by machine_id, ts)) from telemetry t";
    let mut digests = Vec::new();
    for seed in [42, 42, 43] {
        let (db, owner) = database().await;
        assert_eq!(run(Run { seed, ..options(&db, 3_000) }).await, 3_000);
        assert_eq!(one::<i64>(&owner, "select count(*) from telemetry").await, 3_000);
        digests.push(one::<String>(&owner, digest).await);
    }
    assert_eq!(digests[0], digests[1]);
    assert_ne!(digests[0], digests[2]);
}

#[tokio::test]
async fn a_second_run_goes_on_where_the_first_ended() {
    let (db, owner) = database().await;
    run(Run { start_us: None, ..options(&db, 500) }).await;
    run(Run { start_us: None, ..options(&db, 500) }).await;
    assert_eq!(one::<i64>(&owner, "select count(*) from telemetry").await, 1_000);
    let jumps = "select count(*) from (
                   select cycle, lag(cycle) over (partition by machine_id order by ts) as before from telemetry
                 ) t where before is not null and cycle <> before + 1 and cycle <> 1";
    assert_eq!(one::<i64>(&owner, jumps).await, 0, "each engine goes from a cycle to the next, or is replaced");
    let states = "select count(*) from machine_states where simulated";
    assert_eq!(one::<i64>(&owner, states).await, 10, "a restart gives no engine a second first state");
}

#[tokio::test]
async fn work_orders_are_inserted_updated_and_deleted_and_the_rig_is_there() {
    let (db, owner) = database().await;
    let busy = Run { rate: 100, orders_per_s: 400, seconds: Some(2), rows: None, ..options(&db, 0) };
    run(busy).await;
    let (last, present): (i64, i64) =
        (one(&owner, "select max(id) from work_orders").await, one(&owner, "select count(*) from work_orders").await);
    assert!(last > 100 && present < last, "{present} of {last} are left");
    assert!(one::<i64>(&owner, "select count(*) from work_orders where updated_at > created_at").await > 0);
    let large = "select count(*) from work_orders where pg_column_size(payload) > 2048";
    assert!(one::<i64>(&owner, large).await > 0);
    assert!(one::<i64>(&owner, "select count(*) from rig_telemetry where ts1 > 30 and ts1 < 70").await > 0);
    assert_eq!(one::<i64>(&owner, "select count(*) from machine_states where not simulated").await, 1);
}

#[tokio::test]
async fn history_ends_where_the_present_begins() {
    let (db, owner) = database().await;
    run(options(&db, 100)).await;
    let history = Backfill {
        url: db.owner_url(),
        rows: 20_000,
        rate: Some(5),
        machines: 10,
        seed: 42,
        rows_per_cycle: 1,
        end_us: None,
        quiet: true,
    };
    plant::backfill(history).await.expect("history");
    let before = format!("select count(*) from telemetry where ts < to_timestamp({})", START_US / 1_000_000);
    assert_eq!(one::<i64>(&owner, &before).await, 20_000);
    assert_eq!(one::<i64>(&owner, "select count(*) from telemetry").await, 20_100);
    let span = "select round(extract(epoch from max(ts) - min(ts)))::bigint from telemetry where ts < ";
    let span = format!("{span} to_timestamp({})", START_US / 1_000_000);
    assert_eq!(one::<i64>(&owner, &span).await, 4_000, "five rows a second");
    assert!(one::<i64>(&owner, "select count(*) from rig_telemetry").await >= 2_000);
    assert_eq!(plant::status(&owner).await.expect("status")["telemetry"], 20_100);
}

#[tokio::test]
async fn without_tables_it_says_what_to_do() {
    let db = CustomerDb::new().await;
    let (_keep, stop) = watch::channel(false);
    let error = plant::run(options(&db, 1), stop).await.expect_err("no tables");
    assert!(error.to_string().contains("clarity-plant init"), "{error:#}");
}

#[tokio::test]
async fn every_sensor_has_its_unit_in_a_comment() {
    let (_db, owner) = database().await;
    let sql = "select col_description('telemetry'::regclass, attnum) from pg_attribute
               where attrelid = 'telemetry'::regclass and attname = 't24'";
    assert_eq!(one::<String>(&owner, sql).await, "unit: °R; LPC outlet temperature");
}

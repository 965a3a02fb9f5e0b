//! The customer's database: what its users may do, and that nothing of it stays.

use std::time::Duration;

use clarity_testkit::cluster::connect;
use clarity_testkit::{CustomerDb, wait_until};

#[tokio::test]
async fn the_reader_reads_and_owns_nothing() {
    let db = CustomerDb::new().await;
    let owner = db.owner().await;
    owner.batch_execute("create table t (id int primary key); insert into t values (1)").await.expect("owner writes");
    let reader = connect(&db.reader_url()).await.expect("reader connects");
    assert_eq!(reader.query("select id from t", &[]).await.expect("may read").len(), 1);
    assert!(reader.batch_execute("insert into t values (2)").await.is_err(), "the reader must not write");
    reader.batch_execute("select pg_create_logical_replication_slot('reads_owns', 'pgoutput')").await.expect("slot");
}

#[tokio::test]
async fn its_slots_and_it_are_gone_at_the_end() {
    let db = CustomerDb::new().await;
    let name = db.name().to_owned();
    let cluster = db.cluster().clone();
    let slot = format!("s_{name}");
    let reader = connect(&db.reader_url()).await.expect("reader connects");
    reader.execute("select pg_create_logical_replication_slot($1, 'pgoutput')", &[&slot]).await.expect("slot");
    drop(db);
    let admin = connect(&cluster.admin_url("postgres")).await.expect("connects");
    wait_until("database and slot are gone", Duration::from_secs(5), || async {
        let sql = "select (select count(*) from pg_database where datname = $1)
                        + (select count(*) from pg_replication_slots where slot_name = $2::text::name)";
        admin.query_one(sql, &[&name, &slot]).await.expect("reads").get::<_, i64>(0) == 0
    })
    .await;
}

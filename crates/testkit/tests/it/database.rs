//! The database per test.

use std::time::Duration;

use clarity_testkit::cluster::connect;
use clarity_testkit::{ROLES, TestDb, wait_until};

#[tokio::test]
async fn two_tests_never_meet() {
    let (a, b) = tokio::join!(TestDb::new(), TestDb::new());
    assert_ne!(a.name(), b.name());
    let owner = connect(&a.url("clarity_owner")).await.expect("owner connects");
    owner.batch_execute("create table only_in_a (n int)").await.expect("owner makes tables");
    let other = connect(&b.url("clarity_owner")).await.expect("owner connects");
    assert!(other.query("select from only_in_a", &[]).await.is_err());
}

#[tokio::test]
async fn every_role_logs_in_and_none_is_strong() {
    let db = TestDb::new().await;
    for role in ROLES.iter().filter(|role| **role != "clarity_backup") {
        let client = connect(&db.url(role)).await.unwrap_or_else(|error| panic!("{role}: {error:#}"));
        let sql = "select rolsuper or rolbypassrls or rolcreatedb or rolcreaterole from pg_roles where rolname = user";
        let strong: bool = client.query_one(sql, &[]).await.expect("reads").get(0);
        assert!(!strong, "{role}");
    }
    assert!(connect(&db.url("clarity_backup")).await.is_err(), "backup has no business in a database");
}

#[tokio::test]
async fn a_dropped_test_database_is_gone_even_while_in_use() {
    let db = TestDb::new().await;
    let (name, cluster) = (db.name().to_owned(), db.cluster().clone());
    let held = connect(&db.url("clarity_app")).await.expect("connects");
    drop(db);
    let admin = connect(&cluster.admin_url("postgres")).await.expect("connects");
    wait_until("the database is gone", Duration::from_secs(10), || async {
        admin.query("select from pg_database where datname = $1", &[&name]).await.expect("reads").is_empty()
    })
    .await;
    assert!(held.query("select 1", &[]).await.is_err());
}

#[tokio::test]
async fn a_clone_has_the_rights_of_production() {
    let db = TestDb::new().await;
    let admin = db.admin().await;
    let sql = "select count(*) from pg_database where datname like 'template\\_%\\_building'";
    assert_eq!(admin.query_one(sql, &[]).await.expect("reads").get::<_, i64>(0), 0, "no template is left half made");
    let sql = "select has_database_privilege('clarity_app', current_database(), 'connect'),
                      has_database_privilege('clarity_backup', current_database(), 'connect'),
                      has_database_privilege('clarity_app', current_database(), 'temporary')";
    let row = admin.query_one(sql, &[]).await.expect("reads");
    assert_eq!((row.get(0), row.get(1), row.get(2)), (true, false, false));
    // In the clone nobody but the owner may make a table, as in production.
    let app = connect(&db.url("clarity_app")).await.expect("connects");
    assert!(app.batch_execute("create table public.x (n int)").await.is_err());
}

#[tokio::test]
async fn a_clone_is_cheap() {
    // Makes the template, where it is missing.
    drop(TestDb::new().await);
    let started = std::time::Instant::now();
    drop(TestDb::new().await);
    let took = started.elapsed();
    assert!(took < std::time::Duration::from_secs(5), "{took:?}: is the template migrated each time?");
}

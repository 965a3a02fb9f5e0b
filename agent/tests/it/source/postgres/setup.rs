//! What can be wrong at the customer's: each has a code, a sentence and the SQL that helps.

use super::{PATIENCE, Plant};
use clarity_agent::sources::{Outcome, Patterns, Policy, SourceError};
use clarity_testkit::{Cluster, wait_until};
use clarity_wire::body::Op;
use clarity_wire::frame::Problem;

const TABLE: &str = "create table t (id int primary key, v text); insert into t values (1, 'x')";

async fn stops_with(plant: &Plant, code: &str) -> Problem {
    let running = plant.start_alone().await;
    let error = running.ended().await.expect_err("it stops");
    let SourceError::Problem(problem) = error else { panic!("{error}") };
    assert_eq!(problem.code, code, "{problem:?}");
    problem
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_is_told_the_exact_sql_and_reading_goes_on_by_itself() {
    let plant = Plant::new(
        "create table t (id int primary key); create table log (line text);
         create schema other; create table other.o (id int primary key)",
    )
    .await;
    let running = plant.start_alone().await;
    let problem = running.problem("publication_missing").await;
    assert!(problem.fatal);
    assert_eq!(running.status().state, "waiting");
    plant.sql(problem.fix.as_ref().unwrap()).await;
    running.streaming().await;
    // Publishing updates of a table without a key would make them fail at the customer's.
    plant
        .sql(
            "insert into log values ('a'), ('b'); update log set line = 'c' where line = 'a'; insert into t values (1)",
        )
        .await;
    plant.sql("insert into other.o values (1)").await;
    plant.quiesce().await;
    assert_eq!(plant.platform.count(|e| e.op == Op::Insert && e.is_of("public.log")), 2);
    assert_eq!(plant.platform.count(|e| e.op == Op::Update), 0);
    assert!(plant.platform.has(|e| e.op == Op::Insert && e.is_of("public.t")));
    assert!(!plant.platform.has(|e| e.is_of("other.o")), "what is not configured is not read");
    let problem = running.problem("no_primary_key").await;
    assert!(problem.fix.unwrap().contains("alter table \"public\".\"log\" replica identity full"));
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_owns_the_tables_makes_the_publication_and_adds_new_tables() {
    let mut plant = Plant::new(TABLE).await;
    plant.db.admin().await.batch_execute("alter role customer_owner replication").await.unwrap();
    plant.settings = "user = 'customer_owner'".into();
    let running = plant.start_alone().await;
    plant.snapshot_done(&running, "public.t").await;
    running.stop().await.unwrap();
    plant.sql("create table later (id int primary key, v text); insert into later values (1, 'before')").await;
    let running = plant.start_alone().await;
    plant.snapshot_done(&running, "public.later").await;
    plant.sql("insert into later values (2, 'after')").await;
    plant.quiesce().await;
    assert_eq!(crate::source::fold::fold(&plant.platform.events(), "public.later"), plant.rows("later").await);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_credentials_database_and_address() {
    let mut plant = Plant::new(TABLE).await;
    let wrong = plant.folder.path().join("wrong");
    std::fs::write(&wrong, "not the password").unwrap();
    plant.settings = format!("password_file = '{}'", wrong.display());
    let problem = stops_with(&plant, "bad_credentials").await;
    assert!(problem.fatal && problem.fix.unwrap().contains("alter role \"clarity_reader\" login password"));
    assert!(!problem.message.contains("not the password"));

    plant.settings = "password_file = '/nowhere/at/all'".into();
    assert!(stops_with(&plant, "bad_credentials").await.message.contains("/nowhere/at/all"));
    plant.settings = "database = 'no_such_database'".into();
    stops_with(&plant, "no_database").await;
    plant.settings = "port = 1".into();
    let problem = stops_with(&plant, "unreachable").await;
    assert!(!problem.fatal, "tried again by itself");
    plant.settings = "tls = 'require'".into();
    stops_with(&plant, "tls").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_rights_are_told_with_the_grant() {
    let plant = Plant::new(TABLE).await;
    plant.sql("revoke select on t from clarity_reader; create publication s for table t").await;
    let running = plant.start().await;
    let problem = running.problem("missing_grant").await;
    assert!(!problem.fatal, "changes flow meanwhile");
    plant.sql("insert into t values (2, 'y')").await;
    plant.quiesce().await;
    assert!(plant.platform.has(|e| e.op == Op::Insert) && !plant.platform.has(|e| e.op == Op::Read));
    plant.sql(problem.fix.as_ref().unwrap()).await;
    plant.snapshot_done(&running, "public.t").await;
    wait_until("the problem is gone", PATIENCE, || async {
        !running.status().problems.iter().any(|p| p.code == "missing_grant")
    })
    .await;
    running.stop().await.unwrap();

    // A role of its own: the shared reader belongs to all tests.
    let mut plant = Plant::new(TABLE).await;
    let role = format!("plain_{}", plant.db.name());
    let admin = plant.db.admin().await;
    admin.batch_execute(&format!("create role {role} login password '{}'", plant.db.password())).await.unwrap();
    plant.settings = format!("user = '{role}'");
    let problem = stops_with(&plant, "missing_grant").await;
    assert_eq!(problem.fix.unwrap(), format!("alter role \"{role}\" replication;"));
    let checks = plant.config().check(&Policy::default()).await;
    assert!(
        checks
            .iter()
            .any(|c| c.outcome == Outcome::Failed && c.fix.as_ref().is_some_and(|f| f.contains("replication")))
    );
    admin.batch_execute(&format!("drop role {role}")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_local_policy_outranks_the_settings() {
    let mut plant = Plant::new("create table t (id int primary key); create table secret (id int primary key)").await;
    plant.policy = Policy { hosts: Some(Patterns::new(["elsewhere:5432"])), tables: None, masks: Vec::new() };
    stops_with(&plant, "policy_host").await;
    plant.policy = Policy { hosts: None, tables: Some(Patterns::new(["public.t"])), masks: Vec::new() };
    // Even where the owner publishes it.
    let names = "create publication clarity_test for table t, secret";
    plant.sql(names).await;
    let running = plant.start().await;
    running.streaming().await;
    assert!(running.problem("policy_table").await.message.contains("public.secret"));
    plant.sql("insert into secret values (1); insert into t values (1)").await;
    plant.quiesce().await;
    assert!(plant.platform.has(|e| e.is_of("public.t")));
    assert!(!plant.platform.has(|e| e.is_of("public.secret")));
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_servers_settings_are_checked() {
    let folder = tempfile::Builder::new().prefix("clarity-agent-it").tempdir_in("/tmp").unwrap();
    let mut plant = Plant::new(TABLE).await;
    let dir = folder.path().join("plain");
    let plain =
        tokio::task::spawn_blocking(move || Cluster::builder(dir).logical(false).fsync(false).start()).await.unwrap();
    let plain = plain.unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, plain.password()).unwrap();
    let at = |c: &Cluster| {
        format!(
            "port = {}\ndatabase = 'postgres'\nuser = 'postgres'\npassword_file = '{}'",
            c.port(),
            password.display()
        )
    };
    plant.settings = at(&plain);
    let problem = stops_with(&plant, "wal_level").await;
    assert!(problem.fix.unwrap().starts_with("alter system set wal_level = 'logical'"));
    let checks = plant.config().check(&Policy::default()).await;
    assert!(checks.iter().any(|c| c.outcome == Outcome::Failed && c.detail.contains("wal_level")));

    let dir = folder.path().join("full");
    let start = move || Cluster::builder(dir).logical(true).setting("max_replication_slots", "1").fsync(false).start();
    let full = tokio::task::spawn_blocking(start).await.unwrap().unwrap();
    std::fs::write(&password, full.password()).unwrap();
    let (admin, connection) =
        tokio_postgres::connect(&full.admin_url("postgres"), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    admin
        .batch_execute("create table t (id int primary key); select pg_create_physical_replication_slot('other')")
        .await
        .unwrap();
    plant.settings = at(&full);
    let problem = stops_with(&plant, "no_slot_left").await;
    assert!(problem.message.contains("all 1 replication slots"), "{problem:?}");
    plain.remove().unwrap();
    full.remove().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_passes_where_all_is_well() {
    let plant = Plant::new(TABLE).await;
    let running = plant.start().await;
    running.streaming().await;
    running.stop().await.unwrap();
    let checks = plant.config().check(&Policy::default()).await;
    assert!(checks.len() >= 5 && checks.iter().all(|c| c.outcome == Outcome::Passed), "{checks:#?}");
}

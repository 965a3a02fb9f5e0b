//! The login roles are as weak as they are meant to be, whatever was made of them meanwhile.

use clarity_testkit::TestDb;

const ROLES: &str = include_str!("../../../../migrations/bootstrap/roles.sql");

/// In a transaction that is rolled back: roles are the whole cluster's.
#[tokio::test]
async fn bootstrap_takes_from_a_role_what_makes_it_stronger() {
    let db = TestDb::new().await;
    let admin = db.admin().await;
    let (block, _) = ROLES.split_once("\n$$;").expect("the block that makes the roles");
    let strong = "select string_agg(rolname::text, ' ' order by rolname) from pg_roles
                  where rolname like 'clarity\\_%'
                    and (rolsuper or rolbypassrls or rolcreatedb or rolcreaterole or rolinherit or rolreplication)";
    let found = async || -> Option<String> { admin.query_one(strong, &[]).await.expect("read").get(0) };
    admin
        .batch_execute(
            "begin;
             alter role clarity_ops bypassrls;
             alter role clarity_global superuser createdb;
             alter role clarity_system replication inherit createrole",
        )
        .await
        .expect("made strong");
    assert_eq!(found().await.as_deref(), Some("clarity_backup clarity_global clarity_ops clarity_system"));
    admin.batch_execute(&format!("{block}\n$$")).await.expect("the block runs again");
    assert_eq!(found().await.as_deref(), Some("clarity_backup"), "it alone replicates");
    admin.batch_execute("rollback").await.expect("rolled back");
}

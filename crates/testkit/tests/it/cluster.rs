//! A private cluster's life: made, crashed, started again, stopped, removed.

use clarity_testkit::cluster::connect;
use clarity_testkit::{Cluster, StopMode};

fn scratch() -> tempfile::TempDir {
    // Open to the user postgres, who runs the server when we are root.
    let dir = tempfile::Builder::new().prefix("clarity-cluster").tempdir().expect("a folder");
    std::os::unix::fs::chown(dir.path(), None, None).expect("own folder");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(dir.path(), open).expect("own folder");
    dir
}

#[tokio::test]
async fn committed_rows_survive_kill_9_and_the_port_stays() {
    let dir = scratch();
    let cluster = Cluster::builder(dir.path().join("pg")).logical(true).start().expect("starts");
    let url = cluster.admin_url("postgres");
    let client = connect(&url).await.expect("connects");
    client
        .batch_execute("create table t (n int); insert into t select generate_series(1, 1000)")
        .await
        .expect("writes");
    let wal_level: String = client.query_one("show wal_level", &[]).await.expect("reads").get(0);
    assert_eq!(wal_level, "logical");

    let pid = cluster.pid().expect("runs");
    cluster.kill_9().expect("killed");
    assert_eq!(cluster.pid(), None);
    assert!(client.query_one("select 1", &[]).await.is_err(), "the old session must be cut");

    // Another handle, as another process would have it.
    let again = Cluster::builder(dir.path().join("pg")).logical(true).start().expect("starts again");
    assert_eq!(again.port(), cluster.port());
    assert_ne!(again.pid().expect("runs"), pid);
    let client = connect(&url).await.expect("same url");
    let rows: i64 = client.query_one("select count(*) from t", &[]).await.expect("reads").get(0);
    assert_eq!(rows, 1000);

    let running = again.pid();
    let same = Cluster::builder(dir.path().join("pg")).start().expect("idempotent");
    assert_eq!(same.pid(), running, "a running server is left alone");

    again.stop(StopMode::Fast).expect("stops");
    assert!(!again.is_ready());
    again.start().expect("starts a third time");
    again.stop(StopMode::Immediate).expect("stops at once");
    again.remove().expect("removed");
    assert!(!dir.path().join("pg").exists());
}

#[tokio::test]
async fn a_port_in_use_is_said() {
    let dir = scratch();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port();
    let error = Cluster::builder(dir.path().join("pg")).port(Some(port)).start().expect_err("port is taken");
    assert!(error.to_string().contains(&format!("port {port} is in use")), "{error:#}");
    drop(taken);
    let cluster = Cluster::builder(dir.path().join("pg")).port(Some(port)).start().expect("starts once it is free");
    assert_eq!(cluster.port(), port);
    cluster.remove().expect("removed");
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let dir = scratch();
    let cluster = Cluster::builder(dir.path().join("pg")).fsync(false).start().expect("starts");
    assert!(connect(&cluster.url("postgres", "wrong", "postgres")).await.is_err());
    let mode = std::fs::metadata(cluster.dir().join("password")).map(|meta| {
        use std::os::unix::fs::PermissionsExt as _;
        meta.permissions().mode() & 0o777
    });
    assert_eq!(mode.expect("there"), 0o600);
    cluster.remove().expect("removed");
}

#[test]
fn two_starters_at_once_get_one_server() {
    let dir = scratch();
    let start = || Cluster::builder(dir.path().join("pg")).fsync(false).start().expect("starts");
    let (a, b) = std::thread::scope(|scope| {
        let (a, b) = (scope.spawn(start), scope.spawn(start));
        (a.join().expect("no panic"), b.join().expect("no panic"))
    });
    assert!(a.pid().is_some());
    assert_eq!((a.pid(), a.port(), a.password()), (b.pid(), b.port(), b.password()));
    a.remove().expect("removed");
}

#[test]
fn an_interrupted_initdb_is_made_again() {
    let dir = scratch();
    let data = dir.path().join("pg/data");
    std::fs::create_dir_all(&data).expect("a folder");
    std::fs::write(data.join("PG_VERSION"), "15").expect("written");
    let cluster = Cluster::builder(dir.path().join("pg")).fsync(false).start().expect("starts");
    assert!(cluster.is_ready());
    cluster.remove().expect("removed");
}

/// Only root runs Postgres as another user, so only root has a folder that the server cannot reach.
#[test]
fn a_folder_closed_to_the_servers_user_is_replaced_by_one_that_is_open() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let dir = scratch();
    if std::fs::metadata(dir.path()).expect("there").uid() != 0 {
        eprintln!("skipped: not root");
        return;
    }
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).expect("closed");
    let wanted = dir.path().join("pg");
    let cluster = Cluster::builder(&wanted).fsync(false).start().expect("starts elsewhere");
    assert!(cluster.dir().starts_with("/var/tmp/clarity-stream"), "{}", cluster.dir().display());
    let found = Cluster::find(&wanted).expect("looked up").expect("found again by the folder that was asked for");
    assert_eq!(found.pid(), cluster.pid());
    cluster.remove().expect("removed");
}

//! Acts of a workspace that wait keep nobody else waiting: no act of another workspace, no sign-in, and nobody's session.

use std::time::Duration;

use crate::stage::{PASSWORD, Stage};
use clarity_domain::error::ErrorCode;
use clarity_service::Seat;
use clarity_testkit::wait_until;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Whoever waits for no workspace that is held is answered within this; on a machine with nothing else to do, at once. Behind
/// eight acts that wait, each until its lock's time is over, it would be four seconds.
const SOON: Duration = Duration::from_millis(1_500);
/// For what has to come about before.
const LONG: Duration = Duration::from_secs(10);

/// So many connections of signing in wait for a row.
async fn waiting(stage: &Stage) -> i64 {
    let of =
        "pg_stat_activity where usename = 'clarity_auth' and datname = current_database() and wait_event_type = 'Lock'";
    stage.count(of).await
}

/// Eight acts of this owner at once: twice as many as the stage has connections.
fn eight(stage: &Stage, seat: &Seat, acts: &mut JoinSet<Result<(), ErrorCode>>) {
    for _ in 0..8 {
        let (services, seat) = (stage.services.clone(), seat.clone());
        acts.spawn(async move { services.rename_workspace(&seat, "Another name").await.map_err(|error| error.code) });
    }
}

#[tokio::test]
async fn acts_that_wait_keep_nobody_else_waiting() {
    let stage = Stage::new().await;
    let maja = stage.owner("Nordmark", "maja@nordmark.example").await;
    let joe = stage.sign_up("Acme", "joe@acme.example").await.unwrap();
    let seat = stage.seat(&joe).await;
    let holder = stage.db.admin().await;
    let hold = "begin; select id from auth.workspaces where slug = 'nordmark' for no key update";
    holder.batch_execute(hold).await.unwrap();

    let mut acts = JoinSet::new();
    eight(&stage, &maja, &mut acts);
    // By then all eight have asked for a connection, and would be served before whoever comes now.
    wait_until("acts wait", LONG, || async { waiting(&stage).await >= 2 }).await;
    timeout(SOON, stage.services.rename_workspace(&seat, "Acme Tools"))
        .await
        .expect("another workspace's act")
        .unwrap();
    timeout(SOON, stage.services.members(&seat)).await.expect("another workspace's page").unwrap();
    assert!(waiting(&stage).await <= 2, "half of the four connections are one workspace's");

    holder.batch_execute("commit").await.unwrap();
    while let Some(done) = acts.join_next().await {
        // Those that had to wait for too long were told so.
        assert!(matches!(done.unwrap(), Ok(()) | Err(ErrorCode::Unavailable)));
    }
    timeout(SOON, stage.services.rename_workspace(&maja, "Nordmark")).await.expect("an act").unwrap();
}

#[tokio::test]
async fn acts_of_all_workspaces_leave_signing_in_a_connection() {
    let stage = Stage::new().await;
    let maja = stage.owner("Nordmark", "maja@nordmark.example").await;
    let joe = stage.owner("Acme", "joe@acme.example").await;
    let eve = stage.sign_up("Third", "eve@third.example").await.unwrap();
    let holder = stage.db.admin().await;
    let hold = "begin; select id from auth.workspaces where slug in ('nordmark', 'acme') for no key update";
    holder.batch_execute(hold).await.unwrap();

    let mut acts = JoinSet::new();
    eight(&stage, &maja, &mut acts);
    eight(&stage, &joe, &mut acts);
    wait_until("acts wait", LONG, || async { waiting(&stage).await >= 3 }).await;
    let visitor = timeout(SOON, stage.services.visitor(Some(&eve.token))).await.expect("a session is looked up");
    assert!(visitor.unwrap().session().is_some());
    timeout(SOON, stage.sign_in("eve@third.example", PASSWORD)).await.expect("a sign-in").unwrap();

    holder.batch_execute("commit").await.unwrap();
    while let Some(done) = acts.join_next().await {
        assert!(matches!(done.unwrap(), Ok(()) | Err(ErrorCode::Unavailable)));
    }
}

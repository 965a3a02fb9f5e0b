//! Postgres in the conformance suite.

use super::{Plant, Running};
use crate::source::conformance::{self, Subject};
use crate::source::harness::{Event, Platform};
use clarity_agent::sources::SourceError;
use clarity_agent::spool::Limits;
use clarity_wire::body::Op;
use std::time::Duration;

struct Postgres(Plant);

impl Subject for Postgres {
    type Running = Running;

    async fn start(&self) -> Running {
        self.0.start().await
    }

    async fn kill(running: Running) {
        running.kill().await;
    }

    async fn stop(running: Running) -> Result<(), SourceError> {
        running.stop().await
    }

    async fn ended(running: Running) -> Result<(), SourceError> {
        running.ended().await
    }

    async fn write(&self, ids: std::ops::Range<u32>) {
        let (from, to) = (ids.start, ids.end - 1);
        self.0
            .sql(&format!("insert into t select i, repeat('text ', 20) || i from generate_series({from}, {to}) i"))
            .await;
    }

    fn id_of(event: &Event) -> Option<u32> {
        if event.op == Op::Insert { event.row[0].text()?.parse().ok() } else { None }
    }

    async fn ready(&self, running: &Running) {
        self.0.snapshot_done(running, "public.t").await;
    }

    async fn disconnect(&self) {
        let sql = "select pg_terminate_backend(active_pid) from pg_replication_slots
                   where slot_name = $1 and active_pid is not null";
        self.0.db.admin().await.query(sql, &[&self.0.slot()]).await.unwrap();
    }

    fn platform(&self) -> &Platform {
        &self.0.platform
    }

    fn limit(&mut self, limits: Limits) {
        self.0.limits = limits;
    }

    fn unconfirmed(running: &Running) -> u64 {
        running.opened.spool.snapshot().unconfirmed_bytes
    }

    fn shown(&self, running: &Running) -> String {
        format!("{:?} {:?} {:?}", self.0.config(), running.status(), clarity_agent::sources::descriptors())
    }

    fn secret(&self) -> String {
        self.0.db.password().to_owned()
    }
}

async fn subject() -> Postgres {
    Postgres(Plant::new("create table t (id int primary key, v text)").await)
}

macro_rules! conforms {
    ($($name:ident),* $(,)?) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let checked = Box::pin(conformance::$name(subject().await));
            tokio::time::timeout(Duration::from_secs(120), checked).await.expect("it ends");
        })*
    };
}

conforms!(
    resumes_where_it_stopped,
    survives_a_kill_between_read_and_confirm,
    is_bounded_in_flight,
    reconnects,
    shows_no_secret
);

//! What every kind of source must do, whatever it reads. A kind brings a [`Subject`] and runs each of these.
//!
//! Malformed input and bad credentials differ too much between kinds: each kind has tests of its own for them.

use super::harness::{Event, Platform};
use clarity_agent::sources::SourceError;
use clarity_agent::spool::Limits;
use clarity_testkit::wait_until;
use std::ops::Range;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

pub trait Subject {
    type Running;
    async fn start(&self) -> Self::Running;
    /// Ends it as a crash does.
    async fn kill(running: Self::Running);
    async fn stop(running: Self::Running) -> Result<(), SourceError>;
    /// Waits for it to end by itself.
    async fn ended(running: Self::Running) -> Result<(), SourceError>;
    /// Waits until it reads.
    async fn ready(&self, running: &Self::Running);
    /// Makes the system produce one event for each id.
    async fn write(&self, ids: Range<u32>);
    fn id_of(event: &Event) -> Option<u32>;
    /// Breaks the source's connection at the system's side.
    async fn disconnect(&self);
    fn platform(&self) -> &Platform;
    fn limit(&mut self, limits: Limits);
    fn unconfirmed(running: &Self::Running) -> u64;
    /// Everything that people or logs may see of it.
    fn shown(&self, running: &Self::Running) -> String;
    fn secret(&self) -> String;
}

fn ids<S: Subject>(subject: &S) -> Vec<u32> {
    subject.platform().events().iter().filter_map(S::id_of).collect()
}

async fn all_arrive<S: Subject>(subject: &S, count: u32) {
    wait_until("all events are durable", PATIENCE, || async { ids(subject).len() >= count as usize }).await;
    assert_eq!(ids(subject), (0..count).collect::<Vec<_>>(), "each once, in order");
}

pub async fn resumes_where_it_stopped<S: Subject>(subject: S) {
    let running = subject.start().await;
    subject.ready(&running).await;
    subject.write(0..100).await;
    all_arrive(&subject, 100).await;
    S::stop(running).await.expect("it stops in time and without a problem");
    subject.write(100..200).await;
    let running = subject.start().await;
    all_arrive(&subject, 200).await;
    S::stop(running).await.unwrap();
}

pub async fn survives_a_kill_between_read_and_confirm<S: Subject>(subject: S) {
    let mut running = subject.start().await;
    subject.ready(&running).await;
    for round in 0..5 {
        subject.platform().takes.send_replace(false);
        subject.write(round * 3_000..(round + 1) * 3_000).await;
        wait_until("something was read and is not confirmed", PATIENCE, || async { S::unconfirmed(&running) > 0 })
            .await;
        S::kill(running).await;
        subject.platform().takes.send_replace(true);
        running = subject.start().await;
    }
    all_arrive(&subject, 15_000).await;
    S::stop(running).await.unwrap();
}

pub async fn is_bounded_in_flight<S: Subject>(mut subject: S) {
    const LIMIT: u64 = 256 << 10;
    subject.limit(Limits { limit_bytes: LIMIT, ..Limits::default() });
    let running = subject.start().await;
    subject.ready(&running).await;
    subject.platform().takes.send_replace(false);
    for part in 0..20 {
        subject.write(part * 5_000..(part + 1) * 5_000).await;
    }
    wait_until("the spool is at its bound", PATIENCE, || async { S::unconfirmed(&running) > LIMIT / 2 }).await;
    assert!(S::unconfirmed(&running) <= LIMIT, "the bound holds: {}", S::unconfirmed(&running));
    subject.platform().takes.send_replace(true);
    all_arrive(&subject, 100_000).await;
    S::stop(running).await.unwrap();
}

pub async fn reconnects<S: Subject>(subject: S) {
    let running = subject.start().await;
    subject.ready(&running).await;
    subject.write(0..500).await;
    subject.disconnect().await;
    let error = S::ended(running).await.expect_err("it says why it ended");
    assert!(error.problem().is_some_and(|p| !p.fatal), "a lost connection is tried again: {error}");
    let running = subject.start().await;
    subject.write(500..1_000).await;
    all_arrive(&subject, 1_000).await;
    S::stop(running).await.unwrap();
}

pub async fn shows_no_secret<S: Subject>(subject: S) {
    let running = subject.start().await;
    subject.ready(&running).await;
    let shown = subject.shown(&running);
    assert!(shown.len() > 100 && !shown.contains(&subject.secret()), "a secret is shown: {shown}");
    S::stop(running).await.unwrap();
}

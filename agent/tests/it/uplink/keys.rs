//! A new key while events flow: it is used in the end, whatever breaks in between, and nothing of the spool is lost.

use super::ingest::Ingest;
use super::{Agent, SOON, append, arrived};
use clarity_agent::identity::{AgentKey, StateDir};
use clarity_testkit::wait_until;
use std::path::Path;

/// The key that the platform takes alone.
fn known(ingest: &Ingest) -> Option<String> {
    ingest.with(|s| match s.next_key {
        None => s.key.as_ref().map(|key| hex::encode(key.as_bytes())),
        Some(_) => None,
    })
}

fn own(folder: &Path) -> String {
    AgentKey::load(&StateDir::new(folder)).unwrap().public()
}

/// A platform that asks for a new key and knows only what it was told.
async fn asking(lost_answers: u32) -> Ingest {
    let ingest = Ingest::start().await;
    ingest.with(|s| {
        s.keeps_key = true;
        s.asks_for_key = true;
        s.lost_answers = lost_answers;
    });
    ingest
}

async fn replaced(ingest: &Ingest, folder: &Path, before: &str) {
    wait_until("the new key is used", SOON, || async { known(ingest).is_some_and(|key| key != before) }).await;
    assert_eq!(known(ingest).as_deref(), Some(own(folder).as_str()));
    assert!(!folder.join("next.key").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_takes_the_place_of_the_first_while_events_flow() {
    let (folder, ingest) = (tempfile::tempdir().unwrap(), asking(0).await);
    let before = AgentKey::load_or_create(&StateDir::new(folder.path())).unwrap().public();
    let agent = Agent::start(folder.path(), &ingest, &["a"]).await;
    let mut writer = agent.writer(0).await;
    let next = append(&mut writer, 0, 50, 7).await;
    replaced(&ingest, folder.path(), &before).await;
    let end = append(&mut writer, next, 50, 7).await;
    arrived(&ingest, "a", end).await;
    agent.stop().await;
    assert!(ingest.with(|s| s.epochs.is_empty() && s.lost.is_empty()));

    // It is asked once, and another start uses the same.
    let agent = Agent::start(folder.path(), &ingest, &["a"]).await;
    let mut writer = agent.writer(0).await;
    let end = append(&mut writer, end, 3, 7).await;
    arrived(&ingest, "a", end).await;
    agent.stop().await;
    assert_eq!(ingest.with(|s| s.said_keys.len()), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_is_asked_for_again_and_is_the_same_key() {
    let (folder, ingest) = (tempfile::tempdir().unwrap(), asking(3).await);
    let before = AgentKey::load_or_create(&StateDir::new(folder.path())).unwrap().public();
    let agent = Agent::start(folder.path(), &ingest, &["a"]).await;
    let mut writer = agent.writer(0).await;
    let end = append(&mut writer, 0, 50, 7).await;
    replaced(&ingest, folder.path(), &before).await;
    arrived(&ingest, "a", end).await;
    agent.stop().await;
    let said = ingest.with(|s| s.said_keys.clone());
    assert_eq!(said.len(), 4);
    assert!(said.iter().all(|key| *key == said[0]), "one key, however often it is said");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_dies_in_between_has_a_key_that_is_known() {
    let (folder, ingest) = (tempfile::tempdir().unwrap(), asking(u32::MAX).await);
    let state = StateDir::new(folder.path());
    let before = AgentKey::load_or_create(&state).unwrap().public();
    // The platform knows the new key, and the agent dies before it hears of it: it comes again with its own.
    for _ in 0..2 {
        let agent = Agent::start(folder.path(), &ingest, &["a"]).await;
        let said = ingest.with(|s| s.said_keys.len());
        wait_until("a key is said", SOON, || async { ingest.with(|s| s.said_keys.len()) > said }).await;
        agent.stop().await;
        assert_eq!(own(folder.path()), before);
    }
    // It hears of it, puts the new key in place, and dies before it has used it.
    let next = AgentKey::next(&state).unwrap().public();
    AgentKey::follow(&state, &next).unwrap();
    let agent = Agent::start(folder.path(), &ingest, &["a"]).await;
    let mut writer = agent.writer(0).await;
    let end = append(&mut writer, 0, 20, 7).await;
    arrived(&ingest, "a", end).await;
    replaced(&ingest, folder.path(), &before).await;
    assert_eq!(own(folder.path()), next);
    agent.stop().await;
}

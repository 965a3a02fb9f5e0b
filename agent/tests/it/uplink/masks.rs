//! Masks on their way to the agent: they come with a welcome, stay over a restart, and their version is said.

use super::ingest::Ingest;
use super::{Agent, SOON};
use clarity_agent::masks::Masks;
use clarity_domain::masking::MaskRule;
use clarity_testkit::wait_until;
use clarity_wire::body::{Column, StreamSchema};
use clarity_wire::frame::{Mask, Masks as Ordered};

fn ordered(version: u64, fields: &[&str]) -> Ordered {
    let mask = |field: &&str| Mask {
        source: Some("a".into()),
        stream: "public.t".into(),
        field: (*field).into(),
        rule: MaskRule::Hash,
    };
    Ordered { version, masks: fields.iter().map(mask).collect() }
}

fn masks_of(masks: &Masks, source: &str) -> bool {
    let column = Column { name: "x".into(), type_name: "int4".into(), key: false, comment: None };
    let mut schema = StreamSchema { name: "public.t".into(), columns: vec![column], full_old_row: false };
    masks.of(source).compile(&mut schema).is_some()
}

async fn says(ingest: &Ingest, version: u64) {
    wait_until("the agent says which masks it applies", SOON, || async {
        ingest.with(|s| s.statuses.last().and_then(|status| status.masks_version)) == Some(version)
    })
    .await;
}

#[tokio::test]
async fn masks_come_with_a_welcome_and_outlive_the_connection() {
    let folder = tempfile::tempdir().unwrap();
    let ingest = Ingest::start().await;
    ingest.with(|s| s.masks = Some(ordered(4, &["x"])));
    let agent = Agent::start(folder.path(), &ingest, &["a", "b"]).await;
    says(&ingest, 4).await;
    assert!(masks_of(&agent.masks, "a") && !masks_of(&agent.masks, "b"));
    agent.stop().await;

    // A platform that says nothing of masks takes none away.
    ingest.with(|s| s.masks = None);
    ingest.with(|s| s.statuses.clear());
    let agent = Agent::start(folder.path(), &ingest, &["a", "b"]).await;
    assert!(masks_of(&agent.masks, "a"), "before it has connected");
    says(&ingest, 4).await;
    agent.stop().await;

    ingest.with(|s| s.masks = Some(ordered(5, &[])));
    let agent = Agent::start(folder.path(), &ingest, &["a", "b"]).await;
    says(&ingest, 5).await;
    assert!(!masks_of(&agent.masks, "a"));
    agent.stop().await;
}

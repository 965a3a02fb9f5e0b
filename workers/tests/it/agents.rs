//! An agent from the page to its connection: a person pairs it, replaces its key and revokes it, by the service, while it
//! speaks with ingest.

use crate::ingest::{Agent, Link, Platform, batch};
use clarity_domain::error::ErrorCode;
use clarity_domain::fingerprint::fingerprint;
use clarity_domain::view::sources::AgentKeyState;
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::{Secret, random_bytes};
use clarity_service::{
    Client, FirstStep, Limits, MailSettings, NewWorkspace, OutgoingSettings, Seat, SecretsKey, Services, Settings,
    SignIn,
};
use clarity_store::{AppStore, AuthStore};
use clarity_wire::frame::*;
use clarity_wire::hash::BatchHash;
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};
use std::time::{Duration, Instant};

const PASSWORD: &str = "four plain words here";

/// A platform with somebody who owns a workspace on it.
struct Desk {
    platform: Platform,
    services: Services,
    seat: Seat,
}

impl Desk {
    async fn new() -> Self {
        let platform = Platform::start().await;
        let db = &platform.db;
        let login =
            |role: DbRole| DbLogin { role, url: db.url(role.name()), password: Secret::new(db.cluster().password()) };
        let auth = AuthStore::connect(&login(DbRole::Auth), 3).await.unwrap();
        let app = AppStore::connect(&login(DbRole::App), 3).await.unwrap();
        let settings = Settings {
            public_url: "https://clarity.example".into(),
            agent_url: "wss://agents.example".into(),
            mail: MailSettings::outbox("Clarity Stream <no-reply@clarity.example>").unwrap(),
            secrets: SecretsKey::from_password(&Secret::new("a test's")),
            // A name server that nobody is at: no test asks the machine's own.
            outgoing: OutgoingSettings { resolver: Some(([127, 0, 0, 1], 9).into()), ..OutgoingSettings::default() },
            limits: Limits::default(),
        };
        let services = Services::new(auth, app, settings).unwrap();
        let email = "maja@nordmark.example";
        let new = NewWorkspace {
            workspace: "Nordmark".into(),
            name: "Maja".into(),
            email: email.into(),
            password: PASSWORD.into(),
        };
        let (card, _) = services.ensure_workspace(new).await.unwrap();
        let client = Client { address: "192.0.2.1".into(), user_agent: None, request_id: None };
        let form = SignIn { email: email.into(), password: PASSWORD.into() };
        let FirstStep::SignedIn(signed_in) = services.sign_in(form, &client).await.unwrap() else {
            panic!("there is no second factor")
        };
        let visitor = services.visitor(Some(&signed_in.token)).await.unwrap();
        let seat = services.enter(&visitor, &card.slug, &client).await.unwrap();
        Self { platform, services, seat }
    }

    /// An agent that was paired as people do it.
    async fn pair(&self) -> Agent {
        let pairing = self.services.begin_named_pairing(&self.seat, "press shop").await.unwrap();
        let code = pairing.code.unwrap();
        let key = SigningKey::from_bytes(&random_bytes().unwrap());
        let public_key = hex::encode(key.verifying_key().to_bytes());
        let signature = hex::encode(key.sign(&pair_message(&code, &public_key)).to_bytes());
        let mut link = Link::open(self.platform.address).await;
        let (hostname, agent_version) = ("host".into(), "1.0.0".into());
        link.send(Frame::Pair(Pair { code, public_key, signature, hostname, agent_version })).await;
        assert!(matches!(link.next().await, Some(Frame::Claimed(_))));
        self.services.approve_pairing(&self.seat, pairing.id).await.unwrap();
        let Some(Frame::Approved(approved)) = link.next().await else { panic!("not approved") };
        Agent { id: approved.agent_id, key, address: self.platform.address, generation: 0, replaces_key: true }
    }
}

#[tokio::test]
async fn an_agent_that_a_person_revokes_is_out_within_five_seconds() {
    let desk = Desk::new().await;
    let (mut agent, mut other) = (desk.pair().await, desk.pair().await);
    let (mut link, cursor) = agent.welcomed().await;
    let (mut others, others_cursor) = other.welcomed().await;
    let (first, _) = batch(cursor.source_id, 1, 1, 10, BatchHash::ZERO);
    link.send(first).await;
    assert!(matches!(link.next().await, Some(Frame::Durable(d)) if d.next_seq == 11));

    desk.services.revoke_agent(&desk.seat, agent.id).await.unwrap();
    let from = Instant::now();
    let Some(Frame::Denied(denied)) = link.next().await else { panic!("it was told nothing") };
    assert!(from.elapsed() < Duration::from_secs(5), "{:?}", from.elapsed());
    assert_eq!((denied.code, denied.retry_after_s), (DenyCode::Revoked, None));
    assert!(denied.message.contains("pair it anew"), "{}", denied.message);
    assert!(link.next().await.is_none(), "the connection is closed");
    let (_, answer) = agent.connect(&agent.key.clone()).await;
    assert!(matches!(answer, Frame::Denied(d) if d.code == DenyCode::Revoked));

    // Nobody else is touched, and what it sent stays.
    let (frame, _) = batch(others_cursor.source_id, 1, 1, 1, BatchHash::ZERO);
    others.send(frame).await;
    assert!(matches!(others.next().await, Some(Frame::Durable(_))));
    assert_eq!(desk.platform.count("select sum(event_count)::bigint from bronze_segments").await, 11);
    let shown = desk.services.sources(&desk.seat).await.unwrap();
    assert_eq!(shown.agents.iter().map(|a| a.id).collect::<Vec<_>>(), [other.id]);
    assert_eq!(shown.sources.iter().map(|s| s.agent_id).collect::<Vec<_>>(), [other.id]);
    assert_eq!(shown.revoked.iter().map(|a| (a.id, a.sources)).collect::<Vec<_>>(), [(agent.id, 1)]);
    assert!(shown.may_manage);

    // Said twice it is written down once.
    desk.services.revoke_agent(&desk.seat, agent.id).await.unwrap();
    assert_eq!(desk.platform.count("select count(*) from audit_entries where act = 'agent.revoke'").await, 1);
    let nobodys = desk.services.revoke_agent(&desk.seat, uuid::Uuid::now_v7().into()).await.unwrap_err();
    assert_eq!(nobodys.code, ErrorCode::NotFound);
}

/// What an agent answers to the question for a new key.
fn answer(question: &ReplaceKey, agent: &Agent, new: &SigningKey) -> Frame {
    let public_key = hex::encode(new.verifying_key().to_bytes());
    let signed = new_key_message(&question.nonce, agent.id, &public_key);
    let sign = |key: &SigningKey| hex::encode(key.sign(&signed).to_bytes());
    Frame::NewKey(NewKey { by_own: sign(&agent.key), by_new: sign(new), public_key })
}

async fn question(link: &mut Link) -> ReplaceKey {
    match link.next().await {
        Some(Frame::ReplaceKey(question)) => question,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_key_is_replaced_over_the_open_connection_and_the_old_one_opens_nothing_any_more() {
    let desk = Desk::new().await;
    let mut agent = desk.pair().await;
    let (mut link, cursor) = agent.welcomed().await;
    link.send(Frame::Status(Status::default())).await;
    let (first, hash) = batch(cursor.source_id, 1, 1, 10, BatchHash::ZERO);
    link.send(first).await;
    assert!(matches!(link.next().await, Some(Frame::Durable(_))));
    let keys = async || {
        let shown = desk.services.sources(&desk.seat).await.unwrap();
        (shown.agents[0].key, shown.agents[0].key_replaced_at.is_some())
    };
    assert_eq!(keys().await, (AgentKeyState::Replaceable, false));

    desk.services.replace_agent_key(&desk.seat, agent.id).await.unwrap();
    desk.services.replace_agent_key(&desk.seat, agent.id).await.unwrap();
    assert_eq!(keys().await, (AgentKeyState::Asked, false));
    assert_eq!(desk.platform.count("select count(*) from audit_entries where act = 'agent.replace_key'").await, 1);
    let from = Instant::now();
    let asked = question(&mut link).await;
    assert!(from.elapsed() < Duration::from_secs(5), "{:?}", from.elapsed());

    // Signed by a stranger in its place it is not taken, and the connection goes on.
    let new = SigningKey::from_bytes(&random_bytes().unwrap());
    let copy = Agent { key: SigningKey::from_bytes(&[3; 32]), ..agent };
    link.send(answer(&asked, &copy, &new)).await;
    let (second, hash) = batch(cursor.source_id, 1, 11, 1, hash);
    link.send(second).await;
    assert!(matches!(link.next().await, Some(Frame::Durable(d)) if d.next_seq == 12));
    assert_eq!(desk.platform.count("select count(*) from auth.agent_keys where next_public_key is not null").await, 0);

    link.send(answer(&asked, &agent, &new)).await;
    let Some(Frame::KeyKept(kept)) = link.next().await else { panic!("not kept") };
    assert_eq!(kept.public_key, hex::encode(new.verifying_key().to_bytes()));
    drop(link);

    // The agent dies before it has put the key in place: its own opens on, and it is asked again, for another one as well.
    let (mut link, cursor) = agent.welcomed().await;
    assert_eq!(cursor.next_seq, 12, "nothing is lost");
    link.send(Frame::Status(Status::default())).await;
    let asked = question(&mut link).await;
    link.send(answer(&asked, &agent, &SigningKey::from_bytes(&random_bytes().unwrap()))).await;
    assert!(matches!(link.next().await, Some(Frame::KeyKept(_))));
    link.send(answer(&asked, &agent, &new)).await;
    assert!(matches!(link.next().await, Some(Frame::KeyKept(_))));
    assert_eq!(keys().await, (AgentKeyState::Asked, false));

    // With the new one it is in, the connection of before is out, and so is a copy of the old key.
    let old = std::mem::replace(&mut agent.key, new);
    let (mut with_new, cursor) = agent.welcomed().await;
    with_new.send(Frame::Status(Status::default())).await;
    let (third, _) = batch(cursor.source_id, 1, 12, 1, hash);
    with_new.send(third).await;
    assert!(matches!(with_new.next().await, Some(Frame::Durable(d)) if d.next_seq == 13));
    assert!(link.next().await.is_none(), "superseded");
    let (_, answer) = agent.connect(&old).await;
    assert!(matches!(answer, Frame::Denied(d) if d.code == DenyCode::BadProof));
    assert_eq!(keys().await, (AgentKeyState::Replaceable, true));
    let words = fingerprint(&Sha256::digest(agent.key.verifying_key().to_bytes()).into());
    let known = format!("select count(*) from agents where fingerprint = '{words}'");
    assert_eq!(desk.platform.count(&known).await, 1, "its six words are the new key's");
    drop(with_new);
    let (_, cursor) = agent.welcomed().await;
    assert_eq!(cursor.next_seq, 13);
}

#[tokio::test]
async fn an_agent_that_cannot_replace_its_key_is_told_apart_and_a_revoked_one_is_out_with_both() {
    let desk = Desk::new().await;
    let (mut older, mut agent) = (desk.pair().await, desk.pair().await);
    older.replaces_key = false;
    let (_older_link, _) = older.welcomed().await;
    let refused = desk.services.replace_agent_key(&desk.seat, older.id).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Conflict);
    assert!(refused.message.contains("version cannot"), "{}", refused.message);
    let nobodys = desk.services.replace_agent_key(&desk.seat, uuid::Uuid::now_v7().into()).await.unwrap_err();
    assert_eq!(nobodys.code, ErrorCode::NotFound);

    let (mut link, _) = agent.welcomed().await;
    desk.services.replace_agent_key(&desk.seat, agent.id).await.unwrap();
    let asked = question(&mut link).await;
    // Another agent's key is nobody's next.
    link.send(answer(&asked, &agent, &older.key)).await;
    let new = SigningKey::from_bytes(&random_bytes().unwrap());
    link.send(answer(&asked, &agent, &new)).await;
    let Some(Frame::KeyKept(kept)) = link.next().await else { panic!("not kept") };
    assert_eq!(kept.public_key, hex::encode(new.verifying_key().to_bytes()));
    desk.services.revoke_agent(&desk.seat, agent.id).await.unwrap();
    assert!(matches!(link.next().await, Some(Frame::Denied(d)) if d.code == DenyCode::Revoked));
    for key in [&agent.key, &new] {
        let (_, answer) = agent.connect(key).await;
        assert!(matches!(answer, Frame::Denied(d) if d.code == DenyCode::Revoked));
    }
    let late = desk.services.replace_agent_key(&desk.seat, agent.id).await.unwrap_err();
    assert_eq!(late.code, ErrorCode::Conflict);
}

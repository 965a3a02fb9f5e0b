//! Codes: who may make, show, approve and refuse them, and how they end.

use crate::stage::Stage;
use clarity_domain::error::ErrorCode;
use clarity_domain::view::pairing::{Pairing, PairingState};
use clarity_service::Seat;
use clarity_service::pairing::{Approval, ClaimError, ClaimRequest, Claimed, approval, claim};

fn request(code: &str, key: u8) -> ClaimRequest {
    ClaimRequest {
        code: code.into(),
        public_key: [key; 32],
        hostname: "plant-pc".into(),
        agent_version: "0.1.0".into(),
        address: "192.0.2.9".into(),
    }
}

/// Another code with the same locator: the secret's first letter is another one.
fn wrong(code: &str) -> String {
    let (locator, secret) = code.split_once('-').unwrap();
    let first = if secret.starts_with('7') { '8' } else { '7' };
    format!("{locator}-{first}{}", &secret[1..])
}

async fn begun(stage: &Stage) -> (Seat, Pairing, String) {
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    let pairing = stage.services.begin_pairing(&seat).await.unwrap();
    let code = pairing.code.clone().unwrap();
    (seat, pairing, code)
}

async fn shown(stage: &Stage, code: &str, key: u8) -> Result<Claimed, ClaimError> {
    claim(&stage.auth, &request(code, key)).await
}

#[tokio::test]
async fn a_code_leads_to_an_agent_that_a_person_approved() {
    let stage = Stage::new().await;
    let (seat, begun, code) = begun(&stage).await;
    assert!(begun.install_command.unwrap().contains(&format!("--server wss://agents.example --code {code}")));
    let again = stage.services.pairing(&seat, begun.id).await.unwrap();
    assert_eq!((again.code, again.install_command), (None, None), "the code is told once");
    assert_eq!(stage.services.approve_pairing(&seat, begun.id).await.err().unwrap().code, ErrorCode::Conflict);

    let claimed = shown(&stage, &code.to_lowercase().replace('-', " "), 1).await.unwrap();
    assert_eq!((claimed.pairing_id, claimed.workspace_name.as_str()), (begun.id, "Nordmark"));
    assert_eq!(approval(&stage.auth, begun.id).await.unwrap(), Approval::Waiting);
    let PairingState::Claimed { fingerprint, hostname, .. } =
        stage.services.pairing(&seat, begun.id).await.unwrap().state
    else {
        panic!("not claimed")
    };
    assert_eq!((fingerprint.join(" "), hostname.as_str()), (claimed.fingerprint.clone(), "plant-pc"));
    assert_eq!(stage.count("auth.agent_keys").await, 0, "showing a code alone gives nothing");
    assert_eq!(shown(&stage, &code, 1).await.unwrap(), claimed, "a broken connection shows it again");
    assert!(matches!(shown(&stage, &code, 2).await, Err(ClaimError::Used)), "another key may not");

    for _ in 0..2 {
        let approved = stage.services.approve_pairing(&seat, begun.id).await.unwrap();
        assert!(matches!(approved.state, PairingState::Approved { ref agent, .. } if agent == "plant-pc"));
    }
    let answer = approval(&stage.auth, begun.id).await.unwrap();
    assert_eq!(answer, Approval::Approved { agent_id: claimed.agent_id, name: "plant-pc".into() });
    assert_eq!(stage.count("auth.agent_keys").await, 1);
    assert_eq!(stage.count("audit_entries where act = 'agent.approve'").await, 1);
    assert_eq!(stage.services.sources(&seat).await.unwrap().agents.len(), 1);

    stage.services.revoke_agent(&seat, claimed.agent_id).await.unwrap();
    assert_eq!(stage.count("auth.agent_keys where revoked_at is null").await, 0);
    assert!(stage.services.sources(&seat).await.unwrap().agents.is_empty());
}

#[tokio::test]
async fn five_wrong_proofs_end_a_code() {
    let stage = Stage::new().await;
    let (seat, begun, code) = begun(&stage).await;
    for left in (0..5).rev() {
        assert!(matches!(shown(&stage, &wrong(&code), 1).await, Err(ClaimError::WrongCode)));
        match stage.services.pairing(&seat, begun.id).await.unwrap().state {
            PairingState::Waiting { attempts_left } => assert_eq!(attempts_left, left),
            PairingState::Expired => assert_eq!(left, 0),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(shown(&stage, &code, 1).await, Err(ClaimError::TooManyAttempts)), "the right one comes too late");
    assert!(matches!(shown(&stage, "2222-2222", 1).await, Err(ClaimError::WrongCode)));
    assert!(matches!(shown(&stage, "nonsense", 1).await, Err(ClaimError::WrongCode)));
}

#[tokio::test]
async fn a_code_expires() {
    let stage = Stage::new().await;
    let (seat, begun, code) = begun(&stage).await;
    stage.sql("update auth.pairings set expires_at = now()").await;
    assert!(matches!(shown(&stage, &code, 1).await, Err(ClaimError::Expired)));
    assert_eq!(stage.services.pairing(&seat, begun.id).await.unwrap().state, PairingState::Expired);

    let second = stage.services.begin_pairing(&seat).await.unwrap();
    shown(&stage, &second.code.unwrap(), 1).await.unwrap();
    stage.sql("update auth.pairings set expires_at = now()").await;
    assert_eq!(approval(&stage.auth, second.id).await.unwrap(), Approval::Expired);
    let late = stage.services.approve_pairing(&seat, second.id).await.err().unwrap();
    assert_eq!(late.code, ErrorCode::Conflict, "a claim that nobody looked at in time is not approved later");
    assert_eq!(stage.count("auth.agent_keys").await, 0);
}

#[tokio::test]
async fn a_refused_agent_stays_out() {
    let stage = Stage::new().await;
    let (seat, begun, code) = begun(&stage).await;
    shown(&stage, &code, 1).await.unwrap();
    let refused = stage.services.refuse_pairing(&seat, begun.id).await.unwrap();
    assert_eq!(refused.state, PairingState::Refused);
    assert_eq!(approval(&stage.auth, begun.id).await.unwrap(), Approval::Refused);
    assert!(matches!(shown(&stage, &code, 1).await, Err(ClaimError::Used)));
    assert_eq!(stage.services.approve_pairing(&seat, begun.id).await.err().unwrap().code, ErrorCode::Conflict);
}

#[tokio::test]
async fn another_workspace_cannot_see_approve_refuse_or_revoke() {
    let stage = Stage::new().await;
    let (seat, begun, code) = begun(&stage).await;
    let claimed = shown(&stage, &code, 1).await.unwrap();
    let other = stage.owner("Acme", "joe@acme.example").await;
    let services = &stage.services;
    for error in [
        services.pairing(&other, begun.id).await.err(),
        services.approve_pairing(&other, begun.id).await.err(),
        services.refuse_pairing(&other, begun.id).await.err(),
    ] {
        assert_eq!(error.unwrap().code, ErrorCode::NotFound);
    }
    services.approve_pairing(&seat, begun.id).await.unwrap();
    let revoked = services.revoke_agent(&other, claimed.agent_id).await.err().unwrap();
    assert_eq!(revoked.code, ErrorCode::NotFound);
    assert_eq!(stage.count("auth.agent_keys where revoked_at is null").await, 1);
}

#[tokio::test]
async fn a_workspace_may_not_have_codes_without_end() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    for _ in 0..20 {
        stage.services.begin_pairing(&seat).await.unwrap();
    }
    assert_eq!(stage.services.begin_pairing(&seat).await.err().unwrap().code, ErrorCode::LimitExceeded);
}

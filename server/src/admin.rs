//! The `admin` commands, with JSON as the answer: use cases that the pages call, as the workspace's owner, and what the
//! platform's operator does about a person or one of our own people.

use std::time::Duration;

use anyhow::bail;
use clarity_domain::error::AppError;
use clarity_domain::ids::PairingId;
use clarity_domain::view::pairing::PairingState;
use clarity_service::{Limits, MailSettings, NewWorkspace, OutgoingSettings, SecretsKey, Services, Settings};
use clarity_store::{AppStore, AuthStore};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::Instant;

use crate::cli::{AdminCommand, MAIL_FROM};

const STEP: Duration = Duration::from_millis(200);

/// The use cases, for commands: none of them sends anything (a letter is written down, and a server sends it), seals or opens
/// anything.
pub(crate) async fn services() -> anyhow::Result<Services> {
    let (auth, app) = (AuthStore::from_env(2).await?, AppStore::from_env(2).await?);
    let settings = Settings {
        public_url: String::new(),
        agent_url: String::new(),
        mail: MailSettings::outbox(MAIL_FROM)?,
        secrets: SecretsKey::random()?,
        outgoing: OutgoingSettings::default(),
        limits: Limits::default(),
    };
    Ok(Services::new(auth, app, settings)?)
}

pub async fn run(command: AdminCommand) -> anyhow::Result<()> {
    let services = services().await?;
    let answer = match command {
        AdminCommand::CreateWorkspace { name, email, person, password } => {
            let form = NewWorkspace { workspace: name, name: person, email, password };
            let (workspace, existing) = services.ensure_workspace(form).await?;
            json!({ "workspace_id": workspace.id, "slug": workspace.slug, "existing": existing })
        }
        AdminCommand::CreatePairing { workspace, name } => {
            let seat = services.operator_seat(&workspace, "create-pairing").await?;
            let pairing = services.begin_named_pairing(&seat, &name).await?;
            let expires_at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(pairing.expires_at) * 1000)?;
            json!({ "pairing_id": pairing.id, "code": pairing.code, "expires_at": expires_at.format(&Rfc3339)? })
        }
        AdminCommand::ApprovePairing { workspace, pairing_id, wait_s } => {
            approve(&services, &workspace, pairing_id, Duration::from_secs(wait_s)).await?
        }
        AdminCommand::EndSessions { email } => {
            let ended = services.end_sessions_of(&email).await?;
            json!({ "email": email, "sessions_ended": ended })
        }
        AdminCommand::DisableAccount { email } => {
            let ended = services.disable_account(&email).await?;
            json!({ "disabled": email, "sessions_ended": ended })
        }
        AdminCommand::EnableAccount { email } => {
            services.enable_account(&email).await?;
            json!({ "enabled": email })
        }
        AdminCommand::AddOpsUser { email, name, public_url } => {
            let (id, token, ends_at) = services.add_ops_user(&email, &name).await?;
            let ends_at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ends_at) * 1000)?;
            let link = format!("{}/ops/enrol/{token}", public_url.trim_end_matches('/'));
            json!({ "ops_user_id": id, "link": link, "expires_at": ends_at.format(&Rfc3339)? })
        }
        AdminCommand::ResetSecondFactor { email, because, public_url } => {
            services.reset_second_factor(&email, &because, &public_url).await?;
            json!({ "reset": email })
        }
        AdminCommand::DisableOpsUser { email } => {
            services.disable_ops_user(&email).await?;
            json!({ "disabled": email })
        }
    };
    println!("{answer}");
    Ok(())
}

async fn approve(
    services: &Services,
    workspace: &str,
    id: PairingId,
    wait: Duration,
) -> anyhow::Result<serde_json::Value> {
    let seat = services.operator_seat(workspace, "approve-pairing").await?;
    let deadline = Instant::now() + wait;
    let fingerprint = loop {
        match services.pairing(&seat, id).await?.state {
            PairingState::Claimed { fingerprint, .. } => break Some(fingerprint.join(" ")),
            PairingState::Approved { .. } => break None,
            PairingState::Waiting { .. } if Instant::now() < deadline => tokio::time::sleep(STEP).await,
            PairingState::Waiting { .. } => bail!("no agent has shown this code within {} s", wait.as_secs()),
            PairingState::Expired => bail!("this code has expired: make a new one"),
            PairingState::Refused => bail!("this code was refused: make a new one"),
        }
    };
    match services.approve_pairing(&seat, id).await?.state {
        PairingState::Approved { agent_id, .. } => Ok(json!({ "agent_id": agent_id, "fingerprint": fingerprint })),
        _ => Err(AppError::internal().into()),
    }
}

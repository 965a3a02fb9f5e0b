//! The passwords and ports of a stack: made once, kept in its folder for the next start.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{probe::free_ports, tls::write_private};

/// The platform's login roles that a process of ours may need.
pub const ROLES: [&str; 8] = ["owner", "auth", "app", "ingest", "worker", "system", "global", "ops"];

const FILE: &str = "secrets.json";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Secrets {
    /// Role (without `clarity_`) → password.
    roles: BTreeMap<String, String>,
    /// Of the person who owns the workspace.
    pub person_password: String,
    /// Of `clarity_reader` at the customer's database.
    pub reader_password: String,
    /// What the server seals secrets with: 32 bytes in base64. Folders of before have none yet.
    #[serde(default)]
    pub secrets_key: String,
    pub web_port: u16,
    pub ingest_port: u16,
}

impl Secrets {
    /// Those of the folder, or new ones. `web_port` replaces the one that is kept.
    pub fn ensure(dir: &Path, web_port: Option<u16>) -> Result<Self> {
        let file = dir.join(FILE);
        let mut secrets = if file.exists() {
            serde_json::from_str(&fs::read_to_string(&file)?)
                .with_context(|| format!("{} is damaged", file.display()))?
        } else {
            Self::new()?
        };
        if secrets.secrets_key.is_empty() {
            secrets.secrets_key = key()?;
        }
        if let Some(port) = web_port {
            secrets.web_port = port;
        }
        write_private(&file, &serde_json::to_string_pretty(&secrets)?)?;
        Ok(secrets)
    }

    fn new() -> Result<Self> {
        let [web_port, ingest_port] = free_ports()?;
        let roles = ROLES.iter().map(|role| Ok(((*role).to_owned(), password(16)?))).collect::<Result<_>>()?;
        Ok(Self {
            roles,
            person_password: password(6)?,
            reader_password: password(16)?,
            secrets_key: key()?,
            web_port,
            ingest_port,
        })
    }

    /// As the environment variables that a process with these roles reads.
    pub fn env(&self, roles: &[&str]) -> Vec<(String, String)> {
        let known = roles.iter().filter_map(|role| Some((*role, self.roles.get(*role)?)));
        known
            .map(|(role, password)| (format!("CLARITY_DB_{}_PASSWORD", role.to_uppercase()), password.clone()))
            .collect()
    }
}

/// 32 random bytes in base64.
fn key() -> Result<String> {
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random)?;
    Ok(STANDARD.encode(random))
}

/// Random, in hexadecimal, so that it needs no quoting anywhere.
fn password(bytes: usize) -> Result<String> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random)?;
    Ok(hex::encode(random))
}

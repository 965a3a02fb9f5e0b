//! `pair`: shows a code and a key made here, prints the key's six words, waits for a person to approve them.

use crate::identity::{Identity, StateDir};
use crate::pairing;
use crate::spool::checkpoint::replace;
use crate::uplink::dial::Server;
use crate::uplink::{handshake, tls};
use anyhow::{Context, Result, bail, ensure};
use clarity_wire::frame::Denied;
use std::path::PathBuf;
use std::time::Duration;

/// How long a person has, as the code itself.
const APPROVAL: Duration = Duration::from_secs(15 * 60);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the web app says agents connect, e.g. wss://ingest.example:443.
    #[arg(long)]
    server: String,
    /// The code that the web app shows, e.g. K7QM-4TXR.
    #[arg(long)]
    code: String,
    /// Trust only this CA (PEM); it is kept in the agent's folder.
    #[arg(long)]
    ca: Option<PathBuf>,
}

pub async fn run(dir: &StateDir, args: Args) -> Result<()> {
    let server = Server::parse(&args.server)?;
    let code = args.code.trim().to_uppercase();
    ensure!(
        code.chars().filter(char::is_ascii_alphanumeric).count() == 8,
        "the code has 8 letters and digits, like K7QM-4TXR"
    );
    dir.create()?;
    if let Some(ca) = &args.ca {
        tls::read(ca)?;
        replace(&dir.ca(), &std::fs::read(ca)?, true).context("cannot keep the CA")?;
    }
    let ca = Some(dir.ca()).filter(|p| p.exists());
    let anew = Identity::exists(dir);
    let _lock = anew.then(|| super::run::lock(dir)).transpose().context("stop it before you pair it anew")?;
    let key = pairing::key_for(dir, &code)?;

    let mut socket = server.connect(ca.as_deref()).await?;
    let claimed = match handshake::claim(&mut socket, &key, &code).await? {
        Ok(claimed) => claimed,
        Err(denied) => bail!("{}", sentence(&denied)),
    };
    // Both ends make the words from the key on their own: a difference means that someone sits in between.
    let words = key.fingerprint();
    ensure!(
        claimed.fingerprint == words,
        "the server saw another key than this agent's: something on the way has exchanged it. Nothing was paired"
    );
    println!("This agent's key:\n\n    {words}\n");
    println!("Approve it in the web app (workspace {}), if it shows the same six words.", claimed.workspace);
    let decision = tokio::time::timeout(APPROVAL, handshake::approval(&mut socket)).await;
    let decision = decision.map_err(|_| anyhow::anyhow!("nobody approved within 15 minutes; make a new code"))?;
    let approved = match decision? {
        Ok(approved) => approved,
        Err(denied) => bail!("{}", sentence(&denied)),
    };
    socket.close().await;
    let scheme = if server.tls { "wss" } else { "ws" };
    // In this order: whatever breaks, the same code with the same key goes on from here.
    pairing::take(dir, &key)?;
    let host = if server.host.contains(':') { format!("[{}]", server.host) } else { server.host.clone() };
    Identity {
        agent_id: approved.agent_id,
        server: format!("{scheme}://{host}:{}", server.port),
        name: approved.name.clone(),
        workspace: claimed.workspace,
    }
    .store(dir)?;
    // A generation of an earlier pairing would look like a clone's.
    crate::identity::store_generation(dir, 0)?;
    pairing::end(dir)?;
    println!("Paired as {}. Start it with `clarity-agent run`.", approved.name);
    Ok(())
}

fn sentence(denied: &Denied) -> String {
    match denied.retry_after_s {
        Some(seconds) => format!("{} (try again in {seconds} s)", denied.message),
        None => denied.message.clone(),
    }
}

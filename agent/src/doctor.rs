//! Everything the agent needs, checked now: folder, configuration, name, proxy, TLS, server, clock, disk, sources.

use crate::config::Config;
use crate::identity::{AgentKey, Identity, StateDir, load_generation};
use crate::sources::{Check, Outcome};
use crate::uplink::dial::{Server, Socket};
use crate::uplink::now_us;
use clarity_wire::frame::{Frame, Hello};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

const ANSWER: Duration = Duration::from_secs(10);
/// Clocks further apart are shown.
const SKEW_US: i64 = 5_000_000;

fn check(name: &str, outcome: Outcome, detail: impl Into<String>, fix: Option<&str>) -> Check {
    Check { name: name.into(), outcome, detail: detail.into(), fix: fix.map(Into::into) }
}

fn failed(name: &str, error: &anyhow::Error, fix: Option<&str>) -> Check {
    check(name, Outcome::Failed, format!("{error:#}"), fix)
}

/// All checks, in the order in which they depend on each other.
pub async fn examine(dir: &StateDir) -> Vec<Check> {
    let mut checks = vec![folder(dir)];
    let identity = match Identity::load(dir) {
        Ok(identity) => {
            checks.push(Check::passed("pairing", format!("{} in {}", identity.name, identity.workspace)));
            Some(identity)
        }
        Err(error) => {
            checks.push(failed("pairing", &error, Some("Make a code on the Sources page, then: clarity-agent pair")));
            None
        }
    };
    match AgentKey::load(dir) {
        Ok(key) => checks.push(Check::passed("key", key.fingerprint())),
        Err(error) => checks.push(failed("key", &error, None)),
    }
    if let Some(identity) = &identity {
        Box::pin(server(dir, identity, &mut checks)).await;
    }
    checks.push(disk(dir));
    match Config::load(&dir.config()) {
        Ok(config) => {
            let names: Vec<_> = config.sources.iter().map(|s| s.name.as_str()).collect();
            if names.is_empty() {
                let fix = "Add a [[source]] to agent.toml; the Sources page shows one to copy.";
                checks.push(check("agent.toml", Outcome::Attention, "names no source", Some(fix)));
            } else {
                checks.push(Check::passed("agent.toml", format!("sources: {}", names.join(", "))));
            }
            checks.push(masks(dir, &config));
            for source in &config.sources {
                let found = Box::pin(source.config.check(&config.policy)).await;
                checks.extend(found.into_iter().map(|c| Check { name: format!("{}: {}", source.name, c.name), ..c }));
            }
        }
        Err(error) => checks.push(failed("agent.toml", &error, None)),
    }
    checks
}

/// How many fields are masked; by which rules, the pages and agent.toml say.
fn masks(dir: &StateDir, config: &Config) -> Check {
    match crate::masks::ordered(dir) {
        Ok(ordered) => {
            let (theirs, own) = (ordered.masks.len(), config.policy.masks.len());
            let detail = format!("{theirs} from the Masking page (version {}), {own} from agent.toml", ordered.version);
            Check::passed("masks", detail)
        }
        Err(error) => failed("masks", &error, None),
    }
}

fn folder(dir: &StateDir) -> Check {
    let path = dir.path();
    let mode = match std::fs::metadata(path) {
        Ok(found) => found.permissions().mode() & 0o777,
        Err(error) => {
            let fix = format!("install -d -m 0700 {}", path.display());
            return check("folder", Outcome::Failed, format!("{}: {error}", path.display()), Some(&fix));
        }
    };
    if mode & 0o077 != 0 {
        let fix = format!("chmod 0700 {}", path.display());
        let detail = format!("{} can be entered by others (mode {mode:o})", path.display());
        return check("folder", Outcome::Attention, detail, Some(&fix));
    }
    Check::passed("folder", path.display().to_string())
}

async fn server(dir: &StateDir, identity: &Identity, checks: &mut Vec<Check>) {
    let server = match Server::parse(&identity.server) {
        Ok(server) => server,
        Err(error) => return checks.push(failed("server", &error, Some("Pair the agent again."))),
    };
    let proxy = match server.proxy() {
        Ok(proxy) => proxy,
        Err(error) => return checks.push(failed("proxy", &error, None)),
    };
    match &proxy {
        // Behind a proxy it is the proxy that looks up names.
        Some(proxy) => checks.push(Check::passed("proxy", format!("{proxy:?}"))),
        None => match timeout(ANSWER, tokio::net::lookup_host((server.host.as_str(), server.port))).await {
            Ok(Ok(mut found)) => match found.next() {
                Some(address) => checks.push(Check::passed("DNS", format!("{} is {}", server.host, address.ip()))),
                None => {
                    return checks.push(check("DNS", Outcome::Failed, format!("{} has no address", server.host), None));
                }
            },
            Ok(Err(error)) => {
                let fix = "Check the name server of this machine; where only a proxy leads out, set HTTPS_PROXY.";
                let detail = format!("{} is not found: {error}", server.host);
                return checks.push(check("DNS", Outcome::Failed, detail, Some(fix)));
            }
            Err(_) => return checks.push(check("DNS", Outcome::Failed, "the name server does not answer", None)),
        },
    }
    let reach = "Let this machine open connections to that host and port, or set HTTPS_PROXY.";
    match timeout(ANSWER, server.connect_tcp()).await {
        Ok(Ok(_)) => checks.push(Check::passed("connection", format!("{}:{}", server.host, server.port))),
        Ok(Err(error)) => return checks.push(failed("connection", &error, Some(reach))),
        Err(_) => return checks.push(check("connection", Outcome::Failed, "no answer within 10 s", Some(reach))),
    }
    let ca = Some(dir.ca()).filter(|p| p.exists());
    if server.tls {
        let trusted = if ca.is_some() { "the pinned CA" } else { "the system's roots" };
        match timeout(ANSWER, server.connect_stream(ca.as_deref())).await {
            Ok(Ok(_)) => checks.push(Check::passed("TLS", format!("certificate trusted by {trusted}"))),
            Ok(Err(error)) => return checks.push(failed("TLS", &error, None)),
            Err(_) => return checks.push(check("TLS", Outcome::Failed, "no answer within 10 s", None)),
        }
    } else {
        checks.push(check("TLS", Outcome::Attention, "not used: the server is on this machine", None));
    }
    match server.connect(ca.as_deref()).await {
        Ok(socket) => checks.push(greeting(dir, identity, socket).await),
        Err(error) => checks.push(failed("server", &error, None)),
    }
    checks.extend(clock(dir));
}

/// Says hello and stops before the proof, so that a running agent keeps its connection.
async fn greeting(dir: &StateDir, identity: &Identity, mut socket: Socket) -> Check {
    let hello = Hello {
        agent_id: identity.agent_id,
        agent_version: crate::uplink::handshake::VERSION.into(),
        generation: load_generation(dir).unwrap_or(0),
        hostname: crate::uplink::handshake::hostname(),
        clock_us: now_us(),
        sources: Vec::new(),
        replaces_key: true,
    };
    let answer = async {
        socket.send(&Frame::Hello(hello)).await?;
        socket.receive().await
    };
    match timeout(ANSWER, answer).await {
        Ok(Ok(Some(Frame::Challenge(_)))) => Check::passed("server", "speaks with this agent"),
        Ok(Ok(Some(Frame::Denied(denied)))) => check("server", Outcome::Failed, denied.message, None),
        Ok(Ok(_)) => check("server", Outcome::Failed, "answers, but not as Clarity Stream does", None),
        Ok(Err(error)) => failed("server", &error, None),
        Err(_) => check("server", Outcome::Failed, "no answer to a greeting within 10 s", None),
    }
}

/// Clock and standing, as the running agent learned them.
fn clock(dir: &StateDir) -> Option<Check> {
    let bytes = std::fs::read(dir.status()).ok()?;
    let status: crate::commands::run::StatusFile = serde_json::from_slice(&bytes).ok()?;
    let skew = status.connection.clock_skew_us?;
    let detail = format!("{:+.1} s against the platform", skew as f64 / 1e6);
    Some(if skew.abs() > SKEW_US {
        check("clock", Outcome::Attention, detail, Some("Switch on time synchronisation: timedatectl set-ntp true"))
    } else {
        Check::passed("clock", detail)
    })
}

fn disk(dir: &StateDir) -> Check {
    let needed = Config::load(&dir.config()).map_or(0, |c| c.limits.limit_bytes * c.sources.len() as u64);
    let folder = if dir.spool().exists() { dir.spool() } else { dir.path().to_owned() };
    let Some(free) = free_bytes(&folder) else {
        return check("disk", Outcome::Attention, format!("the room at {} is not known", folder.display()), None);
    };
    let detail = format!("{} MiB free, the spools may take {} MiB", free >> 20, needed >> 20);
    if free < 256 << 20 {
        return check("disk", Outcome::Failed, detail, Some("Make room: a full disk stops reading."));
    }
    if free < needed {
        let fix = "Make room, or lower spool.limit_bytes: a full disk stops reading earlier than planned.";
        return check("disk", Outcome::Attention, detail, Some(fix));
    }
    Check::passed("disk", detail)
}

/// Room for an ordinary user, by `df`: asking the kernel ourselves would need unsafe code.
fn free_bytes(path: &Path) -> Option<u64> {
    let out = std::process::Command::new("df").args(["--output=avail", "-B1"]).arg(path).output().ok()?;
    String::from_utf8(out.stdout).ok()?.lines().nth(1)?.trim().parse().ok()
}

//! A real identity provider for tests (`end2end/support/provider.mjs`), and somebody who signs in there as a browser would.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// Pages between the first address and the way back: sign-in, consent, and what lies between.
const STEPS: usize = 12;

/// Somebody whom the provider knows.
#[derive(Clone, Debug, Serialize)]
pub struct ProviderAccount {
    pub sub: String,
    pub email: String,
    pub email_verified: bool,
    pub name: String,
}

/// As the provider is started.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Options<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    redirect_uris: [&'a str; 1],
    accounts: &'a [ProviderAccount],
}

/// Runs until it is dropped.
#[derive(Debug)]
pub struct IdentityProvider {
    address: SocketAddr,
    _child: Child,
}

impl IdentityProvider {
    pub const CLIENT_ID: &str = "clarity";
    pub const CLIENT_SECRET: &str = "a client's secret of a test";

    /// Panics with the reason when it does not start.
    pub async fn start(redirect_uri: &str, accounts: &[ProviderAccount]) -> Self {
        Self::try_start(redirect_uri, accounts).await.unwrap_or_else(|error| panic!("no identity provider: {error:#}"))
    }

    async fn try_start(redirect_uri: &str, accounts: &[ProviderAccount]) -> Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../end2end/support/provider.mjs");
        let options = Options {
            client_id: Self::CLIENT_ID,
            client_secret: Self::CLIENT_SECRET,
            redirect_uris: [redirect_uri],
            accounts,
        };
        let mut child = Command::new("node")
            .arg(script)
            .arg(serde_json::to_string(&options)?)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("node does not start")?;
        let stdout = child.stdout.take().context("no output")?;
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await? {
            let said = serde_json::from_str::<serde_json::Value>(&line).unwrap_or_default();
            let port = said.get("port").and_then(serde_json::Value::as_u64).and_then(|port| u16::try_from(port).ok());
            if let Some(port) = port {
                return Ok(Self { address: SocketAddr::from(([127, 0, 0, 1], port)), _child: child });
            }
        }
        bail!("it ended before it listened: is `npm ci` done in end2end?")
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Signs in as `sub` and agrees; the address that the browser is sent back to, `redirect_uri` with its query.
    pub async fn sign_in(&self, url: &str, sub: &str, redirect_uri: &str) -> String {
        let done = Browser { provider: self.address, cookies: BTreeMap::new() }.go(url, sub, redirect_uri).await;
        done.unwrap_or_else(|error| panic!("nobody came back from {url}: {error:#}"))
    }
}

/// Cookies by name and path, as a browser keeps them.
struct Browser {
    provider: SocketAddr,
    cookies: BTreeMap<(String, String), String>,
}

struct Answer {
    location: Option<String>,
    text: String,
}

impl Browser {
    async fn go(mut self, url: &str, sub: &str, redirect_uri: &str) -> Result<String> {
        let mut path = self.path_of(url)?;
        for _ in 0..STEPS {
            let mut answer = self.send("GET", &path, "").await?;
            if answer.location.is_none() {
                let form = if answer.text.contains(r#"name="prompt" value="login""#) {
                    format!("prompt=login&login={sub}&password=any")
                } else if answer.text.contains(r#"name="prompt" value="consent""#) {
                    "prompt=consent".to_owned()
                } else {
                    bail!("an unknown page: {}", answer.text);
                };
                answer = self.send("POST", &path, &form).await?;
            }
            let location = answer.location.with_context(|| format!("no way on from {path}: {}", answer.text))?;
            if location.starts_with(redirect_uri) {
                return Ok(location);
            }
            path = self.path_of(&location)?;
        }
        bail!("more than {STEPS} pages")
    }

    fn path_of(&self, location: &str) -> Result<String> {
        let own = format!("http://{}", self.provider);
        let path = location.strip_prefix(&own).unwrap_or(location);
        if path.starts_with('/') { Ok(path.to_owned()) } else { bail!("it leads to {location}") }
    }

    async fn send(&mut self, method: &str, path: &str, form: &str) -> Result<Answer> {
        let place = path.split('?').next().unwrap_or_default();
        let sent = self.cookies.iter().filter(|((_, at), _)| place.starts_with(at.as_str()));
        let cookies: Vec<String> = sent.map(|((name, _), value)| format!("{name}={value}")).collect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\naccept: text/html\r\ncookie: {}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            self.provider,
            cookies.join("; "),
            form.len()
        );
        let mut stream = TcpStream::connect(self.provider).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let head = text.split("\r\n\r\n").next().unwrap_or_default();
        let mut location = None;
        for (name, value) in head.lines().skip(1).filter_map(|line| line.split_once(": ")) {
            if name.eq_ignore_ascii_case("location") {
                location = Some(value.to_owned());
            } else if name.eq_ignore_ascii_case("set-cookie") {
                self.keep(value);
            }
        }
        Ok(Answer { location, text })
    }

    fn keep(&mut self, line: &str) {
        let mut parts = line.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { return };
        let path = parts.find_map(|part| part.to_lowercase().starts_with("path=").then(|| part[5..].to_owned()));
        let key = (name.to_owned(), path.unwrap_or_else(|| "/".to_owned()));
        if value.is_empty() {
            self.cookies.remove(&key);
        } else {
            self.cookies.insert(key, value.to_owned());
        }
    }
}

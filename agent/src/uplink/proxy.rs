//! The way out through a proxy: `HTTPS_PROXY`, `NO_PROXY`, CONNECT with credentials.

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::net::IpAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

/// What a proxy may answer before the tunnel begins.
const MAX_ANSWER: usize = 8192;

/// An HTTP proxy.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    pub host: String,
    pub port: u16,
    /// `user:password`, decoded.
    credentials: Option<Zeroizing<String>>,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}{}", self.host, self.port, if self.credentials.is_some() { " with credentials" } else { "" })
    }
}

impl Proxy {
    /// What the environment says for this host. Lower-case names count too.
    pub fn from_env(host: &str, port: u16) -> Result<Option<Self>> {
        let read = |name: &str| {
            std::env::var(name).or_else(|_| std::env::var(name.to_lowercase())).ok().filter(|v| !v.trim().is_empty())
        };
        let Some(url) = read("HTTPS_PROXY").or_else(|| read("ALL_PROXY")) else { return Ok(None) };
        if bypasses(&read("NO_PROXY").unwrap_or_default(), host, port) {
            return Ok(None);
        }
        Self::parse(&url).map(Some)
    }

    /// `http://user:password@host:port`; the scheme may be left out.
    pub fn parse(url: &str) -> Result<Self> {
        let url = url.trim();
        let rest = match url.split_once("://") {
            None => url,
            Some(("http", rest)) => rest,
            Some((scheme, _)) => {
                bail!("HTTPS_PROXY begins with {scheme}://, the agent speaks to proxies by http://host:port only")
            }
        };
        let rest = rest.split('/').next().unwrap_or(rest);
        let (credentials, address) = match rest.rsplit_once('@') {
            Some((credentials, address)) => (Some(Zeroizing::new(percent_decode(credentials))), address),
            None => (None, rest),
        };
        let authority: http::uri::Authority = address.parse().context("HTTPS_PROXY names no host")?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        Ok(Self { host, port: authority.port_u16().unwrap_or(8080), credentials })
    }

    /// A connection to `host:port` through the proxy. Reads not one byte beyond the proxy's answer.
    pub async fn connect(&self, host: &str, port: u16) -> Result<TcpStream> {
        let mut stream = TcpStream::connect((self.host.as_str(), self.port))
            .await
            .with_context(|| format!("cannot reach the proxy {}:{}", self.host, self.port))?;
        let target = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let mut request = Zeroizing::new(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"));
        if let Some(credentials) = &self.credentials {
            request.push_str("Proxy-Authorization: Basic ");
            request.push_str(&Zeroizing::new(STANDARD.encode(credentials.as_bytes())));
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await.context("the proxy hung up")?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() == MAX_ANSWER {
                bail!("what answers at {}:{} is no HTTP proxy", self.host, self.port);
            }
            answer.push(stream.read_u8().await.context("the proxy hung up")?);
        }
        let answer = String::from_utf8_lossy(&answer);
        let line = answer.lines().next().unwrap_or_default();
        match line.split(' ').nth(1) {
            Some("200") => Ok(stream),
            Some("407") => bail!(
                "the proxy wants other credentials (407); put them into HTTPS_PROXY=http://user:password@host:port"
            ),
            _ => bail!("the proxy refused the way to {target}: {line}"),
        }
    }
}

/// Whether `NO_PROXY` (comma-separated hosts, domains, `host:port`, addresses, `address/bits`, `*`) names the host.
fn bypasses(list: &str, host: &str, port: u16) -> bool {
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    list.split(',').map(|entry| entry.trim().to_ascii_lowercase()).filter(|e| !e.is_empty()).any(|entry| {
        if entry == "*" || entry == host {
            return true;
        }
        if let Some((network, bits)) = entry.split_once('/') {
            return match (address, network.parse(), bits.parse()) {
                (Some(address), Ok(network), Ok(bits)) => in_network(address, network, bits),
                _ => false,
            };
        }
        let entry = match entry.rsplit_once(':') {
            Some((name, p)) if !name.contains(':') && p.parse() == Ok(port) => name,
            Some((name, p)) if !name.contains(':') && p.parse::<u16>().is_ok() => return false,
            _ => entry.as_str(),
        };
        let domain = entry.trim_start_matches("*.").trim_start_matches('.');
        entry == host || host == domain || host.strip_suffix(domain).is_some_and(|h| h.ends_with('.'))
    })
}

fn in_network(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let (a, n, width) = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => (u128::from(a.to_bits()), u128::from(n.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(n)) => (a.to_bits(), n.to_bits(), 128),
        _ => return false,
    };
    bits <= width && (bits == 0 || (a ^ n) >> (width - bits) == 0)
}

fn percent_decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let Some((&first, rest)) = bytes.split_first() {
        let code = rest.get(..2).filter(|_| first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                bytes = &rest[2..];
            }
            None => {
                out.push(first);
                bytes = rest;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_read() {
        let proxy = Proxy::parse("http://us%40er:p%3Aw@proxy.plant:3128/").unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port), ("proxy.plant", 3128));
        assert_eq!(proxy.credentials.as_deref().map(String::as_str), Some("us@er:p:w"));
        assert!(!format!("{proxy:?}").contains("p:w"));
        assert_eq!(Proxy::parse("10.0.0.1:8080").unwrap().host, "10.0.0.1");
        assert_eq!(Proxy::parse("http://[::1]:3128").unwrap().host, "::1");
        assert!(Proxy::parse("socks5://x:1").unwrap_err().to_string().contains("socks5"));
    }

    #[test]
    fn no_proxy() {
        let list = "localhost, .plant.example,10.0.0.0/8, exact.example:7443 , ::1";
        for host in ["localhost", "a.plant.example", "plant.example", "10.9.8.7", "::1", "exact.example"] {
            assert!(bypasses(list, host, 7443), "{host}");
        }
        for host in ["xplant.example", "11.0.0.1", "example", "not.exact.example2"] {
            assert!(!bypasses(list, host, 7443), "{host}");
        }
        assert!(!bypasses(list, "exact.example", 443));
        assert!(bypasses("*", "anything", 1));
        assert!(!bypasses("", "anything", 1));
    }
}

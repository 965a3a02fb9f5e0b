//! Requests that go out to addresses that a tenant named: the one way there is, since such an address may try to lead
//! inside.
//!
//! A name is looked up once, every address it has must be public, and the connection goes to exactly those. Https on port
//! 443 or 8443, no redirects, no proxy, no cookies, a bounded answer in a bounded time. What an operator allows by its exact
//! address and port is let through beside that, plain http too. Whatever goes wrong is said in words for the person.

mod address;
mod client;
mod error;
mod resolve;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use address::{Host, Target};
use resolve::Dns;

pub use error::OutgoingError;
pub(crate) use resolve::DnsProblem;

/// Requests that are under way at a time.
const AT_ONCE: usize = 16;
/// For one of them to end.
const QUEUE: Duration = Duration::from_secs(1);
/// From the look-up to the last byte of the answer.
const WHOLE: Duration = Duration::from_secs(5);
/// Of an answer's body, unless the caller says more.
const USUAL_BYTES: usize = 64 << 10;
/// More than this no caller gets.
const MOST_BYTES: usize = 256 << 10;

/// What an operator says about outgoing requests.
#[derive(Clone, Debug, Default)]
pub struct OutgoingSettings {
    /// Hosts of the operator's own network that tenants' requests may go to, by their exact address and port. Plain http is
    /// fine there.
    pub allow: Vec<SocketAddr>,
    /// Where there are any, no other hosts are asked but these and those of `allow`: names, or addresses without a port.
    pub hosts: Vec<String>,
    /// The name server that is asked. None: the machine's own.
    pub resolver: Option<SocketAddr>,
}

/// Sends requests to addresses that tenants named. A handle to clone freely.
#[derive(Clone)]
pub struct Outgoing(Arc<Inner>);

struct Inner {
    dns: Dns,
    allow: Vec<SocketAddr>,
    hosts: Vec<String>,
    tls: rustls::ClientConfig,
    at_once: Semaphore,
}

impl Outgoing {
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(settings: &OutgoingSettings) -> Result<Self, OutgoingError> {
        Ok(Self(Arc::new(Inner {
            dns: Dns::new(settings.resolver),
            allow: settings.allow.clone(),
            hosts: settings.hosts.iter().map(|host| host.trim().to_ascii_lowercase()).collect(),
            tls: client::tls()?,
            at_once: Semaphore::new(AT_ONCE),
        })))
    }

    /// Sends it and reads the whole answer, of at most 64 KiB. An answer that is no success is an answer; a redirect is an
    /// error, since nothing is followed.
    ///
    /// # Errors
    /// When the address is not one to send to, or no answer came that can be used.
    pub async fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, OutgoingError> {
        self.send_for(request, USUAL_BYTES).await
    }

    /// As [`Self::send`], for an answer of at most so many bytes, 256 KiB whatever is said.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn send_for(
        &self,
        request: http::Request<Vec<u8>>,
        most_bytes: usize,
    ) -> Result<http::Response<Vec<u8>>, OutgoingError> {
        let target = address::read(&request.uri().to_string())?;
        let waited = timeout(QUEUE, self.0.at_once.acquire()).await.map_err(|_| OutgoingError::Busy)?;
        let _permit = waited.map_err(|_| OutgoingError::Busy)?;
        let host = target.shown();
        let exchange = async {
            let addresses = self.addresses(&target).await?;
            client::exchange(self.0.tls.clone(), target, addresses, request, most_bytes.min(MOST_BYTES)).await
        };
        timeout(WHOLE, exchange).await.map_err(|_| OutgoingError::Slow(host))?
    }

    /// The texts of a name's TXT records; a record's parts are put together.
    pub(crate) async fn texts(&self, name: &str) -> Result<Vec<String>, DnsProblem> {
        self.0.dns.texts(name).await
    }

    /// Where the target is, after everything about it was looked at. One address that is not public refuses all of them: a
    /// name with such an answer is either a mistake or a trick, and which address is connected to would be chance.
    async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, OutgoingError> {
        let is_listed = self.0.hosts.is_empty() || self.0.hosts.contains(&target.shown());
        if !is_listed && self.0.allow.is_empty() {
            return Err(OutgoingError::NotListed(target.shown()));
        }
        let found = match &target.host {
            Host::Address(ip) => vec![*ip],
            Host::Name(name) => self.0.dns.addresses(name).await.map_err(|problem| match problem {
                DnsProblem::Nothing => OutgoingError::UnknownName(name.clone()),
                DnsProblem::Failed => OutgoingError::NamesFailed(name.clone()),
                DnsProblem::Slow => OutgoingError::NamesSlow(name.clone()),
            })?,
        };
        if found.is_empty() {
            return Err(OutgoingError::UnknownName(target.shown()));
        }
        let mut all = Vec::with_capacity(found.len());
        for ip in found {
            let at = SocketAddr::new(ip, target.port);
            if !self.0.allow.contains(&at) {
                if !is_listed {
                    return Err(OutgoingError::NotListed(target.shown()));
                }
                address::may_be_reached(target, ip)?;
            }
            all.push(at);
        }
        Ok(all)
    }
}

//! Looking up names: what a tenant named, once, without the machine's hosts file, its search list or a cache of our own.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RData};
use tokio::time::timeout;

/// For one server to answer.
const ONE: Duration = Duration::from_millis(1500);
/// For all that a look-up tries.
const ALL: Duration = Duration::from_secs(3);

/// Why a look-up has no answer to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DnsProblem {
    /// The name, or this kind of record of it, is not there.
    Nothing,
    /// A server answered that it cannot say.
    Failed,
    Slow,
}

pub(super) struct Dns(Option<TokioResolver>);

impl Dns {
    /// Asks this server; without one, those that the machine asks.
    pub(super) fn new(server: Option<SocketAddr>) -> Self {
        Self(build(server).inspect_err(|error| tracing::warn!(%error, "names cannot be looked up")).ok())
    }

    pub(super) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, DnsProblem> {
        let resolver = self.0.as_ref().ok_or(DnsProblem::Failed)?;
        let found = timeout(ALL, resolver.lookup_ip(whole(name)?)).await.map_err(|_| DnsProblem::Slow)?;
        Ok(found.map_err(|error| problem(&error))?.iter().collect())
    }

    pub(super) async fn texts(&self, name: &str) -> Result<Vec<String>, DnsProblem> {
        let resolver = self.0.as_ref().ok_or(DnsProblem::Failed)?;
        let found = timeout(ALL, resolver.txt_lookup(whole(name)?)).await.map_err(|_| DnsProblem::Slow)?;
        let found = found.map_err(|error| problem(&error))?;
        let texts = found.answers().iter().filter_map(|record| match &record.data {
            RData::TXT(text) => {
                let bytes: Vec<u8> = text.txt_data.iter().flat_map(|part| part.iter().copied()).collect();
                Some(String::from_utf8_lossy(&bytes).into_owned())
            }
            _ => None,
        });
        Ok(texts.collect())
    }
}

fn build(server: Option<SocketAddr>) -> Result<TokioResolver, NetError> {
    let mut builder = match server {
        Some(server) => {
            let mut named = NameServerConfig::udp_and_tcp(server.ip());
            for connection in &mut named.connections {
                connection.port = server.port();
            }
            let config = ResolverConfig::from_name_servers(vec![named]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
        None => TokioResolver::builder_tokio()?,
    };
    let options = builder.options_mut();
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.timeout = ONE;
    options.attempts = 1;
    builder.build()
}

/// A name that ends: no search list is tried after it.
fn whole(name: &str) -> Result<Name, DnsProblem> {
    Name::from_ascii(format!("{}.", name.trim_end_matches('.'))).map_err(|_| DnsProblem::Nothing)
}

fn problem(error: &NetError) -> DnsProblem {
    match error {
        NetError::Timeout => DnsProblem::Slow,
        NetError::Dns(DnsError::NoRecordsFound(_)) => DnsProblem::Nothing,
        _ => DnsProblem::Failed,
    }
}

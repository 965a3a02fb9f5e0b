//! Why a request did not go out, or what was wrong with its answer: a sentence for the person who gave the address.

use std::net::IpAddr;

/// What was wrong with the address or the answer. Its words are for the person who named the address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutgoingError {
    #[error("This is no web address. Enter one such as https://auth.example.com.")]
    NoAddress,
    #[error("The address has to begin with https://.")]
    NotHttps,
    #[error("The address must not hold a user name or a password. Leave out what stands before the @.")]
    UserInfo,
    #[error("Port {0} is not used for requests. Give an address on port 443 or 8443.")]
    Port(u16),
    #[error("{host} points into {place} ({address}). Give an address that can be reached from the internet.")]
    NotPublic { host: String, place: &'static str, address: IpAddr },
    #[error("{0} is not among the hosts that may be asked here. Ask whoever runs this installation to add it.")]
    NotListed(String),
    #[error("{0} has no address in DNS. Check how it is written.")]
    UnknownName(String),
    #[error("The name servers of {0} answered with a failure. Try again, and ask who runs the domain if it stays so.")]
    NamesFailed(String),
    #[error("The name servers of {0} did not answer in time. Try again in a minute.")]
    NamesSlow(String),
    #[error("{0} could not be reached. Check that it runs and can be reached from the internet.")]
    Unreachable(String),
    #[error("{0} offers no secure connection that can be trusted. Its certificate has to be valid for this name.")]
    Tls(String),
    #[error("{0} did not answer within 5 seconds. Try again, or ask who runs it.")]
    Slow(String),
    #[error("{host} sends on to another address (status {status}), which is not followed. Give the final address.")]
    Redirected { host: String, status: u16 },
    #[error("The answer of {host} is larger than {most_kib} KiB. Check that this is the right address.")]
    TooLarge { host: String, most_kib: usize },
    #[error("{0} broke off its answer. Try again.")]
    Broken(String),
    #[error("Too many requests to other servers are under way. Try again in a few seconds.")]
    Busy,
    /// A fault of ours.
    #[error("The request could not be made. Try again.")]
    Fault,
}

//! What the use cases need to know of the installation, and their limits.

use std::num::NonZeroU32;
use std::time::Duration;

use clarity_domain::plan::Plan;

use crate::mail::MailSettings;
use crate::outgoing::OutgoingSettings;
use crate::secrets::SecretsKey;

/// Where people and agents reach this installation. Links are made from it, never from a Host header.
#[derive(Clone, Debug)]
pub struct Settings {
    /// "https://app.example.com", without a trailing slash.
    pub public_url: String,
    /// "wss://agents.example.com": what a new agent is told to connect to.
    pub agent_url: String,
    pub mail: MailSettings,
    /// Of what the database keeps and has to be read again. Lost, every second factor has to be added anew.
    pub secrets: SecretsKey,
    /// Of requests to addresses that tenants name.
    pub outgoing: OutgoingSettings,
    pub limits: Limits,
}

#[derive(Clone, Debug)]
pub struct Limits {
    /// Passwords hashed at the same time: each takes 19 MiB and a core.
    pub concurrent_hashes: usize,
    /// Sign-ins and sign-ups of one network (an IPv4 /24, an IPv6 /56).
    pub attempts_per_minute: NonZeroU32,
    /// Requests of one API token.
    pub api_requests_per_minute: NonZeroU32,
    /// Pages, answers and requests of the API of one workspace, in each process of the server; twice as many at once.
    pub workspace_requests_per_second: NonZeroU32,
    /// Codes of one workspace that nobody has claimed yet.
    pub open_pairings: i64,
    /// Invitations of one workspace that nobody has accepted or revoked yet.
    pub open_invitations: i64,
    /// Letters that the members of one workspace have sent to others: invitations, offers of ownership.
    pub member_letters_per_hour: i64,
    /// A request's seats are those that its visitor had when it came. After this long (its body came slowly) they are
    /// read again.
    pub seats_hold: Duration,
    /// Between the request to delete a workspace and its end.
    pub deletion_grace: Duration,
    /// Of a workspace of which the operator has said nothing. The workers are told the same.
    pub default_plan: Plan,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrent_hashes: 2,
            attempts_per_minute: NonZeroU32::MIN.saturating_add(59),
            api_requests_per_minute: NonZeroU32::MIN.saturating_add(599),
            workspace_requests_per_second: NonZeroU32::MIN.saturating_add(199),
            open_pairings: 20,
            open_invitations: 50,
            member_letters_per_hour: 30,
            seats_hold: Duration::from_secs(1),
            deletion_grace: Duration::from_secs(30 * 86_400),
            default_plan: Plan::default(),
        }
    }
}

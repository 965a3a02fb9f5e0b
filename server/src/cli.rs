//! The command line.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clarity_domain::ids::PairingId;
use clarity_domain::plan::{Limit, Plan};
use clarity_runtime::secret::Secret;

use crate::plan;

/// The sender of letters, where nobody named one.
pub const MAIL_FROM: &str = "Clarity Stream <no-reply@localhost>";

/// Clarity Stream's web server.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Options {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make the roles and the database; again to set the roles' passwords anew.
    Bootstrap {
        /// A superuser's address of any database of the cluster.
        #[arg(long, env = "CLARITY_ADMIN_URL", hide_env_values = true)]
        admin_url: String,
    },
    /// Run the migrations that have not run.
    Migrate,
    /// Serve people.
    Serve(ServeOptions),
    /// Set a workspace's plan, as the owner of the database.
    SetPlan {
        /// The workspace's slug.
        #[arg(long)]
        workspace: String,
        /// unlimited, trial, standard, enterprise.
        #[arg(long)]
        plan: Plan,
        /// What differs from the plan: events_per_second=5000, seats=none. Once for each limit; those that are not named are the
        /// plan's.
        #[arg(long = "limit", value_parser = plan::read_limit)]
        limits: Vec<(Limit, Option<u64>)>,
    },
    /// Print where each workspace's audit log stands, a JSON object a line, to be kept where nobody who runs the platform
    /// can write.
    AuditAnchors {
        /// Only logs that were written to since then: 2026-11-23, or 2026-11-23T10:00:00Z.
        #[arg(long)]
        since: Option<String>,
    },
    /// Compare the audit logs with what `audit-anchors` printed earlier.
    VerifyAudit {
        /// The file with its lines.
        #[arg(long)]
        anchors: PathBuf,
    },
    /// What a page would do, from this machine.
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
}

#[derive(Clone, Debug, Args)]
pub struct ServeOptions {
    /// Plain http: an address that other machines reach is for the proxies named by --trusted-proxies alone.
    #[arg(long, env = "CLARITY_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// The folder of the built site, with its assets.json.
    #[arg(long, env = "CLARITY_SITE", default_value = "target/site")]
    pub site: PathBuf,
    /// Where people reach this server. Plain http only on this machine.
    #[arg(long, env = "CLARITY_PUBLIC_URL", default_value = "http://localhost:8080")]
    pub public_url: String,
    /// Reverse proxies in front of this server, by address: of them, and of nobody else, it is believed where a request
    /// came from (X-Forwarded-For).
    #[arg(long, env = "CLARITY_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<IpAddr>,
    /// What agents are told to connect to.
    #[arg(long, env = "CLARITY_AGENT_URL", default_value = "wss://localhost:7443")]
    pub agent_url: String,
    /// Connections to the database on behalf of members, and as many again as half of it for sign-ins and sessions.
    #[arg(long, env = "CLARITY_DB_CONNECTIONS", default_value_t = 16)]
    pub db_connections: u32,
    /// The mail server that sends letters: smtps://user:password@host, or smtp://user:password@host:587 for STARTTLS.
    /// Without one, a server on this machine keeps them at /dev/mail, and any other refuses to start. Better given in the
    /// environment, where it holds a password.
    #[arg(long, env = "CLARITY_SMTP_URL", hide_env_values = true)]
    pub smtp_url: Option<Secret>,
    /// 32 bytes in base64 that seal what the database keeps and has to be read again, such as the secrets of second factors:
    /// `openssl rand -base64 32` makes one. Keep it, and apart from backups of the database. A server on this machine can do
    /// without; any other refuses to start.
    #[arg(long, env = "CLARITY_SECRETS_KEY", hide_env_values = true)]
    pub secrets_key: Option<Secret>,
    /// Hosts of your own network that requests to addresses which workspaces name may go to, by exact address and port
    /// (10.1.2.3:8443), separated by commas: an identity provider, for instance. All other requests go to public addresses,
    /// over https.
    #[arg(long, env = "CLARITY_OUTGOING_ALLOW", value_delimiter = ',')]
    pub outgoing_allow: Vec<SocketAddr>,
    /// The only hosts beside those that requests to addresses which workspaces name may go to, by name and separated by commas
    /// (login.example.com,auth.example.org). Without it every public address is one.
    #[arg(long, env = "CLARITY_OUTGOING_HOSTS", value_delimiter = ',')]
    pub outgoing_hosts: Vec<String>,
    /// The name server that is asked for names which workspaces give, by address and port (9.9.9.9:53). Without it the
    /// machine's own are asked; one that knows no names of your own network tells none.
    #[arg(long, env = "CLARITY_DNS")]
    pub dns: Option<SocketAddr>,
    /// Whom letters come from.
    #[arg(long, env = "CLARITY_MAIL_FROM", default_value = MAIL_FROM)]
    pub mail_from: String,
    /// Between the request to delete a workspace and its end, in seconds: 30 days.
    #[arg(long = "deletion-grace", env = "CLARITY_DELETION_GRACE", default_value_t = 30 * 86_400)]
    pub deletion_grace_s: u64,
    /// The plan of workspaces for which none was set: unlimited, trial, standard, enterprise. Tell the workers the same.
    #[arg(long, env = "CLARITY_DEFAULT_PLAN", default_value = "unlimited")]
    pub default_plan: Plan,
    /// Whether there are doors for the platform's own people, at /ops. They need the password of the database role clarity_ops.
    #[arg(long, env = "CLARITY_OPS", value_enum, default_value_t = OpsDoors::Off)]
    pub ops: OpsDoors,
}

/// Doors for the platform's own people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OpsDoors {
    On,
    Off,
}

#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Make a workspace with its owner. One of this name that the person owns is found.
    CreateWorkspace {
        #[arg(long)]
        name: String,
        #[arg(long)]
        email: String,
        #[arg(long)]
        person: String,
        #[arg(long, env = "CLARITY_PERSON_PASSWORD", hide_env_values = true)]
        password: String,
    },
    /// Make a one-time code for an agent.
    CreatePairing {
        /// The workspace's slug.
        #[arg(long)]
        workspace: String,
        /// The agent's name.
        #[arg(long)]
        name: String,
    },
    /// Wait until an agent has shown the code, and approve its key.
    ApprovePairing {
        #[arg(long)]
        workspace: String,
        #[arg(long)]
        pairing_id: PairingId,
        #[arg(long, default_value_t = 60)]
        wait_s: u64,
    },
    /// End every session of a person: they sign in anew.
    EndSessions {
        #[arg(long)]
        email: String,
    },
    /// Close a person's account: they are out at once, and no sign-in lets them in until it is enabled.
    DisableAccount {
        #[arg(long)]
        email: String,
    },
    /// Open an account that was disabled.
    EnableAccount {
        #[arg(long)]
        email: String,
    },
    /// Make an account of the platform's own people, or make it anew: gives a link, good for a day, behind which a password and
    /// a first code of an app are given. What the person had before is gone.
    AddOpsUser {
        #[arg(long)]
        email: String,
        #[arg(long)]
        name: String,
        /// Where the link leads.
        #[arg(long, env = "CLARITY_PUBLIC_URL", default_value = "http://localhost:8080")]
        public_url: String,
    },
    /// Take everything away that somebody is asked for beside their password: for who has lost app, passkeys and recovery codes,
    /// once you have made sure who asks. Their sessions end, and a letter tells them; the reason stands in the audit log of
    /// each of their workspaces.
    ResetSecondFactor {
        #[arg(long)]
        email: String,
        /// Why, and how you made sure who asks. Members of their workspaces read it.
        #[arg(long)]
        because: String,
        /// Where the letter's link leads.
        #[arg(long, env = "CLARITY_PUBLIC_URL", default_value = "http://localhost:8080")]
        public_url: String,
    },
    /// End an account of the platform's own people: it is out with the next request.
    DisableOpsUser {
        #[arg(long)]
        email: String,
    },
}

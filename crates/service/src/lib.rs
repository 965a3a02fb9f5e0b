//! Use cases: permission, transaction, audit. The one door for everything a person can do or see.
//!
//! [`Services`] is a handle to clone freely. A [`Visitor`] is who asks; [`Services::enter`] makes a [`Seat`] in a
//! workspace of it, and every use case inside a workspace takes the seat. Errors are [`AppError`] in the user's words;
//! somebody else's things read as "not found".

mod account;
mod agents;
mod asset_view;
mod audit;
mod change_password;
mod day;
mod dead_letters;
mod deletion;
mod domains;
mod email_change;
mod error;
mod frame;
mod known_passwords;
pub mod live;
mod mail;
mod masked;
mod masking;
mod members;
mod open_streams;
mod operator;
mod ops;
mod outgoing;
mod overview;
pub mod pairing;
mod passkeys;
mod password;
mod password_words;
pub mod plan_notice;
mod planted;
mod readiness;
mod renewal;
mod reset;
mod retention;
mod rewrite;
mod sample;
mod second_factor;
mod secrets;
pub mod series_query;
mod series_view;
mod sessions;
mod set_up;
mod settings;
mod shown_again;
mod sign_up;
mod sites;
mod sources;
mod sso;
mod status;
mod support;
mod throttle;
pub mod tokens;
mod usage;
mod visitor;
mod waiting;
mod workspace_settings;

use std::sync::Arc;

use clarity_domain::error::AppError;
use clarity_runtime::clock;
use clarity_runtime::shutdown::CancellationToken;
use clarity_store::{AppStore, AuthStore, OpsStore};
use tokio::sync::{Notify, Semaphore};

pub use account::{SignIn, SignedIn};
pub use asset_view::{AssetDetail, AssetState, AssetSummary, AssetValue};
pub use audit::{AuditExport, ExportFormat};
pub use deletion::WorkspaceExport;
pub use mail::{LETTER_KINDS, MailSettings, MailSettingsError};
pub use masked::keyed_hash;
pub use masking::NewMask;
pub use members::{Accepted, NewAccount};
pub use open_streams::OpenStream;
pub use ops::{EnrolOps, OpsSeat, OpsSignIn, OpsSignedIn};
pub use outgoing::{Outgoing, OutgoingError, OutgoingSettings};
pub use renewal::Renewed;
pub use second_factor::{ConfirmSession, FirstStep, PendingSignIn};
pub use secrets::{SecretsKey, SecretsKeyError};
pub use series_view::{Series, SeriesPoint, SeriesRequest};
pub use settings::{Limits, Settings};
pub use sign_up::{ConfirmSignUp, NewWorkspace};
pub use sso::{LinkSso, SsoAnswer, SsoAsk, SsoOutcome, SsoStart};
pub use visitor::{Client, Member, Seat, Visitor};

/// Every use case of the platform.
#[derive(Clone)]
pub struct Services {
    auth: AuthStore,
    app: AppStore,
    /// Where there are doors for our own people.
    ops: Option<OpsStore>,
    settings: Arc<Settings>,
    passwords: password::Passwords,
    throttle: throttle::Throttle,
    passkeys: passkeys::PasskeySite,
    outgoing: Outgoing,
    verifying: Arc<Semaphore>,
    exporting: deletion::Exports,
    streams: open_streams::OpenStreams,
    providers: sso::Providers,
    readiness: readiness::Readiness,
    /// A letter was posted.
    posted: Arc<Notify>,
}

/// Whole audit logs that are checked at the same time.
const VERIFYING: usize = 2;

impl Services {
    /// # Errors
    /// When the operating system gives no random bytes, or TLS cannot be set up.
    pub fn new(auth: AuthStore, app: AppStore, settings: Settings) -> Result<Self, AppError> {
        Ok(Self {
            auth,
            app,
            ops: None,
            passwords: password::Passwords::new(settings.limits.concurrent_hashes)?,
            throttle: throttle::Throttle::new(&settings.limits),
            passkeys: passkeys::PasskeySite::new(&settings.public_url),
            outgoing: Outgoing::new(&settings.outgoing).map_err(error::broken)?,
            verifying: Arc::new(Semaphore::new(VERIFYING)),
            exporting: deletion::Exports::default(),
            streams: open_streams::OpenStreams::default(),
            providers: sso::Providers::default(),
            readiness: readiness::Readiness::default(),
            posted: Arc::default(),
            settings: Arc::new(settings),
        })
    }

    /// With doors for our own people. Without, none of them is there.
    #[must_use]
    pub fn with_ops(self, ops: OpsStore) -> Self {
        Self { ops: Some(ops), ..self }
    }

    /// Says in the log when this machine's clock and the database's differ, until the process ends.
    pub async fn watch_clock(&self, shutdown: CancellationToken) {
        clock::watch(|| async { self.auth.clock_us().await.ok() }, shutdown).await;
    }
}

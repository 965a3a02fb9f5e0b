//! What every request handler has.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::FromRef;
use clarity_app::context::Site;
use clarity_runtime::shutdown::CancellationToken;
use clarity_service::Services;
use leptos::prelude::LeptosOptions;

use crate::live::Hub;

#[derive(Clone)]
pub struct AppState {
    pub services: Services,
    pub site: Site,
    /// The folder of static files.
    pub files: Arc<PathBuf>,
    pub options: LeptosOptions,
    pub(crate) hub: Hub,
    /// Whose word counts on where a request came from.
    pub trusted_proxies: Arc<[IpAddr]>,
    /// Cancelled when the process is to end: live streams end with it.
    pub shutdown: CancellationToken,
}

impl AppState {
    /// Starts the hub of live streams.
    pub fn new(services: Services, site: Site, files: PathBuf, shutdown: CancellationToken) -> Self {
        let options = LeptosOptions::builder().output_name("clarity").build();
        let hub = Hub::start(services.clone(), shutdown.clone());
        Self { services, site, files: Arc::new(files), options, hub, trusted_proxies: Arc::default(), shutdown }
    }

    /// Behind these.
    #[must_use]
    pub fn behind(self, trusted_proxies: Vec<IpAddr>) -> Self {
        Self { trusted_proxies: trusted_proxies.into(), ..self }
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.options.clone()
    }
}

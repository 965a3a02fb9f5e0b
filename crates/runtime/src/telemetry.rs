//! Logs: text for people, JSON for machines, to stderr. Payloads and database text never go here.

use tracing_subscriber::EnvFilter;

/// Starts logging as `CLARITY_LOG` (a tracing filter, default `info`) and `CLARITY_LOG_FORMAT` (`text` or `json`) say.
pub fn start() {
    let filter = std::env::var("CLARITY_LOG").unwrap_or_else(|_| "info".into());
    let filter = EnvFilter::try_new(&filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match std::env::var("CLARITY_LOG_FORMAT").as_deref() {
        Ok("json") => builder.json().try_init(),
        _ => builder.with_target(false).try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was started already");
    }
}

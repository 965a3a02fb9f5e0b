//! `/healthz` of a process without ingest: answers while the database does.

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use clarity_runtime::shutdown::CancellationToken;
use clarity_store::SystemStore;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Serves until shutdown.
pub async fn run(address: SocketAddr, system: SystemStore, shutdown: CancellationToken) -> anyhow::Result<()> {
    let router = Router::new().route("/healthz", get(health)).with_state(system);
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}; is another process using the port?"))?;
    Ok(axum::serve(listener, router).with_graceful_shutdown(async move { shutdown.cancelled().await }).await?)
}

async fn health(State(system): State<SystemStore>) -> Result<&'static str, StatusCode> {
    system.ping().await.map(|()| "ok").map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

//! Ingest: one WebSocket an agent, batches into bronze, confirmation when durable.
//!
//! - [`listener`]: TLS on a port of its own.
//! - [`connection`]: who is it, then the loop of a connection.
//! - [`pairing`]: an agent that is not known yet.
//! - [`batches`]: frames of a connection into one transaction.
//! - [`share`]: what one workspace may take, so that it takes nothing from another.
//! - [`masks`]: what an agent masks, told at the beginning and when it changes.
//! - [`keys`]: a new key in the place of an agent's own, when a person asked for one.

mod batches;
mod connection;
mod keys;
mod listener;
mod masks;
mod pairing;
mod share;

use crate::config::Run;
use anyhow::Context;
use axum::Router;
use axum::extract::connect_info::ConnectInfo;
use axum::extract::{State, ws::WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use clarity_domain::plan::Plan;
use clarity_runtime::shutdown::CancellationToken;
use clarity_store::{AuthStore, IngestStore};
use clarity_wire::limits;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use listener::Peer;
use share::Shares;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// Shared by all connections.
#[derive(Clone)]
pub(crate) struct Ingest {
    auth: AuthStore,
    store: IngestStore,
    shares: Arc<Shares>,
    /// Of a workspace of which the operator has said nothing.
    default_plan: Plan,
    /// New connections and pairing codes by address.
    arrivals: Arc<DefaultKeyedRateLimiter<IpAddr>>,
    codes: Arc<DefaultKeyedRateLimiter<IpAddr>>,
    shutdown: CancellationToken,
    connections: TaskTracker,
}

/// Serves agents until shutdown; open connections get 8 s to finish what they hold.
pub async fn run(config: &Run, auth: AuthStore, store: IngestStore, shutdown: CancellationToken) -> anyhow::Result<()> {
    let ingest = Ingest {
        auth,
        store: store.clone(),
        shares: Arc::default(),
        default_plan: config.default_plan,
        arrivals: Arc::new(RateLimiter::keyed(Quota::per_second(per(20)).allow_burst(per(100)))),
        codes: Arc::new(RateLimiter::keyed(Quota::per_minute(per(10)))),
        shutdown: shutdown.clone(),
        connections: TaskTracker::new(),
    };
    store.make_partitions().await.context("cannot make bronze's partitions")?;
    tokio::spawn(keep_partitions(store, shutdown.clone()));

    let router = Router::new()
        .route("/agent/v1/stream", any(stream))
        .route("/healthz", get(health))
        .with_state(ingest.clone())
        .into_make_service_with_connect_info::<Peer>();
    let listener = listener::bind(config).await?;
    tracing::info!(address = %config.ingest_listen, tls = config.tls_cert.is_some(), "ingest listens for agents");
    let stopped = shutdown.clone();
    axum::serve(listener, router).with_graceful_shutdown(async move { stopped.cancelled().await }).await?;
    ingest.connections.close();
    if tokio::time::timeout(Duration::from_secs(8), ingest.connections.wait()).await.is_err() {
        tracing::warn!(open = ingest.connections.len(), "connections cut at shutdown");
    }
    Ok(())
}

/// A positive number for a quota.
fn per(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN)
}

/// Without tomorrow's partition, midnight would refuse every batch.
async fn keep_partitions(store: IngestStore, shutdown: CancellationToken) {
    let mut hourly = tokio::time::interval(Duration::from_secs(3600));
    loop {
        tokio::select! { _ = hourly.tick() => {}, () = shutdown.cancelled() => return }
        if let Err(error) = store.make_partitions().await {
            tracing::error!(%error, "could not make bronze's partitions; trying again in an hour");
        }
    }
}

async fn health(State(ingest): State<Ingest>) -> Result<&'static str, StatusCode> {
    ingest.store.ping().await.map(|()| "ok").map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

async fn stream(
    State(ingest): State<Ingest>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    // Browsers name the page that a connection is for, and agents name none: no page has business here.
    if let Some(origin) = headers.get(header::ORIGIN) {
        tracing::warn!(%peer, ?origin, "refused a connection that names an origin: only browsers do, and agents are none");
        let words = "Agents connect here, and name no origin. This request names one, as browsers do.";
        return (StatusCode::FORBIDDEN, words).into_response();
    }
    upgrade
        .max_message_size(limits::MAX_FRAME_BYTES)
        .max_frame_size(limits::MAX_FRAME_BYTES)
        .write_buffer_size(0)
        .on_upgrade(move |socket| async move {
            let connections = ingest.connections.clone();
            connections.track_future(connection::serve(ingest, socket, peer)).await;
        })
}

//! A heartbeat through the database's own log, so that *quiet* can be told from *broken*.
//!
//! `pg_logical_emit_message` needs no table and no grant. On a standby nothing can be written: there the server's
//! keep-alives have to do.

use super::assemble::HEARTBEAT_PREFIX;
use super::problems;
use clarity_wire::frame::Problem;
use std::time::Duration;
use tokio_postgres::Client;

pub const EVERY: Duration = Duration::from_secs(5);

/// Emits one. None: it is in the log.
pub async fn emit(client: &Client, source: &str) -> Option<Problem> {
    let emitted =
        client.query("select pg_logical_emit_message(true, $1::text, $2::text)", &[&HEARTBEAT_PREFIX, &source]).await;
    emitted
        .err()
        .map(|e| problems::heartbeat(e.as_db_error().map_or_else(|| e.to_string(), |d| d.message().to_owned())))
}

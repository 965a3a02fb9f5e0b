//! Publications that were made after the slot.

use super::config::PostgresConfig;
use super::flow::Flow;
use super::position::safe_lsn;
use super::problems;
use super::setup;
use crate::sources::SourceError;
use std::time::Duration;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

/// A publication made after the slot may be named only when reading has passed its making, and every transaction
/// that ran then: it joins the position, and a new session reads it from there.
pub async fn join_late(
    config: &PostgresConfig,
    joined: Vec<String>,
    late: &[String],
    client: &Client,
    flow: &Flow,
    stop: &CancellationToken,
) -> Result<(), SourceError> {
    let Some(name) = late.first() else { return Ok(()) };
    let asking = |e: tokio_postgres::Error| problems::of_error(config, &e, "asking for the log's end");
    let next = setup::next_xid(client).await.map_err(asking)?;
    while setup::oldest_xid(client).await.map_err(asking)? < next {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
    let row = client.query_one("select (pg_current_wal_lsn() - '0/0')::int8", &[]).await.map_err(asking)?;
    let made = row.get::<_, i64>(0) as u64;
    let mut progress = flow.progress();
    loop {
        let (mut passed, mut has_joined) = (false, false);
        if let Some(position) = &progress.borrow_and_update().durable_position {
            passed = safe_lsn(position).unwrap_or(0) > made;
            let names = position.get("publications").and_then(|p| p.as_array());
            has_joined = names.is_some_and(|n| n.iter().any(|n| n == name.as_str()));
        }
        if has_joined {
            let message = format!("publication {name} joins; connecting again");
            return Err(problems::attention("publication_joins", message, None).into());
        }
        if passed {
            flow.position.send_modify(|position| position.publications.clone_from(&joined));
        }
        tokio::select! {
            changed = progress.changed() => if changed.is_err() { return Ok(()) },
            () = stop.cancelled() => return Ok(()),
        }
    }
}

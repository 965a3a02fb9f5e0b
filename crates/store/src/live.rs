//! Word from the workers that a workspace's read models changed: an id and nothing else, read again under its scope.

use crate::{AppStore, Result};
use clarity_domain::ids::WorkspaceId;
use sqlx::postgres::PgListener;

/// The channel; any role may hear it, so it carries only ids.
const CHANNEL: &str = "clarity_live";

/// Listens on a connection of its own.
pub struct LiveListener {
    listener: PgListener,
}

/// What the listener heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Changed(WorkspaceId),
    /// The connection broke and was made anew: anything may have been missed.
    Reconnected,
}

impl AppStore {
    /// Begins to listen. The connection is taken from the pool for good.
    pub async fn listen_live(&self) -> Result<LiveListener> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen(CHANNEL).await?;
        Ok(LiveListener { listener })
    }
}

impl LiveListener {
    /// Waits for the next word. Safe to cancel.
    pub async fn next(&mut self) -> Result<Heard> {
        loop {
            match self.listener.try_recv().await? {
                None => return Ok(Heard::Reconnected),
                Some(word) => {
                    if let Ok(id) = word.payload().parse() {
                        return Ok(Heard::Changed(id));
                    }
                }
            }
        }
    }
}

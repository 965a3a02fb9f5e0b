//! Where reading goes on: what was stored, against the system and the slot that are there.

use super::position::{Cursor, Position};
use super::problems;
use super::setup::{self, Published, Server, Slot};
use super::source::Run;
use super::walsender::{Identity, WalSender};
use crate::sources::SourceError;
use std::time::Duration;
use tokio_postgres::Client;

/// How long a slot may still be held by our own session of before.
const SLOT_PATIENCE: Duration = Duration::from_secs(15);

impl Run<'_> {
    /// Where reading goes on: compares what was stored with what is there. None: shut down meanwhile.
    pub async fn go_on(
        &self,
        client: &Client,
        server: &Server,
        published: &Published,
        stored: Option<Position>,
    ) -> Result<Option<(WalSender, Position)>, SourceError> {
        let sender = WalSender::connect(self.config, server.raw_text).await?;
        let other = stored.as_ref().filter(|s| s.system_identifier != sender.identity.system_identifier);
        if let Some(stored) = other {
            return Err(problems::other_system(&stored.system_identifier, &sender.identity.system_identifier).into());
        }
        let Some(slot) = self.slot(client, server, stored.as_ref()).await? else { return Ok(None) };
        let position = self.resume(stored, &sender.identity, &slot, published)?;
        Ok(Some((sender, position)))
    }

    /// The slot, made when this is the very first start. Missing later, or invalidated: said, never passed over.
    async fn slot(
        &self,
        client: &Client,
        server: &Server,
        stored: Option<&Position>,
    ) -> Result<Option<Slot>, SourceError> {
        let config = self.config;
        let name = config.slot();
        let since = tokio::time::Instant::now();
        loop {
            let Some(slot) = setup::find_slot(client, config, server).await? else {
                if let Some(stored) = stored {
                    return Err(problems::slot_lost(&name, "is missing", stored.cursor.safe_lsn).into());
                }
                setup::make_slot(client, config).await?;
                continue;
            };
            if slot.plugin != "pgoutput" || slot.database != config.database {
                return Err(problems::slot_kind(&name, &slot.plugin, &slot.database).into());
            }
            if let Some(how) = &slot.lost {
                let from = stored.map_or(slot.confirmed, |s| s.cursor.safe_lsn);
                return Err(problems::slot_lost(&name, &format!("was invalidated ({how})"), from).into());
            }
            if slot.active_pid.is_none() {
                return Ok(Some(slot));
            }
            if since.elapsed() > SLOT_PATIENCE {
                return Err(problems::slot_in_use(&name, slot.active_pid).into());
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(50)) => {}
                () = self.shutdown.cancelled() => return Ok(None),
            }
        }
    }

    /// The stored position against the slot's, or the first one.
    fn resume(
        &self,
        stored: Option<Position>,
        identity: &Identity,
        slot: &Slot,
        published: &Published,
    ) -> Result<Position, SourceError> {
        let name = self.config.slot();
        let Some(mut position) = stored else {
            return Ok(Position {
                system_identifier: identity.system_identifier.clone(),
                slot: name,
                timeline: identity.timeline,
                cursor: Cursor { commit_lsn: 0, index: 0, safe_lsn: slot.confirmed },
                publications: published.publications.clone(),
                ..Position::default()
            });
        };
        let ours = position.cursor.safe_lsn;
        if position.slot != name {
            return Err(problems::slot_lost(&position.slot, "is not the configured one any more", ours).into());
        }
        if slot.confirmed > ours {
            return Err(problems::slot_moved(&name, slot.confirmed, ours).into());
        }
        if ours > identity.log_end {
            return Err(problems::system_restored(ours, identity.log_end).into());
        }
        if position.timeline != identity.timeline {
            tracing::info!(
                from = position.timeline,
                to = identity.timeline,
                "the server was promoted; its slot goes on"
            );
            position.timeline = identity.timeline;
        }
        // One that was dropped cannot be named; one that is new joins later.
        position.publications.retain(|p| published.publications.contains(p));
        if position.publications.is_empty() {
            position.publications.clone_from(&published.publications);
        }
        Ok(position)
    }
}

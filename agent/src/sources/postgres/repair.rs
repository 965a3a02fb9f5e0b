//! The log between us and the server is broken: the slot is gone, was moved, or the server is an older copy.
//!
//! Nothing is read on until a person asks for a new snapshot. Then a new slot is made, the loss is written into the log
//! as an event that everyone sees, and all tables are read again.

use super::assemble::Draft;
use super::config::PostgresConfig;
use super::confirm::now_us;
use super::flow::{ZSTD_LEVEL, compress};
use super::position::{Cursor, Position, Step, lsn_text};
use super::problems::{self, literal};
use super::setup::{self, Published, Server};
use super::walsender::WalSender;
use crate::sources::SourceError;
use crate::spool::{Block, SpoolError, SpoolWriter};
use clarity_wire::body::{BodyHeader, BodyWriter, Op, Packer};
use clarity_wire::frame::Command;
use tokio::sync::mpsc;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

/// Problems that a new snapshot mends.
pub const MENDED: [&str; 3] = ["slot_lost", "slot_moved", "system_restored"];

/// Waits until a person asks. False: shut down meanwhile.
pub async fn asked_for(commands: &mut mpsc::Receiver<Command>, shutdown: &CancellationToken) -> bool {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return false,
            command = commands.recv() => match command {
                Some(Command::Resnapshot { .. }) => return true,
                Some(_) => {}
                None => {
                    shutdown.cancelled().await;
                    return false;
                }
            }
        }
    }
}

/// A new slot, and a position in it that has no table's snapshot yet. The loss stands in the spool when this returns.
pub async fn begin_anew(
    client: &Client,
    config: &PostgresConfig,
    server: &Server,
    published: &Published,
    lost_from: u64,
    spool: &mut SpoolWriter,
) -> Result<(WalSender, Position), SourceError> {
    if setup::find_slot(client, config, server).await?.is_some() {
        let drop = format!("select pg_drop_replication_slot({})", literal(&config.slot()));
        let dropped = client.batch_execute(&drop).await;
        dropped.map_err(|e| problems::of_error(config, &e, "dropping the broken slot"))?;
    }
    setup::make_slot(client, config).await?;
    let slot = setup::find_slot(client, config, server).await?;
    let confirmed = slot.map_or(0, |s| s.confirmed);
    let sender = WalSender::connect(config, server.raw_text).await?;
    let position = Position {
        system_identifier: sender.identity.system_identifier.clone(),
        slot: config.slot(),
        timeline: sender.identity.timeline,
        cursor: Cursor { commit_lsn: 0, index: 0, safe_lsn: confirmed },
        publications: published.publications.clone(),
        ..Position::default()
    };
    let mut gap = Draft {
        writer: BodyWriter::default(),
        header: BodyHeader { v: 1, ..BodyHeader::default() },
        step: Step::Stream(position.cursor, Vec::new()),
        last_commit_us: None,
    };
    gap.writer.begin(Op::Poison, 0, now_us(), 0, confirmed);
    gap.writer.message(&format!(
        "gap: the source's changes from {} to {} are lost; all tables are read again",
        lsn_text(lost_from),
        lsn_text(confirmed)
    ));
    gap.writer.end();
    let packed = Packer::new(ZSTD_LEVEL).and_then(|mut packer| compress(&mut packer, &mut gap));
    let (body, raw_bytes) = packed.map_err(|e| SpoolError::Failed(e.to_string()))?;
    let position_value = position.to_value();
    spool.append(Block { body, raw_bytes, count: 1, position: position_value, last_commit_us: None }).await?;
    Ok((sender, position))
}

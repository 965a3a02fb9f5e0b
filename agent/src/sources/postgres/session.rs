//! One streaming session: its parts run beside each other, and the end of one ends them all.

use super::assemble::{Assembler, Draft};
use super::catalog::Catalog;
use super::confirm::{Confirming, confirm};
use super::flow::{Flow, append};
use super::join::join_late;
use super::plan::Plan;
use super::position::{Position, lsn_text};
use super::setup::{Published, Server};
use super::source::Run;
use super::stream::Stream;
use super::walsender::WalSender;
use super::watch::Watch;
use crate::sources::SourceError;
use crate::spool::SpoolWriter;
use clarity_wire::frame::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::sync::{Notify, mpsc, watch};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

impl Run<'_> {
    #[allow(clippy::too_many_arguments)]
    pub async fn stream(
        &self,
        client: Arc<Client>,
        server: Server,
        published: Published,
        sender: WalSender,
        position: Position,
        spool: SpoolWriter,
        commands: mpsc::Receiver<Command>,
    ) -> Result<(), SourceError> {
        let config = self.config;
        let start = position.cursor.safe_lsn;
        let (frames, status_writer) = sender.start(&config.slot(), start, &position.publications).await?;
        tracing::info!(source = config.name, from = lsn_text(start), "streaming");
        self.reporter.update(|s| s.state = "streaming".into());

        let flow = Flow::new(spool.subscribe(), position.clone());
        let over_budget = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(Notify::new());
        let (pause, paused) = watch::channel(false);
        let (stream_drafts, stream_blocks) = mpsc::channel::<Draft>(2);
        let (snapshot_drafts, snapshot_blocks) = mpsc::channel::<Draft>(1);
        let (used_sender, used) = mpsc::channel(4);
        let (job_sender, jobs) = mpsc::unbounded_channel();
        // The end of one part ends them all; reading ends first, so that what was read is spooled.
        let stop = self.shutdown.child_token();
        let confirm_stop = CancellationToken::new();

        let plan = Plan::new(self, &position, job_sender);
        plan.take_in(&published, None);
        let late: Vec<String> =
            published.publications.iter().filter(|p| !position.publications.contains(p)).cloned().collect();
        let confirming = Confirming {
            policy: config.confirm,
            over_budget: over_budget.clone(),
            asked: asked.clone(),
            progress: flow.progress(),
        };
        let stream = Stream {
            config,
            policy: self.policy,
            frames,
            assembler: Assembler::new(position.cursor, server.xid, config.snapshot),
            catalog: Catalog::new(client.clone(), self.masks.clone()),
            problems: self.problems,
            drafts: stream_drafts,
            used,
            flow: &flow,
            asked,
            paused,
            shutdown: stop.clone(),
        };
        let watch = Watch {
            client: &client,
            config,
            policy: self.policy,
            server: &server,
            flow: &flow,
            reporter: self.reporter,
            problems: self.problems,
            over_budget: &over_budget,
            shutdown: stop.clone(),
        };

        let reading = async {
            let ended = stream.run().await;
            stop.cancel();
            ended
        };
        let appending = async {
            let ended = append(spool, stream_blocks, snapshot_blocks, used_sender, &flow).await;
            stop.cancel();
            // A last word with what became durable until now.
            confirm_stop.cancel();
            ended
        };
        let confirm_task = async {
            let ended = confirm(status_writer, confirming, start, confirm_stop.clone()).await;
            stop.cancel();
            ended
        };
        let watching = async {
            let ended = watch.run(|now, xid| plan.take_in(&now, Some(xid))).await;
            stop.cancel();
            ended
        };
        let taking = async {
            plan.take_all(jobs, snapshot_drafts, &flow, server.raw_text, &stop).await;
            Ok(())
        };
        let joining = async {
            let ended = join_late(config, published.publications.clone(), &late, &client, &flow, &stop).await;
            if ended.is_err() {
                stop.cancel();
            }
            ended
        };
        let obeying = async {
            self.obey(commands, &plan, &pause, &stop).await;
            Ok(())
        };
        let (a, b, c, d, e, f, g) = tokio::join!(
            Box::pin(appending),
            Box::pin(reading),
            Box::pin(confirm_task),
            Box::pin(watching),
            Box::pin(taking),
            Box::pin(joining),
            Box::pin(obeying)
        );
        // The spool's own error first: the others follow from it.
        let all: [Result<(), SourceError>; 7] = [a, b, c, d, e, f, g];
        all.into_iter().find(Result::is_err).unwrap_or(Ok(()))
    }

    async fn obey(
        &self,
        mut commands: mpsc::Receiver<Command>,
        plan: &Plan<'_>,
        pause: &watch::Sender<bool>,
        stop: &CancellationToken,
    ) {
        loop {
            let command = tokio::select! {
                () = stop.cancelled() => return,
                command = commands.recv() => command,
            };
            match command {
                None => return stop.cancelled().await,
                Some(Command::Pause { .. }) => {
                    pause.send_replace(true);
                    self.reporter.update(|s| s.state = "paused".into());
                }
                Some(Command::Resume { .. }) => {
                    pause.send_replace(false);
                    self.reporter.update(|s| s.state = "streaming".into());
                }
                Some(Command::Resnapshot { streams, .. }) => plan.again(&streams),
                Some(Command::Unknown) => {}
            }
        }
    }
}

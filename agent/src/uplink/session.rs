//! A welcomed connection: batches out within the window, confirmations in, until one side ends it.

use super::dial::{Socket, message};
use super::lane::Lane;
use super::{Ended, Uplink, keys, now_us};
use crate::identity::AgentKey;
use anyhow::{Context, Result};
use clarity_domain::ids::SourceId;
use clarity_wire::frame::{Command, Frame, Problem, Status, Welcome};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

type Stream = WebSocketStream<super::dial::Stream>;

/// Messages on their way into the socket.
const QUEUE: usize = 8;
/// Changes of the status are sent at once, but not more often than this.
const STATUS_PAUSE: Duration = Duration::from_millis(500);

pub(super) struct Session<'a> {
    lanes: Vec<Lane>,
    uplink: &'a Uplink,
    /// By which this connection was opened.
    key: &'a AgentKey,
    window: u64,
    out: mpsc::Sender<Message>,
    heard_at: Instant,
    news: u64,
    status_at: Instant,
}

/// Serves the connection; the answer says why it ended.
pub(super) async fn serve(
    socket: Socket,
    welcome: Welcome,
    uplink: &Uplink,
    key: &AgentKey,
    shutdown: &CancellationToken,
) -> Result<Ended> {
    let (sink, stream) = socket.0.split();
    let (out, queue) = mpsc::channel(QUEUE);
    let writer = tokio::spawn(write(sink, queue));
    let mut session = Session {
        lanes: Vec::new(),
        uplink,
        key,
        window: welcome.window_bytes.max(1),
        out,
        heard_at: Instant::now(),
        news: 0,
        status_at: Instant::now(),
    };
    let ended = session.run(stream, welcome, shutdown).await;
    if matches!(ended, Ok(Ended::Shutdown)) {
        let _ = session.out.try_send(Message::Close(None));
    }
    drop(session);
    // A peer that reads nothing more must not hold us.
    if tokio::time::timeout(Duration::from_secs(1), writer).await.is_err() {
        tracing::debug!("the connection's last messages were not taken");
    }
    ended
}

async fn write(mut sink: SplitSink<Stream, Message>, mut queue: mpsc::Receiver<Message>) -> Result<()> {
    while let Some(message) = queue.recv().await {
        sink.feed(message).await?;
        while let Ok(message) = queue.try_recv() {
            sink.feed(message).await?;
        }
        sink.flush().await?;
    }
    Ok(())
}

impl Session<'_> {
    async fn run(
        &mut self,
        mut stream: SplitStream<Stream>,
        welcome: Welcome,
        shutdown: &CancellationToken,
    ) -> Result<Ended> {
        let uplink = self.uplink;
        self.send_status().await?;
        for cursor in welcome.sources {
            let Some(source) = uplink.sources.iter().find(|s| s.name == cursor.name) else { continue };
            let (lane, frames) = Lane::begin(source.clone(), cursor).await?;
            self.lanes.push(lane);
            self.say(frames).await?;
        }
        for source in &uplink.sources {
            if self.lanes.iter().any(|l| l.source.name == source.name) {
                source.reporter.solved("not_registered");
            } else {
                source.reporter.problem(Problem {
                    code: "not_registered".into(),
                    message: format!("The platform did not take up the source {}.", source.name),
                    fix: Some("Check on the Sources page whether the workspace may have more sources.".into()),
                    fatal: false,
                });
            }
        }
        let mut heartbeat = interval(uplink.timing.heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let out = self.out.clone();
        loop {
            let blocked = self.send_batches().await?;
            let wakes_at = self.lanes.iter().filter_map(Lane::wakes_at).min();
            tokio::select! {
                room = out.reserve(), if blocked => drop(room.context("the connection was lost")?),
                message = stream.next() => {
                    match message {
                        None => return Ok(Ended::Lost("the server closed the connection".into())),
                        Some(Err(error)) => return Ok(Ended::Lost(format!("the connection was lost: {error}"))),
                        Some(Ok(message)) => {
                            self.heard_at = Instant::now();
                            if let Some(ended) = self.hear(message).await? {
                                return Ok(ended);
                            }
                        }
                    }
                }
                () = uplink.wake.notified() => {}
                () = sleep_until(wakes_at.unwrap_or_else(Instant::now)), if wakes_at.is_some() => {}
                _ = heartbeat.tick() => {
                    let silent = self.heard_at.elapsed();
                    if silent > uplink.timing.silence {
                        return Ok(Ended::Lost(format!("nothing was heard for {} s", silent.as_secs())));
                    }
                    self.say(vec![Frame::Heartbeat]).await?;
                    // The answer comes from the WebSocket itself, however busy the server's own loop is.
                    let _ = self.out.try_send(Message::Ping(Vec::new().into()));
                    self.send_status().await?;
                }
                () = shutdown.cancelled() => return Ok(Ended::Shutdown),
            }
            for i in 0..self.lanes.len() {
                let frames = self.lanes[i].on_time(Instant::now()).await?;
                self.say(frames).await?;
            }
            let news: u64 = uplink.sources.iter().map(|s| s.reporter.news()).sum();
            if news != self.news && self.status_at.elapsed() >= STATUS_PAUSE {
                self.send_status().await?;
            }
        }
    }

    /// Sends what window and queue take; whether there was more than the queue took.
    async fn send_batches(&mut self) -> Result<bool> {
        loop {
            let in_flight: u64 = self.lanes.iter().map(|l| l.unconfirmed).sum();
            if in_flight >= self.window {
                return Ok(false);
            }
            // The one with the least in flight goes first: a source that is busy does not hold up a quiet one.
            let next = self.lanes.iter().enumerate().filter(|(_, l)| l.has_work()).min_by_key(|(_, l)| l.unconfirmed);
            let Some((i, _)) = next else { return Ok(false) };
            let Ok(permit) = self.out.try_reserve() else { return Ok(true) };
            match self.lanes[i].next_frame(self.window - in_flight, in_flight == 0).await? {
                Some(frame) => permit.send(message(&frame)?),
                None => return Ok(false),
            }
        }
    }

    async fn hear(&mut self, message: Message) -> Result<Option<Ended>> {
        let frame = match message {
            Message::Binary(bytes) => Frame::decode(bytes)?,
            Message::Close(_) => return Ok(Some(Ended::Lost("the server closed the connection".into()))),
            _ => return Ok(None),
        };
        let frames = match frame {
            Frame::Durable(durable) => match self.lane(durable.source_id) {
                Some(lane) => lane.on_durable(durable).await?,
                None => Vec::new(),
            },
            Frame::Refused(refused) => match self.lane(refused.source_id) {
                Some(lane) => lane.on_refused(refused).await?,
                None => Vec::new(),
            },
            Frame::Command(command) => {
                self.command(command);
                Vec::new()
            }
            Frame::Masks(ordered) => {
                let masks = self.uplink.masks.clone();
                tokio::task::spawn_blocking(move || masks.take(ordered)).await??;
                Vec::new()
            }
            Frame::ReplaceKey(question) => {
                let (dir, own, id) = (self.uplink.dir.clone(), self.key.clone(), self.uplink.identity.agent_id);
                match tokio::task::spawn_blocking(move || keys::answer(&dir, &own, id, &question)).await? {
                    Ok(answer) => vec![Frame::NewKey(answer)],
                    Err(error) => {
                        tracing::warn!(
                            error = format!("{error:#}"),
                            "no new key could be made; this agent's own stays"
                        );
                        Vec::new()
                    }
                }
            }
            Frame::KeyKept(kept) => {
                let dir = self.uplink.dir.clone();
                tokio::task::spawn_blocking(move || AgentKey::follow(&dir, &kept.public_key)).await??;
                tracing::info!("this agent's key was replaced, as a person asked on the Sources page");
                return Ok(Some(Ended::Lost(
                    "this agent's key was replaced; it connects anew with the new one".into(),
                )));
            }
            Frame::Denied(denied) => return Ok(Some(Ended::Denied(denied))),
            _ => Vec::new(),
        };
        self.say(frames).await?;
        Ok(None)
    }

    fn lane(&mut self, id: SourceId) -> Option<&mut Lane> {
        self.lanes.iter_mut().find(|l| l.source_id == id)
    }

    fn command(&mut self, command: Command) {
        let (Command::Pause { source_id } | Command::Resume { source_id } | Command::Resnapshot { source_id, .. }) =
            &command
        else {
            tracing::warn!("the platform sent a command that this version does not know");
            return;
        };
        let source_id = *source_id;
        match self.lane(source_id) {
            Some(lane) => lane.source.command(command),
            None => tracing::warn!(%source_id, "a command names a source that is not configured here"),
        }
    }

    async fn send_status(&mut self) -> Result<()> {
        self.news = self.uplink.sources.iter().map(|s| s.reporter.news()).sum();
        self.status_at = Instant::now();
        let sources = self.uplink.sources.iter().map(|source| {
            let mut status = source.status();
            status.source_id = self.lanes.iter().find(|l| l.source.name == source.name).map(|l| l.source_id);
            status
        });
        let masks_version = Some(self.uplink.masks.applied());
        let status = Status { clock_us: now_us(), sources: sources.collect(), masks_version };
        self.say(vec![Frame::Status(status)]).await
    }

    async fn say(&self, frames: Vec<Frame>) -> Result<()> {
        for frame in frames {
            let sent = self.out.send_timeout(message(&frame)?, self.uplink.timing.silence).await;
            sent.map_err(|_| anyhow::anyhow!("the connection takes nothing more"))?;
        }
        Ok(())
    }
}

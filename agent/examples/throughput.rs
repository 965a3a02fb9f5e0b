//! Events a second through spool and uplink, with the CPU and memory they cost: blocks of 2,000 events (about 512 KiB
//! before compression) to a server on loopback that confirms each. Also the latency of one event at a time.
//!
//! `cargo run --release -p clarity-agent --example throughput -- [million events]`

use anyhow::{Context, Result};
use clarity_agent::identity::{AgentKey, Identity, StateDir};
use clarity_agent::masks::Masks;
use clarity_agent::spool::{Block, Limits, Spool, SpoolKey, SpoolWriter};
use clarity_agent::status::StatusReporter;
use clarity_agent::uplink::{Connection, SourceHandle, Timing, Uplink};
use clarity_domain::ids::{AgentId, SourceId};
use clarity_wire::body::{BodyHeader, BodyWriter, Op};
use clarity_wire::frame::{Challenge, Durable, Frame, SourceCursor, Welcome};
use clarity_wire::hash::BatchHash;
use futures::{SinkExt, StreamExt};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EVENTS: u32 = 2_000;

fn block(count: u32) -> Result<Block> {
    let mut writer = BodyWriter::default();
    let mut noise = 88_172_645_463_325_252_u64;
    for i in 0..count {
        writer.begin(Op::Insert, 0, 1_764_000_000_000_000 + i64::from(i), 7712, 26_304_872);
        writer.row();
        for column in 0..12 {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            writer.cell_number(&format!("{}.{}", 500 + column, noise % 1000));
        }
        writer.cell_text("ENG-001 running, program 4711, operator shift B, pallet 17 of 24");
        writer.cell_text("2026-11-23 01:02:03.456789+00");
        writer.end_cells();
        writer.end();
    }
    let (body, raw_bytes) = writer.finish(&BodyHeader { v: 1, ..BodyHeader::default() }, 1)?;
    Ok(Block { body, raw_bytes, count, position: serde_json::json!({"lsn": 1}), last_commit_us: None })
}

async fn server(listener: TcpListener) -> Result<()> {
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    let mut socket = accept_async(stream).await?;
    while let Some(message) = socket.next().await {
        let Message::Binary(bytes) = message? else { continue };
        let source_id = SourceId(Uuid::nil());
        let answer = match Frame::decode(bytes)? {
            Frame::Hello(_) => Frame::Challenge(Challenge { nonce: "00".into() }),
            Frame::Proof(_) => Frame::Welcome(Welcome {
                generation: 1,
                clock_us: 0,
                window_bytes: 8 << 20,
                sources: vec![SourceCursor {
                    name: "plant".into(),
                    source_id,
                    epoch: 1,
                    next_seq: 1,
                    last_hash: BatchHash::ZERO,
                    position: None,
                    paused: false,
                }],
                masks: None,
            }),
            Frame::Batch(header, _) => Frame::Durable(Durable {
                source_id,
                epoch: header.epoch,
                next_seq: header.first_seq + u64::from(header.count),
                hash: header.hash,
            }),
            _ => continue,
        };
        socket.send(Message::Binary(answer.encode()?)).await?;
    }
    Ok(())
}

/// CPU seconds and resident bytes of this process.
fn cost() -> Result<(f64, u64)> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit_once(')').context("stat")?.1.split_whitespace().collect();
    let ticks = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|l| l.starts_with("VmHWM")).context("VmHWM")?;
    let kib: u64 = line.split_whitespace().nth(1).context("VmHWM")?.parse()?;
    Ok((ticks / 100.0, kib << 10))
}

async fn durable(writer: &SpoolWriter, next_seq: u64) -> Result<()> {
    writer.subscribe().wait_for(|p| p.durable_next_seq >= next_seq).await?;
    Ok(())
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    clarity_runtime::install_tls_provider();
    let millions: f64 = std::env::args().nth(1).map_or(Ok(2.0), |n| n.parse())?;
    let folder = std::env::temp_dir().join(format!("clarity-throughput-{}", std::process::id()));
    let dir = StateDir::new(&folder);
    dir.create()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("ws://{}", listener.local_addr()?);
    tokio::spawn(server(listener));
    let wake = Arc::new(Notify::new());
    let key = SpoolKey::load_or_create(&dir.spool_key())?;
    let spool = Spool::open(&dir.spool().join("plant"), "plant", key, Limits::default(), wake.clone()).await?;
    let handle = SourceHandle::new("plant", "postgres", spool.clone(), StatusReporter::waking(wake.clone()), false);
    let identity =
        Identity { agent_id: AgentId(Uuid::nil()), server: address, name: "bench".into(), workspace: String::new() };
    let masks = Masks::open(&dir, Vec::new())?;
    AgentKey::load_or_create(&dir)?;
    let uplink = Uplink {
        dir,
        identity,
        ca: None,
        sources: vec![Arc::new(handle)],
        masks,
        wake,
        timing: Timing::default(),
        connection: watch::Sender::new(Connection::default()),
    };
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(uplink.run(shutdown.clone()));
    spool.subscribe().wait_for(|p| p.epoch > 0).await?;
    let mut writer = spool.writer().context("a writer")?;

    let one = block(1)?;
    let mut latencies = Vec::new();
    for _ in 0..300 {
        let started = Instant::now();
        let at = writer.append(one.clone()).await?;
        durable(&writer, at.next_seq).await?;
        latencies.push(started.elapsed());
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    latencies.sort();
    println!("one event: median {:?}, p99 {:?} from append to confirmed", latencies[150], latencies[297]);

    let template = block(EVENTS)?;
    let blocks = (millions * 1e6 / f64::from(EVENTS)) as u64;
    println!("block: {} events, {} bytes raw, {} compressed", EVENTS, template.raw_bytes, template.body.len());
    let (cpu, _) = cost()?;
    let started = Instant::now();
    let mut end = 0;
    for _ in 0..blocks {
        end = writer.append(template.clone()).await?.next_seq;
    }
    durable(&writer, end).await?;
    let seconds = started.elapsed().as_secs_f64();
    let events = blocks as f64 * f64::from(EVENTS);
    let (after, memory) = cost()?;
    println!(
        "{:.0} events/s, {:.2} CPU s a million events (server included), at most {} MiB resident",
        events / seconds,
        (after - cpu) / events * 1e6,
        memory >> 20
    );
    shutdown.cancel();
    task.await??;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

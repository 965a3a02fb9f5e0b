//! All that a workspace has, as one file: a line of JSON each thing, sent as it is read.
//!
//! The whole file is of one moment: a transaction stays open for it, so few are made at a time, and whoever takes no piece for
//! a minute gets no more. Its last line says that it is whole.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::role::Permission;
use clarity_runtime::clock::now_us;
use clarity_series::{CellRef, Projection, Rows, decode};
use clarity_store::audit::Object;
use clarity_store::auth::{member, service_account};
use clarity_store::export::{self as store, BronzePlace, BronzeSegment};
use clarity_store::{StoreError, WorkspaceTx};
use data_encoding::BASE64;
use serde_json::{Map, Value, json};
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use crate::audit::timestamp;
use crate::error::fault;
use crate::{Seat, Services};

/// Whether the asker may still have it is looked at so often.
const CHECK: Duration = Duration::from_secs(3);
/// Members that are listed: more than any workspace has.
const MOST_MEMBERS: i64 = 100_000;

/// An export under way.
pub struct WorkspaceExport {
    services: Services,
    seat: Seat,
    tx: WorkspaceTx,
    /// Tables that are not begun yet.
    tables: VecDeque<String>,
    step: Step,
    lines: u64,
    checked: Instant,
    /// Given back when the file is whole, or nobody wants it any more.
    _turn: OwnedSemaphorePermit,
}

/// What comes next.
enum Step {
    People,
    /// The open table; none: open the next.
    Table(Option<String>),
    Samples,
    Bronze(Option<BronzePlace>),
    End,
    Done,
}

impl Services {
    /// Begins an export, and writes down that it was taken.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `RateLimited` while others are under way.
    pub async fn export_workspace(&self, seat: &Seat) -> Result<WorkspaceExport, AppError> {
        let object = Object { kind: "workspace", id: &seat.card.slug, name: &seat.card.name };
        self.permit_recent(seat, Permission::OwnWorkspace, Act::ExportWorkspace, object).await?;
        let turn = self.exporting.clone().try_acquire_owned().map_err(|_| {
            AppError::new(ErrorCode::RateLimited, "Other exports are under way. Try again in a few minutes.")
        })?;
        self.record(seat, &seat.entry(Act::ExportWorkspace, object)).await?;
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        store::be_patient(&mut tx).await.map_err(fault)?;
        let tables = store::list_tables(&mut tx).await.map_err(fault)?.into();
        let (services, seat) = (self.clone(), seat.clone());
        Ok(WorkspaceExport {
            services,
            seat,
            tx,
            tables,
            step: Step::People,
            lines: 0,
            checked: Instant::now(),
            _turn: turn,
        })
    }
}

impl WorkspaceExport {
    /// The next piece of the file; `None` after the last.
    ///
    /// # Errors
    /// `Unauthenticated` when the session has ended or the role has changed since: the file ends there.
    pub async fn next(&mut self) -> Result<Option<String>, AppError> {
        if self.checked.elapsed() > CHECK {
            if !self.services.still_seated(&self.seat).await? {
                return Err(AppError::unauthenticated());
            }
            self.checked = Instant::now();
        }
        loop {
            let mut piece = String::new();
            match std::mem::replace(&mut self.step, Step::Done) {
                Step::People => {
                    piece = self.people().await?;
                    self.step = Step::Table(None);
                }
                Step::Table(Some(table)) => {
                    let rows = store::fetch_rows(&mut self.tx).await.map_err(fault)?;
                    for row in &rows {
                        // A table's name needs no escape.
                        let _ = writeln!(piece, r#"{{"kind":"row","table":"{table}","row":{row}}}"#);
                    }
                    self.step = Step::Table((!rows.is_empty()).then_some(table));
                }
                Step::Table(None) => match self.tables.pop_front() {
                    Some(table) => {
                        store::open_rows(&mut self.tx, &table).await.map_err(fault)?;
                        self.step = Step::Table(Some(table));
                    }
                    None => {
                        store::open_chunks(&mut self.tx).await.map_err(fault)?;
                        self.step = Step::Samples;
                    }
                },
                Step::Samples => {
                    let chunks = store::fetch_chunks(&mut self.tx).await.map_err(fault)?;
                    for (stream, body) in &chunks {
                        let rows = decode(body, &Projection::all());
                        samples(&mut piece, *stream, &rows.map_err(|_| fault(StoreError::Corrupt("sample chunk")))?);
                    }
                    self.step = if chunks.is_empty() { Step::Bronze(None) } else { Step::Samples };
                }
                Step::Bronze(after) => {
                    let segments = store::list_bronze(&mut self.tx, after).await.map_err(fault)?;
                    for segment in &segments {
                        line(&mut piece, &bronze(segment));
                    }
                    let last = segments.last().map(|last| (last.source, last.epoch, last.first_seq));
                    self.step = if last.is_none() { Step::End } else { Step::Bronze(last) };
                }
                Step::End => line(&mut piece, &json!({ "kind": "end", "lines_before": self.lines })),
                Step::Done => return Ok(None),
            }
            if !piece.is_empty() {
                self.lines += piece.bytes().filter(|byte| *byte == b'\n').count() as u64;
                return Ok(Some(piece));
            }
        }
    }

    /// What the file is, and who is in the workspace. Passwords, keys and tokens are nobody's to take away.
    async fn people(&mut self) -> Result<String, AppError> {
        let mut out = String::new();
        let card = &self.seat.card;
        line(
            &mut out,
            &json!({
                "kind": "workspace", "format": "clarity export 1", "id": card.id.to_string(), "slug": card.slug,
                "name": card.name, "time_zone": self.seat.time_zone, "exported_at": timestamp(now_us()),
                "holds": "a line each: members, service accounts, rows of every table, samples decoded, and bronze as it was \
                          received (body_base64: zstd of newline-delimited JSON); times are UTC, bytes are hexadecimal",
            }),
        );
        let mut tx = self.services.auth.begin().await.map_err(fault)?;
        for member in member::list(&mut tx, &self.seat.scope, MOST_MEMBERS).await.map_err(fault)? {
            line(
                &mut out,
                &json!({
                    "kind": "member", "name": member.user.name, "email": member.user.email, "role": member.role.as_str(),
                    "joined_at": timestamp(member.joined_at),
                }),
            );
        }
        for account in service_account::list(&mut tx, &self.seat.scope).await.map_err(fault)? {
            line(&mut out, &json!({ "kind": "service_account", "name": account.name, "role": account.role.as_str() }));
        }
        tx.commit().await.map_err(fault)?;
        Ok(out)
    }
}

fn line(out: &mut String, value: &Value) {
    let _ = writeln!(out, "{value}");
}

fn bronze(segment: &BronzeSegment) -> Value {
    json!({
        "kind": "bronze", "source": segment.source, "epoch": segment.epoch, "first_seq": segment.first_seq,
        "events": segment.event_count, "received_at": timestamp(segment.received_at), "hash": hex::encode(&segment.hash),
        "body_base64": BASE64.encode(&segment.body),
    })
}

/// A line each row of a chunk: the asset's number, and its values by the metric's number, as the tables `assets` and `metrics`
/// name them.
fn samples(out: &mut String, stream: Uuid, rows: &Rows) {
    for row in 0..rows.len() {
        let mut values = Map::new();
        for column in &rows.columns {
            let value = match column.get(row) {
                CellRef::Absent => continue,
                CellRef::Null => Value::Null,
                CellRef::Float(value) if value.is_finite() => json!(value),
                CellRef::Float(value) => json!(value.to_string()),
                CellRef::Int(value) => json!(value),
                CellRef::Bool(value) => json!(value),
                CellRef::Text(value) => json!(value),
                CellRef::Time(at) => json!(timestamp(at)),
            };
            values.insert(column.field.to_string(), value);
        }
        let (asset, at) = (rows.asset[row], timestamp(rows.at[row]));
        line(out, &json!({ "kind": "sample", "stream": stream, "asset": asset, "at": at, "values": values }));
    }
}

//! All that a workspace has, as one file: a line of JSON each thing, sent as it is read.
//!
//! The whole file is of one moment: a transaction stays open for it, so few are made at a time, whoever takes no piece for
//! a minute gets no more, and none takes longer than an hour. Its last line says that it is whole.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Weak};
use std::time::Duration;

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::role::Permission;
use clarity_runtime::clock::now_us;
use clarity_runtime::planted::planted;
use clarity_series::{CellRef, Projection, Rows, decode};
use clarity_store::audit::Object;
use clarity_store::auth::{deletion, member, service_account};
use clarity_store::export::{self as store, BronzePlace, BronzeSegment};
use clarity_store::{StoreError, WorkspaceTx};
use data_encoding::BASE64;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::turn::Turn;
use crate::audit::timestamp;
use crate::error::fault;
use crate::throttle::Costly;
use crate::{Seat, Services};

/// Whether the asker may still have it is looked at so often.
const CHECK: Duration = Duration::from_secs(3);
/// So long a reader may take for a piece; then the database has ended the transaction as well.
const IDLE: Duration = Duration::from_secs(60);
/// An export is over then, whole or not.
const DEADLINE: Duration = Duration::from_secs(3600);
/// Whether one of the two has come is looked at so often.
const WATCH: Duration = Duration::from_secs(5);
/// Members that are listed: more than any workspace has.
const MOST_MEMBERS: i64 = 100_000;

/// An export under way. Dropped, it gives back its place and its connection.
pub struct WorkspaceExport {
    /// None: its time is over.
    running: Arc<Mutex<Option<Running>>>,
}

struct Running {
    services: Services,
    seat: Seat,
    tx: WorkspaceTx,
    /// Tables that are not begun yet.
    tables: VecDeque<String>,
    step: Step,
    lines: u64,
    checked: Instant,
    begun: Instant,
    /// When the reader last got a piece.
    taken: Instant,
    /// Given back when the file is whole, nobody wants it any more, or its time is over.
    _turn: Turn,
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
    /// Begins an export, and writes down that it was taken. It counts as one of the plan's exports of a day, but not once the
    /// workspace is to go: nobody loses their data to a limit.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `RateLimited` while another of this workspace or too many others are under way, or the person
    /// has taken many; `LimitExceeded` when today's are taken.
    pub async fn export_workspace(&self, seat: &Seat) -> Result<WorkspaceExport, AppError> {
        let object = Object { kind: "workspace", id: &seat.card.slug, name: &seat.card.name };
        if !planted("everything-without-permission") {
            self.permit_recent(seat, Permission::OwnWorkspace, Act::ExportWorkspace, object).await?;
        }
        let turn = self.exporting.take(seat.scope.workspace_id())?;
        self.throttle.take_of(seat.user_id, Costly::Export)?;
        let mut auth = self.auth.begin_in(&seat.scope).await.map_err(fault)?;
        let leaving = deletion::find(&mut auth, &seat.scope).await.map_err(fault)?.is_some();
        auth.commit().await.map_err(fault)?;
        let entry = seat.entry(Act::ExportWorkspace, object);
        if leaving {
            self.record(seat, &entry).await?;
        } else {
            self.count_export(seat, &entry).await?;
        }
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        store::be_patient(&mut tx).await.map_err(fault)?;
        let tables = store::list_tables(&mut tx).await.map_err(fault)?.into();
        let (services, seat, now) = (self.clone(), seat.clone(), Instant::now());
        let running = Arc::new(Mutex::new(Some(Running {
            services,
            seat,
            tx,
            tables,
            step: Step::People,
            lines: 0,
            checked: now,
            begun: now,
            taken: now,
            _turn: turn,
        })));
        tokio::spawn(watch(Arc::downgrade(&running)));
        Ok(WorkspaceExport { running })
    }
}

/// Ends an export whose time is over: a reader that takes nothing asks for nothing either, so it cannot be left to that.
async fn watch(running: Weak<Mutex<Option<Running>>>) {
    loop {
        sleep(WATCH).await;
        let Some(running) = running.upgrade() else { return };
        let mut held = running.lock().await;
        if held.as_ref().is_none_or(Running::is_over) {
            *held = None;
            return;
        }
    }
}

impl WorkspaceExport {
    /// The next piece of the file; `None` after the last.
    ///
    /// # Errors
    /// `Unauthenticated` when the session has ended or the role has changed since, `Unavailable` when its time is over: the file
    /// ends there.
    pub async fn next(&mut self) -> Result<Option<String>, AppError> {
        let mut held = self.running.lock().await;
        let running = held.as_mut().filter(|running| !running.is_over()).ok_or_else(over)?;
        let piece = running.next().await?;
        running.taken = Instant::now();
        Ok(piece)
    }
}

/// Whether an export that began, and whose reader got a piece, so long ago is to end.
fn is_over(begun: Duration, taken: Duration) -> bool {
    begun > DEADLINE || taken > IDLE
}

fn over() -> AppError {
    AppError::new(ErrorCode::Unavailable, "This export took too long. Begin it again, and read it without a pause.")
}

impl Running {
    fn is_over(&self) -> bool {
        is_over(self.begun.elapsed(), self.taken.elapsed())
    }

    async fn next(&mut self) -> Result<Option<String>, AppError> {
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
        // In nobody's line: a workspace makes one such file at a time, and one that began is not cut short for that.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_keeps_a_place_for_longer_than_an_hour_or_by_taking_nothing() {
        let [second, minute] = [1, 60].map(Duration::from_secs);
        assert!(!is_over(60 * minute, minute), "a large file, read without a pause");
        assert!(is_over(60 * minute + second, second));
        assert!(is_over(2 * minute, minute + second));
    }
}

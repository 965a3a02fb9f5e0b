//! The log as a file, a piece at a time: nothing waits for the whole of it, and no transaction is held while a slow reader
//! takes it. Entries are never changed, so pieces read one after another are as one.

use clarity_domain::audit::Act;
use clarity_domain::error::AppError;
use clarity_domain::role::Permission;
use clarity_domain::view::audit::AuditFilter;
use clarity_runtime::planted::planted;
use clarity_store::audit::{self as store, Entry, Filter, Object, Row};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::{read_filter, timestamp};
use crate::error::fault;
use crate::throttle::Costly;
use crate::{Seat, Services};

/// Entries of a piece.
const AT_ONCE: i64 = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// RFC 4180, with a head.
    Csv,
    /// An object a line.
    Ndjson,
}

impl ExportFormat {
    /// The ending of the file's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }

    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

/// An export under way. Oldest entries first; the last may be the export's own.
pub struct AuditExport {
    services: Services,
    seat: Seat,
    filter: Filter,
    format: ExportFormat,
    /// The last entry that was written out, and the last that is.
    after: i64,
    end: i64,
    begun: bool,
}

impl Services {
    /// Begins an export, and writes down that it was taken.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` for a day that is none; `LimitExceeded` when today's exports of the plan are taken; `RateLimited`.
    pub async fn export_audit(
        &self,
        seat: &Seat,
        filter: &AuditFilter,
        format: ExportFormat,
    ) -> Result<AuditExport, AppError> {
        if !planted("a-file-without-permission") {
            self.permit(seat, Permission::ReadAudit, Act::ExportAudit, Object::default()).await?;
        }
        let wanted = read_filter(filter, &seat.time_zone)?;
        self.throttle.take_of(seat.user_id, Costly::Export)?;
        let asked: serde_json::Map<String, serde_json::Value> =
            filter.pairs().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let after = json!({ "format": format.as_str(), "filter": asked });
        let entry = Entry { after: Some(after), ..seat.entry(Act::ExportAudit, Object::default()) };
        self.count_export(seat, &entry).await?;
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let end = store::head_seq(&mut tx).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let (services, seat) = (self.clone(), seat.clone());
        Ok(AuditExport { services, seat, filter: wanted, format, after: 0, end, begun: false })
    }
}

impl AuditExport {
    /// The next piece of the file; `None` after the last.
    ///
    /// # Errors
    /// `Unauthenticated` when the session has ended or the role has changed since: the file ends there.
    pub async fn next(&mut self) -> Result<Option<String>, AppError> {
        if self.begun && self.after >= self.end {
            return Ok(None);
        }
        if self.begun && !self.services.still_seated(&self.seat).await? {
            return Err(AppError::unauthenticated());
        }
        let mut tx = self.services.app.begin_read(&self.seat.scope).await.map_err(fault)?;
        let mut rows = store::list_newer(&mut tx, &self.filter, self.after, AT_ONCE).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let is_last = (rows.len() as i64) < AT_ONCE;
        rows.retain(|row| row.seq <= self.end);
        let mut text = String::with_capacity(rows.len() * 300);
        if !self.begun && self.format == ExportFormat::Csv {
            line(&mut text, &COLUMNS.map(str::to_owned));
        }
        self.begun = true;
        self.after = match rows.last() {
            Some(row) if !is_last => row.seq,
            _ => self.end,
        };
        for row in &rows {
            match self.format {
                ExportFormat::Csv => line(&mut text, &cells(row)),
                ExportFormat::Ndjson => {
                    text.push_str(&serde_json::to_string(&Line::of(row)).map_err(crate::error::broken)?);
                    text.push('\n');
                }
            }
        }
        Ok(Some(text))
    }
}

const COLUMNS: [&str; 16] = [
    "seq",
    "at",
    "actor_kind",
    "actor_id",
    "actor",
    "act",
    "outcome",
    "object_kind",
    "object_id",
    "object",
    "before",
    "after",
    "address",
    "request_id",
    "previous_hash",
    "hash",
];

/// In the order of [`COLUMNS`].
fn cells(row: &Row) -> [String; 16] {
    let id = |id: Option<uuid::Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    [
        row.seq.to_string(),
        timestamp(row.at),
        row.actor_kind.as_str().into(),
        id(row.actor_id),
        row.actor_name.clone(),
        row.act.clone(),
        row.outcome.as_str().into(),
        row.object_kind.clone(),
        row.object_id.clone(),
        row.object_name.clone(),
        row.before.clone().unwrap_or_default(),
        row.after.clone().unwrap_or_default(),
        row.address.clone(),
        row.request_id.map(|id| id.simple().to_string()).unwrap_or_default(),
        hex::encode(&row.previous_hash),
        hex::encode(&row.hash),
    ]
}

/// A line of CSV (RFC 4180). A cell that a spreadsheet would take for a formula gets a ' before it.
fn line(out: &mut String, cells: &[String]) {
    for (number, cell) in cells.iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        let guarded =
            if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\0']) { format!("'{cell}") } else { cell.clone() };
        if guarded.contains([',', '"', '\r', '\n']) {
            out.push('"');
            out.push_str(&guarded.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(&guarded);
        }
    }
    out.push_str("\r\n");
}

/// A line of NDJSON.
#[derive(Serialize)]
struct Line<'a> {
    seq: i64,
    at: String,
    actor: Who<'a>,
    act: &'a str,
    outcome: &'a str,
    object: What<'a>,
    before: Option<Box<RawValue>>,
    after: Option<Box<RawValue>>,
    address: &'a str,
    request_id: Option<String>,
    previous_hash: String,
    hash: String,
}

#[derive(Serialize)]
struct Who<'a> {
    kind: &'a str,
    id: Option<uuid::Uuid>,
    name: &'a str,
}

#[derive(Serialize)]
struct What<'a> {
    kind: &'a str,
    id: &'a str,
    name: &'a str,
}

impl<'a> Line<'a> {
    fn of(row: &'a Row) -> Self {
        // As the database wrote it, so that a reader can compute the hash again.
        let raw = |text: &Option<String>| text.clone().and_then(|text| RawValue::from_string(text).ok());
        Self {
            seq: row.seq,
            at: timestamp(row.at),
            actor: Who { kind: row.actor_kind.as_str(), id: row.actor_id, name: &row.actor_name },
            act: &row.act,
            outcome: row.outcome.as_str(),
            object: What { kind: &row.object_kind, id: &row.object_id, name: &row.object_name },
            before: raw(&row.before),
            after: raw(&row.after),
            address: &row.address,
            request_id: row.request_id.map(|id| id.simple().to_string()),
            previous_hash: hex::encode(&row.previous_hash),
            hash: hex::encode(&row.hash),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(cells: &[&str]) -> String {
        let mut out = String::new();
        line(&mut out, &cells.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>());
        out
    }

    #[test]
    fn csv_is_quoted_where_it_has_to_be() {
        assert_eq!(written(&["a", "", "b c"]), "a,,b c\r\n");
        assert_eq!(written(&["a,b", "say \"x\"", "two\nlines"]), "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\"\r\n");
    }

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(written(&["=1+1", "+1", "-1", "@x"]), "'=1+1,'+1,'-1,'@x\r\n");
        assert_eq!(written(&["\tx", "\r=1"]), "'\tx,\"'\r=1\"\r\n");
        assert_eq!(written(&["\0=1"]), "'\0=1\r\n");
        assert_eq!(written(&["=HYPERLINK(\"x\",1)"]), "\"'=HYPERLINK(\"\"x\"\",1)\"\r\n");
    }
}

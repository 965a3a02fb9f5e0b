//! The audit log: writing it from every use case, reading it, and checking that it is whole.
//!
//! Who may read it: [`Permission::ReadAudit`]. Reads of what is sensitive are written down ([`Services::note_read`]): of this
//! log, and of dead letters, in which what came stands raw. Of members there are names and addresses, which those who may see
//! them work with all day: looking at their list is not written down.

mod export;

use clarity_domain::audit::{Act, ActorKind, ChainReport, Outcome};
use clarity_domain::error::AppError;
use clarity_domain::role::Permission;
use clarity_domain::time::{MINUTE, Micros};
use clarity_domain::view::audit::{AuditChange, AuditEntry, AuditFilter, AuditLog, AuditQuery, AuditRow};
use clarity_domain::view::session::UserCard;
use clarity_runtime::clock::now_us;
use clarity_runtime::planted::planted;
use clarity_store::audit::{self as store, Actor, Entry, Filter, Object, Row};
use clarity_store::auth::workspace::SeatRow;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::error::{fault, forbidden};
use crate::{Client, Seat, Services};

pub use export::{AuditExport, ExportFormat};

/// Rows of a page.
const PAGE: usize = 50;
/// Of what is looked for, so much is used.
const LONGEST: usize = 200;
/// Reads of one kind by one person within this time are one entry: a page that reads itself again fills nothing.
const READ_AGAIN: Micros = 15 * MINUTE;

/// A person as the log shows them.
pub(crate) fn person(user: &UserCard) -> Actor {
    Actor { kind: ActorKind::Person, id: Some(user.id.0), name: shown(user) }
}

/// The name of a person, as one who acts and as one who is acted on.
pub(crate) fn shown(user: &UserCard) -> String {
    format!("{} <{}>", user.name, user.email)
}

/// An operator of the platform who gives a command on its machine.
pub(crate) fn support(command: &str) -> Actor {
    Actor { kind: ActorKind::Support, id: None, name: format!("command: {command}") }
}

/// A time as people and programs read it, in UTC.
pub(crate) fn timestamp(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at).map_or_else(|_| at.to_string(), |at| at.to_string())
}

impl Seat {
    /// What this seat did, as far as the seat knows it.
    pub(crate) fn entry<'a>(&'a self, act: Act, object: Object<'a>) -> Entry<'a> {
        Entry {
            actor: &self.actor,
            act,
            object,
            before: None,
            after: None,
            outcome: Outcome::Done,
            address: &self.client.address,
            request_id: self.client.request_id,
        }
    }
}

impl Services {
    /// Lets the seat go on when its role allows it; a refusal is written down.
    pub(crate) async fn permit(
        &self,
        seat: &Seat,
        permission: Permission,
        act: Act,
        object: Object<'_>,
    ) -> Result<(), AppError> {
        let forgotten = act == Act::ReadRetention && planted("a-page-without-permission");
        if seat.role().may(permission) || forgotten {
            return Ok(());
        }
        if self.throttle.note_refusal(seat.user_id) {
            let after = json!({ "role": seat.role().as_str(), "needed": permission.least_role().as_str() });
            let refused = Entry { outcome: Outcome::Refused, after: Some(after), ..seat.entry(act, object) };
            self.record(seat, &refused).await?;
        } else {
            tracing::warn!(user = %seat.user_id, act = act.as_str(), "too many refusals: not written into the audit log");
        }
        Err(forbidden(permission))
    }

    /// Writes an entry that stands beside an act in another database role, in a transaction of its own.
    pub(crate) async fn record(&self, seat: &Seat, entry: &Entry<'_>) -> Result<(), AppError> {
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        store::record(&mut tx, entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }

    /// Writes down that this seat has read what is sensitive, if the log does not say so of the last minutes. Before what was
    /// read leaves, and after it was read, so that the page of the log begins with what was there.
    pub(crate) async fn note_read(&self, seat: &Seat, act: Act) -> Result<(), AppError> {
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        let since = now_us() - READ_AGAIN;
        if !store::was_done(&mut tx, &seat.actor, act, since).await.map_err(fault)? {
            store::record(&mut tx, &seat.entry(act, Object::default())).await.map_err(fault)?;
        }
        tx.commit().await.map_err(fault)
    }

    /// Writes into the log of each workspace of a person what concerns all of them: coming and going.
    pub(crate) async fn record_everywhere(
        &self,
        seats: &[SeatRow],
        actor: &Actor,
        act: Act,
        object: Object<'_>,
        outcome: Outcome,
        client: &Client,
    ) -> Result<(), AppError> {
        let entry = Entry {
            actor,
            act,
            object,
            before: None,
            after: None,
            outcome,
            address: &client.address,
            request_id: client.request_id,
        };
        self.record_in_each(seats, &entry).await
    }

    /// The same, with what it was before and after.
    pub(crate) async fn record_in_each(&self, seats: &[SeatRow], entry: &Entry<'_>) -> Result<(), AppError> {
        for seat in seats {
            let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
            store::record(&mut tx, entry).await.map_err(fault)?;
            tx.commit().await.map_err(fault)?;
        }
        Ok(())
    }

    /// A page of the log, with one entry in full when it is asked for.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` for a day that is none.
    pub async fn audit(&self, seat: &Seat, query: &AuditQuery) -> Result<AuditLog, AppError> {
        self.permit(seat, Permission::ReadAudit, Act::ReadAudit, Object::default()).await?;
        let filter = read_filter(&query.filter, &seat.time_zone)?;
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let limit = PAGE as i64 + 1;
        let mut upwards = query.after.filter(|_| query.before.is_none());
        let (mut rows, mut more) = match upwards {
            Some(after) => cut(store::list_newer(&mut tx, &filter, after, limit).await.map_err(fault)?),
            None => cut(store::list_older(&mut tx, &filter, query.before, limit).await.map_err(fault)?),
        };
        if upwards.is_some() {
            rows.reverse();
        }
        if upwards.is_some() && rows.is_empty() {
            // Nothing newer has come: the newest page.
            (rows, more) = cut(store::list_older(&mut tx, &filter, None, limit).await.map_err(fault)?);
            upwards = None;
        }
        // Beside a page that was reached by a link there is at least the page of that link.
        let (first, last) = (rows.first().map(|row| row.seq), rows.last().map(|row| row.seq));
        let (older, newer) = match upwards {
            Some(_) => (last, first.filter(|_| more)),
            None => (last.filter(|_| more), first.filter(|_| query.before.is_some())),
        };
        let entry = match query.entry {
            Some(seq) => store::find(&mut tx, seq).await.map_err(fault)?,
            None => None,
        };
        tx.commit().await.map_err(fault)?;
        self.note_read(seat, Act::ReadAudit).await?;
        Ok(AuditLog {
            as_of: now_us(),
            time_zone: seat.time_zone.clone(),
            rows: rows.into_iter().map(show).collect(),
            older,
            newer,
            entry: entry.map(show_whole),
            chain: None,
        })
    }

    /// Checks the workspace's chain from its first entry to its end.
    pub async fn verify_audit(&self, seat: &Seat) -> Result<ChainReport, AppError> {
        self.permit(seat, Permission::ReadAudit, Act::VerifyAudit, Object::default()).await?;
        // Whoever waits here waits for another's reading of a whole log, not with a connection in hand.
        let _turn = self.verifying.acquire().await.map_err(crate::error::broken)?;
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let report = store::verify(&mut tx).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        if let Some(broken) = report.broken {
            tracing::error!(workspace = %seat.scope.workspace_id(), ?broken, "the chain of an audit log is broken");
        }
        Ok(report)
    }
}

/// A page's rows, and whether there are more.
fn cut(mut rows: Vec<Row>) -> (Vec<Row>, bool) {
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    (rows, more)
}

/// Days become times in the workspace's zone; the last day is in it.
fn read_filter(filter: &AuditFilter, time_zone: &str) -> Result<Filter, AppError> {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    let start = |field: &str, day: Result<Date, jiff::Error>| -> Result<Micros, AppError> {
        let start = day.and_then(|day| day.to_zoned(zone.clone()));
        let start = start.map_err(|_| AppError::invalid(field, "Write the day like 2026-11-23."))?;
        Ok(start.timestamp().as_microsecond())
    };
    let from = filter.from.as_ref().map(|day| start("from", day.parse::<Date>()));
    let to = filter.to.as_ref().map(|day| start("to", day.parse::<Date>().and_then(Date::tomorrow)));
    let (from, to) = (from.transpose()?, to.transpose()?);
    if let (Some(from), Some(to)) = (from, to)
        && to <= from
    {
        return Err(AppError::invalid("to", "The last day is before the first. Swap the two."));
    }
    let short = |text: &Option<String>| text.as_ref().map(|text| text.chars().take(LONGEST).collect::<String>());
    Ok(Filter {
        from,
        to,
        actor: short(&filter.actor),
        act: short(&filter.act),
        outcome: filter.outcome,
        text: short(&filter.text),
    })
}

fn show(row: Row) -> AuditRow {
    AuditRow {
        seq: row.seq,
        at: row.at,
        actor_kind: row.actor_kind,
        actor: row.actor_name,
        act: row.act,
        object: if row.object_name.is_empty() { row.object_id } else { row.object_name },
        object_kind: row.object_kind,
        outcome: row.outcome,
        address: row.address,
    }
}

fn show_whole(row: Row) -> AuditEntry {
    AuditEntry {
        actor_id: row.actor_id.map(|id| id.to_string()),
        object_id: row.object_id.clone(),
        request_id: row.request_id.map(|id| id.simple().to_string()),
        changes: changes(row.before.as_deref(), row.after.as_deref()),
        previous_hash: hex::encode(&row.previous_hash),
        hash: hex::encode(&row.hash),
        row: show(row),
    }
}

/// Both sides field by field; what is no object stands as one field without a name.
fn changes(before: Option<&str>, after: Option<&str>) -> Vec<AuditChange> {
    let read = |text: Option<&str>| -> Map<String, Value> {
        match text.and_then(|text| serde_json::from_str(text).ok()) {
            None => Map::new(),
            Some(Value::Object(map)) => map,
            Some(other) => Map::from_iter([(String::new(), other)]),
        }
    };
    let (before, after) = (read(before), read(after));
    let mut fields: Vec<&String> = before.keys().chain(after.keys()).collect();
    fields.sort_unstable();
    fields.dedup();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    fields
        .into_iter()
        .map(|field| AuditChange {
            field: field.clone(),
            before: before.get(field).map(text),
            after: after.get(field).map(text),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_domain::error::ErrorCode;

    #[test]
    fn days_are_the_workspaces_and_the_last_is_in_it() {
        let filter =
            AuditFilter { from: Some("2026-03-29".into()), to: Some("2026-03-29".into()), ..AuditFilter::default() };
        let read = read_filter(&filter, "Europe/Vienna").unwrap();
        // The day that loses an hour, from midnight to midnight.
        assert_eq!(timestamp(read.from.unwrap()), "2026-03-28T23:00:00Z");
        assert_eq!(timestamp(read.to.unwrap()), "2026-03-29T22:00:00Z");
        for wrong in ["yesterday", "2026-13-01", "9999-12-31"] {
            let filter = AuditFilter { to: Some(wrong.into()), ..AuditFilter::default() };
            assert_eq!(read_filter(&filter, "UTC").unwrap_err().field.as_deref(), Some("to"), "{wrong}");
        }
    }

    #[test]
    fn a_range_that_ends_before_it_begins_is_refused() {
        let filter = |from: &str, to: &str| AuditFilter {
            from: Some(from.into()),
            to: Some(to.into()),
            ..AuditFilter::default()
        };
        let refused = read_filter(&filter("2026-11-24", "2026-11-23"), "Europe/Vienna").unwrap_err();
        assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Invalid, Some("to")));
        assert!(read_filter(&filter("2026-11-23", "2026-11-23"), "Europe/Vienna").is_ok());
    }

    #[test]
    fn both_sides_are_shown_field_by_field() {
        let change = |field: &str, before: Option<&str>, after: Option<&str>| AuditChange {
            field: field.into(),
            before: before.map(Into::into),
            after: after.map(Into::into),
        };
        let all = changes(Some(r#"{"b": 1, "a": "x"}"#), Some(r#"{"a": "y", "c": null}"#));
        assert_eq!(
            all,
            [change("a", Some("x"), Some("y")), change("b", Some("1"), None), change("c", None, Some("null"))]
        );
        assert_eq!(changes(None, Some("7")), [change("", None, Some("7"))]);
        assert_eq!(changes(None, None), []);
    }
}

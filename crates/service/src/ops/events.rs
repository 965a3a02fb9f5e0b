//! What our own people did at their own doors, for themselves to read: each sees what all did.

use clarity_domain::error::AppError;
use clarity_domain::view::support::{OpsEventFilter, OpsEventQuery, OpsEventRow, OpsEvents};
use clarity_store::auth::ops_event as store;

use super::OpsSeat;
use crate::Services;
use crate::error::fault;

/// Rows of a page.
const PAGE: usize = 50;
/// Of what is looked for, so much is used.
const LONGEST: usize = 200;

impl Services {
    /// A page of it, the newest first.
    pub async fn ops_events(&self, seat: &OpsSeat, query: &OpsEventQuery) -> Result<OpsEvents, AppError> {
        let person = query.filter.person.as_ref().map(|text| text.chars().take(LONGEST).collect());
        let filter = OpsEventFilter { person, ..query.filter.clone() };
        let limit = PAGE as i64 + 1;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let mut upwards = query.after.filter(|_| query.before.is_none());
        let (mut rows, mut more) = match upwards {
            Some(after) => cut(store::list_newer(&mut tx, &seat.token, &filter, after, limit).await.map_err(fault)?),
            None => cut(store::list_older(&mut tx, &seat.token, &filter, query.before, limit).await.map_err(fault)?),
        };
        if upwards.is_some() {
            rows.reverse();
        }
        if upwards.is_some() && rows.is_empty() {
            // Nothing newer has come: the newest page.
            (rows, more) = cut(store::list_older(&mut tx, &seat.token, &filter, None, limit).await.map_err(fault)?);
            upwards = None;
        }
        tx.commit().await.map_err(fault)?;
        // Beside a page that was reached by a link there is at least the page of that link.
        let (first, last) = (rows.first().map(|row| row.id), rows.last().map(|row| row.id));
        let (older, newer) = match upwards {
            Some(_) => (last, first.filter(|_| more)),
            None => (last.filter(|_| more), first.filter(|_| query.before.is_some())),
        };
        Ok(OpsEvents { person: seat.person(), rows, older, newer })
    }
}

/// A page's rows, and whether there are more.
fn cut(mut rows: Vec<OpsEventRow>) -> (Vec<OpsEventRow>, bool) {
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    (rows, more)
}

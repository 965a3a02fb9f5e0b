//! What every operation has: the asker with what their token may, the parameters of the query, pages, and times.

use axum::Json;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use clarity_domain::error::AppError;
use clarity_domain::scope::Scope;
use clarity_domain::time::Micros;
use clarity_service::tokens::ApiSeat;
use clarity_service::{Seat, Services};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::middleware::RequestId;
use crate::problem::Problem;
use crate::state::AppState;

/// JSON, or a problem in JSON.
pub type Answer<T> = Result<Json<T>, Problem>;

/// Entries of a page that says nothing of its size, and the most there are.
const USUAL: usize = 50;
const MOST: usize = 200;

/// Who asks, and what.
pub struct Asker {
    pub services: Services,
    seat: ApiSeat,
    request_id: Option<RequestId>,
    parameters: Result<Vec<(String, String)>, AppError>,
}

/// Where a page begins and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    pub after: Option<Uuid>,
    pub limit: usize,
}

impl FromRequestParts<AppState> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let request_id = parts.extensions.get::<RequestId>().copied();
        // The layer put it there: without one nobody comes so far.
        let Some(seat) = parts.extensions.get::<ApiSeat>().cloned() else {
            return Err(Problem { error: AppError::internal(), request_id });
        };
        let parameters = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map(|Query(all)| all)
            .map_err(|_| AppError::invalid("query", "The address's query could not be read."));
        Ok(Self { services: state.services.clone(), seat, request_id, parameters })
    }
}

impl Asker {
    /// The seat, when the token has this scope.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn allow(&self, scope: Scope) -> Result<&Seat, AppError> {
        self.services.allow(&self.seat, scope).await
    }

    /// The parameters of the query.
    ///
    /// # Errors
    /// `Invalid` for one that the operation does not know, and for one that is there twice: a slip that was ignored would
    /// be answered with something else than was asked for.
    pub fn parameters(&self, known: &[&str]) -> Result<Parameters<'_>, AppError> {
        let all = self.parameters.as_deref().map_err(AppError::clone)?;
        for (at, (name, _)) in all.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let message = format!("There is no parameter of this name. Known are: {}.", known.join(", "));
                return Err(AppError::invalid(name.as_str(), message));
            }
            if all[..at].iter().any(|(before, _)| before == name) {
                return Err(AppError::invalid(name.as_str(), "This parameter is there twice."));
            }
        }
        Ok(Parameters(all))
    }

    pub fn answer<T>(&self, result: Result<T, AppError>) -> Answer<T> {
        result.map(Json).map_err(|error| Problem { error, request_id: self.request_id })
    }
}

/// Names and values, each name once.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a>(&'a [(String, String)]);

impl<'a> Parameters<'a> {
    pub fn find(self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn get(self, name: &str) -> Result<&'a str, AppError> {
        self.find(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| AppError::invalid(name, "This parameter is needed."))
    }

    /// `limit` and `cursor`.
    pub fn page(self) -> Result<Page, AppError> {
        let limit = match self.find("limit") {
            None => USUAL,
            Some(text) => {
                let number = text.parse::<usize>().ok().filter(|number| (1..=MOST).contains(number));
                number.ok_or_else(|| AppError::invalid("limit", format!("Ask for 1 to {MOST} entries.")))?
            }
        };
        let after = match self.find("cursor") {
            None => None,
            Some(text) => Some(text.parse::<Uuid>().map_err(|_| {
                AppError::invalid("cursor", "This is no cursor: take it from the answer before, or leave it out.")
            })?),
        };
        Ok(Page { after, limit })
    }

    pub fn time(self, name: &str) -> Result<Micros, AppError> {
        let text = self.get(name)?;
        let read = OffsetDateTime::parse(text, &Rfc3339).ok();
        let micros = read.and_then(|at| i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000)).ok());
        micros.ok_or_else(|| {
            AppError::invalid(name, "Write the time like 2026-11-23T14:30:00Z; a plus sign in an address is %2B.")
        })
    }
}

/// RFC 3339, in UTC.
pub fn timestamp(at: Micros) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000).ok();
    at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_page_has_its_bounds() {
        assert_eq!(Parameters(&[]).page().unwrap(), Page { after: None, limit: USUAL });
        let id = Uuid::from_u128(7);
        let pairs = all(&[("limit", "200"), ("cursor", &id.to_string())]);
        assert_eq!(Parameters(&pairs).page().unwrap(), Page { after: Some(id), limit: 200 });
        for (name, value) in [("limit", "0"), ("limit", "201"), ("limit", "-1"), ("limit", "x"), ("cursor", "7")] {
            let error = Parameters(&all(&[(name, value)])).page().unwrap_err();
            assert_eq!(error.field.as_deref(), Some(name), "{value}");
        }
    }

    #[test]
    fn times_are_read_in_any_zone_and_written_in_utc() {
        let pairs = all(&[("from", "2026-11-23T14:30:00.25+01:00"), ("to", "yesterday"), ("empty", "")]);
        let parameters = Parameters(&pairs);
        assert_eq!(timestamp(parameters.time("from").unwrap()), "2026-11-23T13:30:00.25Z");
        for name in ["to", "empty", "none"] {
            assert_eq!(parameters.time(name).unwrap_err().field.as_deref(), Some(name));
        }
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
    }
}

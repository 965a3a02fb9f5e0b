//! `GET /api/v1/sources`

use clarity_domain::error::AppError;
use clarity_domain::scope::Scope;
use clarity_domain::truth::Truth;
use clarity_domain::view::sources::{SourceRow, SourceState};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::v1::answer::{Answer, Asker, timestamp};
use crate::problem::ProblemBody;

/// A page of sources.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourcePage {
    /// In the order of their ids.
    pub items: Vec<Source>,
    /// For the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// A database or broker that an agent reads.
#[derive(Debug, Serialize, ToSchema)]
pub struct Source {
    pub id: Uuid,
    pub name: String,
    /// What it is: postgres.
    pub kind: String,
    pub version: String,
    pub agent_id: Uuid,
    pub agent: String,
    /// One of waiting, connecting, snapshot, streaming, paused, stopped.
    #[schema(value_type = String)]
    pub state: SourceState,
    /// How far its data can be trusted now: live, quiet, delayed or blind.
    #[schema(value_type = String)]
    pub truth: Truth,
    /// Why, in words.
    pub truth_reason: String,
    /// Time of its newest data, by its own clock. RFC 3339, in UTC.
    #[schema(format = DateTime)]
    pub data_at: Option<String>,
    pub lag_ms: Option<i64>,
    pub events_per_s: Option<f64>,
    /// RFC 3339, in UTC.
    #[schema(format = DateTime)]
    pub last_event_at: Option<String>,
    /// Holes in its data that are known.
    pub gaps: u32,
    pub problems: Vec<SourceProblem>,
}

/// Something that a person has to do at the source.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceProblem {
    /// Stable.
    pub code: String,
    pub message: String,
}

impl From<SourceRow> for Source {
    fn from(row: SourceRow) -> Self {
        Self {
            id: row.id.0,
            name: row.name,
            kind: row.kind,
            version: row.version,
            agent_id: row.agent_id.0,
            agent: row.agent,
            state: row.state,
            truth: row.freshness.truth,
            truth_reason: row.freshness.why,
            data_at: row.freshness.data_at.map(timestamp),
            lag_ms: row.lag_ms,
            events_per_s: row.events_per_s,
            last_event_at: row.last_event_at.map(timestamp),
            gaps: row.gaps,
            problems: row
                .problems
                .into_iter()
                .map(|problem| SourceProblem { code: problem.code, message: problem.message })
                .collect(),
        }
    }
}

/// All sources
#[utoipa::path(
    get,
    path = "/api/v1/sources",
    operation_id = "list_sources",
    tag = "sources",
    params(
        ("limit" = Option<u32>, Query, description = "Sources of a page: 1 to 200, 50 without it."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses(
        (status = 200, description = "A page of sources with what is known of each.", body = SourcePage),
        (status = 401, description = "No token that is valid.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The token has not the scope read:sources.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "A parameter is wrong; `field` names it.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests; Retry-After says when to go on.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("token" = []))
)]
pub async fn list(asker: Asker) -> Answer<SourcePage> {
    asker.answer(read(&asker).await)
}

async fn read(asker: &Asker) -> Result<SourcePage, AppError> {
    let seat = asker.allow(Scope::ReadSources).await?;
    let page = asker.parameters(&["limit", "cursor"])?.page()?;
    let mut rows = asker.services.sources(seat).await?.sources;
    rows.retain(|row| page.after.is_none_or(|after| row.id.0 > after));
    rows.sort_unstable_by_key(|row| row.id);
    let more = rows.len() > page.limit;
    rows.truncate(page.limit);
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.to_string());
    Ok(SourcePage { items: rows.into_iter().map(Source::from).collect(), next_cursor })
}

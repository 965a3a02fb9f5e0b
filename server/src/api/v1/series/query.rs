//! `GET /api/v1/series`

use clarity_domain::error::AppError;
use clarity_domain::scope::Scope;
use clarity_domain::time::SECOND;
use clarity_service::SeriesRequest;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::v1::answer::{Answer, Asker, timestamp};
use crate::problem::ProblemBody;

/// Points of an answer that says nothing of them.
const USUAL: u32 = 300;

/// One metric of one machine over time.
#[derive(Debug, Serialize, ToSchema)]
pub struct Series {
    pub asset_id: Uuid,
    pub metric: String,
    /// Null where the source names none.
    pub unit: Option<String>,
    /// How many seconds each point stands for.
    pub step_s: i64,
    /// In order of time. A span without a value has no point: gaps stay gaps.
    pub points: Vec<Point>,
    /// Where the workspace's masking hides or rounds the values for the token's role: what it did. Else null.
    pub note: Option<String>,
}

/// The values from `from` until one step later.
#[derive(Debug, Serialize, ToSchema)]
pub struct Point {
    /// RFC 3339, in UTC, by the machine's clock.
    #[schema(format = DateTime)]
    pub from: String,
    pub count: u64,
    pub mean: f64,
    pub min: f64,
    pub max: f64,
    pub first: f64,
    pub last: f64,
}

/// Values over time
#[utoipa::path(
    get,
    path = "/api/v1/series",
    operation_id = "query_series",
    tag = "series",
    params(
        ("asset" = uuid::Uuid, Query, description = "The machine's id."),
        ("metric" = String, Query, description = "The metric's name, as the machine's values have it."),
        ("from" = String, Query, description = "Where the span begins: RFC 3339."),
        ("to" = String, Query, description = "Where it ends, itself not in it: RFC 3339."),
        ("points" = Option<u32>, Query, description = "At most so many points (one more where `from` is within a step): 1 to 2000, 300 without it. The smallest step that keeps to it is taken."),
    ),
    responses(
        (status = 200, description = "Count, mean, bounds and ends of the values of each step.", body = Series),
        (status = 401, description = "No token that is valid.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The token has not the scope read:series.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such machine in this workspace, or it does not report the metric as a number.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "A parameter is wrong; `field` names it.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests; Retry-After says when to go on.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("token" = []))
)]
pub async fn query(asker: Asker) -> Answer<Series> {
    asker.answer(read(&asker).await)
}

async fn read(asker: &Asker) -> Result<Series, AppError> {
    let seat = asker.allow(Scope::ReadSeries).await?;
    let parameters = asker.parameters(&["asset", "metric", "from", "to", "points"])?;
    let points = match parameters.find("points") {
        None => USUAL,
        Some(text) => text.parse::<u32>().map_err(|_| AppError::invalid("points", "Ask for 1 to 2000 points."))?,
    };
    let request = SeriesRequest {
        asset: parameters.get("asset")?.parse().map_err(|_| AppError::not_found("machine"))?,
        metric: parameters.get("metric")?.to_owned(),
        from: parameters.time("from")?,
        to: parameters.time("to")?,
        points,
    };
    let series = asker.services.series(seat, &request).await?;
    let points = series.points.into_iter().map(|point| Point {
        from: timestamp(point.from),
        count: point.count,
        mean: point.mean,
        min: point.min,
        max: point.max,
        first: point.first,
        last: point.last,
    });
    Ok(Series {
        asset_id: series.asset.0,
        metric: series.metric,
        unit: series.unit,
        step_s: series.step_us / SECOND,
        points: points.collect(),
        note: series.note.map(str::to_owned),
    })
}

//! `GET /api/v1/assets/{id}`

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use clarity_domain::error::AppError;
use clarity_domain::ids::AssetId;
use clarity_domain::scope::Scope;
use serde::Serialize;
use utoipa::ToSchema;

use super::list::Asset;
use crate::api::v1::answer::{Answer, Asker, timestamp};
use crate::problem::ProblemBody;

/// A machine with its newest values.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssetWithValues {
    pub asset: Asset,
    /// By name of the metric.
    pub values: Vec<NewestValue>,
}

/// The newest value of a metric.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewestValue {
    pub metric: String,
    /// Null where the source names none.
    pub unit: Option<String>,
    /// Null for what is no number.
    pub value: Option<f64>,
    /// A value that is no number.
    pub text: Option<String>,
    /// RFC 3339, in UTC, by the machine's clock.
    #[schema(format = DateTime)]
    pub at: String,
}

/// One machine
#[utoipa::path(
    get,
    path = "/api/v1/assets/{id}",
    operation_id = "get_asset",
    tag = "assets",
    params(("id" = uuid::Uuid, Path, description = "The machine's id.")),
    responses(
        (status = 200, description = "The machine, its state and the newest value of each metric.", body = AssetWithValues),
        (status = 401, description = "No token that is valid.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The token has not the scope read:assets.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such machine in this workspace.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "A parameter is wrong; `field` names it.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests; Retry-After says when to go on.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("token" = []))
)]
pub async fn get(asker: Asker, path: Result<Path<String>, PathRejection>) -> Answer<AssetWithValues> {
    let id = path.map_or_else(|_| String::new(), |Path(id)| id);
    asker.answer(read(&asker, &id).await)
}

async fn read(asker: &Asker, id: &str) -> Result<AssetWithValues, AppError> {
    let seat = asker.allow(Scope::ReadAssets).await?;
    asker.parameters(&[])?;
    let id: AssetId = id.parse().map_err(|_| AppError::not_found("machine"))?;
    let detail = asker.services.asset(seat, id).await?;
    let values = detail.values.into_iter().map(|value| NewestValue {
        metric: value.metric,
        unit: value.unit,
        value: value.value,
        text: value.text,
        at: timestamp(value.at),
    });
    Ok(AssetWithValues { values: values.collect(), asset: detail.asset.into() })
}

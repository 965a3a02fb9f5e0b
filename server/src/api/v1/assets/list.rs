//! `GET /api/v1/assets`

use clarity_domain::error::AppError;
use clarity_domain::ids::AssetId;
use clarity_domain::scope::Scope;
use clarity_service::AssetSummary;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::v1::answer::{Answer, Asker, timestamp};
use crate::problem::ProblemBody;

/// A page of machines.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssetPage {
    /// In the order of their ids.
    pub items: Vec<Asset>,
    /// For the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// A machine.
#[derive(Debug, Serialize, ToSchema)]
pub struct Asset {
    pub id: Uuid,
    /// As the sources write it.
    pub key: String,
    pub name: String,
    pub line: Option<String>,
    pub model: Option<String>,
    /// IANA name, of its site.
    pub time_zone: String,
    /// Null where no source says.
    pub state: Option<State>,
}

/// The state that a machine is in.
#[derive(Debug, Serialize, ToSchema)]
pub struct State {
    /// One of running, idle, set_up, down, planned, unknown.
    pub category: String,
    /// The source's own word, where it is another.
    pub label: Option<String>,
    pub reason: Option<String>,
    /// RFC 3339, in UTC.
    #[schema(format = DateTime)]
    pub since: String,
}

impl From<AssetSummary> for Asset {
    fn from(asset: AssetSummary) -> Self {
        Self {
            id: asset.id.0,
            key: asset.key,
            name: asset.name,
            line: asset.line,
            model: asset.model,
            time_zone: asset.time_zone,
            state: asset.state.map(|state| State {
                category: state.category.as_str().to_owned(),
                label: state.label,
                reason: state.reason,
                since: timestamp(state.since),
            }),
        }
    }
}

/// All machines
#[utoipa::path(
    get,
    path = "/api/v1/assets",
    operation_id = "list_assets",
    tag = "assets",
    params(
        ("limit" = Option<u32>, Query, description = "Machines of a page: 1 to 200, 50 without it."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses(
        (status = 200, description = "A page of machines with the state each is in.", body = AssetPage),
        (status = 401, description = "No token that is valid.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The token has not the scope read:assets.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "A parameter is wrong; `field` names it.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests; Retry-After says when to go on.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("token" = []))
)]
pub async fn list(asker: Asker) -> Answer<AssetPage> {
    asker.answer(read(&asker).await)
}

async fn read(asker: &Asker) -> Result<AssetPage, AppError> {
    let seat = asker.allow(Scope::ReadAssets).await?;
    let page = asker.parameters(&["limit", "cursor"])?.page()?;
    let (assets, more) = asker.services.assets(seat, page.after.map(AssetId), page.limit).await?;
    let next_cursor = assets.last().filter(|_| more).map(|asset| asset.id.to_string());
    Ok(AssetPage { items: assets.into_iter().map(Asset::from).collect(), next_cursor })
}

//! `GET /api/v1/workspace`

use clarity_domain::error::AppError;
use clarity_domain::scope::Scope;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::v1::answer::{Answer, Asker};
use crate::problem::ProblemBody;

/// The workspace that the token belongs to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Workspace {
    pub id: Uuid,
    /// As in the addresses of its pages.
    pub slug: String,
    pub name: String,
    /// IANA name. Days of the workspace are cut there.
    pub time_zone: String,
    /// What the token's service account is here: viewer or operator.
    pub role: String,
}

/// The token's workspace
#[utoipa::path(
    get,
    path = "/api/v1/workspace",
    operation_id = "get_workspace",
    tag = "workspace",
    responses(
        (status = 200, description = "The workspace that the token belongs to.", body = Workspace),
        (status = 401, description = "No token that is valid.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The token has not the scope read:workspace.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "A parameter is wrong; `field` names it.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests; Retry-After says when to go on.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("token" = []))
)]
pub async fn get(asker: Asker) -> Answer<Workspace> {
    asker.answer(read(&asker).await)
}

async fn read(asker: &Asker) -> Result<Workspace, AppError> {
    let seat = asker.allow(Scope::ReadWorkspace).await?;
    asker.parameters(&[])?;
    let card = seat.frame_card();
    Ok(Workspace {
        id: card.id.0,
        slug: card.slug,
        name: card.name,
        time_zone: seat.time_zone().to_owned(),
        role: card.role.as_str().to_owned(),
    })
}

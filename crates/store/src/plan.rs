//! A workspace's plan. Read by everybody whose work it limits, written as the owner of the tables alone, by a command.

use crate::address;
use crate::scope::{Principal, WorkspaceScope};
use crate::{Result, StoreError, WorkspaceTx, audit};
use clarity_domain::audit::{Act, ActorKind, Outcome};
use clarity_domain::ids::WorkspaceId;
use clarity_domain::plan::{Agreed, Plan, Terms};
use clarity_runtime::database::DbLogin;
use serde_json::{Value, json};
use sqlx::postgres::PgPoolOptions;

/// What was said of this workspace; `None`: it has the installation's plan.
pub async fn find(tx: &mut WorkspaceTx) -> Result<Option<Terms>> {
    let workspace = tx.workspace();
    let row = sqlx::query!("select plan, agreed from workspace_plans where workspace_id = $1", workspace)
        .fetch_optional(tx.conn())
        .await?;
    row.map(|r| read(&r.plan, r.agreed)).transpose()
}

fn read(plan: &str, agreed: Value) -> Result<Terms> {
    let plan: Plan = plan.parse().map_err(|_| StoreError::Corrupt("workspace_plans.plan"))?;
    let agreed: Agreed = serde_json::from_value(agreed).map_err(|_| StoreError::Corrupt("workspace_plans.agreed"))?;
    Ok(Terms { plan, agreed })
}

/// Sets a workspace's plan, as the owner of the tables, and writes it into the workspace's audit log as our support's act.
/// Gives what it was before.
///
/// # Crosses workspaces
/// The operator's command names the workspace by its slug; nothing else of it is read or written.
///
/// # Errors
/// `NotFound` when there is no such workspace.
pub async fn set_as_owner(login: &DbLogin, slug: &str, terms: &Terms) -> Result<Option<Terms>> {
    let options = address::of(login)?.options([("timezone", "UTC")]);
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
    let found = sqlx::query_scalar!("select id from auth.workspaces where slug = $1", slug);
    let workspace = found.fetch_optional(&pool).await?.ok_or(StoreError::NotFound)?;
    let scope = WorkspaceScope::new(WorkspaceId(workspace), Principal::Worker);
    let mut tx = WorkspaceTx::begin(&pool, &scope, false).await?;
    let before = find(&mut tx).await?;
    let agreed = serde_json::to_value(&terms.agreed).map_err(|_| StoreError::Corrupt("limits"))?;
    sqlx::query!(
        "insert into workspace_plans (workspace_id, plan, agreed)
         values ($1, $2, $3)
         on conflict (workspace_id) do update
         set plan = excluded.plan, agreed = excluded.agreed, set_at = now()",
        workspace,
        terms.plan.as_str(),
        agreed
    )
    .execute(tx.conn())
    .await?;
    let actor = audit::Actor { kind: ActorKind::Support, id: None, name: "command: set-plan".into() };
    let entry = audit::Entry {
        actor: &actor,
        act: Act::SetPlan,
        object: audit::Object { kind: "plan", id: terms.plan.as_str(), name: terms.plan.name() },
        before: before.as_ref().map(said),
        after: Some(said(terms)),
        outcome: Outcome::Done,
        address: "local",
        request_id: None,
    };
    audit::record(&mut tx, &entry).await?;
    tx.commit().await?;
    pool.close().await;
    Ok(before)
}

fn said(terms: &Terms) -> Value {
    json!({ "plan": terms.plan, "agreed": terms.agreed })
}

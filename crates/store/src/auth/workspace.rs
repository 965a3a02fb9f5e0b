//! Workspaces and their members.

use super::renewal;
use crate::scope::{Principal, WorkspaceScope};
use crate::{AuthTx, Result};
use clarity_domain::ids::{UserId, WorkspaceId};
use clarity_domain::role::Role;
use clarity_domain::view::session::WorkspaceCard;
use uuid::Uuid;

/// A member's place in a workspace.
#[derive(Clone, Debug)]
pub struct SeatRow {
    pub scope: WorkspaceScope,
    pub card: WorkspaceCard,
    /// IANA name; days of the workspace are cut there.
    pub time_zone: String,
    /// Whoever enters has to have shown a second factor.
    pub second_factor_required: bool,
    /// How the workspace's single sign-on bears on this seat.
    pub sso: SsoRule,
}

/// What a workspace's single sign-on asks of a session that did not come by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SsoRule {
    /// Nothing; so for a session that came by it.
    #[default]
    Free,
    /// To come by it.
    Required,
    /// To come by it, and this owner may come in past it.
    BreakGlass,
}

impl SsoRule {
    pub(crate) fn of(required: bool, break_glass: bool, by_sso: bool) -> Self {
        match (required && !by_sso, break_glass) {
            (false, _) => Self::Free,
            (true, false) => Self::Required,
            (true, true) => Self::BreakGlass,
        }
    }
}

impl SeatRow {
    pub(crate) fn new(user: Uuid, workspace: Uuid, slug: String, name: String, time_zone: String, role: Role) -> Self {
        let id = WorkspaceId(workspace);
        let scope = WorkspaceScope::new(id, Principal::Member { user_id: UserId(user), role });
        Self {
            scope,
            card: WorkspaceCard { id, slug, name, role },
            time_zone,
            second_factor_required: false,
            sso: SsoRule::Free,
        }
    }

    pub(crate) fn requiring(self, second_factor: bool) -> Self {
        Self { second_factor_required: second_factor, ..self }
    }

    pub(crate) fn ruled(self, sso: SsoRule) -> Self {
        Self { sso, ..self }
    }
}

/// Makes a workspace with its owner. `None` when the slug is taken, or was a deleted workspace's within a year: try another.
pub async fn create(
    tx: &mut AuthTx,
    owner: UserId,
    slug: &str,
    name: &str,
    time_zone: &str,
) -> Result<Option<SeatRow>> {
    let id = Uuid::now_v7();
    let made = sqlx::query!(
        "insert into auth.workspaces (id, slug, name, time_zone)
         select $1::uuid, $2::text, $3::text, $4::text
         where not exists (
           select from auth.deleted_workspaces d
           where d.slug_hash = sha256(convert_to($2::text, 'UTF8'))
             and (d.finished_at is null or d.finished_at > now() - interval '1 year')
         )
         on conflict (slug) do nothing",
        id,
        slug,
        name,
        time_zone
    )
    .execute(tx.conn())
    .await?;
    if made.rows_affected() == 0 {
        return Ok(None);
    }
    sqlx::query!("insert into auth.memberships (workspace_id, user_id, role) values ($1, $2, 'owner')", id, owner.0)
        .execute(tx.conn())
        .await?;
    renewal::ask(tx, owner).await?;
    Ok(Some(SeatRow::new(owner.0, id, slug.into(), name.into(), time_zone.into(), Role::Owner)))
}

/// Every workspace this person has a seat in, by name, as a session by password finds them.
pub async fn list_seats(tx: &mut AuthTx, user: UserId) -> Result<Vec<SeatRow>> {
    let rows = sqlx::query!(
        r#"select w.id, w.slug, w.name, w.time_zone, w.second_factor_required, m.role, m.break_glass,
                  coalesce(c.required, false) as "sso_required!"
         from auth.memberships m
         join auth.workspaces w on w.id = m.workspace_id
         left join auth.sso_connections c on c.workspace_id = w.id
         where m.user_id = $1
         order by lower(w.name), w.id"#,
        user.0
    )
    .fetch_all(tx.conn())
    .await?;
    let seats = rows.into_iter().map(|r| {
        SeatRow::new(user.0, r.id, r.slug, r.name, r.time_zone, role(&r.role))
            .requiring(r.second_factor_required)
            .ruled(SsoRule::of(r.sso_required, r.break_glass, false))
    });
    Ok(seats.collect())
}

/// The seat of a workspace's first owner, for commands that an operator of the platform gives on its machine.
pub async fn find_owner_seat(tx: &mut AuthTx, slug: &str) -> Result<Option<SeatRow>> {
    let row = sqlx::query!(
        "select m.user_id, w.id, w.slug, w.name, w.time_zone, w.second_factor_required
         from auth.workspaces w
         join auth.memberships m on m.workspace_id = w.id
         where w.slug = $1
           and m.role = 'owner'
         order by m.created_at, m.user_id
         limit 1",
        slug
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| {
        SeatRow::new(r.user_id, r.id, r.slug, r.name, r.time_zone, Role::Owner).requiring(r.second_factor_required)
    }))
}

/// The name of the scope's workspace, for letters about it.
pub async fn get_name(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<String> {
    Ok(sqlx::query_scalar!("select name from auth.workspaces where id = $1", scope.workspace_id().0)
        .fetch_one(tx.conn())
        .await?)
}

/// Where the workspace is, as its members say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// A word for people; empty: none was said.
    pub region: String,
    /// IANA name.
    pub time_zone: String,
}

pub async fn get_place(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<Place> {
    let row = sqlx::query!("select region, time_zone from auth.workspaces where id = $1", scope.workspace_id().0)
        .fetch_one(tx.conn())
        .await?;
    Ok(Place { region: row.region, time_zone: row.time_zone })
}

pub async fn set_place(tx: &mut AuthTx, scope: &WorkspaceScope, place: &Place) -> Result<()> {
    sqlx::query!(
        "update auth.workspaces set region = $2, time_zone = $3 where id = $1",
        scope.workspace_id().0,
        place.region,
        place.time_zone
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether members have to have a second factor. The caller has locked the workspace.
pub async fn set_second_factor_required(tx: &mut AuthTx, scope: &WorkspaceScope, required: bool) -> Result<()> {
    sqlx::query!(
        "update auth.workspaces set second_factor_required = $2 where id = $1",
        scope.workspace_id().0,
        required
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) fn role(word: &str) -> Role {
    match word.parse() {
        Ok(role) => role,
        Err(never) => match never {},
    }
}

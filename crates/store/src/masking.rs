//! Masking policies, and which state of them each agent applies.
//!
//! Rows are added and marked as removed, never changed: so the number of both is a version that only grows.

use crate::at::micros;
use crate::{Result, StoreError, WorkspaceTx};
use clarity_domain::ids::{AgentId, SourceId, UserId};
use clarity_domain::mapping::MappingSpec;
use clarity_domain::masking::{MaskPlace, MaskPolicy, MaskRule};
use clarity_domain::role::Role;
use clarity_domain::time::Micros;
use serde_json::Value;
use uuid::Uuid;

/// A policy in force, and who made it.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    pub policy: MaskPolicy,
    pub created_by: String,
    pub created_at: Micros,
    /// The state of the agents' policies from which on it is among them; of a view it says nothing.
    pub version: i64,
}

struct Row {
    id: Uuid,
    source_id: Option<Uuid>,
    stream: String,
    field: String,
    rule: Value,
    place: String,
    least_role: Option<String>,
}

impl Row {
    fn read(self) -> Result<MaskPolicy> {
        let corrupt = || StoreError::Corrupt("masking_policies");
        let rule: MaskRule = serde_json::from_value(self.rule).map_err(|_| corrupt())?;
        Ok(MaskPolicy {
            id: self.id,
            source_id: self.source_id.map(SourceId),
            stream: self.stream,
            field: self.field,
            rule,
            place: MaskPlace::read(&self.place).ok_or_else(corrupt)?,
            least_role: self.least_role.map(|role| role.parse().unwrap_or(Role::Owner)),
        })
    }
}

/// Policies in force, by their streams and fields.
pub async fn list_live(tx: &mut WorkspaceTx) -> Result<Vec<MaskPolicy>> {
    let workspace = tx.workspace();
    let rows = sqlx::query_as!(
        Row,
        "select id, source_id, stream, field, rule, place, least_role
         from masking_policies
         where workspace_id = $1
           and removed_at is null
         order by stream, field, place, id",
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// As [`list_live`], with who made them.
pub async fn list_with_makers(tx: &mut WorkspaceTx) -> Result<Vec<Live>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"select p.id, p.source_id, p.stream, p.field, p.rule, p.place, p.least_role, p.created_by_name, p.created_at,
                  (
                    select count(*) filter (where o.created_at <= p.created_at)
                         + count(*) filter (where o.removed_at <= p.created_at)
                    from masking_policies o
                    where o.workspace_id = $1
                      and o.place = 'agent'
                  ) as "version!"
           from masking_policies p
           where p.workspace_id = $1
             and p.removed_at is null
           order by p.stream, p.field, p.place, p.id"#,
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|r| {
            let (created_by, created_at, version) = (r.created_by_name, micros(r.created_at), r.version);
            let row = Row {
                id: r.id,
                source_id: r.source_id,
                stream: r.stream,
                field: r.field,
                rule: r.rule,
                place: r.place,
                least_role: r.least_role,
            };
            Ok(Live { policy: row.read()?, created_by, created_at, version })
        })
        .collect()
}

/// Makes a policy.
///
/// # Errors
/// `Conflict` when the field is masked in this place already, or the source is not there; `Invalid` for names that are too long.
pub async fn add(tx: &mut WorkspaceTx, policy: &MaskPolicy, by: UserId, by_name: &str) -> Result<()> {
    let workspace = tx.workspace();
    let rule = serde_json::to_value(policy.rule).map_err(|_| StoreError::Corrupt("mask rule"))?;
    // In order: each has a time of its own, after all that are there.
    lock(tx).await?;
    sqlx::query!(
        "insert into masking_policies
           (workspace_id, id, source_id, stream, field, rule, place, least_role, created_by, created_by_name, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, clock_timestamp())",
        workspace,
        policy.id,
        policy.source_id.map(|source| source.0),
        policy.stream,
        policy.field,
        rule,
        policy.place.as_str(),
        policy.least_role.map(Role::as_str),
        by.0,
        by_name
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends a policy; gives what it said.
///
/// # Errors
/// `NotFound` when it is none, or removed already.
pub async fn remove(tx: &mut WorkspaceTx, id: Uuid, by: UserId) -> Result<MaskPolicy> {
    let workspace = tx.workspace();
    lock(tx).await?;
    sqlx::query_as!(
        Row,
        "update masking_policies
         set removed_at = clock_timestamp(), removed_by = $3
         where workspace_id = $1
           and id = $2
           and removed_at is null
         returning id, source_id, stream, field, rule, place, least_role",
        workspace,
        id,
        by.0
    )
    .fetch_one(tx.conn())
    .await?
    .read()
}

/// A workspace's changes of policies come one after another.
async fn lock(tx: &mut WorkspaceTx) -> Result<()> {
    let workspace = tx.workspace();
    sqlx::query!(
        r#"select pg_advisory_xact_lock(hashtextextended('masking ' || $1::uuid::text, 0))::text as "locked""#,
        workspace
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(())
}

/// What agents apply: the version of its state, and the policies.
pub async fn list_at_agents(tx: &mut WorkspaceTx) -> Result<(i64, Vec<MaskPolicy>)> {
    let version = find_version(tx).await?;
    let policies = list_live(tx).await?.into_iter().filter(|policy| policy.place == MaskPlace::Agent).collect();
    Ok((version, policies))
}

/// The version alone: whether there is anything new.
pub async fn find_version(tx: &mut WorkspaceTx) -> Result<i64> {
    let workspace = tx.workspace();
    Ok(sqlx::query_scalar!(
        r#"select count(*) + count(removed_at) as "version!"
           from masking_policies
           where workspace_id = $1
             and place = 'agent'"#,
        workspace
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Notes which version an agent says that it applies.
pub async fn note_applied(tx: &mut WorkspaceTx, agent: AgentId, version: i64) -> Result<()> {
    let workspace = tx.workspace();
    sqlx::query!(
        "update agents
         set masks_version = $3, masks_at = now()
         where workspace_id = $1
           and id = $2
           and masks_version <> $3",
        workspace,
        agent.0,
        version
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// An agent that is paired, and what it said of masks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentMasks {
    pub id: AgentId,
    pub name: String,
    /// 0: it has never said.
    pub version: i64,
}

/// Agents that are in use, by name.
pub async fn list_agents(tx: &mut WorkspaceTx) -> Result<Vec<AgentMasks>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select id, name, masks_version
         from agents
         where workspace_id = $1
           and revoked_at is null
         order by name, id",
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|r| AgentMasks { id: AgentId(r.id), name: r.name, version: r.masks_version }).collect())
}

/// What a mask can be for: a stream of a source, with how it is read; a source without streams has one without a name.
#[derive(Clone, Debug)]
pub struct Maskable {
    pub source: SourceId,
    pub source_name: String,
    pub agent: AgentId,
    pub stream: Option<String>,
    /// Its columns' names as last seen.
    pub columns: Vec<String>,
    /// Its metrics that rows name, as `value[Speed]`.
    pub tagged: Vec<String>,
    pub spec: Option<MappingSpec>,
}

/// Sources of agents in use with their streams, by name.
pub async fn list_maskable(tx: &mut WorkspaceTx) -> Result<Vec<Maskable>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"select s.id, s.name, s.agent_id, t.name as "stream?", t.schema as "schema?",
                  (
                    select m.spec
                    from mappings m
                    where m.workspace_id = $1 and m.stream_id = t.id
                    order by m.version desc
                    limit 1
                  ) as spec,
                  (
                    select array_agg(distinct g.column_name)
                    from metrics g
                    where g.workspace_id = $1
                      and g.stream_id = t.id
                      and g.column_name like '%[%]'
                  ) as "tagged?"
           from sources s
           join agents a on a.workspace_id = s.workspace_id and a.id = s.agent_id and a.revoked_at is null
           left join streams t on t.workspace_id = s.workspace_id and t.source_id = s.id
           where s.workspace_id = $1
           order by s.name, s.id, t.name"#,
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(Maskable {
                source: SourceId(r.id),
                source_name: r.name,
                agent: AgentId(r.agent_id),
                stream: r.stream,
                columns: r.schema.as_ref().map(columns).unwrap_or_default(),
                tagged: r.tagged.unwrap_or_default(),
                spec: r
                    .spec
                    .map(serde_json::from_value)
                    .transpose()
                    .map_err(|_| StoreError::Corrupt("mappings.spec"))?,
            })
        })
        .collect()
}

/// The names of a `wire::body::StreamSchema`'s columns.
fn columns(schema: &Value) -> Vec<String> {
    let columns = schema.get("columns").and_then(Value::as_array);
    let name = |column: &Value| column.get("n").and_then(Value::as_str).map(str::to_owned);
    columns.into_iter().flatten().filter_map(name).collect()
}

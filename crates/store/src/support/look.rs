//! What a live grant shows. Nothing is read before the read stands in the workspace's audit log, committed: a [`Looking`] is
//! made in no other way. And nothing is handed on after the grant ended: see [`Looking::finish`].

use clarity_domain::ids::SupportGrantId;
use clarity_domain::time::Micros;
use clarity_domain::view::support::{OpsAgentRow, OpsDeadLetterRow, OpsSourceRow};
use uuid::Uuid;

use crate::at::micros;
use crate::{OpsScope, OpsStore, OpsTx, Result};

/// What lets its person in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveGrant {
    pub id: SupportGrantId,
    /// The owner who said yes.
    pub approved_by: String,
    pub ends_at: Micros,
}

/// A read that was written down.
pub struct Looking {
    tx: OpsTx,
    grant: LiveGrant,
}

impl OpsStore {
    /// Begins a read of `what`, once that stands in the audit log. `None` when no grant is live.
    pub async fn look(
        &self,
        scope: &OpsScope,
        what: &str,
        address: &str,
        request_id: Option<Uuid>,
    ) -> Result<Option<Looking>> {
        let mut tx = self.begin(scope).await?;
        let row = sqlx::query!(
            r#"select grant_id as "grant_id!", approver as "approver?", open_until as "open_until!"
               from note_support_read($1, $2, $3)"#,
            what,
            address,
            request_id
        )
        .fetch_optional(tx.conn())
        .await?;
        let Some(row) = row else { return Ok(None) };
        tx.commit().await?;
        let grant = LiveGrant {
            id: SupportGrantId(row.grant_id),
            approved_by: row.approver.unwrap_or_default(),
            ends_at: micros(row.open_until),
        };
        Ok(Some(Looking { tx: self.begin(scope).await?, grant }))
    }
}

impl Looking {
    /// Ends it. `None` when the grant ended meanwhile: what was read is not to be shown.
    pub async fn finish(mut self) -> Result<Option<LiveGrant>> {
        let live = sqlx::query_scalar!(r#"select ops_grant_live() as "live!""#).fetch_one(self.tx.conn()).await?;
        self.tx.commit().await?;
        Ok(live.then_some(self.grant))
    }
}

/// Agents that were not revoked, by name.
pub async fn list_agents(looking: &mut Looking) -> Result<Vec<OpsAgentRow>> {
    let workspace = looking.tx.workspace();
    let rows = sqlx::query!(
        "select name, version, connected, seen_at, denied
         from agents
         where workspace_id = $1
           and revoked_at is null
         order by name, id",
        workspace
    )
    .fetch_all(looking.tx.conn())
    .await?;
    let agents = rows.into_iter().map(|r| OpsAgentRow {
        name: r.name,
        version: r.version,
        connected: r.connected,
        seen_at: r.seen_at.map(micros),
        denied: r.denied,
    });
    Ok(agents.collect())
}

/// Their sources, by name.
pub async fn list_sources(looking: &mut Looking) -> Result<Vec<OpsSourceRow>> {
    let workspace = looking.tx.workspace();
    let rows = sqlx::query!(
        r#"select s.name, s.kind, s.product, s.paused, s.state, s.status_at, a.name as agent,
                  c.durable_events as "durable_events?", c.changed_at as "durable_at?",
                  (select count(*) from streams t where t.workspace_id = $1 and t.source_id = s.id) as "streams!"
           from sources s
           join agents a on a.workspace_id = s.workspace_id and a.id = s.agent_id
           left join source_cursors c on c.workspace_id = s.workspace_id and c.source_id = s.id
           where s.workspace_id = $1
             and a.revoked_at is null
           order by s.name, s.id"#,
        workspace
    )
    .fetch_all(looking.tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| OpsSourceRow {
            name: r.name,
            kind: r.kind,
            product: r.product,
            agent: r.agent,
            paused: r.paused,
            state: r.state.unwrap_or_default(),
            status_at: r.status_at.map(micros),
            streams: u32::try_from(r.streams).unwrap_or_default(),
            durable_events: r.durable_events.unwrap_or_default().max(0).unsigned_abs(),
            durable_at: r.durable_at.map(micros),
        })
        .collect())
}

/// Open letters by cause, most first; at most a hundred causes. No letter's payload, and of what an agent could not decode no
/// words either: they quote the beginning of the row.
pub async fn list_dead_letters(looking: &mut Looking) -> Result<Vec<OpsDeadLetterRow>> {
    let workspace = looking.tx.workspace();
    let rows = sqlx::query!(
        r#"select s.name as source, d.stream_name,
                  regexp_replace(max(d.cause), '^(the agent could not decode the event):.*$', '\1') as "cause!",
                  count(*) as "count!", max(d.created_at) as "newest_at!"
           from dead_letters d
           join sources s on s.workspace_id = d.workspace_id and s.id = d.source_id
           where d.workspace_id = $1
             and d.replayed_at is null
           group by s.id, s.name, d.stream_name, d.fingerprint
           order by count(*) desc, s.name, d.stream_name, d.fingerprint
           limit 100"#,
        workspace
    )
    .fetch_all(looking.tx.conn())
    .await?;
    let letters = rows.into_iter().map(|r| OpsDeadLetterRow {
        source: r.source,
        stream: r.stream_name,
        cause: r.cause,
        count: r.count.max(0).unsigned_abs(),
        newest_at: micros(r.newest_at),
    });
    Ok(letters.collect())
}

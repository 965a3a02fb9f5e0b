//! The end of a workspace, as owners ask for it, and the certificate that is left when it is gone.
//!
//! Whoever asks or takes it back has locked the workspace ([`super::member::lock`]). Once a worker has begun, it cannot be
//! taken back: `begun_at` says so.

use crate::at::{micros, timestamp};
use crate::scope::WorkspaceScope;
use crate::{AuthTx, Result, StoreError};
use clarity_domain::ids::UserId;
use clarity_domain::time::Micros;
use clarity_domain::view::deletion::{Certificate, ErasedTable, PendingDeletion};
use uuid::Uuid;

/// SHA-256 of the token in a certificate's link.
pub type LinkHash = [u8; 32];

/// A letter that is to be posted: whose workspace's rows are all gone.
#[derive(Clone, Debug)]
pub struct DueLetter {
    pub id: Uuid,
    pub to: String,
    /// The workspace's name.
    pub name: String,
}

/// # Errors
/// `Conflict("deletions_pkey")` when it is asked for already.
pub async fn insert(tx: &mut AuthTx, scope: &WorkspaceScope, by: UserId, by_name: &str, due_at: Micros) -> Result<()> {
    sqlx::query!(
        "insert into auth.deletions (workspace_id, requested_by, requested_by_name, due_at) values ($1, $2, $3, $4)",
        scope.workspace_id().0,
        by.0,
        by_name,
        timestamp(due_at)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether the workspace is to go, and when.
pub async fn find(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<Option<PendingDeletion>> {
    let row = sqlx::query!(
        "select requested_by_name, requested_at, due_at from auth.deletions where workspace_id = $1",
        scope.workspace_id().0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| PendingDeletion {
        requested_by: r.requested_by_name,
        requested_at: micros(r.requested_at),
        due_at: micros(r.due_at),
    }))
}

/// Takes it back.
///
/// # Errors
/// `NotFound` when nobody asked for it, or when it has begun.
pub async fn cancel(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<()> {
    let gone =
        sqlx::query!("delete from auth.deletions where workspace_id = $1 and begun_at is null", scope.workspace_id().0)
            .execute(tx.conn())
            .await?;
    if gone.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}

/// The letters of workspaces that are gone, locked; others that look meanwhile leave them out.
pub async fn list_due_letters(tx: &mut AuthTx, most: i64) -> Result<Vec<DueLetter>> {
    let rows = sqlx::query!(
        r#"select l.id, l.to_address as "to_address!", w.name
           from auth.certificate_links l
           join auth.deleted_workspaces w on w.workspace_id = l.workspace_id
           where w.finished_at is not null
             and l.to_address is not null
           order by l.id
           limit $1
           for update of l skip locked"#,
        most
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|r| DueLetter { id: r.id, to: r.to_address, name: r.name }).collect())
}

/// The letter is posted, with a link of this hash. To whom is not kept.
pub async fn note_letter(tx: &mut AuthTx, id: Uuid, hash: &LinkHash) -> Result<()> {
    sqlx::query!(
        "update auth.certificate_links set to_address = null, token_hash = $2 where id = $1",
        id,
        hash.as_slice()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The certificate that a link leads to.
pub async fn find_certificate(tx: &mut AuthTx, hash: &LinkHash) -> Result<Option<Certificate>> {
    let row = sqlx::query!(
        r#"select w.workspace_id, w.name, w.requested_by_name, w.requested_at, w.due_at, w.begun_at,
                  w.finished_at as "finished_at!", w.first_audit_hash, w.last_audit_hash
           from auth.certificate_links l
           join auth.deleted_workspaces w on w.workspace_id = l.workspace_id
           where l.token_hash = $1
             and w.finished_at is not null"#,
        hash.as_slice()
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let tables = sqlx::query!(
        "select table_name, rows_removed, bytes_removed
         from auth.deleted_rows
         where workspace_id = $1
         order by table_name",
        row.workspace_id
    )
    .fetch_all(tx.conn())
    .await?;
    let tables = tables.into_iter().map(|t| ErasedTable {
        name: t.table_name,
        rows: t.rows_removed.max(0).unsigned_abs(),
        bytes: t.bytes_removed.max(0).unsigned_abs(),
    });
    Ok(Some(Certificate {
        name: row.name,
        workspace_id: row.workspace_id.to_string(),
        requested_by: row.requested_by_name,
        requested_at: micros(row.requested_at),
        due_at: micros(row.due_at),
        begun_at: micros(row.begun_at),
        finished_at: micros(row.finished_at),
        first_audit_hash: row.first_audit_hash.map(hex::encode),
        last_audit_hash: row.last_audit_hash.map(hex::encode),
        tables: tables.collect(),
    }))
}

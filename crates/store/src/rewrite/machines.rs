//! Names that machines and sites have from masked values. Numbers and ids stay: they are given once.

use crate::{Result, WorkspaceTx};

/// What a machine is called from now on, until a masked row describes it anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNames {
    pub number: i32,
    pub key: String,
    pub name: String,
    pub line: String,
    pub model: String,
}

/// Renames machines.
pub async fn rename(tx: &mut WorkspaceTx, machines: &[NewNames]) -> Result<()> {
    let workspace = tx.workspace();
    let numbers: Vec<i32> = machines.iter().map(|m| m.number).collect();
    let of = |pick: fn(&NewNames) -> &str| machines.iter().map(pick).collect::<Vec<&str>>();
    let (keys, names, lines, models) = (of(|m| &m.key), of(|m| &m.name), of(|m| &m.line), of(|m| &m.model));
    sqlx::query!(
        "update assets a
         set key = m.key, name = m.name, line = m.line, model = m.model
         from unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::text[]) as m (number, key, name, line, model)
         where a.workspace_id = $1 and a.number = m.number",
        workspace,
        &numbers,
        &keys as &[&str],
        &names as &[&str],
        &lines as &[&str],
        &models as &[&str]
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes their names from all sites that machines stand on; masked rows make their own.
pub async fn rename_sites(tx: &mut WorkspaceTx) -> Result<()> {
    let workspace = tx.workspace();
    sqlx::query!(
        "update sites s
         set name = 'Site ' || s.id::text
         where s.workspace_id = $1
           and exists (select from assets a where a.workspace_id = $1 and a.site_id = s.id)",
        workspace
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

//! What the command palette finds: machines and sources by a part of their name.

use crate::{Result, WorkspaceTx};
use clarity_domain::ids::{AssetId, SourceId};
use clarity_domain::view::search::{SearchHit, SearchTarget};

/// At most twenty: those that begin with the text first.
pub async fn find(tx: &mut WorkspaceTx, text: &str) -> Result<Vec<SearchHit>> {
    let workspace = tx.workspace();
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let rows = sqlx::query!(
        r#"select f.is_asset as "is_asset!", f.id as "id!", f.name as "name!", f.detail as "detail!"
         from (
           select true as is_asset, id, name, line as detail
           from assets
           where workspace_id = $1
             and (name ilike '%' || $2::text || '%' or key ilike '%' || $2 || '%')
           union all
           select false, id, name, product
           from sources
           where workspace_id = $1
             and name ilike '%' || $2 || '%'
         ) f
         order by not (f.name ilike $2 || '%'), f.is_asset, f.name, f.id
         limit 20"#,
        workspace,
        escaped
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| SearchHit {
            target: if r.is_asset { SearchTarget::Asset(AssetId(r.id)) } else { SearchTarget::Source(SourceId(r.id)) },
            name: r.name,
            detail: Some(r.detail).filter(|d| !d.is_empty()),
        })
        .collect())
}

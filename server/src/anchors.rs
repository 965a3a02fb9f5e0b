//! `audit-anchors` and `verify-audit`: where every workspace's audit log stands, to be kept elsewhere, and whether what was
//! kept is still part of it.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, ensure};
use clarity_domain::audit::{Anchor, AnchorFound};
use clarity_domain::ids::WorkspaceId;
use clarity_service::Services;

use crate::admin;

/// Prints the last entry of each workspace's log, a JSON object a line; with `since`, of those written to since then.
pub async fn print(since: Option<&str>) -> anyhow::Result<()> {
    for anchor in admin::services().await?.audit_anchors().await? {
        // Both are in UTC, and begin with the year.
        if since.is_none_or(|since| anchor.at.as_str() >= since) {
            println!("{}", serde_json::to_string(&anchor)?);
        }
    }
    Ok(())
}

/// Compares the logs with anchors that were kept; fails when one of them does not stand where it stood.
pub async fn verify(file: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let kept = read(&text)?;
    ensure!(!kept.is_empty(), "{} has no anchor in it", file.display());
    let services = admin::services().await?;
    // A workspace may have another address than it had.
    let now: HashMap<WorkspaceId, String> =
        services.audit_anchors().await?.into_iter().map(|anchor| (anchor.workspace_id, anchor.workspace)).collect();
    let mut whole = true;
    for (workspace, anchors) in kept {
        whole &= match now.get(&workspace) {
            Some(slug) => verify_one(&services, slug, &anchors).await?,
            None => {
                println!("{workspace}: it has no audit log any more");
                false
            }
        };
    }
    ensure!(whole, "not every audit log is what it was");
    Ok(())
}

/// Whether the workspace's chain is whole and has all of these in it; says what was found.
async fn verify_one(services: &Services, workspace: &str, anchors: &[Anchor]) -> anyhow::Result<bool> {
    let checked = services.check_anchors(workspace, anchors).await;
    let (report, found) = checked.with_context(|| format!("the audit log of {workspace} was not checked"))?;
    println!("{workspace}: {}", report.words());
    let mut whole = report.broken.is_none();
    for (Anchor { seq, .. }, found) in anchors.iter().zip(found) {
        let words = match found {
            AnchorFound::Same => continue,
            AnchorFound::Cut => "was removed by retention since, as the log says".to_owned(),
            AnchorFound::Missing => "is not there any more".to_owned(),
            AnchorFound::Other => "is another one than was kept".to_owned(),
        };
        println!("{workspace}: entry {seq} {words}");
        whole &= found == AnchorFound::Cut;
    }
    Ok(whole)
}

/// Anchors by workspace.
fn read(text: &str) -> anyhow::Result<BTreeMap<WorkspaceId, Vec<Anchor>>> {
    let mut all: BTreeMap<WorkspaceId, Vec<Anchor>> = BTreeMap::new();
    for (place, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let anchor: Anchor = serde_json::from_str(line).with_context(|| format!("line {} is no anchor", place + 1))?;
        all.entry(anchor.workspace_id).or_default().push(anchor);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_read_line_by_line() {
        let line = |workspace: u8, slug: &str, seq: i64| {
            format!(
                r#"{{"workspace":"{slug}","workspace_id":"00000000-0000-7000-8000-00000000000{workspace}","seq":{seq},"hash":"00","at":"2026-11-23T00:00:00Z"}}"#
            )
        };
        let kept = read(&format!("{}\n\n{}\n{}\n", line(2, "b", 1), line(1, "a", 2), line(2, "renamed", 3))).unwrap();
        let seqs: Vec<Vec<i64>> =
            kept.values().map(|anchors| anchors.iter().map(|anchor| anchor.seq).collect()).collect();
        assert_eq!(seqs, [vec![2], vec![1, 3]]);
        let wrong = read(&format!("{}\nnothing\n", line(1, "a", 1))).unwrap_err().to_string();
        assert!(wrong.starts_with("line 2 is no anchor"), "{wrong}");
    }
}

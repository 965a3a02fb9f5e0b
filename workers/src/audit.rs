//! The audit log and the platform's own operators: what their commands touch is written down, and `audit-verify` says
//! whether a workspace's log is whole.

use crate::context::WorkerContext;
use anyhow::Context;
use clarity_domain::audit::{Act, ActorKind, ChainReport, Outcome};
use clarity_store::audit::{self, Actor, Entry, Object};
use clarity_store::{WorkspaceScope, head};
use serde_json::json;

/// `audit-verify`: says what was checked and what was found.
///
/// # Errors
/// When the chain is broken.
pub async fn verify_command(ctx: &WorkerContext, slug: &str) -> anyhow::Result<()> {
    let report = verify(ctx, slug).await?;
    println!("{}", report.words());
    println!("head: {}", report.head);
    anyhow::ensure!(report.broken.is_none(), "the audit log of {slug} is not whole");
    Ok(())
}

/// Checks the chain of a workspace's audit log. It writes nothing: a log that may be broken is left as it is found.
pub async fn verify(ctx: &WorkerContext, slug: &str) -> anyhow::Result<ChainReport> {
    let mut tx = ctx.system.begin().await?;
    let found = head::list_of_workspace(&mut tx, slug).await;
    let (scope, _) = found.with_context(|| format!("there is no workspace {slug}"))?;
    tx.commit().await?;
    let mut tx = ctx.worker.begin_read(&scope).await?;
    let report = audit::verify(&mut tx).await?;
    tx.commit().await?;
    Ok(report)
}

/// Writes down that an operator of the platform gave this command: before its work, so that a command that fails was
/// given all the same.
pub async fn record(ctx: &WorkerContext, scope: &WorkspaceScope, command: &str, act: Act) -> anyhow::Result<()> {
    let actor = Actor { kind: ActorKind::Support, id: None, name: format!("command: {command}") };
    let entry = Entry {
        actor: &actor,
        act,
        object: Object::default(),
        before: None,
        after: Some(json!({ "command": command })),
        outcome: Outcome::Done,
        address: "local",
        request_id: None,
    };
    let mut tx = ctx.worker.begin(scope).await?;
    audit::record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(())
}

//! Commands of the platform's operators stand in the audit log, and `audit-verify` says whether it is whole.

use crate::stage::Stage;
use clarity_domain::audit::ChainBreak;
use clarity_workers::{audit, dead_letters, rebuild, verify};

#[tokio::test]
async fn support_is_written_down_and_a_broken_log_fails_the_command() {
    let stage = Stage::new().await;
    let (ctx, slug) = (&stage.ctx, stage.slug.as_str());
    assert!(audit::verify_command(ctx, slug).await.is_err(), "a workspace without entries has lost them");
    rebuild::run_command(ctx, slug).await.unwrap();
    verify::run_command(ctx, slug, None).await.unwrap();
    dead_letters::list_command(ctx, slug).await.unwrap();
    dead_letters::replay_command(ctx, slug).await.unwrap();
    let acts =
        "select string_agg(act || ' by ' || actor_kind || ' ' || actor_name, '; ' order by seq) from audit_entries";
    assert_eq!(
        stage.value(acts).await.unwrap(),
        "read_models.rebuild by support command: rebuild; read_models.verify by support command: verify; \
         dead_letters.list by support command: dead-letters list; \
         dead_letters.replay by support command: dead-letters replay"
    );
    audit::verify_command(ctx, slug).await.unwrap();
    stage.execute("update audit_entries set actor_name = 'nobody' where seq = 2").await;
    assert_eq!(audit::verify(ctx, slug).await.unwrap().broken, Some(ChainBreak::Changed { seq: 2 }));
    let said = audit::verify_command(ctx, slug).await.unwrap_err().to_string();
    assert!(said.contains("is not whole"), "{said}");
    assert!(audit::verify(ctx, "no-such-workspace").await.is_err());
}

//! Erasure as the worker's role does it: of one workspace every row of every table goes, of the other not a byte; and not
//! before its time, not under a hold, not twice.

use crate::isolation::{OURS, THEIRS, Table, filled};
use clarity_domain::ids::UserId;
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::Secret;
use clarity_store::auth::workspace;
use clarity_store::erasure::{self, Begun};
use clarity_store::{AuthStore, StoreError, SystemStore, WorkerStore, WorkspaceScope};
use clarity_testkit::TestDb;
use uuid::Uuid;

const USER: &str = "44444444-4444-7444-8444-444444444444";
/// Those that outlive their workspace.
const KEPT: &str = "'auth.deletions', 'auth.deleted_workspaces', 'auth.deleted_rows', 'auth.certificate_links'";

struct Stage {
    db: TestDb,
    worker: WorkerStore,
    system: SystemStore,
    auth: AuthStore,
    tenant_tables: Vec<Table>,
}

impl Stage {
    /// Two workspaces with a row in every tenant table, and people, keys and codes; ours is due.
    async fn new() -> Self {
        let db = TestDb::new().await;
        let login =
            |role: DbRole| DbLogin { role, url: db.url(role.name()), password: Secret::new(db.cluster().password()) };
        let worker = WorkerStore::connect(&login(DbRole::Worker), 2).await.unwrap();
        let system = SystemStore::connect_as(Uuid::now_v7(), &login(DbRole::System), 2).await.unwrap();
        let auth = AuthStore::connect(&login(DbRole::Auth), 2).await.unwrap();
        let tenant_tables = filled(&db).await;
        let stage = Self { db, worker, system, auth, tenant_tables };
        stage
            .sql(&format!(
                "update legal_holds set lifted_at = now(), lifted_by = placed_by;
                 insert into auth.users (id, email, name, password_hash) values ('{USER}', 'maja@n.example', 'Maja', 'x')"
            ))
            .await;
        for (workspace, slug) in [(OURS, "ours"), (THEIRS, "theirs")] {
            stage.sql(&PEOPLE.replace("{w}", workspace).replace("{slug}", slug).replace("{user}", USER)).await;
        }
        stage.request("now() - interval '1 second'").await;
        stage
    }

    async fn request(&self, due_at: &str) {
        let sql = format!(
            "insert into auth.deletions (workspace_id, requested_by, requested_by_name, due_at)
             values ('{OURS}', '{USER}', 'Maja', {due_at})
             on conflict (workspace_id) do update set due_at = excluded.due_at"
        );
        self.sql(&sql).await;
    }

    async fn sql(&self, sql: &str) {
        self.db.admin().await.batch_execute(sql).await.unwrap_or_else(|e| panic!("{e:?}\n{sql}"));
    }

    async fn text(&self, sql: &str) -> String {
        let row = self.db.admin().await.query_one(&format!("select ({sql})::text"), &[]).await;
        let text: Option<String> = row.unwrap_or_else(|e| panic!("{e:?}\n{sql}")).get(0);
        text.unwrap_or_default()
    }

    async fn lines(&self, sql: &str) -> Vec<String> {
        let rows = self.db.admin().await.query(sql, &[]).await.unwrap_or_else(|e| panic!("{e:?}\n{sql}"));
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn due(&self) -> Option<WorkspaceScope> {
        let mut tx = self.system.begin().await.unwrap();
        erasure::list_due(&mut tx).await.unwrap().into_iter().next()
    }

    async fn begin(&self, scope: &WorkspaceScope) -> Result<Begun, StoreError> {
        let mut tx = self.worker.begin(scope).await?;
        let begun = erasure::begin(&mut tx).await?;
        tx.commit().await?;
        Ok(begun)
    }

    async fn batch(&self, scope: &WorkspaceScope, table: &str, limit: i32) -> Result<Option<i64>, StoreError> {
        let mut tx = self.worker.begin(scope).await?;
        let removed = erasure::remove_batch(&mut tx, table, limit).await?;
        if removed.is_some() {
            tx.commit().await?;
        }
        Ok(removed.map(|removed| removed.rows))
    }

    async fn tables(&self, scope: &WorkspaceScope) -> Vec<String> {
        let mut tx = self.worker.begin_read(scope).await.unwrap();
        erasure::list_tables(&mut tx).await.unwrap()
    }

    async fn finish(&self, scope: &WorkspaceScope, settled_s: i32) -> Result<bool, StoreError> {
        let mut tx = self.worker.begin(scope).await?;
        let done = erasure::finish(&mut tx, settled_s).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Tables in which a workspace has rows, each with a hash of them.
    async fn rows_of(&self, workspace: &str) -> Vec<String> {
        let mut all = Vec::new();
        let tables =
            format!("select table_name from erasable_tables() union all select unnest(array[{KEPT}]) order by 1");
        for table in self.lines(&tables).await {
            let sql = format!(
                "select '{table} ' || count(*) || ' ' || md5(coalesce(string_agg(x::text, ',' order by x::text), ''))
                 from {table} x where workspace_id = '{workspace}'"
            );
            let line = self.lines(&sql).await.remove(0);
            if !line.contains(" 0 ") {
                all.push(line);
            }
        }
        all
    }
}

const PEOPLE: &str = "
  insert into auth.workspaces (id, slug, name) values ('{w}', '{slug}', 'The {slug} plant');
  insert into auth.memberships (workspace_id, user_id, role) values ('{w}', '{user}', 'owner');
  insert into auth.former_slugs (slug, workspace_id) values ('{slug}-before', '{w}');
  insert into auth.ownership_offers (workspace_id, user_id, offered_by, expires_at) values ('{w}', '{user}', '{user}', now());
  insert into auth.member_letters (workspace_id, id) values ('{w}', gen_random_uuid());
  insert into auth.agent_keys (agent_id, workspace_id, public_key) values (gen_random_uuid(), '{w}', sha256('{w}'));
  insert into auth.pairings (id, workspace_id, agent_name, locator, secret_hash, created_by, expires_at)
    values (gen_random_uuid(), '{w}', 'a', upper(left('{slug}', 4)), sha256('{w}'), '{user}', now());
  insert into auth.invitations (id, workspace_id, email, role, token_hash, invited_by, expires_at)
    values (gen_random_uuid(), '{w}', 'joe@n.example', 'viewer', sha256('{w}'), '{user}', now());
  insert into auth.service_accounts (workspace_id, id, name, role, created_by) values ('{w}', '{w}', 'p', 'viewer', '{user}');
  insert into auth.api_tokens (token_hash, id, workspace_id, service_account_id, name, scopes, created_by, expires_at)
    values (sha256('{w}'), '{w}', '{w}', '{w}', 't', '{read:assets}', '{user}', now() + interval '1 day');
  insert into auth.sessions (token_hash, id, user_id, expires_at, sso_workspace_id)
    values (sha256('s{w}'), gen_random_uuid(), '{user}', now() + interval '1 day', '{w}');
  insert into auth.sso_connections (id, workspace_id, issuer, client_id, client_secret_box, default_role, created_by)
    values (gen_random_uuid(), '{w}', 'https://login.n.example', 'c', '\\x00', 'viewer', '{user}');
  insert into auth.sso_identities (workspace_id, issuer, subject, user_id) values ('{w}', 'https://login.n.example', 's', '{user}');
  insert into auth.sso_attempts (state_hash, workspace_id, purpose, issuer, browser_hash, network, expires_at)
    values (sha256('a{w}'), '{w}', 'sign_in', 'https://login.n.example', sha256('b{w}'), '192.0.2', now());
  insert into auth.removed_members (workspace_id, user_id) values ('{w}', '{user}');
  insert into ops.source_heads (source_id, workspace_id, partition, epoch, next_seq) values (gen_random_uuid(), '{w}', 0, 1, 1);
  insert into ops.jobs (id, workspace_id, kind) values (gen_random_uuid(), '{w}', 'replay');";

#[tokio::test]
async fn every_row_goes_and_nothing_of_another() {
    let stage = Stage::new().await;
    let before = stage.rows_of(THEIRS).await;
    let ours = stage.rows_of(OURS).await;
    for Table { name, .. } in &stage.tenant_tables {
        assert!(ours.iter().any(|line| line.starts_with(&format!("{name} "))), "{name} has no row to be erased");
    }
    let of_auth = "select table_name from erasable_tables() where table_name like 'auth.%'";
    for name in stage.lines(of_auth).await {
        assert!(ours.iter().any(|line| line.starts_with(&format!("{name} "))), "{name} has no row to be erased");
    }
    let scope = stage.due().await.unwrap();
    assert_eq!(stage.begin(&scope).await.unwrap(), Begun::Yes);
    // All that leads into it is gone at once.
    let let_in = format!("select count(*) from support_grants where workspace_id = '{OURS}'");
    assert_eq!(stage.text(&let_in).await, "0", "support is out as well");
    assert_eq!(stage.text(&format!("select count(*) from auth.memberships where workspace_id = '{OURS}'")).await, "0");
    assert!(!stage.finish(&scope, 0).await.unwrap(), "rows are left");
    for table in stage.tables(&scope).await {
        while stage.batch(&scope, &table, 1).await.unwrap().unwrap_or_else(|| panic!("{table} comes too early")) > 0 {}
    }
    assert!(!stage.finish(&scope, 3600).await.unwrap(), "the doors closed a moment ago");
    assert!(stage.finish(&scope, 0).await.unwrap());
    assert_eq!(stage.rows_of(THEIRS).await, before);
    let left: Vec<String> = stage.rows_of(OURS).await;
    let kept = |line: &&String| !line.starts_with("auth.deleted_") && !line.starts_with("auth.certificate_links");
    assert_eq!(left.iter().filter(kept).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(stage.text("select string_agg(slug, ' ') from auth.workspaces").await, "theirs");
    assert_eq!(stage.text("select count(*) from auth.users").await, "1", "accounts stay");
    assert_eq!(
        stage.text("select sso_workspace_id from auth.sessions").await,
        THEIRS,
        "sessions of its provider do not"
    );
    // The certificate counts each row that there was.
    let erased = ours.iter().filter(|line| !line.starts_with("auth.deletions "));
    let mut expected: Vec<String> = erased.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect();
    expected.sort();
    let mut counted = stage.lines("select table_name || ' ' || rows_removed from auth.deleted_rows").await;
    counted.sort();
    assert_eq!(counted, expected);
    let proof = "select name || ' ' || (finished_at >= begun_at) || ' ' || length(last_audit_hash) from auth.deleted_workspaces";
    assert_eq!(stage.text(proof).await, "The ours plant true 32");
    // There is nothing to begin again.
    assert!(stage.due().await.is_none());
    assert!(matches!(stage.begin(&scope).await, Err(StoreError::Refused(_))));
}

#[tokio::test]
async fn nothing_goes_before_its_time_or_under_a_hold() {
    let stage = Stage::new().await;
    let scope = stage.due().await.unwrap();
    let before = stage.rows_of(OURS).await;
    // Not begun.
    assert!(matches!(stage.batch(&scope, "public.assets", 10).await, Err(StoreError::Refused(_))));
    assert!(matches!(stage.finish(&scope, 0).await, Err(StoreError::Refused(_))));
    stage.sql(&format!("update legal_holds set lifted_at = null where workspace_id = '{OURS}'")).await;
    assert_eq!(stage.begin(&scope).await.unwrap(), Begun::Held);
    stage.sql(&format!("update legal_holds set lifted_at = now() where workspace_id = '{THEIRS}'")).await;
    assert_eq!(stage.begin(&scope).await.unwrap(), Begun::Held, "another's is not ours");
    stage.sql("update legal_holds set lifted_at = now()").await;
    stage.request("now() + interval '1 minute'").await;
    assert!(stage.due().await.is_none());
    assert!(matches!(stage.begin(&scope).await, Err(StoreError::Refused(_))));
    assert_eq!(stage.text("select count(*) from auth.deleted_workspaces").await, "0");
    stage.request("now()").await;
    assert_eq!(stage.begin(&scope).await.unwrap(), Begun::Yes);
    // A hold stops what has begun, and what is no workspace's table is none.
    stage.sql(&format!("update legal_holds set lifted_at = null where workspace_id = '{OURS}'")).await;
    assert!(matches!(stage.batch(&scope, "public.assets", 10).await, Err(StoreError::Refused(_))));
    stage.sql("update legal_holds set lifted_at = now()").await;
    for wrong in ["auth.users", "auth.workspaces", "auth.deleted_rows", "public.assets where true; --", "no.such"] {
        assert!(matches!(stage.batch(&scope, wrong, 10).await, Err(StoreError::Invalid(_))), "{wrong}");
    }
    assert!(stage.rows_of(OURS).await.len() < before.len());
}

#[tokio::test]
async fn rows_that_others_refer_to_wait() {
    let stage = Stage::new().await;
    let scope = stage.due().await.unwrap();
    stage.begin(&scope).await.unwrap();
    assert_eq!(stage.batch(&scope, "public.sources", 10).await.unwrap(), None);
    let tables = stage.tables(&scope).await;
    let place = |name: &str| tables.iter().position(|table| table == name).unwrap();
    assert!(place("public.bronze_segments") < place("public.sources"));
    assert!(place("public.sources") < place("public.agents"));
    assert!(tables.last().unwrap().starts_with("public.audit_"));
}

/// A new table with rows of workspaces is erased without a word anywhere; one that nobody could erase fails here.
#[tokio::test]
async fn every_table_of_a_workspace_is_found() {
    let stage = Stage::new().await;
    let forgotten = format!(
        "select n.nspname || '.' || c.relname
         from pg_class c
         join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p')
           and not c.relispartition
           and n.nspname !~ '^pg_'
           and n.nspname <> 'information_schema'
           and (exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'workspace_id' and not a.attisdropped)
             or exists (select from pg_constraint k
                        where k.conrelid = c.oid and k.contype = 'f' and k.confrelid = 'auth.workspaces'::regclass
                          and k.confdeltype not in ('c', 'n')))
           and n.nspname || '.' || c.relname not in (select table_name from erasable_tables())
           and n.nspname || '.' || c.relname not in ({KEPT})"
    );
    assert_eq!(stage.lines(&forgotten).await, [""; 0], "rows of a workspace that no erasure finds");
    // Nor does anything else hold such a row.
    let holding = "select distinct k.conrelid::regclass::text
         from pg_constraint k
         where k.contype = 'f'
           and k.conparentid = 0
           and k.confdeltype not in ('c', 'n')
           and k.confrelid in (select to_regclass(table_name) from erasable_tables())
           and k.conrelid not in (select to_regclass(table_name) from erasable_tables())";
    assert_eq!(stage.lines(holding).await, [""; 0], "tables without a workspace that refer to rows of one");
}

#[tokio::test]
async fn a_deleted_workspaces_name_in_the_address_is_nobodys_for_a_year() {
    let stage = Stage::new().await;
    let scope = stage.due().await.unwrap();
    stage.begin(&scope).await.unwrap();
    let tables = stage.tables(&scope).await;
    for table in &tables {
        stage.batch(&scope, table, 1000).await.unwrap();
    }
    assert!(stage.finish(&scope, 0).await.unwrap());
    let take = async |slug: &str| {
        let mut tx = stage.auth.begin().await.unwrap();
        let made = workspace::create(&mut tx, UserId(USER.parse().unwrap()), slug, "W", "UTC").await.unwrap();
        tx.commit().await.unwrap();
        made.is_some()
    };
    assert!(!take("ours").await);
    assert!(!take("ours-before").await, "the addresses that it had before as well");
    assert!(!take("theirs-before").await, "and what somebody else left is theirs");
    assert!(take("another").await);
    stage.sql("update auth.deleted_workspaces set finished_at = now() - interval '367 days'").await;
    assert!(take("ours").await);
    stage.sql("update auth.deleted_slugs set deleted_at = now() - interval '367 days'").await;
    assert!(take("ours-before").await);
}

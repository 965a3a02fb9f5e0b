//! Support access as the database keeps it: nothing without a live grant, to the second; nobody's but the one's who was let in;
//! and no read that does not stand in the audit log.

use clarity_domain::ids::{OpsUserId, SupportGrantId, UserId};
use clarity_domain::time::MINUTE;
use clarity_domain::view::session::UserCard;
use clarity_runtime::clock::now_us;
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::Secret;
use clarity_store::auth::{ops_session, ops_user, user, workspace};
use clarity_store::support::ask::{self, NewRequest};
use clarity_store::support::{grant, look};
use clarity_store::{AppStore, AuthStore, OpsScope, OpsStore, StoreError, WorkspaceScope};
use clarity_testkit::TestDb;
use uuid::Uuid;

const SOURCE: &str = "00000000-0000-7000-8000-0000000000a1";

struct Stage {
    db: TestDb,
    app: AppStore,
    auth: AuthStore,
    ops: OpsStore,
    owner: UserId,
    scope: WorkspaceScope,
}

impl Stage {
    async fn new() -> Self {
        let db = TestDb::new().await;
        let login =
            |role: DbRole| DbLogin { role, url: db.url(role.name()), password: Secret::new(db.cluster().password()) };
        let auth = AuthStore::connect(&login(DbRole::Auth), 2).await.unwrap();
        let app = AppStore::connect(&login(DbRole::App), 2).await.unwrap();
        let ops = OpsStore::connect(&login(DbRole::Ops), 2).await.unwrap();
        let owner = UserId(Uuid::now_v7());
        let mut tx = auth.begin().await.unwrap();
        let card = UserCard { id: owner, name: "Maja".into(), email: "maja@nordmark.example".into() };
        user::insert(&mut tx, &card, "no hash", true).await.unwrap();
        let seat = workspace::create(&mut tx, owner, "nordmark", "Nordmark", "UTC").await.unwrap().unwrap();
        workspace::create(&mut tx, owner, "acme", "Acme", "UTC").await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let stage = Self { db, app, auth, ops, owner, scope: seat.scope };
        for slug in ["nordmark", "acme"] {
            stage.with_source(slug).await;
        }
        stage
    }

    async fn sql(&self, sql: &str) {
        self.db.admin().await.batch_execute(sql).await.unwrap_or_else(|e| panic!("{e:?}\n{sql}"));
    }

    async fn count(&self, of: &str) -> i64 {
        let sql = format!("select count(*) from {of}");
        self.db.admin().await.query_one(&sql, &[]).await.unwrap_or_else(|e| panic!("{e:?}\n{sql}")).get(0)
    }

    /// An agent with a source and a dead letter.
    async fn with_source(&self, slug: &str) {
        let all = "
          insert into agents (workspace_id, id, name) select id, '{source}', '{slug}' from auth.workspaces where slug = '{slug}';
          insert into sources (workspace_id, id, agent_id, name, kind, partition, status)
            select id, '{source}', '{source}', '{slug} db', 'postgres', 0, '{\"state\": \"streaming\"}' from auth.workspaces where slug = '{slug}';
          insert into dead_letters (workspace_id, source_id, epoch, seq, stream_name, fingerprint, cause, payload, segment_first_seq, line_number)
            select id, '{source}', 1, 1, 'public.t', 'f', 'no number', 'secret', 1, 1 from auth.workspaces where slug = '{slug}'";
        self.sql(&all.replace("{source}", SOURCE).replace("{slug}", slug)).await;
    }

    /// One of our own people with a live session, about a workspace.
    async fn ours(&self, name: &str, slug: &str) -> OpsScope {
        let mut tx = self.auth.begin().await.unwrap();
        let email = format!("{name}@clarity.example");
        let (link, token) = ([7; 32], token(name));
        let ends = now_us() + 10 * MINUTE;
        let id =
            ops_user::begin_enrolment(&mut tx, OpsUserId(Uuid::now_v7()), &email, name, &link, ends).await.unwrap();
        ops_user::keep_secret(&mut tx, id, b"sealed").await.unwrap();
        ops_user::finish_enrolment(&mut tx, id, "no hash", 1).await.unwrap();
        ops_session::insert(&mut tx, &token, id, ends, "192.0.2.1", "test").await.unwrap();
        let (scope, _) = ops_session::resolve(&mut tx, &token, slug).await.unwrap().expect("a live session");
        tx.commit().await.unwrap();
        scope
    }

    async fn ask(&self, scope: &OpsScope) -> Option<SupportGrantId> {
        let id = SupportGrantId(Uuid::now_v7());
        let new = NewRequest { id, reason: "Case 7", minutes: 30, address: "192.0.2.1", request_id: None };
        let mut tx = self.ops.begin(scope).await.unwrap();
        let made = ask::request(&mut tx, &new).await.unwrap();
        tx.commit().await.unwrap();
        made.then_some(id)
    }

    async fn approve(&self, id: SupportGrantId) -> bool {
        let mut tx = self.app.begin(&self.scope).await.unwrap();
        let done = grant::approve(&mut tx, id, self.owner, "Maja").await.unwrap();
        tx.commit().await.unwrap();
        done.is_some()
    }

    /// Names of sources, dead letters, or `None` where nobody is let in.
    async fn look(&self, scope: &OpsScope) -> Option<(Vec<String>, usize)> {
        let mut looking = self.ops.look(scope, "sources", "192.0.2.1", None).await.unwrap()?;
        let sources = look::list_sources(&mut looking).await.unwrap();
        let letters = look::list_dead_letters(&mut looking).await.unwrap();
        looking.finish().await.unwrap()?;
        Some((sources.into_iter().map(|source| source.name).collect(), letters.len()))
    }
}

fn token(name: &str) -> [u8; 32] {
    let mut token = [0; 32];
    token[..name.len()].copy_from_slice(name.as_bytes());
    token
}

#[tokio::test]
async fn nothing_is_shown_before_an_owner_said_yes_and_nothing_after_the_end() {
    let stage = Stage::new().await;
    let anna = stage.ours("anna", "nordmark").await;
    assert_eq!(stage.look(&anna).await, None, "nobody asked");
    let id = stage.ask(&anna).await.expect("asked");
    assert_eq!(stage.look(&anna).await, None, "nobody answered");
    assert_eq!(stage.count("audit_entries where act = 'support.read'").await, 0, "and nothing was read");
    assert!(stage.approve(id).await);
    assert_eq!(stage.look(&anna).await, Some((vec!["nordmark db".to_owned()], 1)));
    let entry = "audit_entries where act = 'support.read' and actor_kind = 'support' and actor_name = 'anna <anna@clarity.example>'
                 and after ->> 'approved_by' = 'Maja'";
    assert_eq!(stage.count(entry).await, 1, "in both names");

    // To the second.
    stage.sql("update support_grants set ends_at = clock_timestamp() + interval '1 hour', decided_at = now(), minutes = 240").await;
    assert!(stage.look(&anna).await.is_some());
    stage.sql("update support_grants set ends_at = clock_timestamp()").await;
    assert_eq!(stage.look(&anna).await, None, "its time is over");
    assert_eq!(stage.count("audit_entries where act = 'support.read'").await, 2);
}

#[tokio::test]
async fn no_bytes_of_a_row_are_shown_in_a_cause() {
    let stage = Stage::new().await;
    let anna = stage.ours("anna", "nordmark").await;
    let id = stage.ask(&anna).await.expect("asked");
    assert!(stage.approve(id).await);
    for (kept, shown) in [
        (
            "the agent could not decode the event: no number; the message begins 7a71\nor so",
            "the agent could not decode the event",
        ),
        // Ours hold no values.
        ("column temp holds no number: text", "column temp holds no number: text"),
    ] {
        stage.sql(&format!("update dead_letters set cause = '{kept}'")).await;
        let mut looking = stage.ops.look(&anna, "sources", "", None).await.unwrap().expect("let in");
        let letters = look::list_dead_letters(&mut looking).await.unwrap();
        assert!(looking.finish().await.unwrap().is_some());
        assert_eq!(letters.into_iter().map(|row| row.cause).collect::<Vec<_>>(), [shown]);
    }
}

#[tokio::test]
async fn whoever_is_out_sees_nothing_with_the_next_statement() {
    let stage = Stage::new().await;
    let anna = stage.ours("anna", "nordmark").await;
    let id = stage.ask(&anna).await.unwrap();
    assert!(stage.approve(id).await);
    // Ended while a read is under way.
    let mut looking = stage.ops.look(&anna, "sources", "", None).await.unwrap().expect("let in");
    assert_eq!(look::list_sources(&mut looking).await.unwrap().len(), 1);
    let mut tx = stage.app.begin(&stage.scope).await.unwrap();
    assert!(grant::end(&mut tx, id, "Maja").await.unwrap().is_some());
    tx.commit().await.unwrap();
    assert!(look::list_sources(&mut looking).await.unwrap().is_empty());
    assert_eq!(looking.finish().await.unwrap(), None, "what was read before is not shown either");
    assert_eq!(stage.look(&anna).await, None);

    // Or disabled by an operator.
    let id = stage.ask(&anna).await.unwrap();
    assert!(stage.approve(id).await);
    assert!(stage.look(&anna).await.is_some());
    let mut tx = stage.auth.begin().await.unwrap();
    assert!(ops_user::disable(&mut tx, "anna@clarity.example").await.unwrap().is_some());
    tx.commit().await.unwrap();
    assert_eq!(stage.look(&anna).await, None);
    let mut tx = stage.auth.begin().await.unwrap();
    assert!(ops_session::find_live(&mut tx, &token("anna")).await.unwrap().is_none(), "and the session is over");
}

#[tokio::test]
async fn a_grant_is_for_one_person_and_one_workspace() {
    let stage = Stage::new().await;
    let anna = stage.ours("anna", "nordmark").await;
    let id = stage.ask(&anna).await.unwrap();
    assert!(stage.approve(id).await);
    let ben = stage.ours("ben", "nordmark").await;
    assert_eq!(stage.look(&ben).await, None, "it is Anna's");
    let mut tx = stage.auth.begin().await.unwrap();
    let (elsewhere, _) = ops_session::resolve(&mut tx, &token("anna"), "acme").await.unwrap().unwrap();
    tx.commit().await.unwrap();
    assert_eq!(stage.look(&elsewhere).await, None, "it is Nordmark's");
    let mut tx = stage.ops.begin(&ben).await.unwrap();
    assert!(ask::list_own(&mut tx, 10).await.unwrap().is_empty(), "others' requests are not shown");
    drop(tx);

    // Another workspace's owner has no say.
    let mut tx = stage.auth.begin().await.unwrap();
    let acme = workspace::list_seats(&mut tx, stage.owner).await.unwrap().remove(0);
    tx.commit().await.unwrap();
    assert_eq!(acme.card.slug, "acme");
    let mut tx = stage.app.begin(&acme.scope).await.unwrap();
    assert!(grant::end(&mut tx, id, "Maja").await.unwrap().is_none());
    assert!(!grant::exists(&mut tx, id).await.unwrap());
}

#[tokio::test]
async fn one_request_at_a_time_and_none_behind_a_grant() {
    let stage = Stage::new().await;
    let anna = stage.ours("anna", "nordmark").await;
    let first = stage.ask(&anna).await.unwrap();
    assert_eq!(stage.ask(&anna).await, None, "one is open");
    assert!(stage.approve(first).await);
    assert!(!stage.approve(first).await, "it is decided once");
    // The database takes another request; while its person is in, nobody can say yes to it.
    let second = stage.ask(&anna).await.unwrap();
    assert!(!stage.approve(second).await, "one grant is never put behind another");
    stage.sql("update support_grants set ends_at = now() where decision = 'approved'").await;
    assert!(stage.approve(second).await);
    // Never longer than was asked for, and than four hours.
    for (change, refused) in [
        ("ends_at = ends_at + interval '1 minute'", "support_grants_ends"),
        ("minutes = 241", "support_grants_minutes_check"),
        ("decision = null", "support_grants_decided"),
    ] {
        let sql = format!("update support_grants set {change} where id = '{second}'");
        let error = stage.db.admin().await.batch_execute(&sql).await.expect_err(change);
        let db = error.as_db_error().unwrap_or_else(|| panic!("{error:?}"));
        assert!(
            db.constraint().is_some_and(|name| name.starts_with("support_grants_")),
            "{change}: {db:?} ({refused})"
        );
    }
}

#[tokio::test]
async fn a_request_lapses_after_a_day() {
    let stage = Stage::new().await;
    let anna = stage.ours("anna", "nordmark").await;
    let old = stage.ask(&anna).await.unwrap();
    stage.sql("update support_grants set requested_at = now() - interval '24 hours 1 second'").await;
    assert!(!stage.approve(old).await);
    assert!(stage.ask(&anna).await.is_some(), "a new one can be made");
    assert_eq!(stage.count("support_grants where decision = 'lapsed'").await, 1);
}

#[tokio::test]
async fn an_account_made_anew_is_let_in_anew() {
    let stage = Stage::new().await;
    let anna = stage.ours("anna", "nordmark").await;
    let id = stage.ask(&anna).await.unwrap();
    assert!(stage.approve(id).await);
    assert!(stage.look(&anna).await.is_some());
    stage.sql("update auth.ops_sessions set token_hash = sha256(token_hash)").await;
    let again = stage.ours("anna", "nordmark").await;
    assert_eq!(again, anna, "it is the same account");
    assert_eq!(stage.look(&again).await, None, "whoever has it now was not let in");
    assert_eq!(stage.count("audit_entries where act = 'support.read'").await, 1);
    // What was open lapsed with the account of before.
    stage.sql("update support_grants set decision = null, decided_at = null, ends_at = null").await;
    let new = stage.ask(&again).await.expect("asked anew");
    assert_eq!(stage.count("support_grants where decision = 'lapsed'").await, 1);
    assert!(stage.approve(new).await);
    assert!(stage.look(&again).await.is_some());
}

#[tokio::test]
async fn of_a_status_support_reads_a_word_of_ours() {
    let stage = Stage::new().await;
    let anna = stage.ours("anna", "nordmark").await;
    let id = stage.ask(&anna).await.unwrap();
    assert!(stage.approve(id).await);
    for (status, state) in
        [(r#"{"state": "failed"}"#, "failed"), (r#"{"state": "Maja, ring 555"}"#, ""), (r#"{"problems": []}"#, "")]
    {
        stage.sql(&format!("update sources set status = '{status}'")).await;
        let mut looking = stage.ops.look(&anna, "sources", "", None).await.unwrap().unwrap();
        assert_eq!(look::list_sources(&mut looking).await.unwrap()[0].state, state, "{status}");
    }
}

#[tokio::test]
async fn nobody_asks_where_the_doors_are_closed() {
    let stage = Stage::new().await;
    let anna = stage.ours("anna", "nordmark").await;
    stage
        .sql(
            "insert into auth.deletions (workspace_id, requested_by, requested_by_name, due_at)
               select w.id, u.id, u.name, now() from auth.workspaces w, auth.users u where w.slug = 'nordmark'",
        )
        .await;
    assert!(stage.ask(&anna).await.is_some(), "until it begins nothing changes");
    stage.sql("update support_grants set decision = 'lapsed', decided_at = now()").await;
    stage.sql("update auth.deletions set begun_at = now()").await;
    let new = NewRequest {
        id: SupportGrantId(Uuid::now_v7()),
        reason: "Case 8",
        minutes: 30,
        address: "192.0.2.1",
        request_id: None,
    };
    let mut tx = stage.ops.begin(&anna).await.unwrap();
    assert!(matches!(ask::request(&mut tx, &new).await, Err(StoreError::Refused(_))));
    drop(tx);
    let mut tx = stage.auth.begin().await.unwrap();
    assert!(ops_session::resolve(&mut tx, &token("anna"), "nordmark").await.unwrap().is_none());
    let listed = ops_session::list_workspaces(&mut tx, &token("anna")).await.unwrap();
    assert_eq!(listed.iter().map(|row| row.slug.as_str()).collect::<Vec<_>>(), ["acme"]);
}

#[tokio::test]
async fn the_role_reads_what_it_is_for_and_writes_nothing() {
    let stage = Stage::new().await;
    let anna = stage.ours("anna", "nordmark").await;
    let id = stage.ask(&anna).await.unwrap();
    assert!(stage.approve(id).await);
    let client = clarity_testkit::cluster::connect(&stage.db.url("clarity_ops")).await.unwrap();
    let person: String =
        stage.db.admin().await.query_one("select ops_user_id::text from support_grants", &[]).await.unwrap().get(0);
    let workspace = stage.scope.workspace_id();
    for sql in [
        "select payload from dead_letters",
        "select * from dead_letters",
        "select hostname from agents",
        "select schema from streams",
        "select status from sources",
        "select name from assets",
        "select body from bronze_segments",
        "select number from sample_chunks",
        "select image from records",
        "select actor_name from audit_entries",
        "select email from auth.users",
        "update sources set paused = true",
        "update support_grants set minutes = 240",
        "insert into support_grants (id, ops_user_id, ops_name, ops_email, reason, minutes) values (gen_random_uuid(), gen_random_uuid(), 'a', 'a', 'a', 1)",
        "insert into audit_entries (actor_kind, actor_name, act) values ('person', 'Maja', 'support.approve')",
        "delete from support_grants",
    ] {
        let scope = format!(
            "begin; select set_config('app.workspace_id', '{workspace}', true), set_config('app.ops_user', '{person}', true)"
        );
        client.batch_execute(&scope).await.unwrap();
        let refused = client.batch_execute(sql).await.expect_err(sql);
        client.batch_execute("rollback").await.unwrap();
        let code = refused.code().map(|code| code.code().to_owned()).unwrap_or_default();
        assert!(["42501", "42703"].contains(&code.as_str()), "{sql}: {code}");
    }
}

#[tokio::test]
async fn the_pool_refuses_another_role() {
    let db = TestDb::new().await;
    let login = DbLogin {
        role: DbRole::Worker,
        url: db.url(DbRole::Worker.name()),
        password: Secret::new(db.cluster().password()),
    };
    assert!(matches!(OpsStore::connect(&login, 1).await, Err(StoreError::Setup(_))));
}

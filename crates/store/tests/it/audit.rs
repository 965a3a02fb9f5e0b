//! The audit log as the services' roles see it: append-only, one chain a workspace, and a check that finds what was done
//! to it past every policy.

use clarity_domain::audit::{Act, ActorKind, ChainBreak, ChainReport, Outcome};
use clarity_domain::ids::UserId;
use clarity_domain::view::session::UserCard;
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::Secret;
use clarity_store::audit::{self, Actor, Entry, Filter, Object};
use clarity_store::auth::{user, workspace};
use clarity_store::{AppStore, AuthStore, WorkspaceScope};
use clarity_testkit::TestDb;
use serde_json::json;
use uuid::Uuid;

struct Stage {
    db: TestDb,
    app: AppStore,
    auth: AuthStore,
    user: UserId,
    scope: WorkspaceScope,
}

impl Stage {
    async fn new() -> Self {
        let db = TestDb::new().await;
        let login =
            |role: DbRole| DbLogin { role, url: db.url(role.name()), password: Secret::new(db.cluster().password()) };
        let auth = AuthStore::connect(&login(DbRole::Auth), 2).await.unwrap();
        let app = AppStore::connect(&login(DbRole::App), 10).await.unwrap();
        let user = UserId(Uuid::now_v7());
        let mut tx = auth.begin().await.unwrap();
        let card = UserCard { id: user, name: "Maja".into(), email: "maja@nordmark.example".into() };
        user::insert(&mut tx, &card, "no hash", true).await.unwrap();
        let seat = workspace::create(&mut tx, user, "nordmark", "Nordmark", "UTC").await.unwrap().unwrap();
        tx.commit().await.unwrap();
        Self { db, app, auth, user, scope: seat.scope }
    }

    /// Another workspace of the same person.
    async fn other(&self) -> WorkspaceScope {
        let mut tx = self.auth.begin().await.unwrap();
        let seat = workspace::create(&mut tx, self.user, "acme", "Acme", "UTC").await.unwrap().unwrap();
        tx.commit().await.unwrap();
        seat.scope
    }

    /// The person's scope with this role.
    async fn with_role(&self, role: &str) -> WorkspaceScope {
        self.sql(&format!("update auth.memberships set role = '{role}'")).await;
        let mut tx = self.auth.begin().await.unwrap();
        workspace::list_seats(&mut tx, self.user).await.unwrap().remove(0).scope
    }

    async fn write(&self, scope: &WorkspaceScope, name: &str) {
        let actor = Actor { kind: ActorKind::Person, id: Some(self.user.0), name: "Maja".into() };
        let entry = Entry {
            actor: &actor,
            act: Act::ApproveAgent,
            object: Object { kind: "agent", id: "7", name },
            before: Some(json!({ "approved": false })),
            after: Some(json!({ "b": 1, "approved": true, "a": [1.5, "ü"] })),
            outcome: Outcome::Done,
            address: "192.0.2.1",
            request_id: Some(Uuid::now_v7()),
        };
        let mut tx = self.app.begin(scope).await.unwrap();
        audit::record(&mut tx, &entry).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn write_many(&self, count: usize) {
        for n in 1..=count {
            self.write(&self.scope, &format!("agent {n}")).await;
        }
    }

    async fn verify(&self) -> ChainReport {
        let mut tx = self.app.begin_read(&self.scope).await.unwrap();
        audit::verify(&mut tx).await.unwrap()
    }

    async fn broken(&self) -> Option<ChainBreak> {
        self.verify().await.broken
    }

    /// Past every policy and trigger, as somebody with the database's own keys would.
    async fn sql(&self, sql: &str) {
        let sql = format!("set session_replication_role = replica; {sql}");
        self.db.admin().await.batch_execute(&sql).await.unwrap_or_else(|e| panic!("{e:?}\n{sql}"));
    }

    async fn older(&self, scope: &WorkspaceScope, filter: &Filter, before: Option<i64>, limit: i64) -> Vec<i64> {
        let mut tx = self.app.begin_read(scope).await.unwrap();
        let rows = audit::list_older(&mut tx, filter, before, limit).await.unwrap();
        rows.into_iter().map(|row| row.seq).collect()
    }
}

#[tokio::test]
async fn entries_follow_each_other_and_the_chain_is_whole() {
    let stage = Stage::new().await;
    assert_eq!(stage.broken().await, Some(ChainBreak::NoHead), "a workspace without any entry has lost them");
    stage.write_many(5).await;
    let report = stage.verify().await;
    assert_eq!((report.entries, report.broken), (5, None));
    assert!(report.first_at < report.last_at && report.head.len() == 64);
    let mut tx = stage.app.begin_read(&stage.scope).await.unwrap();
    let row = audit::find(&mut tx, 3).await.unwrap().unwrap();
    assert_eq!((row.object_name.as_str(), row.actor_id), ("agent 3", Some(stage.user.0)));
    assert_eq!(row.after.as_deref(), Some(r#"{"a": [1.5, "ü"], "b": 1, "approved": true}"#), "as Postgres writes it");
    let before = audit::find(&mut tx, 2).await.unwrap().unwrap();
    assert_eq!(row.previous_hash, before.hash);
    assert_eq!(audit::head_seq(&mut tx).await.unwrap(), 5);
    assert_eq!(audit::find(&mut tx, 6).await.unwrap(), None);
}

#[tokio::test]
async fn an_act_that_is_rolled_back_leaves_no_gap() {
    let stage = Stage::new().await;
    stage.write_many(1).await;
    let actor = Actor { kind: ActorKind::Service, id: None, name: "refine".into() };
    let entry = Entry {
        actor: &actor,
        act: Act::Rebuild,
        object: Object::default(),
        before: None,
        after: None,
        outcome: Outcome::Done,
        address: "",
        request_id: None,
    };
    let mut tx = stage.app.begin(&stage.scope).await.unwrap();
    audit::record(&mut tx, &entry).await.unwrap();
    tx.rollback().await.unwrap();
    let mut tx = stage.app.begin(&stage.scope).await.unwrap();
    audit::record(&mut tx, &entry).await.unwrap();
    audit::record(&mut tx, &entry).await.unwrap();
    tx.commit().await.unwrap();
    let report = stage.verify().await;
    assert_eq!((report.entries, report.broken), (3, None));
}

#[tokio::test]
async fn eight_writers_make_one_chain_and_another_workspace_its_own() {
    let stage = Stage::new().await;
    let other = stage.other().await;
    let writers = (0..8).map(|writer| {
        let (stage, other) = (&stage, &other);
        async move {
            for n in 0..12 {
                let scope = if writer == 7 { other } else { &stage.scope };
                stage.write(scope, &format!("{writer}.{n}")).await;
            }
        }
    });
    futures::future::join_all(writers).await;
    let report = stage.verify().await;
    assert_eq!((report.entries, report.broken), (84, None));
    let mut tx = stage.app.begin_read(&other).await.unwrap();
    let report = audit::verify(&mut tx).await.unwrap();
    assert_eq!((report.entries, report.broken), (12, None));
    // What one writer wrote comes in its order.
    let filter = Filter { text: Some("3.".into()), ..Filter::default() };
    let rows =
        audit::list_newer(&mut stage.app.begin_read(&stage.scope).await.unwrap(), &filter, 0, 100).await.unwrap();
    let names: Vec<&str> = rows.iter().map(|r| r.object_name.as_str()).filter(|n| n.starts_with("3.")).collect();
    assert_eq!(names, (0..12).map(|n| format!("3.{n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn no_role_changes_removes_or_places_an_entry() {
    let stage = Stage::new().await;
    stage.write_many(2).await;
    let workspace = stage.scope.workspace_id();
    for role in ["clarity_app", "clarity_worker", "clarity_ingest"] {
        let client = clarity_testkit::cluster::connect(&stage.db.url(role)).await.unwrap();
        for sql in [
            "update audit_entries set actor_name = 'nobody'",
            "delete from audit_entries",
            "truncate audit_entries",
            "update audit_heads set seq = 0",
            "delete from audit_heads",
            "insert into audit_heads (seq) values (9)",
            "insert into audit_entries (actor_kind, actor_name, act, seq) values ('person', 'x', 'x.y', 9)",
            "insert into audit_entries (actor_kind, actor_name, act, at) values ('person', 'x', 'x.y', now())",
            "insert into audit_entries (actor_kind, actor_name, act, hash) values ('person', 'x', 'x.y', '')",
            "insert into audit_entries (actor_kind, actor_name, act, previous_hash) values ('person', 'x', 'x.y', '')",
            "insert into audit_entries (workspace_id, actor_kind, actor_name, act)
               values ('22222222-2222-7222-8222-222222222222', 'person', 'x', 'x.y')",
        ] {
            let scope = format!(
                "begin; select set_config('app.workspace_id', '{workspace}', true), set_config('app.rank', '4', true)"
            );
            client.batch_execute(&scope).await.unwrap();
            let refused = client.execute(sql, &[]).await;
            let code = refused.expect_err(sql).code().map(|code| code.code().to_owned());
            assert_eq!(code.as_deref(), Some("42501"), "{role}: {sql}");
            client.batch_execute("rollback").await.unwrap();
        }
    }
    // An entry belongs to a workspace: outside of any there is no chain to add to.
    let client = clarity_testkit::cluster::connect(&stage.db.url("clarity_app")).await.unwrap();
    let outside = client
        .execute("insert into audit_entries (actor_kind, actor_name, act) values ('person', 'x', 'x.y')", &[])
        .await;
    assert!(outside.is_err());
    assert_eq!(stage.broken().await, None);
}

#[tokio::test]
async fn a_changed_cell_is_found_in_every_column() {
    let stage = Stage::new().await;
    stage.write_many(4).await;
    let columns = stage
        .db
        .admin()
        .await
        .query(
            "select attname::text from pg_attribute where attrelid = 'audit_entries'::regclass and attnum > 0 and not attisdropped",
            &[],
        )
        .await
        .unwrap();
    let mut tried = 0;
    for row in columns {
        let column: String = row.get(0);
        let value = match column.as_str() {
            // Another workspace's row is not read at all: it is missing here.
            "workspace_id" => "gen_random_uuid()",
            "seq" => "-seq",
            "at" => "at + interval '1 microsecond'",
            "actor_kind" => "'support'",
            "actor_id" | "request_id" => "null",
            "before" => "'{}'",
            "after" => "after || '{\"b\": 2}'",
            "outcome" => "'refused'",
            "previous_hash" | "hash" => "sha256(hash)",
            "actor_name" | "act" | "object_kind" | "object_id" | "object_name" | "address" => "'x'",
            unknown => panic!("a new column {unknown}: is it in the canonical form?"),
        };
        stage.sql("create table if not exists kept as select * from audit_entries").await;
        stage.sql(&format!("update audit_entries set {column} = {value} where seq = 2")).await;
        let expected = match column.as_str() {
            "workspace_id" => ChainBreak::Missing { seq: 2, last: 2 },
            "seq" => ChainBreak::Changed { seq: -2 },
            _ => ChainBreak::Changed { seq: 2 },
        };
        assert_eq!(stage.broken().await, Some(expected), "{column}");
        stage.sql("delete from audit_entries; insert into audit_entries select * from kept").await;
        assert_eq!(stage.broken().await, None, "{column} was put back");
        tried += 1;
    }
    assert_eq!(tried, 17);
}

#[tokio::test]
async fn missing_rows_a_cut_end_a_swapped_pair_and_a_forged_head_are_found() {
    let stage = Stage::new().await;
    stage.write_many(9).await;
    stage.sql("create table kept as select * from audit_entries; create table head as select * from audit_heads").await;
    let swap = "update audit_entries set seq = -4 where seq = 4; update audit_entries set seq = 4 where seq = 5;
                update audit_entries set seq = 5 where seq = -4";
    let contents = "update audit_entries e set actor_name = o.actor_name, after = o.after, object_name = o.object_name
                    from kept o where o.seq = 9 - e.seq and e.seq in (4, 5)";
    for (fault, expected) in [
        ("delete from audit_entries where seq = 1", ChainBreak::Missing { seq: 1, last: 1 }),
        ("delete from audit_entries where seq between 4 and 6", ChainBreak::Missing { seq: 4, last: 6 }),
        ("delete from audit_entries where seq > 7", ChainBreak::CutEnd { seq: 8, last: 9 }),
        ("delete from audit_entries", ChainBreak::CutEnd { seq: 1, last: 9 }),
        (swap, ChainBreak::Changed { seq: 4 }),
        (contents, ChainBreak::Changed { seq: 4 }),
        // The end cut off, and the head set back to what is left, but not to its hash.
        ("delete from audit_entries where seq > 7; update audit_heads set seq = 7", ChainBreak::Head { seq: 7 }),
        ("update audit_heads set seq = 8", ChainBreak::Head { seq: 9 }),
        ("delete from audit_heads", ChainBreak::NoHead),
        ("delete from audit_heads; delete from audit_entries", ChainBreak::NoHead),
    ] {
        stage.sql(fault).await;
        assert_eq!(stage.broken().await, Some(expected), "{fault}");
        stage
            .sql(
                "delete from audit_entries; insert into audit_entries select * from kept;
                 delete from audit_heads; insert into audit_heads select * from head",
            )
            .await;
        assert_eq!(stage.broken().await, None, "after {fault}");
    }
}

#[tokio::test]
async fn a_trigger_that_hashes_otherwise_is_found() {
    let stage = Stage::new().await;
    stage.write_many(2).await;
    let honest = "create or replace function audit_field(value bytea) returns bytea language sql immutable as
                  $$ select case when value is null then '\\xffffffff'::bytea else int4send(length(value)) || value end $$";
    stage.sql("create or replace function audit_field(value bytea) returns bytea language sql immutable as 'select value'").await;
    stage.write_many(1).await;
    stage.sql(honest).await;
    stage.write_many(1).await;
    assert_eq!(stage.broken().await, Some(ChainBreak::Changed { seq: 3 }));
}

#[tokio::test]
async fn a_viewer_and_an_operator_write_and_do_not_read() {
    let stage = Stage::new().await;
    for role in ["viewer", "operator", "admin"] {
        let scope = stage.with_role(role).await;
        stage.write(&scope, role).await;
        let seen = stage.older(&scope, &Filter::default(), None, 10).await;
        assert_eq!(seen.is_empty(), role != "admin", "{role} sees {seen:?}");
        let mut tx = stage.app.begin_read(&scope).await.unwrap();
        assert_eq!(audit::head_seq(&mut tx).await.unwrap() == 0, role != "admin");
    }
    assert_eq!(stage.broken().await, None);
}

#[tokio::test]
async fn pages_and_filters_read_this_workspace_only() {
    let stage = Stage::new().await;
    let other = stage.other().await;
    stage.write(&other, "theirs").await;
    stage.write_many(7).await;
    stage.write(&other, "theirs too").await;
    let all = Filter::default();
    assert_eq!(stage.older(&stage.scope, &all, None, 3).await, [7, 6, 5]);
    assert_eq!(stage.older(&stage.scope, &all, Some(5), 3).await, [4, 3, 2]);
    assert_eq!(stage.older(&other, &all, None, 9).await, [2, 1]);
    let mut tx = stage.app.begin_read(&stage.scope).await.unwrap();
    let newer: Vec<i64> = audit::list_newer(&mut tx, &all, 5, 9).await.unwrap().iter().map(|r| r.seq).collect();
    assert_eq!(newer, [6, 7]);
    let (third, fifth) =
        (audit::find(&mut tx, 3).await.unwrap().unwrap(), audit::find(&mut tx, 5).await.unwrap().unwrap());
    let request = third.request_id.unwrap().simple().to_string();
    let texts = |text: &str| Filter { text: Some(text.into()), ..Filter::default() };
    for (filter, seqs) in [
        (Filter { from: Some(third.at), to: Some(fifth.at), ..Filter::default() }, vec![4, 3]),
        (Filter { from: Some(i64::MAX), ..Filter::default() }, vec![]),
        (Filter { to: Some(0), ..Filter::default() }, vec![]),
        (
            Filter { actor: Some("maj".into()), act: Some("agent.approve".into()), ..Filter::default() },
            vec![7, 6, 5, 4, 3, 2, 1],
        ),
        (Filter { actor: Some("%".into()), ..Filter::default() }, vec![]),
        (Filter { act: Some("agent.revoke".into()), ..Filter::default() }, vec![]),
        (Filter { outcome: Some(Outcome::Refused), ..Filter::default() }, vec![]),
        (texts("AGENT 4"), vec![4]),
        (texts("theirs"), vec![]),
        (texts(&request), vec![3]),
    ] {
        assert_eq!(stage.older(&stage.scope, &filter, None, 100).await, seqs, "{filter:?}");
    }
}

//! Domains as the app's role sees them: which count, what takes one away, and that neither another workspace's nor one above or
//! below it does.

use clarity_domain::domains::DomainProblem;
use clarity_domain::ids::{DomainId, UserId};
use clarity_domain::view::session::UserCard;
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::Secret;
use clarity_store::auth::{user, workspace};
use clarity_store::{AppStore, AuthStore, StoreError, WorkspaceScope, domain};
use clarity_testkit::TestDb;
use uuid::Uuid;

struct Stage {
    _db: TestDb,
    app: AppStore,
    user: UserId,
    ours: WorkspaceScope,
    theirs: WorkspaceScope,
}

impl Stage {
    async fn new() -> Self {
        let db = TestDb::new().await;
        let login =
            |role: DbRole| DbLogin { role, url: db.url(role.name()), password: Secret::new(db.cluster().password()) };
        let auth = AuthStore::connect(&login(DbRole::Auth), 2).await.unwrap();
        let app = AppStore::connect(&login(DbRole::App), 4).await.unwrap();
        let user = UserId(Uuid::now_v7());
        let mut tx = auth.begin().await.unwrap();
        let card = UserCard { id: user, name: "Maja".into(), email: "maja@nordmark.example".into() };
        user::insert(&mut tx, &card, "no hash", true).await.unwrap();
        let ours = workspace::create(&mut tx, user, "nordmark", "Nordmark", "UTC").await.unwrap().unwrap();
        let theirs = workspace::create(&mut tx, user, "acme", "Acme", "UTC").await.unwrap().unwrap();
        tx.commit().await.unwrap();
        Self { _db: db, app, user, ours: ours.scope, theirs: theirs.scope }
    }

    async fn add(&self, scope: &WorkspaceScope, name: &str) -> Result<DomainId, StoreError> {
        let mut tx = self.app.begin(scope).await.unwrap();
        let id = domain::add(&mut tx, name, "ab", self.user).await?;
        tx.commit().await.unwrap();
        Ok(id)
    }

    async fn note(&self, scope: &WorkspaceScope, id: DomainId, problem: Option<DomainProblem>) -> bool {
        let mut tx = self.app.begin(scope).await.unwrap();
        let verified = domain::note_check(&mut tx, id, problem, None).await.unwrap();
        tx.commit().await.unwrap();
        verified
    }

    async fn is_verified(&self, scope: &WorkspaceScope, name: &str) -> bool {
        let mut tx = self.app.begin_read(scope).await.unwrap();
        domain::is_verified(&mut tx, name).await.unwrap()
    }
}

#[tokio::test]
async fn exactly_the_domain_counts_in_exactly_the_workspace() {
    let stage = Stage::new().await;
    let id = stage.add(&stage.ours, "nordmark.com").await.unwrap();
    stage.add(&stage.theirs, "nordmark.com").await.unwrap();
    assert!(!stage.is_verified(&stage.ours, "nordmark.com").await, "added is not shown");
    assert!(stage.note(&stage.ours, id, None).await);
    for (name, counts) in [
        ("nordmark.com", true),
        ("NORDMARK.com", true),
        ("werk.nordmark.com", false),
        ("com", false),
        ("evilnordmark.com", false),
        ("nordmark.com.evil.example", false),
        ("%", false),
        ("", false),
    ] {
        assert_eq!(stage.is_verified(&stage.ours, name).await, counts, "{name}");
        assert!(!stage.is_verified(&stage.theirs, name).await, "{name} in another workspace");
    }
}

#[tokio::test]
async fn what_is_known_to_be_gone_does_not_count_and_what_is_not_known_stays() {
    let stage = Stage::new().await;
    let id = stage.add(&stage.ours, "nordmark.com").await.unwrap();
    for problem in [DomainProblem::Nothing, DomainProblem::Other, DomainProblem::Failed, DomainProblem::Slow] {
        assert!(!stage.note(&stage.ours, id, Some(problem)).await, "{problem:?} shows nothing");
        assert!(stage.note(&stage.ours, id, None).await);
        assert_eq!(stage.note(&stage.ours, id, Some(problem)).await, !problem.is_absence(), "{problem:?}");
        assert_eq!(stage.is_verified(&stage.ours, "nordmark.com").await, !problem.is_absence(), "{problem:?}");
        stage.note(&stage.ours, id, Some(DomainProblem::Nothing)).await;
    }
}

#[tokio::test]
async fn a_domain_is_added_once_and_checked_now_and_then() {
    let stage = Stage::new().await;
    let id = stage.add(&stage.ours, "nordmark.com").await.unwrap();
    let again = stage.add(&stage.ours, "nordmark.com").await.unwrap_err();
    assert!(matches!(again, StoreError::Conflict(constraint) if constraint == domain::ONCE));

    let mut tx = stage.app.begin(&stage.ours).await.unwrap();
    let first = domain::begin_check(&mut tx, id, 10).await.unwrap();
    assert_eq!(
        (first.domain.as_str(), first.token.as_str(), first.verified, first.wait_s),
        ("nordmark.com", "ab", false, 0)
    );
    // Within one transaction no time goes by.
    assert_eq!(domain::begin_check(&mut tx, id, 10).await.unwrap().wait_s, 10);
    tx.commit().await.unwrap();

    let mut tx = stage.app.begin(&stage.theirs).await.unwrap();
    assert!(matches!(domain::begin_check(&mut tx, id, 10).await, Err(StoreError::NotFound)));
    assert!(matches!(domain::note_check(&mut tx, id, None, None).await, Err(StoreError::NotFound)));
    assert!(matches!(domain::remove(&mut tx, id).await, Err(StoreError::NotFound)));
    assert!(domain::list(&mut tx).await.unwrap().is_empty());
    tx.rollback().await.unwrap();

    let mut tx = stage.app.begin(&stage.ours).await.unwrap();
    assert_eq!(domain::count(&mut tx).await.unwrap(), 1);
    assert_eq!(domain::remove(&mut tx, id).await.unwrap(), ("nordmark.com".to_owned(), false));
    assert!(domain::list(&mut tx).await.unwrap().is_empty());
    tx.commit().await.unwrap();
}

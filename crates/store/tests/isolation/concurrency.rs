//! Transactions of many workspaces on few connections, through the product's own pool and scopes, some of them dropped at
//! whatever await they had reached: none sees, finds or writes a row of another workspace.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use clarity_domain::ids::UserId;
use clarity_domain::view::session::UserCard;
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::Secret;
use clarity_store::{AppStore, AuthStore, StoreError, WorkspaceScope, asset, auth, search, site};
use clarity_testkit::{TestDb, wait_until};
use uuid::Uuid;

const WORKSPACES: u32 = 50;
const CONNECTIONS: u32 = 4;
/// In each workspace from the start.
const MACHINES: usize = 3;

/// What came of it.
#[derive(Default, Debug)]
pub struct Interleaved {
    pub finished: u32,
    pub dropped: u32,
    /// Rows that were looked at, none of which may be another workspace's.
    pub rows: u64,
    pub foreign: Vec<String>,
}

/// Runs so many transactions, and looks at what they left behind.
pub async fn run(transactions: u32) -> Interleaved {
    let db = TestDb::new().await;
    let login =
        |role: DbRole| DbLogin { role, url: db.url(role.name()), password: Secret::new(db.cluster().password()) };
    let auth_store = AuthStore::connect(&login(DbRole::Auth), 1).await.expect("auth");
    let store = AppStore::connect(&login(DbRole::App), CONNECTIONS).await.expect("app");
    let mut members = Vec::new();
    for number in 0..WORKSPACES {
        members.push(Member::new(&auth_store, &store, number).await);
    }
    let all: Vec<_> = members.into_iter().map(|member| tokio::spawn(member.work(transactions / WORKSPACES))).collect();
    let mut sum = Interleaved::default();
    for one in all {
        let one = one.await.expect("no panic");
        sum.finished += one.finished;
        sum.dropped += one.dropped;
        sum.rows += one.rows;
        sum.foreign.extend(one.foreign);
    }
    sum.foreign.extend(left_behind(&db).await);
    sum
}

/// Rows that stand in another workspace than their name says, and transactions that nobody ends.
async fn left_behind(db: &TestDb) -> Vec<String> {
    let admin = db.admin().await;
    let sql = "select a.key || ' in ' || w.slug from public.assets a join auth.workspaces w on w.id = a.workspace_id
               where not starts_with(a.key, w.slug || '-')
               union all
               select s.name || ' in ' || w.slug from public.sites s join auth.workspaces w on w.id = s.workspace_id
               where not starts_with(s.name, w.slug || '-')";
    let strays = admin.query(sql, &[]).await.expect("read");
    wait_until("no transaction is left open", Duration::from_secs(10), || async {
        let sql =
            "select from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'";
        admin.query(sql, &[]).await.expect("read").is_empty()
    })
    .await;
    strays.iter().map(|row| row.get(0)).collect()
}

/// A member of one workspace, with the others' names to ask for.
struct Member {
    store: AppStore,
    scope: WorkspaceScope,
    slug: String,
    dice: Dice,
    done: Interleaved,
}

impl Member {
    async fn new(auth_store: &AuthStore, store: &AppStore, number: u32) -> Self {
        let slug = format!("plant{number:02}");
        let user = UserCard { id: UserId(Uuid::now_v7()), name: slug.clone(), email: format!("{slug}@example.test") };
        let mut tx = auth_store.begin().await.expect("begins");
        auth::user::insert(&mut tx, &user, "none", true).await.expect("a user");
        let seat =
            auth::workspace::create(&mut tx, user.id, &slug, &slug, "UTC").await.expect("made").expect("a new slug");
        tx.commit().await.expect("commits");
        let mut tx = store.begin(&seat.scope).await.expect("begins");
        let keys: Vec<String> = (0..MACHINES).map(|n| format!("{slug}-start{n}")).collect();
        asset::register(&mut tx, &keys).await.expect("machines");
        tx.commit().await.expect("commits");
        let done = Interleaved::default();
        Self { store: store.clone(), scope: seat.scope, slug, dice: Dice(u64::from(number) + 1), done }
    }

    async fn work(mut self, transactions: u32) -> Interleaved {
        for number in 0..transactions {
            // Two of five may be dropped, at one of their first awaits: a whole transaction is ready after four or more.
            let polls = if self.dice.below(5) < 2 { 1 + self.dice.below(6) } else { u64::MAX };
            let (read, other) = (self.dice.below(2) == 0, self.dice.below(u64::from(WORKSPACES)));
            let ending = self.dice.below(4);
            let transaction = async {
                match read {
                    true => self.read(other).await,
                    false => self.write(number, ending).await,
                }
            };
            match DroppedAfter::new(transaction, polls).await {
                None => self.done.dropped += 1,
                Some(Err(error)) => self.done.foreign.push(format!("{}: {error}", self.slug)),
                Some(Ok((rows, foreign))) => {
                    self.done.finished += 1;
                    self.done.rows += rows;
                    self.done.foreign.extend(foreign);
                }
            }
        }
        self.done
    }

    /// Everything that is there, what a search finds, and another workspace's machine by its key.
    async fn read(&self, other: u64) -> Result<(u64, Vec<String>), StoreError> {
        let mut tx = self.store.begin_read(&self.scope).await?;
        let mut seen: Vec<String> = asset::list(&mut tx).await?.into_iter().map(|a| a.key).collect();
        let own = seen.iter().filter(|key| key.contains("-start")).count();
        seen.extend(search::find(&mut tx, "plant").await?.into_iter().map(|hit| hit.name));
        let wanted = format!("plant{other:02}-start0");
        let found = asset::find_numbers(&mut tx, std::slice::from_ref(&wanted)).await?;
        tx.rollback().await?;
        seen.extend(found.into_keys());
        let rows = seen.len() as u64;
        seen.retain(|key| !key.starts_with(&format!("{}-", self.slug)));
        if own != MACHINES {
            seen.push(format!("{} has {own} of its {MACHINES} machines", self.slug));
        }
        Ok((rows, seen))
    }

    /// A site and a machine, kept, taken back, or left to the pool.
    async fn write(&self, number: u32, ending: u64) -> Result<(u64, Vec<String>), StoreError> {
        let mut tx = self.store.begin(&self.scope).await?;
        site::insert(&mut tx, &format!("{}-{number}", self.slug), "UTC").await?;
        asset::register(&mut tx, &[format!("{}-{number}", self.slug)]).await?;
        let mut seen: Vec<String> = asset::list(&mut tx).await?.into_iter().map(|a| a.key).collect();
        match ending {
            0 => tx.commit().await?,
            1 => tx.rollback().await?,
            _ => drop(tx),
        }
        let rows = seen.len() as u64;
        seen.retain(|key| !key.starts_with(&format!("{}-", self.slug)));
        Ok((rows, seen))
    }
}

/// A future that is dropped when it is not ready after so many polls.
struct DroppedAfter<F> {
    future: Option<Pin<Box<F>>>,
    polls: u64,
}

impl<F: Future> DroppedAfter<F> {
    fn new(future: F, polls: u64) -> Self {
        Self { future: Some(Box::pin(future)), polls }
    }
}

impl<F: Future> Future for DroppedAfter<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = self.future.as_mut() else { return Poll::Ready(None) };
        if let Poll::Ready(done) = future.as_mut().poll(context) {
            return Poll::Ready(Some(done));
        }
        self.polls -= 1;
        if self.polls > 0 {
            return Poll::Pending;
        }
        self.future = None;
        Poll::Ready(None)
    }
}

/// The same throws in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

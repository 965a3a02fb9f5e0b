//! A platform database with services on it, and people in workspaces.

use clarity_domain::error::AppError;
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::Secret;
use clarity_service::{Client, Limits, Seat, Services, Settings, SignIn, SignUp, SignedIn, Visitor};
use clarity_store::{AppStore, AuthStore};
use clarity_testkit::TestDb;

pub const PASSWORD: &str = "four plain words here";

pub struct Stage {
    pub db: TestDb,
    pub services: Services,
    pub auth: AuthStore,
}

impl Stage {
    pub async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    pub async fn with(limits: Limits) -> Self {
        let db = TestDb::new().await;
        let login =
            |role: DbRole| DbLogin { role, url: db.url(role.name()), password: Secret::new(db.cluster().password()) };
        let auth = AuthStore::connect(&login(DbRole::Auth), 4).await.expect("auth connects");
        let app = AppStore::connect(&login(DbRole::App), 4).await.expect("app connects");
        let settings =
            Settings { public_url: "https://clarity.example".into(), agent_url: "wss://agents.example".into(), limits };
        let services = Services::new(auth.clone(), app, settings).expect("services");
        Self { db, services, auth }
    }

    pub async fn sign_up(&self, workspace: &str, email: &str) -> Result<SignedIn, AppError> {
        self.sign_up_with(workspace, email, PASSWORD).await
    }

    pub async fn sign_up_with(&self, workspace: &str, email: &str, password: &str) -> Result<SignedIn, AppError> {
        let form =
            SignUp { workspace: workspace.into(), name: "Maja".into(), email: email.into(), password: password.into() };
        self.services.sign_up(form, &client()).await
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Result<SignedIn, AppError> {
        let form = SignIn { email: email.into(), password: password.into() };
        self.services.sign_in(form, &client()).await
    }

    pub async fn visitor(&self, signed_in: &SignedIn) -> Visitor {
        self.services.visitor(Some(&signed_in.token)).await.expect("resolved")
    }

    /// A new workspace and its owner's seat.
    pub async fn owner(&self, workspace: &str, email: &str) -> Seat {
        let signed_in = self.sign_up(workspace, email).await.expect("signed up");
        self.seat(&signed_in).await
    }

    pub async fn seat(&self, signed_in: &SignedIn) -> Seat {
        let slug = &signed_in.session.workspaces[0].slug;
        self.services.enter(&self.visitor(signed_in).await, slug, &client()).await.expect("entered")
    }

    /// The token of the newest invitation to this address.
    pub async fn invitation_token(&self, to: &str) -> String {
        let (_, text) = self.last_letter(to).await;
        let (_, rest) = text.split_once("/invite/").unwrap_or_else(|| panic!("there is no link in {text}"));
        rest.chars().take_while(char::is_ascii_hexdigit).collect()
    }

    /// A new person in the workspace of this seat, by invitation, signed in.
    pub async fn member(&self, owner: &Seat, email: &str, role: clarity_domain::role::Role) -> SignedIn {
        self.services.invite(owner, email, role).await.expect("invited");
        let token = self.invitation_token(email).await;
        let new = clarity_service::NewAccount { name: "Joe".into(), password: PASSWORD.into() };
        let accepted = self.services.accept_invitation(&Visitor::Anonymous, &token, Some(new), &client()).await;
        accepted.expect("accepted").signed_in.expect("a session")
    }

    /// Past every policy: for faults and for looking.
    pub async fn sql(&self, sql: &str) {
        let done = self.db.admin().await.batch_execute(sql).await;
        done.unwrap_or_else(|e| panic!("{e:?}\n{sql}"));
    }

    pub async fn count(&self, of: &str) -> i64 {
        let sql = format!("select count(*) from {of}");
        self.db.admin().await.query_one(&sql, &[]).await.unwrap_or_else(|e| panic!("{e:?}\n{sql}")).get(0)
    }

    /// A source with a stream in the seat's workspace; `{w}`, `{source}` and `{stream}` in `sql` are their ids.
    pub async fn with_source(&self, seat: &Seat, sql: &str) {
        let all = format!(
            "insert into agents (workspace_id, id, name, seen_at, connected) values ('{{w}}', '{{source}}', 'a', now(), true);
             insert into sources (workspace_id, id, agent_id, name, kind, partition, status)
               values ('{{w}}', '{{source}}', '{{source}}', 'plant-db', 'postgres', 0, '{{\"state\": \"streaming\"}}');
             insert into streams (workspace_id, id, source_id, name, schema) values ('{{w}}', '{{stream}}', '{{source}}', 'public.telemetry', '{{}}');
             {sql}"
        );
        let all = all
            .replace("{w}", &seat.frame_card().id.to_string())
            .replace("{source}", SOURCE)
            .replace("{stream}", STREAM);
        self.sql(&all).await;
    }
}

pub const SOURCE: &str = "00000000-0000-7000-8000-0000000000a1";
pub const STREAM: &str = "00000000-0000-7000-8000-0000000000b1";

pub fn client() -> Client {
    Client { address: "192.0.2.1".into(), user_agent: Some("test".into()), request_id: Some(uuid::Uuid::from_u128(7)) }
}

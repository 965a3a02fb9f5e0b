//! A platform database with services on it, and people in workspaces.

use std::time::Duration;

use clarity_domain::error::AppError;
use clarity_domain::plan::Terms;
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::Secret;
use clarity_service::{
    Client, ConfirmSignUp, FirstStep, Limits, MailSettings, NewWorkspace, OutgoingSettings, Seat, SecretsKey, Services,
    Settings, SignIn, SignedIn, Visitor,
};
use clarity_store::{AppStore, AuthStore, plan};
use clarity_testkit::{TestDb, wait_until};

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
        Self::on(TestDb::new().await, limits, "a test's").await
    }

    /// With a key for secrets that follows from `secrets`.
    pub async fn on(db: TestDb, limits: Limits, secrets: &str) -> Self {
        // A name server that nobody is at: no test asks the machine's own.
        let outgoing = OutgoingSettings { resolver: Some(([127, 0, 0, 1], 9).into()), ..OutgoingSettings::default() };
        Self::reaching(db, limits, secrets, outgoing).await
    }

    /// With requests to addresses that tenants name as `outgoing` says.
    pub async fn reaching(db: TestDb, limits: Limits, secrets: &str, outgoing: OutgoingSettings) -> Self {
        let mail = MailSettings::outbox("Clarity Stream <no-reply@clarity.example>").expect("an address");
        let settings = Settings {
            public_url: "https://clarity.example".into(),
            agent_url: "wss://agents.example".into(),
            mail,
            secrets: SecretsKey::from_password(&Secret::new(secrets)),
            outgoing,
            limits,
        };
        Self::set(db, settings).await
    }

    /// With letters that the mail server at this address is to send.
    pub async fn mailing(smtp: &str) -> Self {
        let from = "Clarity Stream <no-reply@clarity.example>";
        let settings = Settings {
            public_url: "https://clarity.example".into(),
            agent_url: "wss://agents.example".into(),
            mail: MailSettings::smtp(&Secret::new(smtp), from).expect("an address"),
            secrets: SecretsKey::from_password(&Secret::new("a test's")),
            outgoing: OutgoingSettings::default(),
            limits: Limits::default(),
        };
        Self::set(TestDb::new().await, settings).await
    }

    async fn set(db: TestDb, settings: Settings) -> Self {
        let login =
            |role: DbRole| DbLogin { role, url: db.url(role.name()), password: Secret::new(db.cluster().password()) };
        let auth = AuthStore::connect(&login(DbRole::Auth), 4).await.expect("auth connects");
        let app = AppStore::connect(&login(DbRole::App), 4).await.expect("app connects");
        let services = Services::new(auth.clone(), app, settings).expect("services");
        Self { db, services, auth }
    }

    /// By the letter, as a person does it; somebody who has an account signs in and adds a workspace.
    pub async fn sign_up(&self, workspace: &str, email: &str) -> Result<SignedIn, AppError> {
        let known = format!("auth.users where email = lower(trim('{email}'))");
        if self.count(&known).await == 0 {
            let token = self.sign_up_token(email).await?;
            return self.confirm(&token, workspace, PASSWORD).await;
        }
        let signed_in = self.sign_in(email, PASSWORD).await?;
        self.services.add_workspace(&self.visitor(&signed_in).await, workspace, &client()).await?;
        self.sign_in(email, PASSWORD).await
    }

    /// The secret of the link that is sent to an address without an account.
    pub async fn sign_up_token(&self, email: &str) -> Result<String, AppError> {
        self.services.ask_sign_up(email, &client()).await?;
        Ok(self.token_in_letter(email, "/confirm/").await)
    }

    /// What follows `path` in the last letter to this address.
    pub async fn token_in_letter(&self, email: &str, path: &str) -> String {
        let (_, text) = self.last_letter(&email.trim().to_lowercase()).await;
        let (_, after) = text.split_once(path).expect("a link");
        after.chars().take_while(char::is_ascii_alphanumeric).collect()
    }

    pub async fn confirm(&self, token: &str, workspace: &str, password: &str) -> Result<SignedIn, AppError> {
        let form = ConfirmSignUp {
            token: token.into(),
            workspace: workspace.into(),
            name: "Maja".into(),
            password: password.into(),
        };
        self.services.confirm_sign_up(form, &client()).await
    }

    /// By the operator's command.
    pub async fn command(&self, workspace: &str, email: &str, password: &str) -> Result<bool, AppError> {
        let form = NewWorkspace {
            workspace: workspace.into(),
            name: "Maja".into(),
            email: email.into(),
            password: password.into(),
        };
        self.services.ensure_workspace(form).await.map(|(_, was_there)| was_there)
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Result<SignedIn, AppError> {
        match self.first_step(email, password).await? {
            FirstStep::SignedIn(signed_in) => Ok(signed_in),
            FirstStep::CodeNeeded(_) => panic!("{email} has a second factor"),
        }
    }

    pub async fn first_step(&self, email: &str, password: &str) -> Result<FirstStep, AppError> {
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

    /// As `clarity-server set-plan` does it.
    pub async fn set_plan(&self, slug: &str, terms: &Terms) {
        let role = DbRole::Owner;
        let password = Secret::new(self.db.cluster().password());
        let login = DbLogin { role, url: self.db.url(role.name()), password };
        plan::set_as_owner(&login, slug, terms).await.expect("a plan");
    }

    /// Waits until there are so many: what is done beside an answer comes a moment after it.
    pub async fn comes_to(&self, of: &str, count: i64) {
        let what = format!("{count} {of}");
        wait_until(&what, Duration::from_secs(10), || async { self.count(of).await == count }).await;
    }

    /// Subject and text of the newest letter to this address.
    pub async fn last_letter(&self, to: &str) -> (String, String) {
        let sql =
            "select subject, body_text from auth.mails where to_address = $1 order by created_at desc, id desc limit 1";
        let found = self.db.admin().await.query_opt(sql, &[&to]).await.unwrap_or_else(|e| panic!("{e:?}"));
        let row = found.unwrap_or_else(|| panic!("there is no letter to {to}"));
        (row.get(0), row.get(1))
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

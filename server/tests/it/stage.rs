//! A router with a database, a site folder and a way to ask it.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode, header};
use clarity_app::context::Site;
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::Secret;
use clarity_runtime::shutdown::CancellationToken;
use clarity_server::router::router;
use clarity_server::state::AppState;
use clarity_service::{
    Client, FirstStep, Limits, MailSettings, NewWorkspace, OutgoingSettings, SecretsKey, Services, Settings, SignIn,
    SignedIn,
};
use clarity_store::{AppStore, AuthStore, OpsStore};
use clarity_testkit::TestDb;
use tower::ServiceExt;

pub const ORIGIN: &str = "http://localhost:8080";
pub const PASSWORD: &str = "four plain words here";

pub struct Stage {
    pub db: TestDb,
    pub services: Services,
    pub shutdown: CancellationToken,
    pub router: Router,
    _site: tempfile::TempDir,
}

/// Whoever listens for changes stops: else each test's hub would knock at a database that is gone, every second, until the
/// last test is done.
impl Drop for Stage {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Stage {
    pub async fn new() -> Self {
        Self::at(ORIGIN, false).await
    }

    pub async fn at(origin: &str, secure: bool) -> Self {
        let mail = MailSettings::outbox("Clarity Stream <no-reply@localhost>").expect("an address");
        Self::with(origin, secure, mail, Limits::default()).await
    }

    pub async fn with(origin: &str, secure: bool, mail: MailSettings, limits: Limits) -> Self {
        let db = TestDb::new().await;
        let login =
            |role: DbRole| DbLogin { role, url: db.url(role.name()), password: Secret::new(db.cluster().password()) };
        let auth = AuthStore::connect(&login(DbRole::Auth), 4).await.expect("auth connects");
        let app = AppStore::connect(&login(DbRole::App), 6).await.expect("app connects");
        let secrets = SecretsKey::from_password(&Secret::new("a test's"));
        // A name server that nobody is at: no test asks the machine's own.
        let outgoing = OutgoingSettings { resolver: Some(([127, 0, 0, 1], 9).into()), ..OutgoingSettings::default() };
        let settings = Settings {
            public_url: origin.into(),
            agent_url: "wss://localhost:7443".into(),
            mail,
            secrets,
            outgoing,
            limits,
        };
        let ops = OpsStore::connect(&login(DbRole::Ops), 2).await.expect("ops connects");
        let services = Services::new(auth, app, settings).expect("services").with_ops(ops);
        let site = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(site.path().join("pkg")).expect("a folder");
        for (name, content) in [
            ("assets.json", r#"{"clarity.js":"/pkg/clarity.0.js"}"#),
            ("pkg/clarity.0.js", "let plain"),
            ("pkg/clarity.0.js.br", "let compressed"),
            ("pkg/clarity.0.css", "body{}"),
            ("favicon.svg", "<svg/>"),
        ] {
            std::fs::write(site.path().join(name), content).expect("written");
        }
        let names = clarity_app::context::Assets::from_json(r#"{"clarity.js":"/pkg/clarity.0.js"}"#).expect("names");
        let shutdown = CancellationToken::new();
        let of_site = Site { origin: origin.into(), secure, assets: names };
        let state = AppState::new(services.clone(), of_site, site.path().to_owned(), shutdown.clone());
        Self { db, services, shutdown, router: router(state), _site: site }
    }

    /// A workspace and its owner by the operator's command, and their sign-in.
    pub async fn sign_up(&self, workspace: &str, email: &str) -> SignedIn {
        let form = NewWorkspace {
            workspace: workspace.into(),
            name: "Maja".into(),
            email: email.into(),
            password: PASSWORD.into(),
        };
        self.services.ensure_workspace(form).await.expect("made");
        let form = SignIn { email: email.into(), password: PASSWORD.into() };
        match self.services.sign_in(form, &Client::default()).await.expect("signed in") {
            FirstStep::SignedIn(signed_in) => signed_in,
            FirstStep::CodeNeeded(_) => panic!("{email} has a second factor"),
        }
    }

    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.expect("answered")
    }

    pub async fn get(&self, path: &str, session: Option<&SignedIn>) -> Response<Body> {
        let mut request = Request::get(path).header(header::ACCEPT, "text/html, */*");
        if let Some(session) = session {
            request = request.header(header::COOKIE, format!("cs={}", session.token));
        }
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    /// A form from our own page.
    pub fn form(path: &str, body: &str) -> Request<Body> {
        Request::post(path)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "text/html")
            .body(Body::from(body.to_owned()))
            .expect("a request")
    }

    pub async fn sql(&self, sql: &str) {
        self.db.sql(sql).await;
    }
}

pub fn text_header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
    response.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
}

pub async fn text(response: Response<Body>) -> (StatusCode, String) {
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 4 << 20).await.expect("a body");
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

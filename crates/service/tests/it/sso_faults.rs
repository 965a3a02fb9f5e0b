//! A provider that answers late, wrongly, or as somebody else: nobody is let in, and why is written down.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::role::Role;
use clarity_domain::view::session::WorkspaceCard;
use clarity_domain::view::sso::SsoEdit;
use clarity_runtime::telemetry;
use clarity_service::{Limits, OutgoingSettings, SsoAnswer, SsoAsk, SsoStart, Visitor};
use clarity_testkit::{Log, TestDb};
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKeyId, PrivateSigningKey};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::stage::{Stage, client};

/// The access token that it gives.
const ACCESS: &str = "canary-of-an-access-token";

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Nothing,
    Late,
    AnotherIssuer,
    TokenOfAnotherIssuer,
    NoDiscovery,
    Nonsense,
    Nonce,
    Audience,
    MoreAudiences,
    Party,
    Expired,
    Signature,
    UnknownKey,
    AlgNone,
    /// Signed by the provider, for another use.
    OfAnotherUse,
    NoToken,
    LongAgo,
    NotSaidWhen,
    /// Its tokens take a moment; all of it is right.
    SlowTokens,
}

/// The key of a seed, as the file of one.
fn key(seed: u8) -> CoreEdDsaPrivateSigningKey {
    let mut der = hex::decode("302e020100300506032b657004220420").unwrap();
    der.extend([seed; 32]);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der));
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new("one".into()))).unwrap()
}

/// A stand-in for a provider; `nonce` is what its token answers.
#[derive(Clone)]
struct Fake {
    issuer: String,
    fault: Fault,
    nonce: Arc<Mutex<String>>,
    /// Descriptions that were asked for.
    described: Arc<AtomicUsize>,
    /// ID tokens that it gave.
    given: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    async fn start(fault: Fault) -> (Self, std::net::SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let issuer = format!("http://{address}");
        let fake = Self { issuer, fault, nonce: Arc::default(), described: Arc::default(), given: Arc::default() };
        let served = fake.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let fake = served.clone();
                tokio::spawn(async move { fake.serve(stream).await });
            }
        });
        (fake, address)
    }

    async fn serve(&self, mut stream: TcpStream) {
        let mut request = Vec::new();
        let mut piece = [0; 4096];
        // The head, and a body that comes with it.
        while !request.windows(4).any(|four| four == b"\r\n\r\n") {
            match stream.read(&mut piece).await {
                Ok(read) if read > 0 => request.extend_from_slice(&piece[..read]),
                _ => return,
            }
        }
        let text = String::from_utf8_lossy(&request).into_owned();
        let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
        if self.fault == Fault::Late {
            tokio::time::sleep(Duration::from_secs(20)).await;
        }
        if self.fault == Fault::SlowTokens && path == "/token" {
            tokio::time::sleep(Duration::from_millis(1_500)).await;
        }
        if path == "/.well-known/openid-configuration" {
            self.described.fetch_add(1, Ordering::Relaxed);
        }
        let (status, body) = self.answer(&path);
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        let _ = stream.shutdown().await;
    }

    fn answer(&self, path: &str) -> (&'static str, String) {
        let issuer = &self.issuer;
        match path {
            "/.well-known/openid-configuration" if self.fault == Fault::NoDiscovery => ("404 Not Found", "{}".into()),
            "/.well-known/openid-configuration" if self.fault == Fault::Nonsense => ("200 OK", "<html>".into()),
            "/.well-known/openid-configuration" => {
                let named = if self.fault == Fault::AnotherIssuer { "https://evil.example" } else { issuer.as_str() };
                let document = json!({
                    "issuer": named,
                    "authorization_endpoint": format!("{issuer}/authorize"),
                    "token_endpoint": format!("{issuer}/token"),
                    "jwks_uri": format!("{issuer}/keys"),
                    "response_types_supported": ["code"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["EdDSA", "none"],
                });
                ("200 OK", document.to_string())
            }
            "/keys" => {
                let mut shown = serde_json::to_value(key(1).as_verification_key()).unwrap();
                if self.fault == Fault::UnknownKey {
                    shown["kid"] = json!("another");
                }
                ("200 OK", json!({ "keys": [shown] }).to_string())
            }
            "/token" => {
                let id_token = self.token();
                self.given.lock().unwrap().push(id_token.clone());
                let mut tokens = json!({ "access_token": ACCESS, "token_type": "Bearer", "id_token": id_token });
                if self.fault == Fault::NoToken {
                    tokens.as_object_mut().unwrap().remove("id_token");
                }
                ("200 OK", tokens.to_string())
            }
            _ => ("404 Not Found", "{}".into()),
        }
    }

    fn token(&self) -> String {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let nonce = self.nonce.lock().unwrap().clone();
        let mut claims = json!({
            "iss": self.issuer, "aud": "clarity", "sub": "joe", "iat": now, "exp": now + 300, "auth_time": now,
            "nonce": nonce, "email": "joe@nordmark.example", "email_verified": true, "name": "Joe",
        });
        let mut set = |name: &str, value: Value| claims[name] = value;
        match self.fault {
            Fault::TokenOfAnotherIssuer => set("iss", json!("https://evil.example")),
            Fault::Nonce => set("nonce", json!("another")),
            Fault::Audience => set("aud", json!("another")),
            Fault::MoreAudiences => set("aud", json!(["clarity", "another"])),
            Fault::Party => set("azp", json!("another")),
            Fault::Expired => set("exp", json!(now - 1)),
            Fault::LongAgo => set("auth_time", json!(now - 12 * 3_600 - 120)),
            _ => {}
        }
        if self.fault == Fault::NotSaidWhen {
            claims.as_object_mut().unwrap().remove("auth_time");
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        if self.fault == Fault::AlgNone {
            return format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims));
        }
        let mut head = json!({ "alg": "EdDSA", "kid": "one" });
        if self.fault == Fault::OfAnotherUse {
            head["typ"] = json!("at+jwt");
        }
        let signed = format!("{}.{}", part(&head), part(&claims));
        let signer = key(if self.fault == Fault::Signature { 2 } else { 1 });
        let signature = signer.sign(&CoreJwsSigningAlgorithm::EdDsa, signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Whoever is not said to have signed in long ago is in; their session is no confirmed one.
fn is_fine(fault: Fault) -> bool {
    matches!(fault, Fault::Nothing | Fault::NotSaidWhen | Fault::SlowTokens)
}

/// A provider with this fault, and a workspace that asks it and owns a domain.
async fn set_up(fault: Fault) -> (Fake, Stage, WorkspaceCard) {
    let (fake, address) = Fake::start(fault).await;
    let outgoing = OutgoingSettings { allow: vec![address], ..OutgoingSettings::default() };
    let stage = Stage::reaching(TestDb::new().await, Limits::default(), "a test's", outgoing).await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    let edit = SsoEdit {
        issuer: fake.issuer.clone(),
        client_id: "clarity".into(),
        client_secret: "secret".into(),
        default_role: Role::Viewer,
        enabled: true,
    };
    stage.services.set_sso(&seat, edit).await.unwrap();
    let workspace = seat.frame_card();
    stage
        .sql(&format!(
            "insert into workspace_domains (workspace_id, id, domain, token, added_by, verified_at)
             values ('{}', gen_random_uuid(), 'nordmark.example', repeat('a', 32), gen_random_uuid(), now())",
            workspace.id
        ))
        .await;
    (fake, stage, workspace)
}

async fn start(stage: &Stage, workspace: &WorkspaceCard) -> Result<SsoStart, AppError> {
    stage.services.start_sso(&Visitor::Anonymous, &workspace.slug, SsoAsk::default(), &client()).await
}

/// What a browser comes back with, whose token answers the right nonce.
fn answer(fake: &Fake, workspace: &WorkspaceCard, start: &SsoStart) -> SsoAnswer {
    let url = url::Url::parse(&start.url).unwrap();
    let of = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    *fake.nonce.lock().unwrap() = of("nonce").unwrap();
    SsoAnswer {
        workspace: Some(workspace.id),
        state: of("state").unwrap(),
        code: Some("code".into()),
        ..SsoAnswer::default()
    }
}

/// What the log says of a sign-in with this fault; `None`: it went through.
async fn refused_as(fault: Fault) -> Option<String> {
    let (fake, stage, workspace) = set_up(fault).await;
    if let Ok(start) = start(&stage, &workspace).await {
        let answer = answer(&fake, &workspace, &start);
        let outcome = stage.services.finish_sso(answer, Some(&start.browser), &client()).await;
        assert_eq!(outcome.is_ok(), is_fine(fault), "{fault:?}");
    }
    let sessions = i64::from(is_fine(fault));
    assert_eq!(stage.count("auth.sessions where sso_workspace_id is not null").await, sessions, "{fault:?}");
    let sql = "select after->>'reason' from audit_entries where outcome = 'refused' order by seq desc limit 1";
    let row = stage.db.admin().await.query_opt(sql, &[]).await.unwrap();
    row.map(|row| row.get(0))
}

#[tokio::test]
async fn a_provider_whose_answer_is_right_lets_somebody_in() {
    assert_eq!(refused_as(Fault::Nothing).await, None);
    assert_eq!(refused_as(Fault::NotSaidWhen).await, None);
}

#[tokio::test]
async fn a_provider_that_is_none_or_another_is_not_gone_to() {
    for (fault, reason) in [
        (Fault::AnotherIssuer, "another_issuer"),
        (Fault::NoDiscovery, "no_discovery"),
        (Fault::Nonsense, "unreadable"),
    ] {
        assert_eq!(refused_as(fault).await.as_deref(), Some(reason), "{fault:?}");
    }
}

#[tokio::test]
async fn a_provider_that_is_late_is_not_waited_for() {
    let begun = std::time::Instant::now();
    assert_eq!(refused_as(Fault::Late).await.as_deref(), Some("unreachable"));
    assert!(begun.elapsed() < Duration::from_secs(19), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_token_that_is_not_right_in_every_way_lets_nobody_in() {
    for (fault, reason) in [
        (Fault::TokenOfAnotherIssuer, "another_issuer"),
        (Fault::Nonce, "another_nonce"),
        (Fault::Audience, "another_audience"),
        (Fault::MoreAudiences, "another_audience"),
        (Fault::Party, "another_party"),
        (Fault::Expired, "expired"),
        (Fault::Signature, "signature"),
        (Fault::UnknownKey, "unknown_key"),
        (Fault::AlgNone, "no_signature"),
        (Fault::OfAnotherUse, "claims"),
        (Fault::NoToken, "no_id_token"),
        (Fault::LongAgo, "too_long_ago"),
    ] {
        assert_eq!(refused_as(fault).await.as_deref(), Some(reason), "{fault:?}");
    }
}

#[tokio::test]
async fn a_provider_that_failed_a_moment_ago_is_not_asked_again() {
    let (fake, stage, workspace) = set_up(Fault::NoDiscovery).await;
    for _ in 0..3 {
        assert_eq!(start(&stage, &workspace).await.err().unwrap().code, ErrorCode::Unavailable);
    }
    assert_eq!(fake.described.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_changed_while_the_provider_was_asked_counts() {
    for change in [
        "update auth.sso_connections set enabled = false",
        "update auth.sso_connections set client_id = 'another'",
        "update auth.sso_connections set issuer = 'https://login.elsewhere.example'",
        "delete from auth.sso_connections",
    ] {
        let (fake, stage, workspace) = set_up(Fault::SlowTokens).await;
        let start = start(&stage, &workspace).await.unwrap_or_else(|e| panic!("{e}"));
        let answer = answer(&fake, &workspace, &start);
        let meanwhile = async {
            // The code is on its way to the provider.
            stage.comes_to("auth.sso_attempts where consumed_at is not null", 1).await;
            stage.sql(change).await;
        };
        let client = client();
        let finish = stage.services.finish_sso(answer, Some(&start.browser), &client);
        let (outcome, ()) = tokio::join!(finish, meanwhile);
        assert_eq!(outcome.err().unwrap().code, ErrorCode::NotFound, "{change}");
        assert_eq!(stage.count("auth.sessions where sso_workspace_id is not null").await, 0, "{change}");
        assert_eq!(stage.count("auth.users").await, 1, "{change}");
    }
}

#[tokio::test]
async fn a_providers_tokens_are_in_no_table_and_no_log() {
    let log = Log::default();
    let kept = log.clone();
    let _guard = tracing::subscriber::set_default(telemetry::json("debug".into(), move || kept.clone()));
    let (fake, stage, workspace) = set_up(Fault::Nothing).await;
    let start = start(&stage, &workspace).await.unwrap_or_else(|e| panic!("{e}"));
    let answer = answer(&fake, &workspace, &start);
    let outcome = stage.services.finish_sso(answer, Some(&start.browser), &client()).await;
    assert!(outcome.is_ok(), "joe is in");
    let admin = stage.db.admin().await;
    let tables = "select format('%I.%I', n.nspname, c.relname)
                  from pg_class c
                  join pg_namespace n on n.oid = c.relnamespace
                  where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema')";
    let mut all = String::new();
    for table in admin.query(tables, &[]).await.unwrap() {
        let table: String = table.get(0);
        for row in admin.query(&format!("select t::text from {table} t"), &[]).await.unwrap() {
            all.push_str(&row.get::<_, String>(0));
        }
    }
    assert!(all.contains("joe@nordmark.example"), "the tables were really read");
    let mut tokens = fake.given.lock().unwrap().clone();
    tokens.push(ACCESS.to_owned());
    assert_eq!(tokens.len(), 2, "one ID token was asked for");
    for token in tokens {
        for form in [hex::encode(&token), token] {
            assert!(!all.contains(&form), "a token is in a table");
            assert!(!log.text().contains(&form), "a token is in the log");
        }
    }
}

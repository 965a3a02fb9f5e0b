//! What every answer carries and what none gives away, whatever was asked.

use crate::stage::{PASSWORD, Stage, text, text_header};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use clarity_runtime::telemetry;
use clarity_testkit::Log;

#[tokio::test]
async fn every_answer_says_what_a_browser_may_do_with_it() {
    let stage = Stage::at("https://clarity.example", true).await;
    let paths = [
        "/",
        "/sign-in",
        "/nothing",
        "/healthz",
        "/favicon.svg",
        "/pkg/clarity.0.js",
        "/api/session/current",
        "/w/x/live",
    ];
    for path in paths {
        let answer = stage.get(path, None).await;
        let policy = text_header(&answer, "content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(policy.contains("base-uri 'none'") && policy.contains("object-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("'unsafe-eval'") && !policy.contains("script-src 'unsafe"), "{path}: {policy}");
        for (name, value) in [
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(text_header(&answer, name), value, "{path}");
        }
        assert!(answer.headers().get("access-control-allow-origin").is_none(), "{path}");
        assert!(answer.headers().get(header::SERVER).is_none(), "{path}");
    }
}

#[tokio::test]
async fn what_a_server_function_says_of_an_error_tells_nothing_of_the_inside() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    stage.sql("alter table assets rename to hidden_assets").await;
    let (status, body) = text(stage.get("/api/search/find?slug=nordmark&text=x", Some(&maja)).await).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{body}");
    assert!(body.contains("Something went wrong on our side"), "{body}");
    for word in ["assets", "relation", "42P01", "select", "sqlx", ".rs"] {
        assert!(!body.contains(word), "{word}: {body}");
    }
}

#[tokio::test]
async fn folders_sources_and_traces_are_not_there() {
    let stage = Stage::new().await;
    for path in [
        "/pkg/",
        "/pkg",
        "/.git/config",
        "/.git/HEAD",
        "/assets.json.br",
        "/..%2f..%2fetc/passwd",
        "/%2e%2e/Cargo.toml",
    ] {
        let (status, body) = text(stage.get(path, None).await).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert!(!body.contains("clarity.0.js.br") && !body.contains("root:"), "{path}");
    }
    let trace = Request::builder().method(Method::TRACE).uri("/").body(Body::empty()).unwrap();
    assert!(stage.send(trace).await.status().is_client_error());
}

#[tokio::test]
async fn text_of_people_is_text_on_a_page_and_in_the_data_it_embeds() {
    let stage = Stage::new().await;
    let name = "</script><script>alert(1)</script><img src=x onerror=alert(2)>";
    let maja = stage.sign_up(name, "maja@nordmark.example").await;
    let slug = maja.session.workspaces[0].slug.clone();
    let (status, html) = text(stage.get(&format!("/w/{slug}"), Some(&maja)).await).await;
    assert_eq!(status, StatusCode::OK);
    assert!(html.contains("&lt;img src=x"), "the name is shown");
    for markup in ["<script>alert(1)", "<img src=x", "</script><script>alert"] {
        assert!(!html.contains(markup), "{markup}");
    }
}

#[tokio::test]
async fn signing_in_ends_the_session_that_this_browser_had() {
    let stage = Stage::new().await;
    let before = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    let body = format!("email=maja%40nordmark.example&password={}", PASSWORD.replace(' ', "+"));
    let mut request = Stage::form("/api/session/sign_in", &body);
    request.headers_mut().insert(header::COOKIE, format!("cs={}", before.token).parse().unwrap());
    let answer = stage.send(request).await;
    let cookie = text_header(&answer, "set-cookie").to_owned();
    let token = cookie.strip_prefix("cs=").and_then(|rest| rest.split(';').next()).expect("a cookie").to_owned();
    assert!(token.len() == 64 && token != before.token, "{cookie}");
    assert_eq!(stage.get("/w/nordmark", Some(&before)).await.status(), StatusCode::FOUND, "the old one is over");
    let after = clarity_service::SignedIn { token, ..before };
    assert_eq!(stage.get("/w/nordmark", Some(&after)).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_code_of_a_pairing_is_kept_for_its_own_pages() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    let mut request = Stage::form("/api/pairing/begin", "slug=nordmark");
    request.headers_mut().insert(header::COOKIE, format!("cs={}", maja.token).parse().unwrap());
    let answer = stage.send(request).await;
    let cookie = text_header(&answer, "set-cookie");
    assert!(cookie.contains("; HttpOnly; SameSite=Strict; Max-Age=900"), "{cookie}");
}

#[tokio::test]
async fn what_a_browser_keeps_of_a_new_code_cannot_be_read_there() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    let mut request = Stage::form("/api/pairing/begin", "slug=nordmark");
    request.headers_mut().insert(header::COOKIE, format!("cs={}", maja.token).parse().unwrap());
    let answer = stage.send(request).await;
    let id = text_header(&answer, "location").rsplit('=').next().unwrap_or_default().to_owned();
    let kept = text_header(&answer, "set-cookie").split(';').next().unwrap_or_default().to_owned();
    let value = kept.strip_prefix("cs-pair=").expect("the cookie of the code").to_owned();
    let code = async |kept: &str| {
        let request = Request::get(format!("/api/pairing/get?slug=nordmark&id={id}"))
            .header(header::ACCEPT, "application/json")
            .header(header::COOKIE, format!("cs={}; {kept}", maja.token));
        let (status, body) = text(stage.send(request.body(Body::empty()).unwrap()).await).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body.split_once("\"code\":\"").and_then(|(_, rest)| rest.split('"').next()).map(str::to_owned)
    };
    let shown = code(&kept).await.expect("its own browser shows it again");
    assert!(shown.len() == 9 && !value.contains(&shown) && !value.contains(&id), "{value}");
    assert_eq!(code("cs-pair=").await, None);
    assert_eq!(code(&format!("cs-pair={id}.{shown}")).await, None, "only what we sealed is believed");
    assert_eq!(code(&format!("cs-token={value}")).await, None);
    assert_eq!(code(&format!("cs-pair={}", &value[1..])).await, None);
}

#[tokio::test]
async fn every_answer_names_what_it_is_and_its_characters() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/sign-in", "text/html; charset=utf-8"),
        ("/nothing", "text/html; charset=utf-8"),
        ("/w/nordmark", "text/html; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml; charset=utf-8"),
        ("/pkg/clarity.0.js", "text/javascript; charset=utf-8"),
        ("/pkg/clarity.0.css", "text/css; charset=utf-8"),
        ("/w/nordmark/audit.csv", "text/csv; charset=utf-8; header=present"),
        ("/w/nordmark/audit.ndjson", "application/x-ndjson"),
        ("/api/session/current", "application/json"),
        ("/api/v1/openapi.json", "application/json"),
        ("/api/v1/workspace", "application/problem+json"),
        ("/w/nothing/live?page=overview", "application/problem+json"),
    ] {
        let session = path.starts_with("/w/").then_some(&maja);
        let answer = stage.get(path, session).await;
        assert_eq!(text_header(&answer, "content-type"), kind, "{path}");
    }
}

#[tokio::test]
async fn what_programs_ask_in_clear_is_not_sent_on_to_https() {
    let stage = Stage::at("https://clarity.example", true).await;
    let paths = [
        "/api/v1/workspace",
        "/api/v1/openapi.json",
        "/api/session/current",
        "/w/nordmark/live?page=overview",
        "/w/nordmark/audit.csv",
        "/w/nordmark/export.ndjson",
        "/healthz",
        "/readyz",
    ];
    for path in paths {
        let mut request = Request::get(path).body(Body::empty()).unwrap();
        request.headers_mut().insert("x-forwarded-proto", "http".parse().unwrap());
        request.headers_mut().insert(header::HOST, "clarity.example".parse().unwrap());
        let answer = stage.send(request).await;
        // A program that has sent its secret in clear has to notice.
        assert!(!answer.status().is_redirection(), "{path}: {}", answer.status());
        assert!(answer.headers().get(header::LOCATION).is_none(), "{path}");
    }
}

#[tokio::test]
async fn what_was_sent_is_decoded_once() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    // Decoded a second time, these would be "<b>A & B</b>" and a path that is there.
    let mut request = Stage::form("/api/session/add_workspace", "workspace=%253Cb%253EA+%2526+B%253C%252Fb%253E");
    request.headers_mut().insert(header::COOKIE, format!("cs={}", maja.token).parse().unwrap());
    stage.send(request).await;
    let visitor = stage.services.visitor(Some(&maja.token)).await.unwrap();
    let names: Vec<String> = visitor.session().unwrap().workspaces.iter().map(|card| card.name.clone()).collect();
    assert!(names.contains(&"%3Cb%3EA %26 B%3C%2Fb%3E".to_owned()), "{names:?}");
    assert_eq!(stage.get("/w/%6eordmark/audit.csv", Some(&maja)).await.status(), StatusCode::OK);
    assert_eq!(stage.get("/w/%256eordmark/audit.csv", Some(&maja)).await.status(), StatusCode::NOT_FOUND);
}

/// What an agent reports was typed by somebody at the plant.
#[tokio::test]
async fn text_of_machines_is_text_on_every_page_that_shows_it() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    stage.sql(MARKUP).await;
    let id = "00000000-0000-7000-8000-000000000001";
    for path in [
        "/w/nordmark".to_owned(),
        format!("/w/nordmark?asset={id}"),
        "/w/nordmark/sources".to_owned(),
        format!("/w/nordmark/sources/{id}"),
        "/w/nordmark/audit".to_owned(),
    ] {
        let (status, html) = text(stage.get(&path, Some(&maja)).await).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        for markup in ["<img src=q", "<script>alert(7)", "</title><script", "<svg onload", "=\"\"onload"] {
            assert!(!html.contains(markup), "{path}: {markup}");
        }
        if !path.ends_with("audit") {
            assert!(html.contains("&lt;img src=q") || html.contains("&lt;script&gt;alert(7)"), "{path}: it is shown");
        }
    }
}

/// A machine and a source whose names are markup.
const MARKUP: &str = r#"
  insert into agents (workspace_id, id, name, seen_at)
    select id, '00000000-0000-7000-8000-000000000001', '<svg onload=alert(6)>', now() from auth.workspaces;
  insert into sources (workspace_id, id, agent_id, name, kind, partition)
    select id, '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000001',
           '</title><script>alert(7)</script>', 'postgres', 0 from auth.workspaces;
  insert into streams (workspace_id, id, source_id, name, schema)
    select id, id, '00000000-0000-7000-8000-000000000001', '"onload=alert(8)', '{}' from auth.workspaces;
  insert into assets (workspace_id, id, number, key, name, line)
    select id, '00000000-0000-7000-8000-000000000001', 1, 'ENG-001', '<img src=q onerror=alert(5)>', '"onload=alert(8)'
    from auth.workspaces;"#;

#[tokio::test]
async fn password_fields_hide_what_is_typed_and_take_what_a_manager_puts_in() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    for (path, session, fields) in [
        ("/sign-in", None, 1),
        ("/w/nordmark/sessions", Some(&maja), 2),
        ("/confirm-it?next=/w/nordmark", Some(&maja), 1),
    ] {
        let (status, html) = text(stage.get(path, session).await).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        let inputs: Vec<&str> = html.split("<input").skip(1).filter_map(|rest| rest.split('>').next()).collect();
        let is_secret =
            |input: &&str| ["password", "current"].iter().any(|name| input.contains(&format!("name=\"{name}\"")));
        let secret: Vec<&str> = inputs.into_iter().filter(is_secret).collect();
        assert_eq!(secret.len(), fields, "{path}: {secret:?}");
        for input in secret {
            assert!(input.contains("type=\"password\""), "{path}: {input}");
            assert!(
                input.contains("autocomplete=\"current-password\"") || input.contains("autocomplete=\"new-password\"")
            );
            assert!(!input.contains("readonly") && !input.contains("onpaste"), "{path}: {input}");
        }
    }
}

#[tokio::test]
async fn a_doubled_parameter_is_refused() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    let paths = [
        "/api/search/find?slug=nordmark&slug=acme&text=x",
        "/w/nordmark?range=1h&range=24h",
        "/w/nordmark/live?page=overview&page=sources",
        "/w/nordmark/audit.csv?act=a&act=b",
    ];
    for path in paths {
        let (status, body) = text(stage.get(path, Some(&maja)).await).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {body}");
        assert!(body.contains("there twice"), "{path}: {body}");
    }
    // In a form: neither the one nor the other.
    let password = PASSWORD.replace(' ', "+");
    let form = format!("email=maja%40nordmark.example&email=joe%40acme.example&password={password}");
    let answer = stage.send(Stage::form("/api/session/sign_in", &form)).await;
    assert!(!text_header(&answer, "set-cookie").starts_with("cs="), "{:?}", answer.headers());
}

#[tokio::test]
async fn a_field_that_a_form_does_not_have_sets_nothing() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    let fields = "slug=nordmark&email=new%40nordmark.example&role=viewer&invited_by=00000000-0000-7000-8000-000000000000\
                  &workspace_id=00000000-0000-7000-8000-000000000000&accepted_at=2026-01-01&confirmed=true&owner=true";
    let mut request = Stage::form("/api/members/invite", fields);
    request.headers_mut().insert(header::COOKIE, format!("cs={}", maja.token).parse().unwrap());
    let answer = stage.send(request).await;
    assert!(answer.status().is_redirection(), "{}", answer.status());
    let admin = stage.db.admin().await;
    let rows = admin
        .query(
            "select i.role::text, w.slug from auth.invitations i join auth.workspaces w on w.id = i.workspace_id",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].get::<_, String>(0).as_str(), rows[0].get::<_, String>(1).as_str()), ("viewer", "nordmark"));
}

#[tokio::test]
async fn what_is_for_building_the_product_is_not_there_in_production() {
    let stage = Stage::at("https://clarity.example", true).await;
    for path in ["/dev/ui", "/dev/ui/", "/dev/ui?x=1"] {
        assert_eq!(stage.get(path, None).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(Stage::new().await.get("/dev/ui", None).await.status(), StatusCode::OK, "on a machine that builds it");
}

#[tokio::test]
async fn whoever_tries_our_bounds_is_in_the_log() {
    let log = Log::default();
    let kept = log.clone();
    let _guard = tracing::subscriber::set_default(telemetry::text("info".into(), move || kept.clone()));
    let stage = Stage::new().await;
    let mut foreign = Stage::form("/api/session/sign_in", "email=a&password=b");
    foreign.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
    assert_eq!(stage.send(foreign).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(stage.get("/sign-in?next=%2Fa&next=%2Fb", None).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let text = log.text();
    assert!(text.contains("refused a request from another site"), "{text}");
    for status in ["403", "422"] {
        assert!(text.lines().any(|line| line.contains("answered") && line.contains(status)), "{status}: {text}");
    }
    assert!(!text.contains("%2Fa"), "queries are not logged: {text}");
}

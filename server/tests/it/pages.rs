//! Pages, forms, files and what every answer carries.

use crate::stage::{ORIGIN, PASSWORD, Stage, text, text_header};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use clarity_runtime::secret::Secret;
use clarity_service::{Limits, MailSettings};

#[tokio::test]
async fn a_form_of_another_site_is_refused() {
    let stage = Stage::new().await;
    let body = format!("email=maja%40nordmark.example&password={}", PASSWORD.replace(' ', "+"));
    stage.sign_up("Nordmark", "maja@nordmark.example").await;
    let path = "/api/session/sign_in";
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("x-nothing", "at all"),
    ] {
        let mut request = Stage::form(path, &body);
        request.headers_mut().remove("sec-fetch-site");
        request.headers_mut().insert(name, value.parse().unwrap());
        let response = stage.send(request).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{name}: {value}");
        assert_eq!(text_header(&response, "content-type"), "application/problem+json");
        assert!(response.headers().get(header::SET_COOKIE).is_none());
    }
    let response = stage.send(Stage::form(path, &body)).await;
    assert_eq!((response.status(), text_header(&response, "location")), (StatusCode::FOUND, "/w/nordmark"));
    let cookie = text_header(&response, "set-cookie");
    assert!(cookie.starts_with("cs=") && cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
}

#[tokio::test]
async fn over_tls_the_cookie_is_bound_to_the_host() {
    let stage = Stage::at("https://clarity.example", true).await;
    let signed_in = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    let body = format!("email=maja%40nordmark.example&password={}", PASSWORD.replace(' ', "+"));
    let response = stage.send(Stage::form("/api/session/sign_in", &body)).await;
    let cookie = text_header(&response, "set-cookie");
    assert!(cookie.starts_with("__Host-cs=") && cookie.contains("; Secure") && !cookie.contains("Domain"), "{cookie}");
    assert!(text_header(&response, "strict-transport-security").starts_with("max-age="));
    // The name without the prefix could have been set by a neighbouring host: it is not looked at.
    assert_ne!(stage.get("/w/nordmark", Some(&signed_in)).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_page_is_for_its_members_and_nobody_keeps_it() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    stage.sign_up("Acme", "joe@acme.example").await;
    let page = stage.get("/w/nordmark", Some(&maja)).await;
    assert_eq!((page.status(), text_header(&page, "cache-control")), (StatusCode::OK, "no-store"));
    let policy = text_header(&page, "content-security-policy").to_owned();
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce").to_owned();
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("script-src 'self' 'unsafe-inline'"));
    assert_eq!(text_header(&page, "x-content-type-options"), "nosniff");
    let (_, html) = text(page).await;
    assert!(html.contains("Nordmark") && html.contains(&nonce), "the page is rendered with its data");

    let (foreign, foreign_html) = text(stage.get("/w/acme", Some(&maja)).await).await;
    let (missing, _) = text(stage.get("/w/nothing", Some(&maja)).await).await;
    assert_eq!((foreign, missing), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
    assert!(!foreign_html.contains("joe@acme.example"));
    let signed_out = stage.get("/w/nordmark", None).await;
    assert_eq!(signed_out.status(), StatusCode::FOUND);
    assert!(text_header(&signed_out, "location").starts_with("/sign-in"), "{:?}", signed_out.headers());
}

#[tokio::test]
async fn files_with_a_hash_are_kept_and_come_compressed() {
    let stage = Stage::new().await;
    let request = Request::get("/pkg/clarity.0.js").header(header::ACCEPT_ENCODING, "br, gzip");
    let file = stage.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(text_header(&file, "cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(text_header(&file, "content-encoding"), "br");
    assert_eq!(text(file).await.1, "let compressed");
    assert_eq!(text(stage.get("/pkg/clarity.0.js", None).await).await.1, "let plain");
    let gone = stage.get("/pkg/clarity.1.js", None).await;
    assert_eq!((gone.status(), text_header(&gone, "cache-control")), (StatusCode::NOT_FOUND, "no-store"));
    let named = stage.get("/favicon.svg", None).await;
    assert_eq!(text_header(&named, "cache-control"), "public, max-age=3600");
    assert_eq!(stage.get("/../Cargo.toml", None).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(stage.get("/nothing", None).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_body_has_a_limit() {
    let stage = Stage::new().await;
    let mut request = Stage::form("/api/session/sign_in", &"x".repeat(2 << 20));
    request.headers_mut().insert(header::CONTENT_LENGTH, (2 << 20).into());
    let response = stage.send(request).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    // One that says nothing of its length, and comes in pieces: a form of ours, and a request for a file.
    for path in ["/api/session/sign_in", "/favicon.svg"] {
        let mut request = Stage::form(path, "");
        let pieces = (0..32).map(|_| Ok::<_, std::convert::Infallible>(vec![b'x'; 64 << 10]));
        *request.body_mut() = Body::from_stream(futures::stream::iter(pieces));
        assert!(!request.headers().contains_key(header::CONTENT_LENGTH));
        let response = stage.send(request).await;
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        assert_eq!(text_header(&response, "content-type"), "application/problem+json");
    }
    // In pieces, and short enough.
    let mut request = Stage::form("/api/session/sign_in", "");
    let pieces = ["email=a%40b.example", "&password=", "x"].map(Ok::<_, std::convert::Infallible>);
    *request.body_mut() = Body::from_stream(futures::stream::iter(pieces));
    assert!(!stage.send(request).await.status().is_server_error());
}

#[tokio::test]
async fn it_says_whether_it_can_work() {
    let stage = Stage::new().await;
    assert_eq!(stage.get("/healthz", None).await.status(), StatusCode::OK);
    let ready = stage.get("/readyz", None).await;
    assert_eq!(ready.status(), StatusCode::OK);
    assert_eq!(text_header(&ready, "x-request-id").len(), 32);
    stage.shutdown.cancel();
    assert_eq!(stage.get("/readyz", None).await.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn the_audit_log_is_a_page_and_a_file_for_those_who_may_read_it() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    stage.sign_up("Acme", "joe@acme.example").await;
    let (status, html) =
        text(stage.get("/w/nordmark/audit?act=workspace.create&entry=2&verify=1", Some(&maja)).await).await;
    assert_eq!(status, StatusCode::OK);
    assert!(html.contains("Create the workspace") && html.contains("The chain is whole"), "{html}");
    assert!(html.contains("Entry 2: Sign in") && html.contains("/w/nordmark/audit.csv?act=workspace.create"), "{html}");

    let csv = stage.get("/w/nordmark/audit.csv?outcome=done", Some(&maja)).await;
    assert_eq!(csv.status(), StatusCode::OK);
    assert_eq!(text_header(&csv, "content-disposition"), "attachment; filename=\"audit-nordmark.csv\"");
    assert!(text_header(&csv, "content-type").starts_with("text/csv"));
    let request_id = text_header(&csv, "x-request-id").to_owned();
    let (_, csv) = text(csv).await;
    assert_eq!(
        csv.lines().count(),
        5,
        "the head, the workspace, the sign-in, the page that was read, this export: {csv}"
    );
    assert!(csv.lines().last().unwrap().contains(&request_id), "an entry and its answer have one request id");
    let (_, lines) = text(stage.get("/w/nordmark/audit.ndjson?act=audit.export", Some(&maja)).await).await;
    assert_eq!(lines.lines().count(), 2);

    for (session, path, status) in [
        (None, "/w/nordmark/audit.csv", StatusCode::UNAUTHORIZED),
        (Some(&maja), "/w/acme/audit.csv", StatusCode::NOT_FOUND),
        (Some(&maja), "/w/nothing/audit.ndjson", StatusCode::NOT_FOUND),
        (Some(&maja), "/w/nordmark/audit.csv?from=yesterday", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        assert_eq!(stage.get(path, session).await.status(), status, "{path}");
    }
    stage.sql("update auth.memberships set role = 'operator'").await;
    let refused = stage.get("/w/nordmark/audit.csv", Some(&maja)).await;
    assert_eq!(
        (refused.status(), text_header(&refused, "content-type")),
        (StatusCode::FORBIDDEN, "application/problem+json")
    );
    let (status, html) = text(stage.get("/w/nordmark/audit", Some(&maja)).await).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(
        html.contains("Your role does not allow you to read the audit log") && !html.contains("Create the workspace")
    );
    assert!(!html.contains("href=\"/w/nordmark/audit\""), "the page is not named to those who may not open it");
}

#[tokio::test]
async fn letters_are_shown_where_none_are_sent_and_nowhere_else() {
    const LETTER: &str = "insert into auth.mails (id, kind, to_address, subject, body_text, body_html)
        values ('00000000-0000-7000-8000-0000000000e1', 'reset_password', 'maja@nordmark.example',
                'Choose a <new> password', E'Choose it here:\\nhttp://localhost:8080/reset/00ff\\n\\njavascript:x', '')";
    let path = "/dev/mail?mail=00000000-0000-7000-8000-0000000000e1";
    let keeps = Stage::new().await;
    let (status, html) = text(keeps.get("/dev/mail", None).await).await;
    assert_eq!(status, StatusCode::OK);
    assert!(html.contains("No letters yet"), "{html}");
    keeps.sql(LETTER).await;
    let (status, html) = text(keeps.get(path, None).await).await;
    assert_eq!(status, StatusCode::OK);
    assert!(html.contains("maja@nordmark.example") && html.contains("Choose a &lt;new&gt; password"), "{html}");
    assert!(
        html.contains("href=\"http://localhost:8080/reset/00ff\"") && !html.contains("href=\"javascript"),
        "{html}"
    );

    let url = Secret::new("smtp://127.0.0.1:9");
    let mail = MailSettings::smtp(&url, "Clarity Stream <no-reply@localhost>").expect("an address");
    let sends = Stage::with(ORIGIN, false, mail, Limits::default()).await;
    sends.sql(LETTER).await;
    let (status, html) = text(sends.get(path, None).await).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(!html.contains("maja@nordmark.example") && !html.contains("reset/00ff"), "{html}");
}

#[tokio::test]
async fn members_are_a_page_for_those_who_manage_them_and_leaving_is_everybodys() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    let (status, html) = text(stage.get("/w/nordmark/members", Some(&maja)).await).await;
    assert_eq!(status, StatusCode::OK);
    assert!(html.contains("Send invitation") && html.contains("You are the last owner"), "{html}");
    assert!(html.contains("href=\"/w/nordmark/members\""), "the page is named");

    stage.sql("update auth.memberships set role = 'operator'").await;
    let (status, html) = text(stage.get("/w/nordmark/members", Some(&maja)).await).await;
    assert_eq!(status, StatusCode::OK);
    assert!(html.contains("You are an operator here") && html.contains("Leave workspace"), "{html}");
    assert!(!html.contains("Send invitation") && !html.contains("Open invitations"));
    let (status, _) = text(stage.get("/w/acme/members", Some(&maja)).await).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_link_that_leads_nowhere_is_not_found_and_is_told_to_no_other_site() {
    let stage = Stage::new().await;
    for token in ["0".repeat(64), "nonsense".to_owned()] {
        let page = stage.get(&format!("/invite/{token}"), None).await;
        assert_eq!(text_header(&page, "referrer-policy"), "same-origin");
        let (status, html) = text(page).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(html.contains("This invitation is not valid any more. Ask for a new one."), "{html}");
    }
}

#[tokio::test]
async fn signing_out_is_on_every_page_that_needs_a_session_and_leaves_nothing_to_go_back_to() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
    for path in ["/w/nordmark", "/w/nordmark/sessions", "/new-workspace", "/second-factor", "/confirm-it"] {
        let (status, html) = text(stage.get(path, Some(&maja)).await).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(html.contains("action=\"/api/session/sign_out\""), "{path}: {html}");
    }
    let mut request = Stage::form("/api/session/sign_out", "");
    request.headers_mut().insert(header::COOKIE, format!("cs={}", maja.token).parse().unwrap());
    let answer = stage.send(request).await;
    assert_eq!((answer.status(), text_header(&answer, "location")), (StatusCode::FOUND, "/sign-in"));
    assert_eq!(text_header(&answer, "clear-site-data"), "\"cache\"");
    // Whoever is led to the sign-in is told why; whoever comes by themselves is not.
    let words = "Your session has ended, or you have not signed in yet.";
    assert!(text(stage.get("/sign-in?next=/w/nordmark", None).await).await.1.contains(words));
    for path in ["/sign-in", "/sign-in?next=//elsewhere.example"] {
        assert!(!text(stage.get(path, None).await).await.1.contains(words), "{path}");
    }
}

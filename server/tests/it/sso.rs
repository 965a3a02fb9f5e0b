//! Single sign-on over HTTP: where it begins, what another site cannot do, and how a refusal is said.

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};

use crate::stage::{Stage, text, text_header};

async fn get(stage: &Stage, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut request = Request::get(path).header(header::ACCEPT, "text/html");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    stage.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_refusal_is_said_once_by_a_cookie_of_ours() {
    let stage = Stage::new().await;
    for path in [
        "/sso/start/nothing-here",
        "/sso/start/nordmark",
        "/sso/callback/nobody",
        "/sso/callback/00000000-0000-7000-8000-000000000001?state=00&code=x&error=y",
    ] {
        let response = get(&stage, path, &[]).await;
        assert_eq!((response.status(), text_header(&response, "location")), (StatusCode::SEE_OTHER, "/sso"), "{path}");
        let cookie = text_header(&response, "set-cookie").to_owned();
        assert!(cookie.starts_with("cs-sso-said=") && cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
    }
    let response = get(&stage, "/sso/start/nothing-here", &[]).await;
    let cookie = text_header(&response, "set-cookie").split(';').next().unwrap_or_default().to_owned();
    let page = get(&stage, "/sso", &[("cookie", &cookie)]).await;
    assert!(text_header(&page, "set-cookie").starts_with("cs-sso-said=;"), "it is said once");
    let (status, html) = text(page).await;
    assert!(status == StatusCode::OK && html.contains("This address has no single sign-on."), "{html}");
    // An address puts no words on the page, and neither does a cookie that is none of ours.
    for (path, cookie) in [("/sso?why=Pay+here", ""), ("/sso", "cs-sso-said=Pay")] {
        let (_, html) = text(get(&stage, path, &[("cookie", cookie)]).await).await;
        assert!(!html.contains("cs-banner"), "{html}");
    }
}

#[tokio::test]
async fn another_site_signs_nobody_in() {
    let stage = Stage::new().await;
    for site in ["cross-site", "same-site"] {
        let response = get(&stage, "/sso/start/nordmark?next=/w/nordmark", &[("sec-fetch-site", site)]).await;
        assert_eq!(response.status(), StatusCode::OK, "{site}");
        assert!(response.headers().get(header::SET_COOKIE).is_none());
        let (_, html) = text(response).await;
        assert!(html.contains(r#"href="/sso/start/nordmark?next=/w/nordmark""#) && !html.contains("refresh"), "{html}");
    }
}

#[tokio::test]
async fn nor_by_a_page_that_goes_on_by_itself() {
    let stage = Stage::new().await;
    for site in ["cross-site", "same-site"] {
        let response = get(&stage, "/sso/start?slug=evil", &[("sec-fetch-site", site)]).await;
        let (status, html) = text(response).await;
        assert_eq!(status, StatusCode::OK, "{site}");
        assert!(html.contains(r#"href="/sso/start/evil""#) && !html.contains("refresh"), "{html}");
    }
    // Our own form goes on.
    let (_, html) = text(get(&stage, "/sso/start?slug=nordmark", &[("sec-fetch-site", "same-origin")]).await).await;
    assert!(html.contains("refresh"), "{html}");
}

#[tokio::test]
async fn the_form_leads_on_without_leaving_our_origin() {
    let stage = Stage::new().await;
    for (typed, slug) in [
        ("nordmark", "nordmark"),
        ("+Nordmark+", "nordmark"),
        ("https%3A%2F%2Fclarity.example%2Fw%2Fnordmark", "nordmark"),
        ("%22%3E%3Cscript%3E", "%22%3E%3Cscript%3E"),
    ] {
        let response = get(&stage, &format!("/sso/start?slug={typed}"), &[]).await;
        assert_eq!(response.status(), StatusCode::OK);
        let (_, html) = text(response).await;
        assert!(html.contains(&format!(r#"content="0; url=/sso/start/{slug}""#)), "{html}");
        assert!(!html.contains("<script"), "{html}");
    }
    let response = get(&stage, "/sso/start", &[]).await;
    assert_eq!(text_header(&response, "location"), "/sso");
}

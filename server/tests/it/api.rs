//! The API: what it says, page by page, how it refuses, and that a token is out with the request after it was revoked.

use std::num::NonZeroU32;

use crate::stage::{ORIGIN, Stage, text, text_header};
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use clarity_domain::role::Role;
use clarity_domain::scope::Scope;
use clarity_domain::view::tokens::{NewToken, TokenState};
use clarity_service::tokens::NewAccountToken;
use clarity_service::{Client, Limits, MailSettings, Seat, SignedIn};
use serde_json::{Value, json};

/// Three machines, one with a state and a value, a source, and a minute of a metric.
const DATA: &str = "
  insert into agents (workspace_id, id, name, seen_at, connected) select id, id, 'a', now(), true from auth.workspaces;
  insert into sources (workspace_id, id, agent_id, name, kind, partition) select id, id, id, 'plant-db', 'postgres', 0 from auth.workspaces;
  insert into streams (workspace_id, id, source_id, name, schema) select id, id, id, 't', '{}' from auth.workspaces;
  insert into assets (workspace_id, id, number, key, name, line)
    select w.id, ('00000000-0000-7000-8000-00000000000' || n)::uuid, n, 'ENG-00' || n, 'Engine ' || n, case n when 1 then 'Line A' else '' end
    from auth.workspaces w, generate_series(1, 3) n;
  insert into metrics (workspace_id, id, number, stream_id, column_name, name, unit, sample_type)
    select id, id, 1, id, 'speed', 'Speed', 'rpm', 'float' from auth.workspaces;
  insert into latest_samples (workspace_id, stream_id, asset_number, at, epoch, seq, metric_numbers, ats, snapshots, numbers)
    select id, id, 1, '2025-11-23T10:00:30Z', 1, 1, '{1}', '{2025-11-23T10:00:30Z}', '{false}', '{6}' from auth.workspaces;
  insert into rollups (workspace_id, stream_id, asset_number, grain, from_at, to_at, metric_numbers, counts, sums, minima, maxima, firsts, lasts, aggregates)
    select id, id, 1, 60, '2025-11-23T10:00:00Z', '2025-11-23T10:01:00Z', '{1}', '{2}', '{10}', '{4}', '{6}', '{4}', '{6}', '' from auth.workspaces;
  insert into state_intervals (workspace_id, asset_number, from_at, stream_id, state, category, reason, epoch, seq)
    select id, 1, '2025-11-23T09:00:00.5Z', id, 'Producing', 'running', null, 1, 1 from auth.workspaces;";
const ENGINE: &str = "00000000-0000-7000-8000-000000000001";

struct Api {
    stage: Stage,
    maja: SignedIn,
    seat: Seat,
    token: NewToken,
}

impl Api {
    async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    async fn with(limits: Limits) -> Self {
        let mail = MailSettings::outbox("Clarity Stream <no-reply@localhost>").unwrap();
        let stage = Stage::with(ORIGIN, false, mail, limits).await;
        let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await;
        let visitor = stage.services.visitor(Some(&maja.token)).await.unwrap();
        let seat = stage.services.enter(&visitor, "nordmark", &Client::default()).await.unwrap();
        let form =
            NewAccountToken { name: "Grafana".into(), role: Role::Viewer, scopes: Scope::ALL.to_vec(), days: 30 };
        let token = stage.services.create_service_account(&seat, form).await.unwrap();
        Self { stage, maja, seat, token }
    }

    async fn get(&self, path: &str) -> Response<Body> {
        self.get_with(path, &format!("Bearer {}", self.token.text)).await
    }

    async fn get_with(&self, path: &str, authorization: &str) -> Response<Body> {
        let request = Request::get(path).header(header::AUTHORIZATION, authorization);
        self.stage.send(request.body(Body::empty()).unwrap()).await
    }

    async fn read(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(text_header(&response, "content-type"), "application/json", "{path}");
        assert_eq!(text_header(&response, "cache-control"), "no-store", "{path}");
        let (status, body) = text(response).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }
}

/// Status, code and field of a problem, which has what every problem has.
async fn problem(response: Response<Body>) -> (StatusCode, String, Option<String>) {
    assert_eq!(text_header(&response, "content-type"), "application/problem+json");
    let id = text_header(&response, "x-request-id").to_owned();
    let (status, body) = text(response).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((body["type"].as_str(), body["status"].as_u64()), (Some("about:blank"), Some(status.as_u16().into())));
    assert_eq!(body["request_id"], json!(id));
    assert!(body["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{body}");
    (status, body["code"].as_str().unwrap().to_owned(), body["field"].as_str().map(str::to_owned))
}

#[tokio::test]
async fn a_workspace_is_read_as_it_is() {
    let api = Api::new().await;
    api.stage.sql(DATA).await;
    let workspace = api.read("/api/v1/workspace").await;
    assert_eq!(workspace["id"], json!(api.seat.frame_card().id));
    assert_eq!((&workspace["slug"], &workspace["role"]), (&json!("nordmark"), &json!("viewer")));

    let one = api.read(&format!("/api/v1/assets/{ENGINE}")).await;
    let state =
        json!({ "category": "running", "label": "Producing", "reason": null, "since": "2025-11-23T09:00:00.5Z" });
    assert_eq!((&one["asset"]["name"], &one["asset"]["line"]), (&json!("Engine 1"), &json!("Line A")));
    assert_eq!(one["asset"]["state"], state);
    let value = json!({ "metric": "Speed", "unit": "rpm", "value": 6.0, "text": null, "at": "2025-11-23T10:00:30Z" });
    assert_eq!(one["values"], json!([value]));

    let sources = api.read("/api/v1/sources").await;
    assert_eq!((&sources["items"][0]["name"], &sources["next_cursor"]), (&json!("plant-db"), &Value::Null));
    assert!(["live", "quiet", "delayed", "blind"].contains(&sources["items"][0]["truth"].as_str().unwrap()));

    let span = "from=2025-11-23T11:00:00%2B01:00&to=2025-11-23T10:05:00Z&points=5";
    let series = api.read(&format!("/api/v1/series?asset={ENGINE}&metric=Speed&{span}")).await;
    assert_eq!((&series["unit"], &series["step_s"]), (&json!("rpm"), &json!(60)));
    let point = json!({
        "from": "2025-11-23T10:00:00Z", "count": 2, "mean": 5.0, "min": 4.0, "max": 6.0, "first": 4.0, "last": 6.0
    });
    assert_eq!(series["points"], json!([point]), "a minute without a value has no point");
}

#[tokio::test]
async fn pages_follow_one_another_until_the_last() {
    let api = Api::new().await;
    api.stage.sql(DATA).await;
    let mut names = Vec::new();
    let mut path = "/api/v1/assets?limit=2".to_owned();
    for _ in 0..5 {
        let page = api.read(&path).await;
        names.extend(page["items"].as_array().unwrap().iter().map(|asset| asset["name"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/assets?limit=2&cursor={cursor}");
    }
    assert_eq!(names, ["Engine 1", "Engine 2", "Engine 3"]);
    assert!(path.contains("cursor="), "there were two pages");
    let all = api.read("/api/v1/assets?limit=3").await;
    assert_eq!((all["items"].as_array().unwrap().len(), &all["next_cursor"]), (3, &Value::Null), "a full last page");
}

#[tokio::test]
async fn what_is_wrong_is_said_as_a_problem() {
    let api = Api::new().await;
    api.stage.sql(DATA).await;
    let series = |query: &str| format!("/api/v1/series?asset={ENGINE}&metric=Speed&{query}");
    let day = "from=2025-11-23T00:00:00Z&to=2025-11-24T00:00:00Z";
    for (path, field) in [
        ("/api/v1/assets?limit=0".to_owned(), "limit"),
        ("/api/v1/assets?limit=201".to_owned(), "limit"),
        ("/api/v1/assets?limit=1&limit=2".to_owned(), "limit"),
        ("/api/v1/assets?cursor=next".to_owned(), "cursor"),
        ("/api/v1/assets?offset=7".to_owned(), "offset"),
        ("/api/v1/workspace?verbose=1".to_owned(), "verbose"),
        (series(&format!("{day}&points=2001")), "points"),
        (series(&format!("{day}&points=0")), "points"),
        (series("from=yesterday&to=2025-11-24T00:00:00Z"), "from"),
        (series("from=2025-11-24T00:00:00Z&to=2025-11-23T00:00:00Z"), "to"),
        (series("to=2025-11-24T00:00:00Z"), "from"),
        (format!("/api/v1/series?asset={ENGINE}&{day}"), "metric"),
    ] {
        let (status, code, named) = problem(api.get(&path).await).await;
        assert_eq!((status, code.as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid"), "{path}");
        assert_eq!(named.as_deref(), Some(field), "{path}");
    }
    for path in [
        "/api/v1/assets/7".to_owned(),
        format!("/api/v1/series?asset={ENGINE}&metric=Nothing&{day}"),
        "/api/v1/nothing".to_owned(),
        "/api/v1/assets/7/8".to_owned(),
    ] {
        let (status, code, _) = problem(api.get(&path).await).await;
        assert_eq!((status, code.as_str()), (StatusCode::NOT_FOUND, "not_found"), "{path}");
    }
    // Nothing is written by the API.
    let post = Request::post("/api/v1/assets").header(header::AUTHORIZATION, format!("Bearer {}", api.token.text));
    assert_eq!(problem(api.stage.send(post.body(Body::empty()).unwrap()).await).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_token_counts_in_its_header_and_nowhere_else() {
    let api = Api::new().await;
    let path = "/api/v1/workspace";
    assert_eq!(api.get(path).await.status(), StatusCode::OK, "the positive control");
    let cookie = |value: String| Request::get(path).header(header::COOKIE, value).body(Body::empty()).unwrap();
    let signed_in = api.stage.send(cookie(format!("cs={}", api.maja.token))).await;
    assert_eq!(text_header(&signed_in, "www-authenticate"), "Bearer realm=\"Clarity Stream\"");
    assert_eq!(problem(signed_in).await.0, StatusCode::UNAUTHORIZED, "a session opens no API");
    let as_cookie = api.stage.send(cookie(format!("cs={0}; cs-token={0}", api.token.text))).await;
    assert_eq!(problem(as_cookie).await.0, StatusCode::UNAUTHORIZED);
    let token = &api.token.text;
    for query in [format!("access_token={token}"), format!("token={token}&limit=1"), token.clone()] {
        let without = api.stage.get(&format!("/api/v1/assets?{query}"), Some(&api.maja)).await;
        assert_eq!(problem(without).await.0, StatusCode::UNAUTHORIZED, "{query}");
        let beside = api.get(&format!("/api/v1/assets?{query}")).await;
        assert_eq!(problem(beside).await.0, StatusCode::UNAUTHORIZED, "beside the header too: {query}");
    }
    for wrong in
        [format!("Basic {token}"), token.clone(), format!("Bearer {token}0"), format!("Bearer {}", &token[1..])]
    {
        assert_eq!(problem(api.get_with(path, &wrong).await).await.0, StatusCode::UNAUTHORIZED, "{wrong}");
    }
    // And a token opens no page.
    let page = Request::get("/w/nordmark/sources")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::ACCEPT, "text/html");
    let page = api.stage.send(page.body(Body::empty()).unwrap()).await;
    assert!(text_header(&page, "location").starts_with("/sign-in"));
}

#[tokio::test]
async fn a_revoked_token_is_out_with_the_next_request() {
    let api = Api::new().await;
    let path = "/api/v1/workspace";
    assert_eq!(api.get(path).await.status(), StatusCode::OK);
    let listed = api.stage.services.api_access(&api.seat).await.unwrap();
    assert!(listed.accounts[0].tokens[0].last_used_at.is_some(), "its use was noted");
    api.stage.services.revoke_token(&api.seat, api.token.id).await.unwrap();
    assert_eq!(problem(api.get(path).await).await.0, StatusCode::UNAUTHORIZED);
    let listed = api.stage.services.api_access(&api.seat).await.unwrap();
    assert_eq!(listed.accounts[0].tokens[0].state, TokenState::Revoked);
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_go_on() {
    let five = NonZeroU32::MIN.saturating_add(4);
    let limits = Limits { api_requests_per_minute: five, attempts_per_minute: five, ..Limits::default() };
    let api = Api::with(limits).await;
    let path = "/api/v1/workspace";
    for _ in 0..5 {
        assert_eq!(api.get(path).await.status(), StatusCode::OK);
    }
    let refused = api.get(path).await;
    let wait: u64 = text_header(&refused, "retry-after").parse().unwrap();
    assert!((1..=13).contains(&wait), "{wait}");
    let (status, code, _) = problem(refused).await;
    assert_eq!((status, code.as_str()), (StatusCode::TOO_MANY_REQUESTS, "rate_limited"));

    // Guessing is slowed by network; who has a token goes on, and so do sign-ins.
    for _ in 0..5 {
        assert_eq!(api.get_with(path, "Bearer cst_guess").await.status(), StatusCode::UNAUTHORIZED);
    }
    let guess = api.get_with(path, "Bearer cst_guess").await;
    assert_eq!((guess.status(), text_header(&guess, "retry-after")), (StatusCode::TOO_MANY_REQUESTS, "60"));
    let again =
        clarity_service::SignIn { email: "maja@nordmark.example".into(), password: crate::stage::PASSWORD.into() };
    assert!(api.stage.services.sign_in(again, &Client::default()).await.is_ok(), "its colleagues are not locked out");
}

#[tokio::test]
async fn the_description_asks_nobody() {
    let stage = Stage::new().await;
    let response = stage.get("/api/v1/openapi.json", None).await;
    assert_eq!((response.status(), text_header(&response, "content-type")), (StatusCode::OK, "application/json"));
    let described: Value = serde_json::from_str(&text(response).await.1).unwrap();
    assert!(described["openapi"].as_str().is_some_and(|version| version.starts_with("3.")));
}

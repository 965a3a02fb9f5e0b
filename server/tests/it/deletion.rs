//! The end of a workspace over HTTP: the word on its pages, the file, what is told afterwards, and the certificate.

use std::time::Duration;

use crate::stage::{ORIGIN, Stage, text, text_header};
use axum::http::{StatusCode, header};
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::Secret;
use clarity_service::{Limits, MailSettings, SignedIn};
use clarity_store::{SystemStore, WorkerStore, erasure};
use uuid::Uuid;

const MAJA: &str = "maja@nordmark.example";
const WORD: &str = "This workspace is deleted with all that is in it on";

async fn stage() -> Stage {
    let mail = MailSettings::outbox("Clarity Stream <no-reply@localhost>").expect("an address");
    let limits = Limits { deletion_grace: Duration::ZERO, ..Limits::default() };
    Stage::with(ORIGIN, false, mail, limits).await
}

/// Sends a form of the page as a browser without script does.
async fn post(stage: &Stage, path: &str, body: &str, session: &SignedIn) -> StatusCode {
    let mut request = Stage::form(path, body);
    request.headers_mut().insert(header::COOKIE, format!("cs={}", session.token).parse().unwrap());
    request.headers_mut().insert(header::REFERER, format!("{ORIGIN}/w/nordmark/delete").parse().unwrap());
    stage.send(request).await.status()
}

/// Does what the worker does.
pub async fn erase(stage: &Stage) {
    let login = |role: DbRole| DbLogin {
        role,
        url: stage.db.url(role.name()),
        password: Secret::new(stage.db.cluster().password()),
    };
    let worker = WorkerStore::connect(&login(DbRole::Worker), 1).await.unwrap();
    let system = SystemStore::connect_as(Uuid::now_v7(), &login(DbRole::System), 1).await.unwrap();
    let mut tx = system.begin().await.unwrap();
    let due = erasure::list_due(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    for scope in due {
        let mut tx = worker.begin(&scope).await.unwrap();
        erasure::begin(&mut tx).await.unwrap();
        for table in erasure::list_tables(&mut tx).await.unwrap() {
            erasure::remove_batch(&mut tx, &table, 50_000).await.unwrap();
        }
        assert!(erasure::finish(&mut tx, 0).await.unwrap());
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_workspace_that_is_gone_was_never_there_and_its_certificate_is_the_links() {
    let stage = stage().await;
    let maja = stage.sign_up("Nordmark", MAJA).await;
    let joe = stage.sign_up("Acme", "joe@acme.example").await;
    let file = stage.get("/w/nordmark/export.ndjson", Some(&maja)).await;
    assert_eq!(text_header(&file, "content-disposition"), "attachment; filename=\"nordmark.ndjson\"");
    assert_eq!(text_header(&file, "cache-control"), "no-store");
    let (status, file) = text(file).await;
    assert!(status == StatusCode::OK && file.contains(MAJA) && !file.contains("acme"), "{file}");
    assert!(file.trim_end().ends_with('}') && file.contains("\"kind\":\"end\""));
    assert_eq!(stage.get("/w/nordmark/export.ndjson", Some(&joe)).await.status(), StatusCode::NOT_FOUND);

    let asked = post(&stage, "/api/deletion/request", "slug=nordmark&name=Nordmark", &maja).await;
    assert_eq!(asked, StatusCode::FOUND);
    let (_, page) = text(stage.get("/w/nordmark/sources", Some(&maja)).await).await;
    assert!(page.contains(WORD) && page.contains("Keep workspace"), "every page tells of it");
    let kept = post(&stage, "/api/deletion/keep", "slug=nordmark", &maja).await;
    assert_eq!(kept, StatusCode::FOUND);
    assert!(!text(stage.get("/w/nordmark/sources", Some(&maja)).await).await.1.contains(WORD));
    post(&stage, "/api/deletion/request", "slug=nordmark&name=Nordmark", &maja).await;
    erase(&stage).await;

    for path in ["", "/delete", "/members", "/export.ndjson", "/audit.csv", "/live?page=overview&since=1"] {
        let gone = stage.get(&format!("/w/nordmark{path}"), Some(&maja)).await.status();
        let never = stage.get(&format!("/w/never-was{path}"), Some(&maja)).await.status();
        assert_eq!((gone, never), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND), "{path}");
    }
    assert_eq!(stage.get("/w/acme", Some(&joe)).await.status(), StatusCode::OK);

    stage.services.post_certificates().await.unwrap();
    let sql = "select body_text from auth.mails where kind = 'workspace_deleted'";
    let letter: String = stage.db.admin().await.query_one(sql, &[]).await.unwrap().get(0);
    let (_, rest) = letter.split_once("/deleted/").unwrap();
    let token: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
    let page = stage.get(&format!("/deleted/{token}"), None).await;
    assert_eq!(text_header(&page, "cache-control"), "no-store");
    let (status, page) = text(page).await;
    assert_eq!(status, StatusCode::OK);
    for words in ["Certificate of deletion", "Nordmark", MAJA, "memberships", "audit entries"] {
        assert!(page.contains(words), "{words}");
    }
    let (status, page) = text(stage.get(&format!("/deleted/{}", "ab".repeat(32)), None).await).await;
    assert!(status == StatusCode::NOT_FOUND && !page.contains("Nordmark"));
}

//! Letters on their way: there with what they tell of, taken by one server, tried again, and emptied at their end.
//!
//! That they reach a mail server is proven by the end-to-end tests, against a real one.

use crate::stage::Stage;
use clarity_domain::ids::MailId;
use clarity_store::AuthTx;
use clarity_store::auth::mail::{self, DueMail, NewMail};
use uuid::Uuid;

const TO: &str = "maja@nordmark.example";
const LEASE_S: f64 = 120.0;

async fn insert(tx: &mut AuthTx, kept: bool) -> MailId {
    let id = MailId(Uuid::now_v7());
    let (kind, subject) = ("reset_password", "Choose a new password");
    let (text, html) = ("https://clarity.example/reset/00ff", "<p>https://clarity.example/reset/00ff</p>");
    mail::insert(tx, &NewMail { id, kind, to: TO, subject, text, html, kept }).await.unwrap();
    id
}

async fn post(stage: &Stage) -> MailId {
    let mut tx = stage.auth.begin().await.unwrap();
    let id = insert(&mut tx, false).await;
    tx.commit().await.unwrap();
    id
}

async fn claim(stage: &Stage) -> Vec<DueMail> {
    let mut tx = stage.auth.begin().await.unwrap();
    let letters = mail::claim(&mut tx, 10, LEASE_S).await.unwrap();
    tx.commit().await.unwrap();
    letters
}

async fn fail(stage: &Stage, id: MailId, attempt: i32, hopeless: bool) -> bool {
    let mut tx = stage.auth.begin().await.unwrap();
    let gave_up = mail::note_failed(&mut tx, id, attempt, "timeout", hopeless).await.unwrap();
    tx.commit().await.unwrap();
    gave_up
}

#[tokio::test]
async fn a_letter_is_there_with_what_it_tells_of_and_not_without() {
    let stage = Stage::new().await;
    let mut tx = stage.auth.begin().await.unwrap();
    insert(&mut tx, false).await;
    drop(tx);
    assert_eq!(stage.count("auth.mails").await, 0);
    let id = post(&stage).await;
    let due = claim(&stage).await;
    assert_eq!((due.len(), due[0].id, due[0].to.as_str(), due[0].attempt), (1, id, TO, 1));
    assert!(due[0].text.contains("/reset/00ff") && due[0].html.starts_with("<p>"));
}

#[tokio::test]
async fn one_of_two_servers_takes_it() {
    let stage = Stage::new().await;
    for _ in 0..3 {
        post(&stage).await;
    }
    let (mut one, mut other) = (stage.auth.begin().await.unwrap(), stage.auth.begin().await.unwrap());
    let first = mail::claim(&mut one, 2, LEASE_S).await.unwrap();
    let second = mail::claim(&mut other, 10, LEASE_S).await.unwrap();
    assert_eq!((first.len(), second.len()), (2, 1), "nobody waits for the other");
    assert!(first.iter().all(|letter| letter.id != second[0].id));
    one.commit().await.unwrap();
    other.commit().await.unwrap();
    assert_eq!(claim(&stage).await.len(), 0, "they are taken");

    // The one that took two is gone: when its time is over they are there again.
    let lost: Vec<MailId> = first.iter().map(|letter| letter.id).collect();
    stage
        .sql(&format!("update auth.mails set next_attempt_at = now() where id in ('{}', '{}')", lost[0], lost[1]))
        .await;
    let again = claim(&stage).await;
    assert!(again.len() == 2 && again.iter().all(|letter| lost.contains(&letter.id) && letter.attempt == 2));
    // It comes back, and what it says of its attempt no longer counts.
    assert!(!fail(&stage, lost[0], 1, true).await);
    assert_eq!(stage.count("auth.mails where last_error is not null or gave_up_at is not null").await, 0);
}

#[tokio::test]
async fn a_letter_that_fails_is_tried_ever_less_often() {
    let stage = Stage::new().await;
    let id = post(&stage).await;
    for (attempt, minutes) in (1..).zip([1, 2, 4, 8, 16, 32, 60, 60]) {
        assert_eq!(claim(&stage).await.len(), 1, "attempt {attempt}");
        assert!(!fail(&stage, id, attempt, false).await);
        assert_eq!(claim(&stage).await.len(), 0, "it is not due yet");
        let waits = "auth.mails where last_error = 'timeout' and body_text <> '' and round(extract(epoch from next_attempt_at - now()) / 60)";
        assert_eq!(stage.count(&format!("{waits} = {minutes}")).await, 1, "attempt {attempt}: {minutes} min");
        stage.sql("update auth.mails set next_attempt_at = now()").await;
    }
}

#[tokio::test]
async fn a_letter_is_given_up_after_a_day_or_when_it_is_hopeless() {
    let stage = Stage::new().await;
    for hopeless in [false, true] {
        let id = post(&stage).await;
        if !hopeless {
            stage.sql("update auth.mails set created_at = now() - interval '24 hours'").await;
        }
        assert_eq!(claim(&stage).await.len(), 1);
        assert!(fail(&stage, id, 1, hopeless).await);
        stage.sql("update auth.mails set next_attempt_at = now()").await;
        assert_eq!(claim(&stage).await.len(), 0);
    }
    let given_up =
        "auth.mails where gave_up_at is not null and body_text = '' and body_html = '' and last_error = 'timeout'";
    assert_eq!(stage.count(given_up).await, 2, "without its links");
}

#[tokio::test]
async fn what_is_sent_keeps_no_link_and_goes_after_a_month() {
    let stage = Stage::new().await;
    let id = post(&stage).await;
    claim(&stage).await;
    let mut tx = stage.auth.begin().await.unwrap();
    mail::note_sent(&mut tx, id).await.unwrap();
    tx.commit().await.unwrap();
    stage.sql("update auth.mails set next_attempt_at = now()").await;
    assert_eq!(claim(&stage).await.len(), 0);
    let sent = "auth.mails where sent_at is not null and body_text = '' and body_html = '' and kind = 'reset_password'";
    assert_eq!(stage.count(sent).await, 1);
    assert!(!fail(&stage, id, 1, true).await, "it was sent, whatever is said later");

    post(&stage).await;
    stage.sql(&format!("update auth.mails set created_at = now() - interval '31 days' where id = '{id}'")).await;
    let mut tx = stage.auth.begin().await.unwrap();
    assert_eq!(mail::forget_old(&mut tx).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(stage.count("auth.mails").await, 1);
}

#[tokio::test]
async fn a_server_without_a_mail_server_keeps_the_newest_for_its_page() {
    let stage = Stage::new().await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        let mut tx = stage.auth.begin().await.unwrap();
        ids.push(insert(&mut tx, true).await);
        mail::keep_newest(&mut tx, 3).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert_eq!(claim(&stage).await.len(), 0, "nobody sends them, then or later");
    let outbox = stage.services.outbox(Some(ids[3])).await.unwrap();
    let shown: Vec<MailId> = outbox.letters.iter().map(|line| line.id).collect();
    assert_eq!(shown, [ids[3], ids[2], ids[1]]);
    assert!(outbox.open.is_some_and(|letter| letter.line.to == TO && letter.text.contains("/reset/00ff")));
    assert_eq!(stage.services.outbox(Some(ids[0])).await.unwrap().open, None, "it is gone");
    let (subject, text) = stage.last_letter(TO).await;
    assert!(subject == "Choose a new password" && text.contains("/reset/00ff"));
}

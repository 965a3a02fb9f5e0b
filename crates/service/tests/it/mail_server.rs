//! Letters that a mail server does not take: each refusal is noted by its code and tried again, and a day after it was written a letter
//! is given up, without its links. The server speaks SMTP on a port of this machine and has one answer for every recipient.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use clarity_domain::ids::MailId;
use clarity_runtime::shutdown::CancellationToken;
use clarity_store::auth::mail::{self, NewMail};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use crate::stage::Stage;

/// A mail server that says this to every recipient until it is mended.
struct MailServer {
    url: String,
    mended: Arc<AtomicBool>,
    /// Letters that it took.
    taken: Arc<AtomicUsize>,
}

impl MailServer {
    async fn saying(answer: &'static str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let (mended, taken) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (now, count) = (mended.clone(), taken.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, answer, now.clone(), count.clone()));
            }
        });
        Self { url, mended, taken }
    }
}

async fn talk(
    mut stream: TcpStream,
    answer: &'static str,
    mended: Arc<AtomicBool>,
    taken: Arc<AtomicUsize>,
) -> io::Result<()> {
    let (reader, mut writer) = stream.split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 mail.example\r\n").await?;
    let mut in_letter = false;
    while let Some(line) = lines.next_line().await? {
        if in_letter && line != "." {
            continue;
        }
        let said = match line.split([' ', ':']).next() {
            Some("RCPT") if !mended.load(Ordering::SeqCst) => answer,
            Some("DATA") => {
                in_letter = true;
                "354 go on"
            }
            Some("QUIT") => "221 bye",
            _ if in_letter => {
                in_letter = false;
                taken.fetch_add(1, Ordering::SeqCst);
                "250 taken"
            }
            _ => "250 fine",
        };
        writer.write_all(format!("{said}\r\n").as_bytes()).await?;
    }
    Ok(())
}

async fn post(stage: &Stage) -> MailId {
    let id = MailId(Uuid::now_v7());
    let (text, html) = ("https://clarity.example/reset/00ff", "<p>https://clarity.example/reset/00ff</p>");
    let new = NewMail {
        id,
        kind: "reset_password",
        to: "maja@nordmark.example",
        subject: "Choose a new password",
        text,
        html,
        kept: false,
    };
    let mut tx = stage.auth.begin().await.unwrap();
    mail::insert(&mut tx, &new).await.unwrap();
    tx.commit().await.unwrap();
    id
}

/// A stage whose letters go to this server, and the end of it.
async fn delivering(server: &MailServer) -> (Stage, CancellationToken) {
    let (stage, shutdown) = (Stage::mailing(&server.url).await, CancellationToken::new());
    let (services, until) = (stage.services.clone(), shutdown.clone());
    tokio::spawn(async move { services.deliver_mail(until).await });
    (stage, shutdown)
}

#[tokio::test]
async fn a_letter_that_is_refused_is_tried_again_and_given_up_after_a_day() {
    for (answer, code) in [("451 4.3.0 later", "smtp 451"), ("550 5.1.1 nobody of that name", "smtp 550")] {
        let server = MailServer::saying(answer).await;
        let (stage, shutdown) = delivering(&server).await;
        let id = post(&stage).await;
        // Refused for good is tried again as well: as often as not it is for the operator to mend.
        let of = format!("auth.mails where id = '{id}' and sent_at is null and last_error = '{code}'");
        let waits = "gave_up_at is null and body_text like '%/reset/%' and next_attempt_at > now()";
        stage.comes_to(&format!("{of} and attempts = 1 and {waits}"), 1).await;
        stage.sql("update auth.mails set next_attempt_at = now(), last_error = null").await;
        stage.comes_to(&format!("{of} and attempts = 2 and {waits}"), 1).await;

        let later = "next_attempt_at = now(), created_at = now() - interval '25 hours', last_error = null";
        stage.sql(&format!("update auth.mails set {later}")).await;
        let given_up = "gave_up_at is not null and body_text = '' and body_html = ''";
        stage.comes_to(&format!("{of} and attempts = 3 and {given_up}"), 1).await;
        shutdown.cancel();
        assert_eq!(server.taken.load(Ordering::SeqCst), 0, "{answer}");
    }
}

#[tokio::test]
async fn a_letter_goes_out_when_the_server_takes_it_again() {
    let server = MailServer::saying("421 4.3.2 closing for today").await;
    let (stage, shutdown) = delivering(&server).await;
    post(&stage).await;
    stage.comes_to("auth.mails where attempts = 1 and last_error = 'smtp 421'", 1).await;
    server.mended.store(true, Ordering::SeqCst);
    stage.sql("update auth.mails set next_attempt_at = now()").await;
    stage.comes_to("auth.mails where attempts = 2 and sent_at is not null and body_text = ''", 1).await;
    assert_eq!(server.taken.load(Ordering::SeqCst), 1);
    shutdown.cancel();
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    drop(listener);
    let gone = MailServer { url, mended: Arc::default(), taken: Arc::default() };
    let (stage, shutdown) = delivering(&gone).await;
    post(&stage).await;
    stage.comes_to("auth.mails where last_error = 'connection' and gave_up_at is null and body_text <> ''", 1).await;
    shutdown.cancel();
}

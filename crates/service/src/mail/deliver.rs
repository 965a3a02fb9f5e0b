//! Handing letters to the mail server.
//!
//! A letter is taken for longer than handing it over may last, so two servers never send one at once. One that was handed
//! over and could not be noted so is sent again; its Message-ID is the same, by which mail programs know it.

use std::time::Duration;

use clarity_runtime::shutdown::CancellationToken;
use clarity_store::StoreError;
use clarity_store::auth::mail::{self as store, DueMail};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, AsyncTransport, Message};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::MailSettings;
use super::settings::Transport;
use crate::Services;

/// Letters that are handed over at a time.
const AT_ONCE: usize = 4;
/// One step of the exchange: connecting, a command.
const STEP: Duration = Duration::from_secs(10);
/// The whole exchange.
const EXCHANGE: Duration = Duration::from_secs(60);
const LEASE_S: f64 = 120.0;
/// Between looks, when nobody says that there is a letter: it may be another server's.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// From a letter's post to the end of its transaction.
const COMMIT: Duration = Duration::from_millis(100);
/// What is on its way when the process is to end.
const LAST: Duration = Duration::from_secs(5);
const TIDY: Duration = Duration::from_secs(3600);

/// Why a letter was not sent, in a word that holds nothing of it.
struct Failure {
    code: String,
    /// Trying again will not help.
    hopeless: bool,
}

impl Services {
    /// Sends the letters that are due until `shutdown`. Ends at once where letters are kept.
    pub async fn deliver_mail(&self, shutdown: CancellationToken) {
        let MailSettings::Smtp { url, from } = &self.settings.mail else { return };
        let transport: Transport = match Transport::from_url(url.expose()) {
            Ok(builder) => builder.timeout(Some(STEP)).build(),
            Err(_) => {
                // It was tried when the settings were read.
                tracing::error!("the SMTP address cannot be used: no letters are sent");
                return;
            }
        };
        let mut sending = JoinSet::new();
        let mut tidy_at = Instant::now();
        let mut reached = true;
        loop {
            match self.due_mail(AT_ONCE - sending.len(), &mut tidy_at).await {
                Ok(letters) => {
                    reached = true;
                    for letter in letters {
                        sending.spawn(self.clone().send_mail(transport.clone(), from.clone(), letter));
                    }
                }
                // Once, not every two seconds.
                Err(error) => {
                    if std::mem::replace(&mut reached, false) {
                        tracing::warn!(%error, "letters wait: the database does not give them");
                    }
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(_) = sending.join_next() => {}
                () = self.posted.notified(), if sending.len() < AT_ONCE => sleep(COMMIT).await,
                () = sleep(LOOK_AGAIN) => {}
            }
        }
        let last = async { while sending.join_next().await.is_some() {} };
        if timeout(LAST, last).await.is_err() {
            tracing::warn!("a letter was still on its way; it is sent again");
        }
    }

    async fn due_mail(&self, most: usize, tidy_at: &mut Instant) -> Result<Vec<DueMail>, StoreError> {
        if most == 0 {
            return Ok(Vec::new());
        }
        let mut tx = self.auth.begin().await?;
        if *tidy_at <= Instant::now() {
            store::forget_old(&mut tx).await?;
            clarity_store::auth::stranger::forget_old(&mut tx).await?;
            *tidy_at = Instant::now() + TIDY;
        }
        let letters = store::claim(&mut tx, most as i64, LEASE_S).await?;
        tx.commit().await?;
        Ok(letters)
    }

    /// Hands one over and notes how it went. Logged once, here: its name and a code.
    async fn send_mail(self, transport: Transport, from: Mailbox, letter: DueMail) {
        let handed = hand_over(&transport, &from, &letter).await;
        let noted = self.note_mail(&letter, handed.as_ref().err()).await;
        let (kind, attempt) = (letter.kind.as_str(), letter.attempt);
        match (handed, noted) {
            (Ok(()), Ok(_)) => tracing::debug!(kind, attempt, "a letter was sent"),
            (Ok(()), Err(error)) => {
                tracing::error!(kind, attempt, %error, "a letter was sent and could not be noted: it is sent again");
            }
            (Err(failure), Ok(gave_up)) => {
                tracing::warn!(kind, attempt, code = %failure.code, gave_up, "a letter was not sent");
            }
            (Err(failure), Err(error)) => {
                tracing::warn!(kind, attempt, code = %failure.code, %error, "a letter was not sent");
            }
        }
    }

    /// True: it will not be tried again.
    async fn note_mail(&self, letter: &DueMail, failure: Option<&Failure>) -> Result<bool, StoreError> {
        let mut tx = self.auth.begin().await?;
        let gave_up = match failure {
            None => {
                store::note_sent(&mut tx, letter.id).await?;
                false
            }
            Some(Failure { code, hopeless }) => {
                store::note_failed(&mut tx, letter.id, letter.attempt, code, *hopeless).await?
            }
        };
        tx.commit().await?;
        Ok(gave_up)
    }
}

async fn hand_over(transport: &Transport, from: &Mailbox, letter: &DueMail) -> Result<(), Failure> {
    let message = message(from, letter)?;
    match timeout(EXCHANGE, transport.send(message)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Failure { code: code(&error), hopeless: false }),
        Err(_) => Err(Failure { code: "timeout".into(), hopeless: false }),
    }
}

/// The builder makes the headers: whatever a value holds, it stays inside of its own.
fn message(from: &Mailbox, letter: &DueMail) -> Result<Message, Failure> {
    let hopeless = |code: &str| Failure { code: code.into(), hopeless: true };
    let to: Address = letter.to.parse().map_err(|_| hopeless("address"))?;
    Message::builder()
        .message_id(Some(format!("<{}@{}>", letter.id, from.email.domain())))
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(letter.subject.clone())
        .multipart(MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone()))
        .map_err(|_| hopeless("message"))
}

/// A permanent refusal is tried again too: as often as not it is our own login or sender that the operator has to mend.
fn code(error: &lettre::transport::smtp::Error) -> String {
    match error.status() {
        Some(status) => format!("smtp {status}"),
        None if error.is_timeout() => "timeout".into(),
        None if error.is_response() => "response".into(),
        None => "connection".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_domain::ids::MailId;
    use uuid::Uuid;

    fn letter(to: &str, subject: &str) -> DueMail {
        DueMail {
            id: MailId(Uuid::from_u128(7)),
            kind: "invitation".into(),
            to: to.into(),
            subject: subject.into(),
            text: "Grüße\n".into(),
            html: "<p>Grüße</p>\n".into(),
            attempt: 1,
        }
    }

    #[test]
    fn a_value_never_becomes_a_header() {
        let from: Mailbox = "Clarity Stream <no-reply@clarity.example>".parse().unwrap();
        let subject = "Größe\r\nBcc: eve@evil.example\r\n\r\n<b>";
        let sent = message(&from, &letter("maja@nordmark.example", subject)).ok().unwrap();
        assert_eq!(sent.envelope().to().len(), 1);
        let raw = String::from_utf8(sent.formatted()).unwrap();
        assert!(!raw.lines().any(|line| line.starts_with("Bcc") || line.starts_with("<b>")), "{raw}");
        assert!(raw.contains("Message-ID: <00000000-0000-0000-0000-000000000007@clarity.example>"), "{raw}");
        assert!(raw.contains("multipart/alternative"), "{raw}");
    }

    #[test]
    fn an_address_that_is_none_is_not_tried_again() {
        let from: Mailbox = "no-reply@clarity.example".parse().unwrap();
        for to in ["", "maja", "maja@nordmark.example\r\nRCPT TO:<eve@evil.example>"] {
            let failure = message(&from, &letter(to, "x")).err().unwrap();
            assert!(failure.hopeless && failure.code == "address", "{to:?}");
        }
    }
}

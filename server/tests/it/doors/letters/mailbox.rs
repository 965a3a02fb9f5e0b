//! The letters as a mail server gets them: its envelope names one address, and above the words stand our own headers alone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clarity_runtime::secret::Secret;
use clarity_runtime::shutdown::CancellationToken;
use clarity_service::MailSettings;
use clarity_testkit::wait_until;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::super::world::{CANARY, World};
use super::rows::Row;
use super::{FROM, Worlds, letters, post};

/// What stands above the words of a letter, and nothing else does.
const HEADERS: [&str; 7] = ["Message-ID", "From", "To", "Subject", "Date", "MIME-Version", "Content-Type"];

/// One letter: the addresses of its envelope, and its headers, unfolded.
#[derive(Clone, Debug)]
struct Taken {
    to: Vec<String>,
    headers: Vec<(String, String)>,
}

impl Taken {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.as_str())
    }
}

/// A mail server that takes everything.
#[derive(Clone, Default)]
struct Mailbox(Arc<Mutex<Vec<Taken>>>);

impl Mailbox {
    /// Its address.
    async fn open(&self) -> Secret {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mailbox = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(mailbox.clone().serve(stream));
            }
        });
        Secret::new(format!("smtp://{address}"))
    }

    /// RFC 5321, as much as a sender without a login needs.
    async fn serve(self, stream: TcpStream) -> std::io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        let mut to = Vec::new();
        write.write_all(b"220 localhost\r\n").await?;
        while let Some(line) = lines.next_line().await? {
            let command = line.to_ascii_uppercase();
            let answer: &[u8] = if command.starts_with("EHLO") {
                b"250-localhost\r\n250 8BITMIME\r\n"
            } else if command.starts_with("RCPT TO:") {
                to.extend(line.split(['<', '>']).nth(1).map(str::to_owned));
                b"250 fine\r\n"
            } else if command == "DATA" {
                write.write_all(b"354 go on\r\n").await?;
                let mut all = Vec::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    all.push(line);
                }
                let taken = Taken { to: std::mem::take(&mut to), headers: headers(&all) };
                self.0.lock().unwrap_or_else(PoisonError::into_inner).push(taken);
                b"250 fine\r\n"
            } else if command == "QUIT" {
                write.write_all(b"221 bye\r\n").await?;
                return Ok(());
            } else {
                b"250 fine\r\n"
            };
            write.write_all(answer).await?;
        }
        Ok(())
    }

    fn taken(&self) -> Vec<Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn headers(lines: &[String]) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in lines.iter().take_while(|line| !line.is_empty()) {
        match (line.strip_prefix([' ', '\t']), headers.last_mut()) {
            (Some(more), Some((_, value))) => value.push_str(more),
            _ => {
                let (name, value) = line.split_once(':').expect("a header");
                headers.push((name.to_owned(), value.trim().to_owned()));
            }
        }
    }
    headers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_letter_leaves_for_one_address_with_our_own_headers_alone() {
    let mailbox = Mailbox::default();
    let mail = MailSettings::smtp(&mailbox.open().await, FROM).expect("an address");
    let (mut findings, mut worlds) = (Vec::new(), Worlds::with(mail));
    for row in letters() {
        let world = worlds.before(row.kind).await;
        findings.extend(left(world, &mailbox, row).await.into_iter().map(|why| format!("{}: {why}", row.kind)));
    }
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

/// Sends one kind of letter to a mail server; what is wrong with what it got, if anything is.
async fn left(world: &World, mailbox: &Mailbox, row: &Row) -> Vec<String> {
    let earlier = mailbox.taken().len();
    let (services, stop) = (world.stage.services.clone(), CancellationToken::new());
    let until = stop.clone();
    // Delivered when all are written: a letter that has left keeps no words, and what follows one reads its link.
    post::send(world, row.kind, 0).await;
    let delivering = tokio::spawn(async move { services.deliver_mail(until).await });

    let admin = world.stage.db.admin().await;
    let read = || async {
        let sql = "select id::text, to_address, sent_at is not null from auth.mails where kind = $1";
        let rows = admin.query(sql, &[&row.kind]).await.expect("readable");
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect::<Vec<(String, String, bool)>>()
    };
    wait_until(row.kind, Duration::from_secs(20), || async {
        let letters = read().await;
        !letters.is_empty() && letters.iter().all(|(_, _, is_sent)| *is_sent)
    })
    .await;
    stop.cancel();
    delivering.await.expect("it ends");

    let mut findings = Vec::new();
    let all = mailbox.taken().split_off(earlier);
    if all.iter().flat_map(|taken| &taken.to).any(|to| to.ends_with("@acme.example")) {
        findings.push("somebody of another workspace was written to".to_owned());
    }
    for (id, to, _) in read().await {
        let name = format!("<{id}@clarity.example>");
        let of_it: Vec<&Taken> = all.iter().filter(|taken| taken.header("Message-ID") == name).collect();
        let [taken] = of_it.as_slice() else {
            findings.push(format!("it left {} times", of_it.len()));
            continue;
        };
        if taken.to != [to.as_str()]
            || taken.header("To") != to
            || !taken.header("From").ends_with("no-reply@clarity.example>")
        {
            findings.push(format!("it is from {} to {:?}, {}", taken.header("From"), taken.to, taken.header("To")));
        }
        for (name, value) in &taken.headers {
            if !HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name))
                || value.contains(CANARY)
                || value.contains("acme")
            {
                findings.push(format!("it has {name}: {value}"));
            }
        }
    }
    findings
}

//! Trying statements over a role's own connection, and what came of each.
//!
//! All statements of one context run in one transaction, each from the same savepoint, sent one after the other without
//! waiting. After a statement that may write, the probe says in the same transaction how the victim's rows stand.

use std::fmt::Write as _;

use futures::TryStreamExt as _;
use tokio_postgres::{Client, Error, SimpleQueryMessage};

use crate::attempts::{Attempt, Context, Manner, Right};
use crate::values::marked_beyond;

/// What the attacker could tell: SQLSTATE and all of the error, or the rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    pub text: String,
    pub succeeded: bool,
    /// The victim's rows as the probe saw them after it, when it was asked.
    pub victim: Option<String>,
}

/// Tries all in order, from a transaction that is rolled back. `database` is a name that differs by nature. False: the
/// database waits for rows of a COPY that it should have refused, and the connection can only be closed.
pub async fn attempt(client: &Client, database: &str, context: &Context, attempts: &[Attempt]) -> (Vec<Outcome>, bool) {
    let begin = format!("begin; {}; savepoint start", context.sql);
    client.batch_execute(&begin).await.unwrap_or_else(|e| panic!("{}: {e:?}", context.name));
    let mut sent = Vec::with_capacity(attempts.len());
    for attempt in attempts {
        let one = match attempt.manner {
            Manner::CopyOut | Manner::CopyIn => None,
            Manner::Plain | Manner::Echoes | Manner::Plan => {
                let probe = if attempt.needs == Right::Select { "" } else { "; select pg_catalog.clarity_probe()" };
                let sql = format!("rollback to start; {}{probe}", attempt.sql);
                Some(client.simple_query_raw(&sql).await.expect("sent"))
            }
        };
        sent.push(one);
    }
    let mut outcomes = Vec::with_capacity(attempts.len());
    for (stream, attempt) in sent.into_iter().zip(attempts) {
        let outcome = match stream {
            Some(stream) => {
                // Rows that came before an error count as well.
                let mut messages = Vec::new();
                let mut stream = std::pin::pin!(stream);
                let ended = loop {
                    match stream.try_next().await {
                        Ok(Some(message)) => messages.push(message),
                        Ok(None) => break Ok(()),
                        Err(error) => break Err(error),
                    }
                };
                of_messages(&messages, ended, attempt)
            }
            None => Outcome::default(),
        };
        outcomes.push(outcome);
    }
    let mut usable = true;
    for (outcome, attempt) in outcomes.iter_mut().zip(attempts) {
        if !usable {
            break;
        }
        match attempt.manner {
            Manner::CopyOut => *outcome = copy_out(client, &attempt.sql).await,
            Manner::CopyIn => {
                *outcome = copy_in(client, &attempt.sql).await;
                usable = !outcome.succeeded;
            }
            Manner::Plain | Manner::Echoes | Manner::Plan => {}
        }
    }
    if usable {
        client.batch_execute("rollback").await.expect("rolls back");
    }
    for outcome in &mut outcomes {
        outcome.text = normal(&outcome.text, database);
    }
    (outcomes, usable)
}

fn of_messages(messages: &[SimpleQueryMessage], ended: Result<(), Error>, attempt: &Attempt) -> Outcome {
    let mut text = String::new();
    let mut last_row = None;
    // The first word is the savepoint's.
    let own = messages.iter().skip_while(|m| !matches!(m, SimpleQueryMessage::CommandComplete(_))).skip(1);
    for message in own {
        match message {
            SimpleQueryMessage::Row(row) => {
                let values: Vec<&str> = (0..row.len()).map(|n| row.get(n).unwrap_or("\u{2205}")).collect();
                let line = values.join("|");
                if attempt.manner == Manner::Plan && marked_beyond(&line, &attempt.sql).is_none() {
                    // Which plan is taken, and what a filter removed, Postgres tells from all rows: see `attempts`. What
                    // comes out at the top is the attacker's.
                    if last_row.is_none() {
                        let _ = writeln!(text, "{}", line.split_once("(actual ").map_or("", |(_, rows)| rows));
                    }
                } else {
                    let _ = writeln!(text, "{line}");
                }
                last_row = Some(line);
            }
            SimpleQueryMessage::CommandComplete(rows) => {
                let _ = writeln!(text, "{rows} rows");
            }
            _ => {}
        }
    }
    let succeeded = ended.is_ok();
    let mut victim = None;
    if let Err(error) = ended {
        text.push_str(&describe(&error));
    } else if attempt.needs != Right::Select {
        // The probe's answer is no part of what the attacker saw.
        let answer = last_row.unwrap_or_default();
        text.truncate(text.rfind(&answer).unwrap_or(text.len()));
        victim = Some(answer);
    }
    Outcome { text, succeeded, victim }
}

async fn copy_out(client: &Client, sql: &str) -> Outcome {
    client.batch_execute("rollback to start").await.expect("rolls back");
    let read = async {
        let stream = client.copy_out(sql).await?;
        let mut stream = std::pin::pin!(stream);
        let mut text = String::new();
        while let Some(bytes) = stream.try_next().await? {
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
        Ok::<_, Error>(text)
    };
    match read.await {
        Ok(text) => Outcome { text, succeeded: true, victim: None },
        Err(error) => Outcome { text: describe(&error), succeeded: false, victim: None },
    }
}

/// Policies refuse COPY FROM as a whole: that the database asks for rows is the leak, none is sent.
async fn copy_in(client: &Client, sql: &str) -> Outcome {
    match client.batch_execute(&format!("rollback to start; {sql}")).await {
        Err(error) if error.as_db_error().is_some() => {
            Outcome { text: describe(&error), succeeded: false, victim: None }
        }
        _ => Outcome { text: "COPY waits for rows".to_owned(), succeeded: true, victim: None },
    }
}

/// How the victim's rows stand, for this transaction.
pub async fn probe(client: &Client) -> String {
    client.query_one("select pg_catalog.clarity_probe()", &[]).await.expect("the probe answers").get(0)
}

fn describe(error: &Error) -> String {
    let Some(db) = error.as_db_error() else { return format!("no answer of the database: {error}") };
    let more = [db.detail(), db.hint(), db.where_(), db.schema(), db.table(), db.column(), db.constraint()];
    let more: Vec<&str> = more.into_iter().flatten().collect();
    format!("{} {} [{}]", db.code().code(), db.message(), more.join("; "))
}

/// Without what differs by nature: the database's name, ids that a function made at random, the time it is, and the hash of
/// a chain that holds it. What was seeded has no fractions of a second, and dots at the end of its bytes.
fn normal(text: &str, database: &str) -> String {
    let text = without_now(&text.replace(database, "<database>"));
    let is_id = |word: &str| {
        word.len() == 36
            && word
                .bytes()
                .enumerate()
                .all(|(n, b)| if matches!(n, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() })
    };
    let random = |word: &str| is_id(word) && word.as_bytes()[14] == b'4';
    if !text.split(|c: char| !(c.is_ascii_hexdigit() || c == '-')).any(random) {
        return text;
    }
    let mut clean = text.clone();
    for word in text.split(|c: char| !(c.is_ascii_hexdigit() || c == '-')).filter(|word| random(word)) {
        clean = clean.replace(word, "<random id>");
    }
    clean
}

fn without_now(text: &str) -> String {
    let differs = |word: &str| {
        let hash = word.len() == 66 && word.starts_with("\\x") && !word.contains("2e2e");
        let time = word.contains(':') && word.contains('.');
        hash || time
    };
    if !text.contains("\\x") && !text.contains('.') {
        return text.to_owned();
    }
    let part = |c: char| c.is_ascii_alphanumeric() || ":.+-\\".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(part) {
        let length = rest[start..].find(|c| !part(c)).unwrap_or(rest.len() - start);
        let word = &rest[start..start + length];
        out.push_str(&rest[..start]);
        out.push_str(if differs(word) { "<now>" } else { word });
        rest = &rest[start + length..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::without_now;

    #[test]
    fn only_what_differs_by_nature_is_left_out() {
        let hash = "ab".repeat(32);
        assert_eq!(without_now(&format!("2026-11-23 13:54:18.394592+00|\\x{hash}")), "2026-11-23 <now>|<now>");
        let seeded = format!("2027-07-07 07:07:04+00|1.5|\\x7a716361{}", "2e".repeat(28));
        assert_eq!(without_now(&seeded), seeded);
    }
}

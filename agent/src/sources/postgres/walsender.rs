//! The replication session: start-up, authentication, START_REPLICATION, and what the stream's two ends need.
//!
//! The wire's messages come from `pgwire-replication`. Its worker hands each message over a channel, in memory of its
//! own; here frames are read in place instead ([`super::frames`]), since at 100,000 rows a second that is what costs.

use super::config::{PostgresConfig, TlsMode};
use super::connect::{CONNECT_TIMEOUT, SESSION_OPTIONS, tls_config};
use super::frames::FrameReader;
use super::position::lsn_text;
use super::problems;
use super::socket::Socket;
use crate::sources::SourceError;
use pgwire_replication::protocol::framing::{
    BackendMessage, read_backend_message, write_copy_data, write_copy_done, write_password_message, write_query,
    write_ssl_request, write_startup_message,
};
use pgwire_replication::protocol::replication::{encode_standby_status_update, unix_to_pg_timestamp};
use pgwire_replication::{Lsn, PgWireError};
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use rustls::pki_types::ServerName;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

type Input = Box<dyn AsyncRead + Send + Unpin>;
type Output = Box<dyn AsyncWrite + Send + Unpin>;

/// What IDENTIFY_SYSTEM says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub system_identifier: String,
    pub timeline: u32,
    /// End of the server's log.
    pub log_end: u64,
}

/// An authenticated replication session before the stream starts.
pub struct WalSender {
    config: PostgresConfig,
    input: Input,
    output: Output,
    pub identity: Identity,
}

impl WalSender {
    pub async fn connect(config: &PostgresConfig, raw_text: bool) -> Result<Self, SourceError> {
        tokio::time::timeout(CONNECT_TIMEOUT, Self::connect_now(config, raw_text))
            .await
            .map_err(|_| problems::unreachable(config, "no answer in time"))?
    }

    async fn connect_now(config: &PostgresConfig, raw_text: bool) -> Result<Self, SourceError> {
        let (input, output) = open(config).await?;
        let identity = Identity { system_identifier: String::new(), timeline: 0, log_end: 0 };
        let mut session = Self { config: config.clone(), input, output, identity };
        session.start_up(if raw_text { "SQL_ASCII" } else { "UTF8" }).await?;
        session.identify().await?;
        Ok(session)
    }

    /// Starts the stream at `lsn`, or where the slot stands if that is later.
    pub async fn start(
        mut self,
        slot: &str,
        lsn: u64,
        publications: &[String],
    ) -> Result<(FrameReader, StatusWriter), SourceError> {
        let names: Vec<String> = publications.iter().map(|p| problems::ident(p)).collect();
        let sql = format!(
            "START_REPLICATION SLOT {} LOGICAL {} (proto_version '1', publication_names {}, messages 'true')",
            problems::ident(slot),
            lsn_text(lsn),
            problems::literal(&names.join(","))
        );
        write_query(&mut self.output, &sql).await.map_err(problems::connection_lost)?;
        loop {
            match self.receive("starting replication").await? {
                m if m.tag == b'W' => break,
                _ => {}
            }
        }
        Ok((FrameReader::new(self.input), StatusWriter { output: self.output }))
    }

    async fn start_up(&mut self, encoding: &str) -> Result<(), SourceError> {
        let name = format!("clarity-agent {} stream", self.config.name);
        let (user, database) = (self.config.user.clone(), self.config.database.clone());
        let params = [
            ("user", user.as_str()),
            ("database", database.as_str()),
            ("replication", "database"),
            ("client_encoding", encoding),
            ("application_name", name.as_str()),
            ("options", SESSION_OPTIONS),
        ];
        write_startup_message(&mut self.output, 196_608, &params).await.map_err(problems::connection_lost)?;
        let password = self.config.password()?;
        let password = password.as_ref().map(crate::sources::Secret::reveal);
        let mut scram = None;
        loop {
            let message = self.receive("signing in").await?;
            match message.tag {
                b'Z' => return Ok(()),
                b'R' => {}
                _ => continue,
            }
            let Some((code, rest)) = message.payload.split_first_chunk::<4>() else {
                return Err(self.strange("a short authentication message"));
            };
            let needed = || {
                let question = format!("the server asks for a password of user {}", self.config.user);
                let fix = "set password_file or password_env in agent.toml".to_owned();
                problems::fatal("bad_credentials", question, Some(fix))
            };
            let answer = match i32::from_be_bytes(*code) {
                0 => continue,
                3 => zero_ended(password.ok_or_else(needed)?),
                5 => {
                    let salt = rest.first_chunk().copied().ok_or_else(|| self.strange("a short salt"))?;
                    zero_ended(&md5_hash(user.as_bytes(), password.ok_or_else(needed)?.as_bytes(), salt))
                }
                10 => {
                    let client =
                        ScramSha256::new(password.ok_or_else(needed)?.as_bytes(), ChannelBinding::unsupported());
                    let mut first = zero_ended(SCRAM_SHA_256);
                    first.extend_from_slice(&(client.message().len() as u32).to_be_bytes());
                    first.extend_from_slice(client.message());
                    scram = Some(client);
                    first
                }
                11 => {
                    let client = scram.as_mut().ok_or_else(|| self.strange("SASL out of turn"))?;
                    client.update(rest).map_err(|e| self.strange(&e.to_string()))?;
                    client.message().to_vec()
                }
                12 => {
                    let client = scram.as_mut().ok_or_else(|| self.strange("SASL out of turn"))?;
                    client.finish(rest).map_err(|e| self.strange(&e.to_string()))?;
                    continue;
                }
                other => {
                    let what = format!("the server wants authentication method {other}, which we do not speak");
                    let fix = "use scram-sha-256 for this user in pg_hba.conf".to_owned();
                    return Err(problems::fatal("bad_credentials", what, Some(fix)).into());
                }
            };
            write_password_message(&mut self.output, &answer).await.map_err(problems::connection_lost)?;
        }
    }

    async fn identify(&mut self) -> Result<(), SourceError> {
        write_query(&mut self.output, "IDENTIFY_SYSTEM").await.map_err(problems::connection_lost)?;
        loop {
            let message = self.receive("identifying the system").await?;
            match message.tag {
                b'D' => {
                    let fields = text_fields(&message.payload);
                    let [Some(system), Some(timeline), Some(end), ..] = fields.as_slice() else {
                        return Err(self.strange("a strange answer to IDENTIFY_SYSTEM"));
                    };
                    self.identity = Identity {
                        system_identifier: system.clone(),
                        timeline: timeline.parse().unwrap_or_default(),
                        log_end: Lsn::parse(end).map_err(|e| self.strange(&e.to_string()))?.0,
                    };
                }
                b'Z' => return Ok(()),
                _ => {}
            }
        }
    }

    async fn receive(&mut self, doing: &str) -> Result<BackendMessage, SourceError> {
        let message = read_backend_message(&mut self.input).await.map_err(problems::connection_lost)?;
        if message.tag == b'E' {
            let (code, text) = error_fields(&message.payload);
            return Err(problems::of_state(&self.config, &code, &text, doing).into());
        }
        Ok(message)
    }

    fn strange(&self, what: &str) -> SourceError {
        problems::unreachable(&self.config, format!("it does not answer like Postgres: {what}")).into()
    }
}

/// Tells the server how far we are.
pub struct StatusWriter {
    output: Output,
}

impl StatusWriter {
    pub async fn confirm(&mut self, lsn: u64, now_us: i64) -> Result<(), PgWireError> {
        let payload = encode_standby_status_update(Lsn(lsn), unix_to_pg_timestamp(now_us), false);
        write_copy_data(&mut self.output, &payload).await
    }

    pub async fn done(&mut self) -> Result<(), PgWireError> {
        write_copy_done(&mut self.output).await
    }
}

async fn open(config: &PostgresConfig) -> Result<(Input, Output), SourceError> {
    let mut tcp =
        TcpStream::connect((config.host.as_str(), config.port)).await.map_err(|e| problems::unreachable(config, e))?;
    tcp.set_nodelay(true).map_err(|e| problems::unreachable(config, e))?;
    if config.tls() != TlsMode::Disable {
        write_ssl_request(&mut tcp).await.map_err(|e| problems::unreachable(config, e))?;
        if tcp.read_u8().await.map_err(|e| problems::unreachable(config, e))? == b'S' {
            let name = ServerName::try_from(config.host.clone()).map_err(|e| problems::tls(config, e))?;
            let connector = TlsConnector::from(Arc::new(tls_config(config)?));
            let tls = connector.connect(name, gathering(config, tcp)?).await.map_err(|e| problems::tls(config, e))?;
            let (input, output) = tokio::io::split(tls);
            return Ok((Box::new(input), Box::new(output)));
        }
        if config.tls() != TlsMode::Prefer {
            return Err(problems::tls(config, "the server offers none").into());
        }
    }
    let socket = gathering(config, tcp)?;
    Ok((Box::new(socket.reading), Box::new(socket.writing)))
}

fn gathering(config: &PostgresConfig, tcp: TcpStream) -> Result<Socket, SourceError> {
    let socket = Socket::new(tcp);
    socket.map_err(|e| problems::unreachable(config, e).into())
}

fn zero_ended(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

/// SQLSTATE and message of an ErrorResponse.
pub fn error_fields(payload: &[u8]) -> (String, String) {
    let (mut code, mut text) = (String::new(), String::new());
    for field in payload.split(|&b| b == 0) {
        if let Some((kind, value)) = field.split_first() {
            match kind {
                b'C' => code = String::from_utf8_lossy(value).into_owned(),
                b'M' => text = String::from_utf8_lossy(value).into_owned(),
                _ => {}
            }
        }
    }
    (code, text)
}

fn text_fields(payload: &[u8]) -> Vec<Option<String>> {
    let mut rest = payload.get(2..).unwrap_or_default();
    let mut fields = Vec::new();
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let length = i32::from_be_bytes(*length);
        let Ok(length) = usize::try_from(length) else {
            fields.push(None);
            rest = tail;
            continue;
        };
        let Some((value, tail)) = tail.split_at_checked(length) else { break };
        fields.push(Some(String::from_utf8_lossy(value).into_owned()));
        rest = tail;
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_response_is_taken_apart() {
        let payload = b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user \"x\"\0\0";
        let (code, text) = error_fields(payload);
        assert_eq!((code.as_str(), text.as_str()), ("28P01", "password authentication failed for user \"x\""));
        assert_eq!(error_fields(b"garbage"), (String::new(), String::new()));
    }

    #[test]
    fn a_row_of_texts_is_taken_apart() {
        let row = b"\0\x02\0\0\0\x03abc\xff\xff\xff\xff";
        assert_eq!(text_fields(row), [Some("abc".to_owned()), None]);
        assert_eq!(text_fields(b"\0\x02\0\0\0\x09abc"), [] as [Option<String>; 0]);
    }
}

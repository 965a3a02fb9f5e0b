//! From a server's address to an open WebSocket: name, proxy, TLS, upgrade. Each step has its own words when it fails.

use super::proxy::Proxy;
use super::tls;
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use clarity_wire::frame::Frame;
use clarity_wire::limits::MAX_FRAME_BYTES;
use futures::{SinkExt, StreamExt};
use rustls_pki_types::ServerName;
use std::net::IpAddr;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

const CONNECT: Duration = Duration::from_secs(15);

/// `wss://host:port`, or `ws://` to this very machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub tls: bool,
}

impl Server {
    pub fn parse(url: &str) -> Result<Self> {
        let uri: http::Uri = url.trim().parse().with_context(|| format!("{url} is no address like wss://host:port"))?;
        let host = uri.host().map(|h| h.trim_matches(['[', ']']).to_owned());
        let host = host.with_context(|| format!("{url} names no host; write wss://host:port"))?;
        let tls = match uri.scheme_str() {
            Some("wss" | "https") => true,
            Some("ws" | "http") => false,
            _ => bail!("{url} must begin with wss://"),
        };
        let local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|a| a.is_loopback());
        if !tls && !local {
            bail!("{url} is not encrypted; ws:// is for a server on this machine only, write wss://");
        }
        Ok(Self { port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }), host, tls })
    }

    pub fn proxy(&self) -> Result<Option<Proxy>> {
        if self.tls { Proxy::from_env(&self.host, self.port) } else { Ok(None) }
    }

    pub async fn connect_tcp(&self) -> Result<TcpStream> {
        let tcp = match self.proxy()? {
            Some(proxy) => proxy.connect(&self.host, self.port).await?,
            None => TcpStream::connect((self.host.as_str(), self.port))
                .await
                .with_context(|| format!("cannot reach {}:{}", self.host, self.port))?,
        };
        tcp.set_nodelay(true)?;
        Ok(tcp)
    }

    pub async fn connect_stream(&self, ca: Option<&Path>) -> Result<Stream> {
        let tcp = self.connect_tcp().await?;
        if !self.tls {
            return Ok(Stream::Plain(tcp));
        }
        let name = ServerName::try_from(self.host.clone()).with_context(|| format!("{} is no host name", self.host))?;
        let tls = tls::connector(ca)?.connect(name, tcp).await;
        let tls = tls.with_context(|| match ca {
            Some(_) => format!("{} does not show a certificate of the pinned CA", self.host),
            None => format!(
                "{} does not show a certificate that this machine trusts; where a proxy opens TLS, give its CA by `pair --ca FILE`",
                self.host
            ),
        })?;
        Ok(Stream::Tls(Box::new(tls)))
    }

    /// Opens the agents' WebSocket.
    pub async fn connect(&self, ca: Option<&Path>) -> Result<Socket> {
        let work = async {
            let stream = self.connect_stream(ca).await?;
            let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
            let scheme = if self.tls { "wss" } else { "ws" };
            let url = format!("{scheme}://{host}:{}/agent/v1/stream", self.port);
            let config = WebSocketConfig::default()
                .max_message_size(Some(MAX_FRAME_BYTES))
                .max_frame_size(Some(MAX_FRAME_BYTES));
            let (socket, _) = client_async_with_config(url, stream, Some(config)).await.map_err(upgrade_words)?;
            Ok(Socket(socket))
        };
        match tokio::time::timeout(CONNECT, work).await {
            Ok(done) => done,
            Err(_) => bail!("{}:{} did not answer within {} s", self.host, self.port, CONNECT.as_secs()),
        }
    }
}

fn upgrade_words(error: tungstenite::Error) -> anyhow::Error {
    match error {
        tungstenite::Error::Http(answer) => anyhow::anyhow!(
            "the server answered {} in place of a WebSocket; is this the address for agents?",
            answer.status()
        ),
        error => anyhow::Error::new(error).context("the WebSocket could not be opened"),
    }
}

/// The connection's bytes, with or without TLS.
pub enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut TaskContext<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_read(cx, buf),
            Self::Tls(s) => Pin::new(s).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut TaskContext<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_write(cx, buf),
            Self::Tls(s) => Pin::new(s).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_flush(cx),
            Self::Tls(s) => Pin::new(s).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_shutdown(cx),
            Self::Tls(s) => Pin::new(s).poll_shutdown(cx),
        }
    }
}

/// A WebSocket that speaks frames.
pub struct Socket(pub(super) WebSocketStream<Stream>);

impl Socket {
    pub async fn send(&mut self, frame: &Frame) -> Result<()> {
        self.0.send(Message::Binary(frame.encode()?)).await.context("the connection was lost")
    }

    /// The next frame; `None` at the connection's end.
    pub async fn receive(&mut self) -> Result<Option<Frame>> {
        loop {
            match self.0.next().await {
                None | Some(Ok(Message::Close(_))) => return Ok(None),
                Some(Err(error)) => return Err(error).context("the connection was lost"),
                Some(Ok(Message::Binary(message))) => return Ok(Some(Frame::decode(message)?)),
                Some(Ok(_)) => {}
            }
        }
    }

    pub async fn close(&mut self) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.0.close(None)).await;
    }
}

pub(super) fn message(frame: &Frame) -> Result<Message> {
    let bytes: Bytes = frame.encode()?;
    Ok(Message::Binary(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_reached_in_clear() {
        let server = Server::parse("wss://ingest.example").unwrap();
        assert_eq!((server.port, server.tls), (443, true));
        for ok in ["ws://127.0.0.1:7443", "ws://localhost:1", "ws://[::1]:7443/"] {
            assert!(!Server::parse(ok).unwrap().tls);
        }
        for bad in ["ws://10.0.0.1:7443", "ws://example.com", "example.com", "ftp://localhost", ""] {
            assert!(Server::parse(bad).is_err(), "{bad}");
        }
    }
}

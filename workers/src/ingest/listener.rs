//! The listener: rustls on a TCP socket, handshakes beside each other so that a slow one delays nobody. Without a
//! certificate only a loopback address is served.

use crate::config::Run;
use anyhow::{Context, ensure};
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Address of the other end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub SocketAddr);

impl Connected<IncomingStream<'_, Sockets>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Sockets>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// Connections that are ready to speak HTTP.
pub(crate) struct Sockets {
    ready: mpsc::Receiver<(Socket, SocketAddr)>,
    local: SocketAddr,
}

/// A handshake that takes longer is dropped.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Failed handshakes that are written into the log at a minute: whoever tries a thousand does not fill it.
const FAILURES_A_MINUTE: u32 = 30;

pub(crate) async fn bind(config: &Run) -> anyhow::Result<Sockets> {
    let tls = match (&config.tls_cert, &config.tls_key) {
        (Some(cert), Some(key)) => Some(acceptor(cert, key)?),
        _ => {
            ensure!(
                config.ingest_listen.ip().is_loopback(),
                "ingest needs --tls-cert and --tls-key to listen on {}: without TLS it serves loopback addresses only",
                config.ingest_listen
            );
            None
        }
    };
    let tcp = TcpListener::bind(config.ingest_listen)
        .await
        .with_context(|| format!("cannot listen on {}; is another process using the port?", config.ingest_listen))?;
    let local = tcp.local_addr()?;
    let (send, ready) = mpsc::channel(64);
    tokio::spawn(accept(tcp, tls, send));
    Ok(Sockets { ready, local })
}

async fn accept(tcp: TcpListener, tls: Option<TlsAcceptor>, ready: mpsc::Sender<(Socket, SocketAddr)>) {
    let told = Arc::new(RateLimiter::direct(Quota::per_minute(super::per(FAILURES_A_MINUTE))));
    loop {
        let (stream, peer) = match tcp.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, mostly: others may close some.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        if ready.is_closed() {
            return;
        }
        let _ = stream.set_nodelay(true);
        let (tls, ready, told) = (tls.clone(), ready.clone(), told.clone());
        tokio::spawn(async move {
            let socket = match tls {
                None => Socket::Plain(stream),
                Some(tls) => match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                    Ok(Ok(stream)) => Socket::Tls(Box::new(stream)),
                    // A load balancer looks whether the port is open, and leaves.
                    Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => return,
                    Ok(Err(error)) => return failed(&told, peer, &error.to_string()),
                    Err(_) => return failed(&told, peer, "it took too long"),
                },
            };
            let _ = ready.send((socket, peer)).await;
        });
    }
}

/// For operators: a certificate that agents refuse, or somebody who tries what is not spoken here.
fn failed(told: &DefaultDirectRateLimiter, peer: SocketAddr, error: &str) {
    if told.check().is_ok() {
        tracing::warn!(%peer, error, "TLS handshake failed");
    } else {
        tracing::debug!(%peer, error, "TLS handshake failed");
    }
}

fn acceptor(cert: &Path, key: &Path) -> anyhow::Result<TlsAcceptor> {
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("cannot read the certificate {}", cert.display()))?;
    let key = PrivateKeyDer::from_pem_file(key).with_context(|| format!("cannot read the key {}", key.display()))?;
    Ok(TlsAcceptor::from(Arc::new(tls(chain, key)?)))
}

/// TLS 1.3 and 1.2, with the suites that ring has: forward secret, with authenticated encryption.
fn tls(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> anyhow::Result<rustls::ServerConfig> {
    rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .context("no TLS 1.2 and 1.3")?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("the certificate and its key do not fit together")
}

impl Listener for Sockets {
    type Io = Socket;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            // The accepting task never ends while we listen.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.local)
    }
}

pub(crate) enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

macro_rules! either {
    ($self:ident, $io:ident => $call:expr) => {
        match $self.get_mut() {
            Self::Plain($io) => {
                let $io = Pin::new($io);
                $call
            }
            Self::Tls($io) => {
                let $io = Pin::new(&mut **$io);
                $call
            }
        }
    };
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut task::Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self, io => io.poll_read(cx, buf))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut task::Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, io => io.poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        either!(self, io => io.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        either!(self, io => io.poll_shutdown(cx))
    }
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;

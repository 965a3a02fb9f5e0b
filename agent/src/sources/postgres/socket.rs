//! The replication session's socket, which gathers.
//!
//! The walsender sends every change by itself. A socket that the runtime watches is reported for each of them, whether
//! somebody waits for it or not, and at 100,000 a second that switch costs more than the change does. So in a crowd the
//! socket is taken from the runtime's watch and looked at by the clock: one look brings the changes of a millisecond. When
//! a look finds nothing, it is watched again, so that a change that comes alone is read at once.

use futures::ready;
use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{self, Shutdown};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// Between two looks.
const GATHER: Duration = Duration::from_millis(1);
/// So many reads, none later than [`GATHER`] after the one before it, are a crowd.
const CROWD_READS: u32 = 4;

/// Both ends; TLS needs them together.
pub struct Socket {
    pub reading: Reading,
    pub writing: Writing,
}

impl Socket {
    pub fn new(tcp: TcpStream) -> io::Result<Self> {
        let tcp = tcp.into_std()?;
        let writing = Writing { tcp: tcp.try_clone()?, watched: None };
        Ok(Self { reading: Reading { watch: Watch::runtime(tcp)?, reads: 0, read_at: Instant::now() }, writing })
    }
}

pub struct Reading {
    watch: Watch,
    /// Of the present crowd.
    reads: u32,
    read_at: Instant,
}

enum Watch {
    Runtime(TcpStream),
    /// The next look is not before the moment given.
    Clock(net::TcpStream, Pin<Box<Sleep>>),
    /// Lost while it went from one to the other.
    Nobody,
}

impl Watch {
    fn runtime(tcp: net::TcpStream) -> io::Result<Self> {
        Ok(Self::Runtime(TcpStream::from_std(tcp)?))
    }

    fn clock(tcp: TcpStream, look_at: Instant) -> io::Result<Self> {
        Ok(Self::Clock(tcp.into_std()?, Box::pin(tokio::time::sleep_until(look_at))))
    }

    fn take(&mut self) -> Self {
        std::mem::replace(self, Self::Nobody)
    }
}

impl AsyncRead for Reading {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            match &mut this.watch {
                Watch::Runtime(tcp) => {
                    ready!(Pin::new(tcp).poll_read(cx, buf))?;
                    let now = Instant::now();
                    this.reads = if now - this.read_at < GATHER { this.reads + 1 } else { 0 };
                    this.read_at = now;
                    if this.reads >= CROWD_READS
                        && let Watch::Runtime(tcp) = this.watch.take()
                    {
                        this.watch = Watch::clock(tcp, now + GATHER)?;
                    }
                    return Poll::Ready(Ok(()));
                }
                Watch::Clock(tcp, look) => {
                    ready!(look.as_mut().poll(cx));
                    let room = buf.initialize_unfilled();
                    match tcp.read(room) {
                        Ok(n) => {
                            // After a full read there may be more.
                            if n < room.len() {
                                look.as_mut().reset(Instant::now() + GATHER);
                            }
                            buf.advance(n);
                            return Poll::Ready(Ok(()));
                        }
                        Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                        Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                            if let Watch::Clock(tcp, _) = this.watch.take() {
                                this.watch = Watch::runtime(tcp)?;
                            }
                            this.reads = 0;
                        }
                        Err(e) => return Poll::Ready(Err(e)),
                    }
                }
                Watch::Nobody => return Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            }
        }
    }
}

/// Not watched while there is room, which is nearly always: what arrives would be reported here too.
pub struct Writing {
    tcp: net::TcpStream,
    watched: Option<TcpStream>,
}

impl AsyncWrite for Writing {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        loop {
            if let Some(watched) = &mut this.watched {
                let written = ready!(Pin::new(watched).poll_write(cx, bytes));
                this.watched = None;
                return Poll::Ready(written);
            }
            match this.tcp.write(bytes) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    this.watched = Some(TcpStream::from_std(this.tcp.try_clone()?)?);
                }
                written => return Poll::Ready(written),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.tcp.shutdown(Shutdown::Write))
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().reading).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().writing).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().writing).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().writing).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    async fn pair() -> (Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (theirs, _) = listener.accept().await.unwrap();
        theirs.set_nodelay(true).unwrap();
        (Socket::new(ours).unwrap(), theirs)
    }

    /// A crowd, silence, one alone, and again: everything arrives in order, and so does the end.
    #[tokio::test]
    async fn what_is_sent_arrives_crowded_and_alone() {
        const CROWD: u32 = 500;
        let (mut socket, mut theirs) = pair().await;
        let sending = tokio::spawn(async move {
            for _ in 0..3 {
                for i in 0..CROWD {
                    theirs.write_u32(i).await.unwrap();
                }
                // Sent when the silence was heard.
                let alone = theirs.read_u32().await.unwrap();
                theirs.write_u32(alone).await.unwrap();
            }
        });
        let mut crowds = 0;
        for round in 0..3 {
            for i in 0..CROWD {
                assert_eq!(socket.reading.read_u32().await.unwrap(), i);
            }
            crowds += u32::from(matches!(socket.reading.watch, Watch::Clock(..)));
            while !matches!(socket.reading.watch, Watch::Runtime(_)) {
                assert!(tokio::time::timeout(GATHER, socket.reading.read_u32()).await.is_err());
            }
            socket.writing.write_u32(7_000 + round).await.unwrap();
            assert_eq!(socket.reading.read_u32().await.unwrap(), 7_000 + round);
        }
        assert!(crowds > 0, "no crowd was seen");
        sending.await.unwrap();
        assert_eq!(socket.reading.read_u32().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    /// More than both sockets' buffers hold: the rest waits for room.
    #[tokio::test]
    async fn a_writer_waits_for_room() {
        let (mut socket, mut theirs) = pair().await;
        let sent = vec![7; 16 << 20];
        let writing = async {
            socket.writing.write_all(&sent).await.unwrap();
            socket.writing.shutdown().await.unwrap();
        };
        let mut received = Vec::new();
        let (_, read) = tokio::join!(writing, theirs.read_to_end(&mut received));
        assert_eq!((read.unwrap(), socket.writing.watched.is_none()), (sent.len(), true));
        assert_eq!(received, sent);
    }
}

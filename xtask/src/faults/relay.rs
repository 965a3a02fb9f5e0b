//! A TCP relay between agent and ingest that can go silent: what it has taken then reaches nobody, and nobody is told.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Result;

pub struct Relay {
    pub port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Connections of a number up to this are silent for ever.
    silent: AtomicU64,
    connections: AtomicU64,
    closed: AtomicBool,
}

const PATIENCE: Duration = Duration::from_millis(50);

impl Relay {
    pub fn to(port: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let own = listener.local_addr()?.port();
        let shared = Arc::new(Shared::default());
        let of = shared.clone();
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if of.closed.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let number = of.connections.fetch_add(1, Ordering::Relaxed) + 1;
                let (Ok(near_again), Ok(far_again)) = (near.try_clone(), far.try_clone()) else { continue };
                let shared = of.clone();
                std::thread::spawn(move || pump(near, far, number, &shared));
                let shared = of.clone();
                std::thread::spawn(move || pump(far_again, near_again, number, &shared));
            }
        });
        Ok(Self { port: own, shared })
    }

    /// Connections so far.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Cuts every connection there is, without a word to either end. New ones work.
    pub fn silence(&self) {
        self.shared.silent.store(self.connections(), Ordering::Relaxed);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Relaxed);
        // Wakes the listener.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, number: u64, shared: &Shared) {
    let mut buffer = vec![0; 64 << 10];
    if from.set_read_timeout(Some(PATIENCE)).is_err() {
        return;
    }
    while !shared.closed.load(Ordering::Relaxed) {
        if shared.silent.load(Ordering::Relaxed) >= number {
            // Held open, read by nobody.
            std::thread::sleep(PATIENCE);
            continue;
        }
        match from.read(&mut buffer) {
            Ok(0) => break,
            // What was read before the silence is lost with it.
            Ok(_) if shared.silent.load(Ordering::Relaxed) >= number => {}
            Ok(n) => {
                if to.write_all(&buffer[..n]).is_err() {
                    break;
                }
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_connection_stays_open_and_a_new_one_works() {
        let echo = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = echo.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for mut stream in echo.incoming().flatten() {
                std::thread::spawn(move || {
                    let mut byte = [0];
                    while stream.read_exact(&mut byte).is_ok() && stream.write_all(&byte).is_ok() {}
                });
            }
        });
        let relay = Relay::to(port).unwrap();
        let ask = |stream: &mut TcpStream| -> std::io::Result<()> {
            stream.set_read_timeout(Some(Duration::from_millis(300)))?;
            stream.write_all(b"x")?;
            stream.read_exact(&mut [0])
        };
        let mut first = TcpStream::connect(("127.0.0.1", relay.port)).unwrap();
        ask(&mut first).unwrap();
        relay.silence();
        let error = ask(&mut first).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
        let mut second = TcpStream::connect(("127.0.0.1", relay.port)).unwrap();
        ask(&mut second).unwrap();
        assert_eq!(relay.connections(), 2);
    }
}

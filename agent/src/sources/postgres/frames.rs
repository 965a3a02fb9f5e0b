//! Frames of the replication stream, read in place.
//!
//! One buffer is filled by large reads and frames are handed out as slices of it. A frame beyond [`INLINE_BYTES`] is
//! never held whole: its start is kept, all of it is hashed, so memory stays bounded whatever a customer writes.

use super::decode::PG_EPOCH_US;
use sha2::{Digest, Sha256};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

const BUFFER_BYTES: usize = 256 << 10;
/// The largest frame that is held whole.
pub const INLINE_BYTES: usize = 8 << 20;
/// What is kept of a larger one.
const PREFIX_BYTES: usize = 256 << 10;

#[derive(Debug)]
pub enum Frame<'a> {
    /// A pgoutput message.
    Data(&'a [u8]),
    /// The start of a pgoutput message that is too large, its size, and SHA-256 of all of it.
    Oversized { prefix: &'a [u8], bytes: u64, hash: [u8; 32] },
    /// `server_us` is microseconds since 1970.
    KeepAlive { log_end: u64, server_us: i64, reply: bool },
    /// The server ends the stream: SQLSTATE and message.
    Error(String, String),
    /// CopyDone: the server shuts down.
    Done,
}

#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the server closed the connection")]
    Closed,
    #[error("the server sent a malformed frame")]
    Malformed,
}

struct Large {
    prefix: Vec<u8>,
    left: usize,
    bytes: u64,
    hash: Sha256,
}

pub struct FrameReader {
    input: Box<dyn AsyncRead + Send + Unpin>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    large: Option<Large>,
}

impl FrameReader {
    pub fn new(input: Box<dyn AsyncRead + Send + Unpin>) -> Self {
        Self { input, buffer: vec![0; BUFFER_BYTES], start: 0, end: 0, large: None }
    }

    /// Reads once from the socket, and says how much. Cancel-safe: a dropped future has read nothing.
    pub async fn fill(&mut self) -> Result<usize, FrameError> {
        self.make_room();
        let n = self.input.read(&mut self.buffer[self.end..]).await?;
        if n == 0 {
            return Err(FrameError::Closed);
        }
        self.end += n;
        Ok(n)
    }

    /// The next frame that is already here.
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, FrameError> {
        loop {
            if self.large.is_some() {
                if !self.skip_large() {
                    return Ok(None);
                }
                return Ok(self.take_large());
            }
            let available = self.end - self.start;
            if available < 5 {
                return Ok(None);
            }
            let head = self.start;
            let length = u32::from_be_bytes([
                self.buffer[head + 1],
                self.buffer[head + 2],
                self.buffer[head + 3],
                self.buffer[head + 4],
            ]) as usize;
            if !(4..1 << 30).contains(&length) {
                return Err(FrameError::Malformed);
            }
            let whole = length + 1;
            if whole > INLINE_BYTES {
                // CopyData and XLogData heads before the message begins.
                if available < 30 {
                    return Ok(None);
                }
                if self.buffer[head] != b'd' || self.buffer[head + 5] != b'w' {
                    return Err(FrameError::Malformed);
                }
                self.start += 30;
                let bytes = (whole - 30) as u64;
                self.large = Some(Large { prefix: Vec::new(), left: whole - 30, bytes, hash: Sha256::new() });
                continue;
            }
            if available < whole {
                return Ok(None);
            }
            self.start += whole;
            let (tag, body) = (self.buffer[head], head + 5..head + whole);
            match tag {
                b'd' => return data(&self.buffer[body]).map(Some),
                b'c' => return Ok(Some(Frame::Done)),
                b'E' => {
                    let (code, text) = super::walsender::error_fields(&self.buffer[body]);
                    return Ok(Some(Frame::Error(code, text)));
                }
                // Notices and parameter changes.
                _ => {}
            }
        }
    }

    fn make_room(&mut self) {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            let larger = (self.buffer.len() * 2).min(INLINE_BYTES + BUFFER_BYTES);
            self.buffer.resize(larger, 0);
        } else if self.buffer.len() > BUFFER_BYTES && self.end < BUFFER_BYTES / 2 {
            self.buffer.truncate(BUFFER_BYTES);
            self.buffer.shrink_to_fit();
        }
    }

    /// True when the large frame has passed.
    fn skip_large(&mut self) -> bool {
        let Some(large) = &mut self.large else { return true };
        let here = large.left.min(self.end - self.start);
        let bytes = &self.buffer[self.start..self.start + here];
        large.hash.update(bytes);
        let wanted = PREFIX_BYTES - large.prefix.len();
        large.prefix.extend_from_slice(&bytes[..here.min(wanted)]);
        large.left -= here;
        self.start += here;
        large.left == 0
    }

    fn take_large(&mut self) -> Option<Frame<'_>> {
        let large = self.large.take()?;
        let hash = large.hash.finalize().into();
        // The prefix moves into the buffer's free part so that it can be lent out like any other frame.
        self.make_room();
        if self.buffer.len() - self.end < large.prefix.len() {
            self.buffer.resize(self.end + large.prefix.len(), 0);
        }
        let at = self.end..self.end + large.prefix.len();
        self.buffer[at.clone()].copy_from_slice(&large.prefix);
        Some(Frame::Oversized { prefix: &self.buffer[at], bytes: large.bytes, hash })
    }
}

fn data(body: &[u8]) -> Result<Frame<'_>, FrameError> {
    match body {
        [b'w', rest @ ..] if rest.len() >= 24 => Ok(Frame::Data(&rest[24..])),
        [b'k', rest @ ..] if rest.len() >= 17 => {
            let number = |at: usize| rest[at..].first_chunk().copied().map_or(0, u64::from_be_bytes);
            let server_us = (number(8) as i64).saturating_add(PG_EPOCH_US);
            Ok(Frame::KeepAlive { log_end: number(0), server_us, reply: rest[16] != 0 })
        }
        _ => Err(FrameError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xlog(message: &[u8]) -> Vec<u8> {
        let mut frame = vec![b'd'];
        frame.extend_from_slice(&(4 + 25 + message.len() as u32).to_be_bytes());
        frame.push(b'w');
        frame.extend_from_slice(&[0; 24]);
        frame.extend_from_slice(message);
        frame
    }

    async fn all(bytes: Vec<u8>) -> Vec<String> {
        let mut reader = FrameReader::new(Box::new(std::io::Cursor::new(bytes)));
        let mut seen = Vec::new();
        loop {
            while let Some(frame) = reader.next().unwrap() {
                seen.push(match frame {
                    Frame::Data(d) => format!("data {} {:?}", d.len(), d.first()),
                    Frame::Oversized { prefix, bytes, hash } => {
                        format!("large {} {bytes} {}", prefix.len(), hex::encode(&hash[..4]))
                    }
                    other => format!("{other:?}"),
                });
            }
            match reader.fill().await {
                Ok(_) => {}
                Err(FrameError::Closed) => return seen,
                Err(e) => panic!("{e}"),
            }
        }
    }

    #[tokio::test]
    async fn frames_of_all_sizes_keep_their_order() {
        let huge = vec![7; INLINE_BYTES + 12_345];
        let mut bytes = Vec::new();
        for message in [&b"Ione"[..], &vec![b'x'; 3 << 20], &huge, b"Itwo"] {
            bytes.extend_from_slice(&xlog(message));
        }
        bytes.extend_from_slice(b"c\0\0\0\x04");
        let hash = hex::encode(&Sha256::digest(&huge)[..4]);
        assert_eq!(
            all(bytes).await,
            [
                "data 4 Some(73)".to_owned(),
                format!("data {} Some(120)", 3 << 20),
                format!("large {PREFIX_BYTES} {} {hash}", huge.len()),
                "data 4 Some(73)".to_owned(),
                "Done".to_owned(),
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let mut reader = FrameReader::new(Box::new(std::io::Cursor::new(bytes)));
                while reader.fill().await.is_ok() {
                    while let Ok(Some(_)) = reader.next() {}
                }
            });
        }
    }
}

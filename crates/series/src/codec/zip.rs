//! zstd around bytes that repeat: dictionaries of text and bitmaps. The declared size is bounded by the reader.

use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};

use crate::codec::Effort;
use crate::codec::bytes::{Reader, put_blob, put_varint};
use crate::error::{ChunkError, Result};

const PLAIN: u8 = 0;
const ZSTD: u8 = 1;

/// Shorter bytes do not shrink enough to pay for the frame.
const WORTH_BYTES: usize = 48;

thread_local! {
    // A context costs more to make than a small chunk to compress, so each thread keeps its own.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

pub(crate) fn encode(out: &mut Vec<u8>, bytes: &[u8], effort: Effort) {
    let level = if effort == Effort::Dense { 9 } else { 1 };
    if bytes.len() >= WORTH_BYTES
        && let Some(packed) = compress(bytes, level)
        && packed.len() + 4 < bytes.len()
    {
        out.push(ZSTD);
        put_varint(out, bytes.len() as u64);
        put_blob(out, &packed);
    } else {
        out.push(PLAIN);
        put_blob(out, bytes);
    }
}

/// Reads bytes of at most `limit` in size.
pub(crate) fn decode(reader: &mut Reader<'_>, limit: usize) -> Result<Vec<u8>> {
    const TOO_LONG: ChunkError = ChunkError::Corrupt("compressed bytes are longer than they may be");
    match reader.byte()? {
        PLAIN => {
            let bytes = reader.blob()?;
            if bytes.len() > limit { Err(TOO_LONG) } else { Ok(bytes.to_vec()) }
        }
        ZSTD => {
            let size = reader.count(limit)?;
            let packed = reader.blob()?;
            // zstd cannot shrink below about one part in 2^17, so a larger claim is false.
            if size / (1 << 17) > packed.len() {
                return Err(TOO_LONG);
            }
            let bytes = decompress(packed, size).ok_or(ChunkError::Corrupt("zstd refused its bytes"))?;
            if bytes.len() == size { Ok(bytes) } else { Err(ChunkError::Corrupt("zstd gave another size")) }
        }
        _ => Err(ChunkError::Corrupt("unknown compression")),
    }
}

fn compress(bytes: &[u8], level: i32) -> Option<Vec<u8>> {
    COMPRESSOR.with(|slot| {
        let mut slot = slot.borrow_mut();
        let compressor = match slot.as_mut() {
            Some(compressor) => compressor,
            None => slot.insert(Compressor::new(level).ok()?),
        };
        compressor.set_compression_level(level).ok()?;
        compressor.compress(bytes).ok()
    })
}

fn decompress(packed: &[u8], size: usize) -> Option<Vec<u8>> {
    DECOMPRESSOR.with(|slot| {
        let mut slot = slot.borrow_mut();
        let decompressor = match slot.as_mut() {
            Some(decompressor) => decompressor,
            None => slot.insert(Decompressor::new().ok()?),
        };
        decompressor.decompress(packed, size).ok()
    })
}

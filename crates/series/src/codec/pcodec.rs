//! pco, in its wrapped form: one page, no framing of its own.
//!
//! pco allocates for a dictionary or a look-back window as large as the bytes ask for (up to 128 MB). We never write
//! dictionaries, and look at the first bits of its metadata to refuse those and windows larger than a chunk.

use pco::data_types::Number;
use pco::wrapped::{FileCompressor, FileDecompressor};
use pco::{ChunkConfig, ModeSpec, PagingSpec};

use crate::error::{ChunkError, Result};

/// Above this level chunks of our size gain under one per cent and cost much more.
const LEVEL: usize = 4;

const DAMAGED: ChunkError = ChunkError::Corrupt("a compressed column does not decode");

/// Integers that were already made small (smallest subtracted, common divisor taken out).
pub(crate) fn encode_u64(values: &[u64]) -> Result<Vec<u8>> {
    encode(values, ModeSpec::Classic)
}

/// Floats that are no short decimals: pco may find a common factor with errors in the last place.
pub(crate) fn encode_f64(values: &[f64]) -> Result<Vec<u8>> {
    let packed = encode(values, ModeSpec::Auto)?;
    if check_meta(&packed).is_ok() { Ok(packed) } else { encode(values, ModeSpec::Classic) }
}

pub(crate) fn decode_u64(bytes: &[u8], count: usize) -> Result<Vec<u64>> {
    decode(bytes, count)
}

pub(crate) fn decode_f64(bytes: &[u8], count: usize) -> Result<Vec<f64>> {
    decode(bytes, count)
}

fn encode<T: Number>(values: &[T], mode: ModeSpec) -> Result<Vec<u8>> {
    let config = ChunkConfig::default()
        .with_compression_level(LEVEL)
        .with_mode_spec(mode)
        .with_paging_spec(PagingSpec::Exact(vec![values.len()]));
    let write = || {
        let file = FileCompressor::default();
        let out = file.write_header(Vec::new())?;
        let mut chunk = file.chunk_compressor(values, &config)?;
        let out = chunk.write_meta(out)?;
        chunk.write_page(0, out)
    };
    write().map_err(|_: pco::errors::PcoError| ChunkError::Codec)
}

fn decode<T: Number + Default>(bytes: &[u8], count: usize) -> Result<Vec<T>> {
    check_meta(bytes)?;
    let read = || {
        let (file, rest) = FileDecompressor::new(bytes)?;
        let (mut chunk, rest) = file.chunk_decompressor::<T, _>(rest)?;
        let mut page = chunk.page_decompressor(rest, count)?;
        let mut values = vec![T::default(); count];
        page.read(&mut values)?;
        Ok(values)
    };
    read().map_err(|_: pco::errors::PcoError| DAMAGED)
}

/// Reads the mode and the delta encoding from the front of the metadata and refuses what could over-allocate.
fn check_meta(bytes: &[u8]) -> Result<()> {
    const LARGEST_WINDOW_LOG: u32 = 16;
    // Two bytes of format version; version 4 is what we write.
    let Some((&[4, _], meta)) = bytes.split_first_chunk::<2>() else {
        return Err(DAMAGED);
    };
    let mut word = [0; 16];
    let length = meta.len().min(16);
    word[..length].copy_from_slice(&meta[..length]);
    let word = u128::from_le_bytes(word);
    let delta_at = match word & 15 {
        0 => 4,      // classic
        1 | 2 => 68, // integer or float multiples: a 64-bit base follows
        3 => 12,     // quantised floats: 8 bits of shift follow
        _ => return Err(DAMAGED),
    };
    const LOOKBACK: u128 = 2;
    if (word >> delta_at) & 15 == LOOKBACK && ((word >> (delta_at + 4)) & 31) as u32 + 1 > LARGEST_WINDOW_LOG {
        return Err(DAMAGED);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pco::DeltaSpec;

    fn with(delta: DeltaSpec, mode: ModeSpec, values: &[u64]) -> Vec<u8> {
        let config = ChunkConfig::default().with_delta_spec(delta).with_mode_spec(mode);
        let file = FileCompressor::default();
        let out = file.write_header(Vec::new()).unwrap();
        let mut chunk = file.chunk_compressor(values, &config).unwrap();
        let out = chunk.write_meta(out).unwrap();
        chunk.write_page(0, out).unwrap()
    }

    /// The bits we look at are where pco writes them: its own look-back is read, and refused once its window grows.
    #[test]
    fn a_window_larger_than_a_chunk_is_refused() {
        let values: Vec<u64> = (0..2_000u64).map(|i| (i % 97).wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
        let mut bytes = with(DeltaSpec::TryLookback, ModeSpec::Classic, &values);
        assert_eq!(bytes[2], 0x20, "classic mode, look-back delta");
        assert_eq!(decode_u64(&bytes, values.len()).unwrap(), values);
        bytes[3] = (bytes[3] & !31) | 22;
        assert_eq!(decode_u64(&bytes, values.len()).unwrap_err(), DAMAGED);
    }

    #[test]
    fn a_dictionary_is_refused() {
        let values: Vec<u64> = (0..2_000u64).map(|i| (i * i % 7).wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
        let bytes = with(DeltaSpec::NoOp, ModeSpec::TryDict, &values);
        assert_eq!(bytes[2] & 15, 4, "dictionary mode");
        assert_eq!(decode_u64(&bytes, values.len()).unwrap_err(), DAMAGED);
    }

    #[test]
    fn another_count_than_was_written_is_no_panic() {
        let bytes = encode_u64(&(0..500u64).map(|i| i * i).collect::<Vec<_>>()).unwrap();
        for count in [1, 499, 501, 65_536] {
            let _ = decode_u64(&bytes, count);
        }
        assert!(decode_u64(&bytes[..10], 500).is_err());
    }
}

//! Fixed-width bit packing, least significant bit first.

use crate::codec::bytes::Reader;
use crate::error::{ChunkError, Result};

pub(crate) fn packed_len(count: usize, width: u32) -> usize {
    (count * width as usize).div_ceil(8)
}

/// Packs the low `width` bits of each value; higher bits must be zero.
pub(crate) fn pack(out: &mut Vec<u8>, values: impl Iterator<Item = u64>, width: u32) {
    if width == 0 {
        return;
    }
    let (mut word, mut used) = (0u64, 0u32);
    for value in values {
        word |= value << used;
        if used + width >= 64 {
            out.extend_from_slice(&word.to_le_bytes());
            let written = 64 - used;
            word = if written == 64 { 0 } else { value >> written };
            used = used + width - 64;
        } else {
            used += width;
        }
    }
    out.extend_from_slice(&word.to_le_bytes()[..used.div_ceil(8) as usize]);
}

/// Reads `count` values of `width` bits and hands each to `each`, in order.
pub(crate) fn unpack(reader: &mut Reader<'_>, count: usize, width: u32, mut each: impl FnMut(u64)) -> Result<()> {
    if width > 64 {
        return Err(ChunkError::Corrupt("a bit width is above 64"));
    }
    if width == 0 {
        (0..count).for_each(|_| each(0));
        return Ok(());
    }
    let packed = reader.take(packed_len(count, width))?;
    let mask = u64::MAX >> (64 - width);
    let mut bit = 0usize;
    for _ in 0..count {
        let (from, shift) = (bit / 8, (bit % 8) as u32);
        let value = match packed.get(from..from + 8) {
            Some(word) if shift + width <= 64 => {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(word);
                u64::from_le_bytes(bytes) >> shift
            }
            _ => {
                let mut bytes = [0; 16];
                let word = &packed[from..packed.len().min(from + 9)];
                bytes[..word.len()].copy_from_slice(word);
                (u128::from_le_bytes(bytes) >> shift) as u64
            }
        };
        each(value & mask);
        bit += width as usize;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_comes_back() {
        for width in 0..=64u32 {
            let mask = if width == 0 { 0 } else { u64::MAX >> (64 - width) };
            let values: Vec<u64> = (0..131u64).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15) & mask).collect();
            let mut out = Vec::new();
            pack(&mut out, values.iter().copied(), width);
            assert_eq!(out.len(), packed_len(values.len(), width), "width {width}");
            let mut back = Vec::new();
            unpack(&mut Reader::new(&out), values.len(), width, |value| back.push(value)).unwrap();
            assert_eq!(back, values, "width {width}");
        }
    }
}

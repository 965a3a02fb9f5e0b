//! Wrong bytes give an error, never a panic and never a large allocation.

use clarity_series::{
    Aggregate, ChunkError, Projection, Rows, Sketch, decode, decode_stats, encode_hot, encode_sealed, encode_stats,
    merge,
};
use proptest::prelude::*;

use crate::rows::{build, content, crowded, regular, wild};

/// Writes the checksums anew after a change, so that the decoders behind them are reached.
fn reseal(bytes: &mut [u8]) {
    let Ok(length) = bytes[6..10].try_into().map(u32::from_le_bytes) else { return };
    let Some(end) = 14usize.checked_add(length as usize).filter(|end| *end <= bytes.len()) else { return };
    if bytes[5] == 0 && end >= 18 {
        let crc = crc32fast::hash(&bytes[end..]);
        bytes[end - 4..end].copy_from_slice(&crc.to_le_bytes());
    }
    if bytes[5] == 1 {
        reseal_sections(bytes, end);
    }
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..10]);
    hasher.update(&bytes[14..end]);
    let crc = hasher.finalize();
    bytes[10..14].copy_from_slice(&crc.to_le_bytes());
}

/// Walks the directory of a sealed chunk as far as it makes sense.
fn reseal_sections(bytes: &mut [u8], end: usize) {
    let (mut at, mut body) = (14, end);
    let varint = |bytes: &[u8], at: &mut usize| -> Option<usize> {
        let mut value = 0usize;
        for shift in (0..35).step_by(7) {
            let byte = *bytes.get(*at)?;
            *at += 1;
            value |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    };
    let mut walk = || -> Option<()> {
        varint(bytes, &mut at)?;
        let columns = varint(bytes, &mut at)?;
        for section in 0..=columns {
            if section > 0 {
                varint(bytes, &mut at)?;
                at += 1;
            }
            let length = varint(bytes, &mut at)?;
            let crc = crc32fast::hash(bytes.get(body..body.checked_add(length)?)?);
            bytes.get_mut(at..at + 4)?.copy_from_slice(&crc.to_le_bytes());
            at += 4;
            body += length;
        }
        Some(())
    };
    walk();
}

fn damage(bytes: &mut Vec<u8>, changes: &[(usize, u8)], cut: Option<usize>) {
    for (at, value) in changes {
        let at = at % bytes.len();
        bytes[at] ^= value;
    }
    if let Some(cut) = cut {
        bytes.truncate(cut % (bytes.len() + 1));
    }
}

fn dense(seed: u64, count: usize) -> Rows {
    use clarity_series::{ChunkBuilder, FieldType};
    let mut builder = ChunkBuilder::new(&[(1, FieldType::Float), (2, FieldType::Int), (3, FieldType::Text)]);
    let mut state = seed | 1;
    for i in 0..count {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        builder.push_row(1, (i as i64) * 1_000_000 + (state % 999) as i64, 1, state % 5 + i as u64 * 7, 0, 0);
        builder.push_float(0, (state as f64).sqrt() * 0.1);
        builder.push_int(1, (state % 1000) as i64);
        builder.push_text(2, &format!("state {}", state % 40));
    }
    builder.finish()
}

proptest! {
    #[test]
    fn changed_bytes_are_noticed(
        given in crowded(30), changes in prop::collection::vec((any::<usize>(), 1u8..), 1..4),
        cut in prop::option::of(any::<usize>()), sealed in any::<bool>()
    ) {
        // Of a sealed chunk without rows no column is opened.
        prop_assume!(!given.is_empty());
        let rows = build(&given);
        let chunk = if sealed { encode_sealed(&rows) } else { encode_hot(&rows) };
        let original = chunk.unwrap().bytes;
        let mut bytes = original.clone();
        damage(&mut bytes, &changes, cut);
        if bytes != original {
            prop_assert!(decode(&bytes, &Projection::all()).is_err());
        }
    }

    #[test]
    fn a_forged_checksum_leads_no_further(
        given in prop_oneof![crowded(40), wild(40)], changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..6),
        sealed in any::<bool>()
    ) {
        let rows = build(&given);
        let chunk = if sealed { encode_sealed(&rows) } else { encode_hot(&rows) };
        let mut bytes = chunk.unwrap().bytes;
        damage(&mut bytes, &changes, None);
        reseal(&mut bytes);
        if let Ok(rows) = decode(&bytes, &Projection::all()) {
            // Whatever came out is whole: it can be looked at, merged and, within the limits, written again.
            content(&rows);
            merge(std::slice::from_ref(&rows));
            let _ = encode_hot(&rows);
        }
    }

    #[test]
    fn forged_compressed_columns_lead_no_further(
        seed in any::<u64>(), changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..6)
    ) {
        let mut bytes = encode_sealed(&dense(seed, 400)).unwrap().bytes;
        damage(&mut bytes, &changes, None);
        reseal(&mut bytes);
        if let Ok(rows) = decode(&bytes, &Projection::all()) {
            content(&rows);
            merge(std::slice::from_ref(&rows));
        }
    }

    #[test]
    fn noise_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode(&bytes, &Projection::all()).is_err());
        let _ = decode_stats(&bytes);
        let _ = Sketch::decode(&bytes);
        let _ = Aggregate::decode(&bytes);
    }

    #[test]
    fn changed_stats_do_not_panic(
        given in crowded(20), changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<usize>())
    ) {
        let mut bytes = encode_stats(&encode_hot(&build(&given)).unwrap().stats);
        damage(&mut bytes, &changes, cut);
        let _ = decode_stats(&bytes);
    }
}

#[test]
fn reseal_writes_what_the_encoder_wrote() {
    for original in [encode_hot(&regular(1, 0, 50)).unwrap().bytes, encode_sealed(&dense(3, 300)).unwrap().bytes] {
        let mut bytes = original.clone();
        reseal(&mut bytes);
        assert_eq!(bytes, original);
    }
}

#[test]
fn a_newer_version_and_another_file_are_named() {
    let mut bytes = encode_hot(&regular(1, 0, 5)).unwrap().bytes;
    bytes[4] = 9;
    assert_eq!(decode(&bytes, &Projection::all()).unwrap_err(), ChunkError::UnknownVersion(9));
    assert_eq!(decode(b"PAR1....", &Projection::all()).unwrap_err(), ChunkError::NotAChunk);
}

/// Half a megabyte that says it is 268 million cells, with right checksums.
#[test]
fn a_chunk_that_would_not_fit_in_memory_is_refused_by_its_header() {
    let varint = |out: &mut Vec<u8>, mut value: usize| {
        while value >= 0x80 {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    };
    let mut header = Vec::new();
    varint(&mut header, 65_536);
    varint(&mut header, 4_096);
    let mut body = Vec::new();
    // Six row columns of zeros: a tag, then 64 blocks of mode and value.
    let column: Vec<u8> = std::iter::once(0).chain([0u8, 0].repeat(64)).collect();
    for _ in 0..6 {
        body.extend_from_slice(&column);
    }
    varint(&mut header, body.len());
    // All cells are values, none has a version of its own, then the values as above.
    let constant = [&[2, 0], column.as_slice()].concat();
    for field in 0..4_096 {
        varint(&mut header, field);
        header.push(1);
        varint(&mut header, constant.len());
        body.extend_from_slice(&constant);
    }
    header.extend_from_slice(&[0; 4]);
    let mut bytes = b"CLSC\x01\x00".to_vec();
    bytes.extend_from_slice(&(header.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&header);
    bytes.extend_from_slice(&body);
    reseal(&mut bytes);
    let error = decode(&bytes, &Projection::all()).unwrap_err();
    assert_eq!(error, ChunkError::Corrupt("it would not fit in memory once decoded"));
    // A column at a time it is a chunk like any other.
    assert_eq!(decode(&bytes, &Projection::all().fields(&[5])).unwrap().sample_count(), 65_536);
}

//! Versions of single cells, where they differ from their row's.

use crate::codec::bytes::{Reader, put_varint};
use crate::codec::{Effort, bits, integers};
use crate::column::{Cell, Column, Version};
use crate::error::{ChunkError, Result};
use crate::rows::Rows;

/// Writes only the present cells whose version is not the row's: usually none, then one byte.
pub(crate) fn encode(out: &mut Vec<u8>, rows: &Rows, column: &Column, effort: Effort) -> Result<()> {
    let mut positions = Vec::new();
    let (mut epochs, mut seqs, mut streamed) = (Vec::new(), Vec::new(), Vec::new());
    for (row, version) in column.versions.iter().flatten().enumerate() {
        if column.cells[row] == Cell::Absent || *version == rows.version(row) {
            continue;
        }
        positions.push(row as i64);
        epochs.push(i64::from(version.epoch));
        seqs.push(rows.seq[row].wrapping_sub(version.seq) as i64);
        streamed.push(u64::from(version.streamed));
    }
    put_varint(out, positions.len() as u64);
    if !positions.is_empty() {
        integers::encode(out, &positions, effort)?;
        integers::encode(out, &epochs, effort)?;
        integers::encode(out, &seqs, effort)?;
        bits::pack(out, streamed.into_iter(), 1);
    }
    Ok(())
}

pub(crate) fn decode(reader: &mut Reader<'_>, rows: &Rows) -> Result<Option<Vec<Version>>> {
    let count = reader.count(rows.len())?;
    if count == 0 {
        return Ok(None);
    }
    let positions = integers::decode(reader, count)?;
    let epochs = integers::decode(reader, count)?;
    let seqs = integers::decode(reader, count)?;
    let mut streamed = Vec::with_capacity(count);
    bits::unpack(reader, count, 1, |bit| streamed.push(bit == 1))?;
    let mut versions: Vec<Version> = (0..rows.len()).map(|row| rows.version(row)).collect();
    for (((position, epoch), behind), streamed) in positions.into_iter().zip(epochs).zip(seqs).zip(streamed) {
        let row = usize::try_from(position).unwrap_or(usize::MAX);
        let epoch = u32::try_from(epoch).map_err(|_| ChunkError::Corrupt("an epoch is too large"))?;
        let version = versions.get_mut(row).ok_or(ChunkError::Corrupt("a version is beyond the rows"))?;
        *version = Version { streamed, epoch, seq: rows.seq[row].wrapping_sub(behind as u64) };
    }
    Ok(Some(versions))
}

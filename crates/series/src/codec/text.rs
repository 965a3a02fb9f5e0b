//! Text: a dictionary in order of first use, and an integer per value.

use std::sync::Arc;

use crate::codec::bytes::Reader;
use crate::codec::{Effort, bytes::put_varint, integers, zip};
use crate::column::{Cell, TextValues};
use crate::error::{ChunkError, Result};

/// What a dictionary entry takes in memory beside its text.
pub(crate) const ENTRY_BYTES: usize = 40;

pub(crate) fn encode(out: &mut Vec<u8>, text: &TextValues, cells: &[Cell], effort: Effort) -> Result<()> {
    let mut renumbered = vec![u32::MAX; text.dictionary.len()];
    let (mut lengths, mut bytes) = (Vec::new(), Vec::new());
    let mut codes = Vec::new();
    for (row, cell) in cells.iter().enumerate() {
        if *cell != Cell::Value {
            continue;
        }
        let code = text.codes[row] as usize;
        let new = renumbered.get_mut(code).ok_or(ChunkError::Corrupt("a text code is beyond the dictionary"))?;
        if *new == u32::MAX {
            *new = lengths.len() as u32;
            let entry = text.dictionary[code].as_bytes();
            lengths.push(entry.len() as i64);
            bytes.extend_from_slice(entry);
        }
        codes.push(i64::from(*new));
    }
    put_varint(out, lengths.len() as u64);
    integers::encode(out, &lengths, effort)?;
    zip::encode(out, &bytes, effort);
    integers::encode(out, &codes, effort)
}

/// Reads the dictionary and `count` codes. What the dictionary takes in memory is taken from `budget` first.
pub(crate) fn decode(reader: &mut Reader<'_>, count: usize, budget: &mut usize) -> Result<(Vec<Arc<str>>, Vec<u32>)> {
    const TOO_LARGE: ChunkError = ChunkError::Corrupt("a dictionary would not fit in memory");
    let entries = reader.count(count)?;
    *budget = budget.checked_sub(entries * ENTRY_BYTES).ok_or(TOO_LARGE)?;
    let lengths = integers::decode(reader, entries)?;
    let bytes = zip::decode(reader, *budget)?;
    *budget = budget.checked_sub(bytes.len()).ok_or(TOO_LARGE)?;
    let mut rest = bytes.as_slice();
    let mut dictionary = Vec::with_capacity(entries);
    for length in lengths {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (entry, after) = rest.split_at_checked(length).ok_or(ChunkError::Corrupt("a text is too long"))?;
        let entry = std::str::from_utf8(entry).map_err(|_| ChunkError::Corrupt("a text is not UTF-8"))?;
        dictionary.push(Arc::from(entry));
        rest = after;
    }
    if !rest.is_empty() {
        return Err(ChunkError::Corrupt("a dictionary is too long"));
    }
    let codes = integers::decode(reader, count)?
        .into_iter()
        .map(|code| u32::try_from(code).ok().filter(|code| (*code as usize) < dictionary.len()))
        .collect::<Option<Vec<u32>>>()
        .ok_or(ChunkError::Corrupt("a text code is beyond the dictionary"))?;
    Ok((dictionary, codes))
}

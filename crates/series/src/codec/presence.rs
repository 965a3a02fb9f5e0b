//! Which cells of a column are absent, null or a value.

use crate::codec::bytes::{Reader, put_varint};
use crate::codec::{Effort, bits, zip};
use crate::column::Cell;
use crate::error::{ChunkError, Result};

const UNIFORM: u8 = 0; // + the cell's code: 0, 1, 2
const RUNS: u8 = 3;
const BITMAP: u8 = 4;
const TWO_BITS: u8 = 5;

fn code(cell: Cell) -> u8 {
    match cell {
        Cell::Absent => 0,
        Cell::Null => 1,
        Cell::Value => 2,
    }
}

fn cell(code: u8) -> Result<Cell> {
    match code {
        0 => Ok(Cell::Absent),
        1 => Ok(Cell::Null),
        2 => Ok(Cell::Value),
        _ => Err(ChunkError::Corrupt("unknown cell")),
    }
}

pub(crate) fn encode(out: &mut Vec<u8>, cells: &[Cell], effort: Effort) {
    let Some((&first, rest)) = cells.split_first() else { return };
    if rest.iter().all(|cell| *cell == first) {
        out.push(UNIFORM + code(first));
        return;
    }
    let mut runs = Vec::new();
    for run in cells.chunk_by(|a, b| a == b) {
        put_varint(&mut runs, (run.len() as u64) << 2 | u64::from(code(run[0])));
    }
    let has_null = cells.contains(&Cell::Null);
    let width = if has_null { 2 } else { 1 };
    if runs.len() < bits::packed_len(cells.len(), width) {
        out.push(RUNS);
        zip::encode(out, &runs, effort);
    } else {
        let mut packed = Vec::new();
        if has_null {
            out.push(TWO_BITS);
            bits::pack(&mut packed, cells.iter().map(|cell| u64::from(code(*cell))), 2);
        } else {
            out.push(BITMAP);
            bits::pack(&mut packed, cells.iter().map(|cell| u64::from(*cell == Cell::Value)), 1);
        }
        zip::encode(out, &packed, effort);
    }
}

pub(crate) fn decode(reader: &mut Reader<'_>, rows: usize) -> Result<Vec<Cell>> {
    if rows == 0 {
        return Ok(Vec::new());
    }
    match reader.byte()? {
        uniform @ UNIFORM..RUNS => Ok(vec![cell(uniform - UNIFORM)?; rows]),
        RUNS => {
            // A run of one takes at most three bytes at our number of rows.
            let bytes = zip::decode(reader, rows * 3)?;
            let mut runs = Reader::new(&bytes);
            let mut cells = Vec::with_capacity(rows);
            while cells.len() < rows {
                let run = runs.varint()?;
                let length = usize::try_from(run >> 2).unwrap_or(usize::MAX);
                if length == 0 || length > rows - cells.len() {
                    return Err(ChunkError::Corrupt("a run of cells is of impossible length"));
                }
                cells.extend(std::iter::repeat_n(cell((run & 3) as u8)?, length));
            }
            runs.end()?;
            Ok(cells)
        }
        BITMAP => unpack(reader, rows, 1, |bit| if bit == 0 { Ok(Cell::Absent) } else { Ok(Cell::Value) }),
        TWO_BITS => unpack(reader, rows, 2, |code| cell(code as u8)),
        _ => Err(ChunkError::Corrupt("unknown cell codec")),
    }
}

fn unpack(
    reader: &mut Reader<'_>,
    rows: usize,
    width: u32,
    to_cell: impl Fn(u64) -> Result<Cell>,
) -> Result<Vec<Cell>> {
    let bytes = zip::decode(reader, bits::packed_len(rows, width))?;
    let mut cells = Vec::with_capacity(rows);
    let mut wrong = None;
    bits::unpack(&mut Reader::new(&bytes), rows, width, |code| match to_cell(code) {
        Ok(cell) => cells.push(cell),
        Err(error) => wrong = Some(error),
    })?;
    wrong.map_or(Ok(cells), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_cells_come_back(
            runs in prop::collection::vec((0u8..3, 1usize..40), 0..40), dense in any::<bool>()
        ) {
            let cells: Vec<Cell> =
                runs.into_iter().flat_map(|(code, n)| std::iter::repeat_n(cell(code).unwrap(), n)).collect();
            let mut out = Vec::new();
            encode(&mut out, &cells, if dense { Effort::Dense } else { Effort::Cheap });
            let mut reader = Reader::new(&out);
            prop_assert_eq!(decode(&mut reader, cells.len()).unwrap(), cells);
            reader.end().unwrap();
        }
    }
}

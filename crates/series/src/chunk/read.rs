//! Decoding, of all or of chosen columns, assets and times.

use crate::codec::bytes::Reader;
use crate::codec::{floats, integers, presence, text, versions};
use crate::column::{Cell, Column, FieldId, FieldType, TextValues, Values};
use crate::error::{ChunkError, Result};
use crate::rows::Rows;

use super::format::{FRAME_BYTES, HOT, MAGIC, SEALED, VERSION, VERSION_BYTES, decoded_bytes, header_crc};
use super::{MAX_COLUMNS, MAX_DECODED_BYTES, MAX_ROWS};

/// What a reader wants of a chunk. The default is everything.
#[derive(Debug, Clone, Default)]
pub struct Projection<'a> {
    fields: Option<&'a [FieldId]>,
    assets: Option<&'a [u32]>,
    from: Option<i64>,
    to: Option<i64>,
}

impl<'a> Projection<'a> {
    pub fn all() -> Self {
        Self::default()
    }

    /// Only these fields; the bytes of other columns are not read. An empty list gives the rows without columns.
    pub fn fields(mut self, fields: &'a [FieldId]) -> Self {
        self.fields = Some(fields);
        self
    }

    /// Only rows of these assets.
    pub fn assets(mut self, assets: &'a [u32]) -> Self {
        self.assets = Some(assets);
        self
    }

    /// Only rows with `from <= at < to`, microseconds.
    pub fn between(mut self, from: i64, to: i64) -> Self {
        self.from = Some(from);
        self.to = Some(to);
        self
    }

    fn wants_field(&self, field: FieldId) -> bool {
        self.fields.is_none_or(|fields| fields.contains(&field))
    }

    fn picks_rows(&self) -> bool {
        self.from.is_some() || self.to.is_some() || self.assets.is_some()
    }

    fn wants_row(&self, rows: &Rows, row: usize) -> bool {
        let at = rows.at[row];
        self.from.is_none_or(|from| at >= from)
            && self.to.is_none_or(|to| at < to)
            && self.assets.is_none_or(|assets| assets.contains(&rows.asset[row]))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChunkKind {
    /// Many assets, in order of arrival, cheap to write.
    Hot,
    /// One asset, ordered and unique, small.
    Sealed,
}

#[derive(Debug, Clone, Copy)]
struct Section<'a> {
    bytes: &'a [u8],
    crc: Option<u32>,
}

impl<'a> Section<'a> {
    fn open(self) -> Result<Reader<'a>> {
        match self.crc {
            Some(crc) if crc32fast::hash(self.bytes) != crc => Err(ChunkError::Corrupt("a checksum does not match")),
            _ => Ok(Reader::new(self.bytes)),
        }
    }
}

/// A chunk's header, checked; the body is not touched yet.
#[derive(Debug, Clone)]
pub struct ChunkHeader<'a> {
    pub kind: ChunkKind,
    pub rows: usize,
    row_section: Section<'a>,
    columns: Vec<(FieldId, FieldType, Section<'a>)>,
    body: Section<'a>,
}

impl<'a> ChunkHeader<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        if reader.array::<4>().ok() != Some(MAGIC) {
            return Err(ChunkError::NotAChunk);
        }
        let version = reader.byte()?;
        if version != VERSION {
            return Err(ChunkError::UnknownVersion(version));
        }
        let (kind, has_crcs) = match reader.byte()? {
            HOT => (ChunkKind::Hot, false),
            SEALED => (ChunkKind::Sealed, true),
            _ => return Err(ChunkError::Corrupt("unknown kind of chunk")),
        };
        let length = u32::from_le_bytes(reader.array()?) as usize;
        let crc = u32::from_le_bytes(reader.array()?);
        let header = reader.take(length)?;
        if header_crc(&bytes[..FRAME_BYTES - 4], header) != crc {
            return Err(ChunkError::Corrupt("the header's checksum does not match"));
        }
        Self::read_fields(kind, Reader::new(header), reader.rest(), has_crcs)
    }

    fn read_fields(kind: ChunkKind, mut header: Reader<'a>, body: &'a [u8], has_crcs: bool) -> Result<Self> {
        let rows = header.count(MAX_ROWS)?;
        let count = header.count(MAX_COLUMNS)?;
        let mut rest = Reader::new(body);
        let mut section = |header: &mut Reader<'a>| -> Result<Section<'a>> {
            let length = header.count(body.len())?;
            let crc = if has_crcs { Some(u32::from_le_bytes(header.array()?)) } else { None };
            Ok(Section { bytes: rest.take(length)?, crc })
        };
        let row_section = section(&mut header)?;
        let mut columns = Vec::with_capacity(count);
        for _ in 0..count {
            let field =
                FieldId::try_from(header.varint()?).map_err(|_| ChunkError::Corrupt("a field number is too large"))?;
            let field_type = FieldType::from_code(header.byte()?)?;
            columns.push((field, field_type, section(&mut header)?));
        }
        rest.end()?;
        let crc = if has_crcs { None } else { Some(u32::from_le_bytes(header.array()?)) };
        header.end()?;
        Ok(Self { kind, rows, row_section, columns, body: Section { bytes: body, crc } })
    }

    pub fn fields(&self) -> impl Iterator<Item = (FieldId, FieldType)> + '_ {
        self.columns.iter().map(|(field, field_type, _)| (*field, *field_type))
    }

    /// Decodes what the projection wants.
    pub fn decode(&self, projection: &Projection<'_>) -> Result<Rows> {
        self.body.open()?;
        let mut rows = self.read_rows()?;
        // `None` for all rows: the usual case, without a copy.
        let keep = projection.picks_rows().then(|| {
            (0..rows.len()).filter(|row| projection.wants_row(&rows, *row)).map(|row| row as u32).collect::<Vec<_>>()
        });
        let keep = keep.filter(|keep| keep.len() < rows.len());

        let wanted: Vec<_> = self.columns.iter().filter(|(field, ..)| projection.wants_field(*field)).collect();
        let mut budget = MAX_DECODED_BYTES
            .checked_sub(decoded_bytes(rows.len(), wanted.len()))
            .ok_or(ChunkError::Corrupt("it would not fit in memory once decoded"))?;
        let mut columns = Vec::with_capacity(wanted.len());
        for (field, field_type, section) in wanted {
            if keep.as_ref().is_some_and(Vec::is_empty) {
                columns.push(Column::new(*field, *field_type));
                continue;
            }
            let column = read_column(&rows, *field, *field_type, *section, &mut budget)?;
            columns.push(match &keep {
                Some(keep) => column.select(keep),
                None => column,
            });
        }
        if let Some(keep) = keep {
            rows = rows.select(&keep);
        }
        rows.columns = columns;
        Ok(rows)
    }

    fn read_rows(&self) -> Result<Rows> {
        // A negative number is above any limit as well, once seen as unsigned.
        fn narrow<T>(values: Vec<i64>, limit: u64, cast: impl Fn(i64) -> T) -> Result<Vec<T>> {
            if values.iter().any(|value| *value as u64 > limit) {
                return Err(ChunkError::Corrupt("a row's number is out of range"));
            }
            Ok(values.into_iter().map(cast).collect())
        }
        let mut reader = self.row_section.open()?;
        let mut next = || integers::decode(&mut reader, self.rows);
        let rows = Rows {
            asset: narrow(next()?, u32::MAX.into(), |asset| asset as u32)?,
            at: next()?,
            epoch: narrow(next()?, u32::MAX.into(), |epoch| epoch as u32)?,
            seq: next()?.into_iter().map(|seq| seq as u64).collect(),
            flags: narrow(next()?, u8::MAX.into(), |flags| flags as u8)?,
            key_hash: next()?.into_iter().map(|hash| hash as u64).collect(),
            columns: Vec::new(),
        };
        reader.end()?;
        Ok(rows)
    }
}

/// Decodes a hot or sealed chunk: what the projection wants of it.
pub fn decode(bytes: &[u8], projection: &Projection<'_>) -> Result<Rows> {
    ChunkHeader::read(bytes)?.decode(projection)
}

fn read_column(
    rows: &Rows,
    field: FieldId,
    field_type: FieldType,
    section: Section<'_>,
    budget: &mut usize,
) -> Result<Column> {
    let mut reader = section.open()?;
    let cells = presence::decode(&mut reader, rows.len())?;
    let versions = versions::decode(&mut reader, rows)?;
    if versions.is_some() {
        *budget = budget
            .checked_sub(rows.len() * VERSION_BYTES)
            .ok_or(ChunkError::Corrupt("it would not fit in memory once decoded"))?;
    }
    let count = cells.iter().filter(|cell| **cell == Cell::Value).count();
    let values = match field_type {
        FieldType::Float => Values::Float(spread(floats::decode(&mut reader, count)?, &cells)),
        FieldType::Int => Values::Int(spread(integers::decode(&mut reader, count)?, &cells)),
        FieldType::Time => Values::Time(spread(integers::decode(&mut reader, count)?, &cells)),
        FieldType::Bool => {
            let bits = integers::decode(&mut reader, count)?.into_iter().map(|bit| bit != 0).collect();
            Values::Bool(spread(bits, &cells))
        }
        FieldType::Text => {
            let (dictionary, codes) = text::decode(&mut reader, count, budget)?;
            Values::Text(TextValues { dictionary, codes: spread(codes, &cells) })
        }
    };
    reader.end()?;
    Ok(Column { field, cells, values, versions })
}

/// Puts the values, one per cell that has one, at their rows.
fn spread<T: Copy + Default>(values: Vec<T>, cells: &[Cell]) -> Vec<T> {
    if values.len() == cells.len() {
        return values;
    }
    let mut values = values.into_iter();
    cells
        .iter()
        .map(|cell| if *cell == Cell::Value { values.next().unwrap_or_default() } else { T::default() })
        .collect()
}

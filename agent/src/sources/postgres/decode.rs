//! Reads pgoutput messages (protocol version 1, text values) in place.
//!
//! Input comes from a customer's server: no length in it is believed before it is checked, nothing here panics, and
//! nothing is copied. Layout: the Postgres manual, "Logical Replication Message Formats".

use std::str;

/// Microseconds between 1970-01-01 and 2000-01-01, where Postgres counts from.
pub const PG_EPOCH_US: i64 = 946_684_800_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("the message is cut short")]
    Truncated,
    #[error("the message has {0} bytes more than it should")]
    Trailing(usize),
    #[error("a message of unknown kind 0x{0:02x}")]
    Kind(u8),
    #[error("a column of unknown kind 0x{0:02x}")]
    Column(u8),
    #[error("a part of the message of unknown kind 0x{0:02x}")]
    Part(u8),
    #[error("a name is not UTF-8")]
    Name,
    #[error("a change of a table that was not described before")]
    UnknownTable,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Message<'a> {
    /// `commit_us` is microseconds since 1970.
    Begin {
        commit_lsn: u64,
        commit_us: i64,
        xid: u32,
    },
    Commit {
        commit_lsn: u64,
        end_lsn: u64,
    },
    Relation(RelationMessage<'a>),
    Insert {
        relation: u32,
        new: Tuple<'a>,
    },
    Update {
        relation: u32,
        old: Option<Old<'a>>,
        new: Tuple<'a>,
    },
    Delete {
        relation: u32,
        old: Old<'a>,
    },
    Truncate {
        relations: Relations<'a>,
    },
    /// From `pg_logical_emit_message`.
    Logical {
        transactional: bool,
        prefix: &'a str,
        content: &'a [u8],
    },
    /// Origin or Type: nothing that we need.
    Other,
}

/// The old row of an update or delete.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Old<'a> {
    pub tuple: Tuple<'a>,
    /// Only the identity's columns are set (`K`), else the whole row (`O`).
    pub key_only: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RelationMessage<'a> {
    pub id: u32,
    pub schema: &'a str,
    pub name: &'a str,
    /// `d`efault, `n`othing, `f`ull, `i`ndex.
    pub identity: u8,
    pub columns: Vec<RelationColumn<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RelationColumn<'a> {
    /// Part of the replica identity.
    pub identity: bool,
    pub name: &'a str,
    pub type_oid: u32,
    pub type_modifier: i32,
}

/// A row whose lengths are checked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuple<'a> {
    pub columns: u16,
    bytes: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    Null,
    /// A TOASTed value that this change did not touch.
    Unchanged,
    /// In the server's text form; not yet known to be UTF-8.
    Text(&'a [u8]),
}

/// Ids of truncated tables.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relations<'a>(&'a [u8]);

impl Relations<'_> {
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.chunks_exact(4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
    }
}

impl<'a> Tuple<'a> {
    /// The values, one for each column.
    pub fn values(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let mut rest = self.bytes;
        std::iter::from_fn(move || {
            let (&kind, tail) = rest.split_first()?;
            if kind != b't' {
                rest = tail;
                return Some(if kind == b'u' { Value::Unchanged } else { Value::Null });
            }
            let (length, tail) = tail.split_first_chunk::<4>()?;
            let (text, tail) = tail.split_at_checked(u32::from_be_bytes(*length) as usize)?;
            rest = tail;
            Some(Value::Text(text))
        })
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let columns = reader.u16()?;
        let start = reader.rest;
        for _ in 0..columns {
            match reader.u8()? {
                b'n' | b'u' => {}
                b't' => {
                    let length = reader.u32()? as usize;
                    reader.bytes(length)?;
                }
                kind => return Err(DecodeError::Column(kind)),
            }
        }
        Ok(Self { columns, bytes: &start[..start.len() - reader.rest.len()] })
    }

    /// The values that are whole at the start of a message that was cut off.
    pub fn values_of_prefix(prefix: &'a [u8]) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let rest = prefix.get(2..).unwrap_or_default();
        Self { columns: 0, bytes: rest }.values()
    }
}

/// Reads one message. What follows its end is an error too: then one of us misreads it.
pub fn decode(bytes: &[u8]) -> Result<Message<'_>, DecodeError> {
    let mut r = Reader { rest: bytes };
    let message = match r.u8()? {
        b'I' => {
            let relation = r.u32()?;
            r.expect(b'N')?;
            Message::Insert { relation, new: Tuple::read(&mut r)? }
        }
        b'U' => {
            let relation = r.u32()?;
            let old = match r.peek()? {
                b'N' => None,
                _ => Some(old(&mut r)?),
            };
            r.expect(b'N')?;
            Message::Update { relation, old, new: Tuple::read(&mut r)? }
        }
        b'D' => Message::Delete { relation: r.u32()?, old: old(&mut r)? },
        b'B' => Message::Begin {
            commit_lsn: r.u64()?,
            commit_us: (r.u64()? as i64).saturating_add(PG_EPOCH_US),
            xid: r.u32()?,
        },
        b'C' => {
            r.u8()?;
            let message = Message::Commit { commit_lsn: r.u64()?, end_lsn: r.u64()? };
            r.u64()?;
            message
        }
        b'R' => Message::Relation(relation(&mut r)?),
        b'T' => {
            let count = r.u32()? as usize;
            r.u8()?;
            Message::Truncate { relations: Relations(r.bytes(count.checked_mul(4).ok_or(DecodeError::Truncated)?)?) }
        }
        b'M' => {
            let transactional = r.u8()? & 1 == 1;
            r.u64()?;
            let prefix = r.name()?;
            let length = r.u32()? as usize;
            Message::Logical { transactional, prefix, content: r.bytes(length)? }
        }
        b'O' | b'Y' => return Ok(Message::Other),
        kind => return Err(DecodeError::Kind(kind)),
    };
    if r.rest.is_empty() { Ok(message) } else { Err(DecodeError::Trailing(r.rest.len())) }
}

/// The table a row change is of, also where the rest of the message cannot be read.
pub fn relation_of(bytes: &[u8]) -> Option<u32> {
    let (kind, rest) = bytes.split_first()?;
    matches!(kind, b'I' | b'U' | b'D').then(|| rest.first_chunk().copied().map(u32::from_be_bytes))?
}

fn old<'a>(r: &mut Reader<'a>) -> Result<Old<'a>, DecodeError> {
    let key_only = match r.u8()? {
        b'K' => true,
        b'O' => false,
        part => return Err(DecodeError::Part(part)),
    };
    Ok(Old { tuple: Tuple::read(r)?, key_only })
}

fn relation<'a>(r: &mut Reader<'a>) -> Result<RelationMessage<'a>, DecodeError> {
    let (id, schema, name) = (r.u32()?, r.name()?, r.name()?);
    let identity = r.u8()?;
    let count = r.u16()?;
    let mut columns = Vec::with_capacity(usize::from(count.min(1_600)));
    for _ in 0..count {
        columns.push(RelationColumn {
            identity: r.u8()? & 1 == 1,
            name: r.name()?,
            type_oid: r.u32()?,
            type_modifier: r.u32()? as i32,
        });
    }
    // Names in pg_catalog come empty.
    Ok(RelationMessage { id, schema: if schema.is_empty() { "pg_catalog" } else { schema }, name, identity, columns })
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (chunk, rest) = self.rest.split_first_chunk().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*chunk)
    }

    fn u8(&mut self) -> Result<u8, DecodeError> {
        self.chunk().map(|[b]| b)
    }

    fn u16(&mut self) -> Result<u16, DecodeError> {
        self.chunk().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, DecodeError> {
        self.chunk().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, DecodeError> {
        self.chunk().map(u64::from_be_bytes)
    }

    fn peek(&self) -> Result<u8, DecodeError> {
        self.rest.first().copied().ok_or(DecodeError::Truncated)
    }

    fn expect(&mut self, part: u8) -> Result<(), DecodeError> {
        match self.u8()? {
            b if b == part => Ok(()),
            b => Err(DecodeError::Part(b)),
        }
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// A text that ends with a zero byte.
    fn name(&mut self) -> Result<&'a str, DecodeError> {
        let end = memchr::memchr(0, self.rest).ok_or(DecodeError::Truncated)?;
        let name = str::from_utf8(&self.rest[..end]).map_err(|_| DecodeError::Name)?;
        self.rest = &self.rest[end + 1..];
        Ok(name)
    }
}

//! Byte codecs of the sections of a chunk.
//!
//! Writers cannot fail but for pco; readers never panic, and allocate at most in proportion to the rows that the
//! chunk's checked header declares (text: to its declared and bounded size).

pub(crate) mod bits;
pub(crate) mod bytes;
pub(crate) mod floats;
pub(crate) mod integers;
pub(crate) mod pcodec;
pub(crate) mod presence;
pub(crate) mod text;
pub(crate) mod versions;
pub(crate) mod zip;

/// How much work an encoder may spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Hot chunks: written once and read a few times.
    Cheap,
    /// Sealed chunks: written once and read for years.
    Dense,
}

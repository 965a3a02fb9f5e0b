//! Segment files: a header, then records. Only the newest can be torn, since a file is synced before the next begins.

use super::SpoolError;
use super::record::{self, Clear, LEAD, MAX_RECORD, Unreadable};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"CLSPOOL1";
/// magic, epoch u32, first_seq u64, created_us i64, crc32 of these.
pub(super) const HEADER: u64 = 32;

/// A file of the current epoch.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub first_seq: u64,
    pub created_us: i64,
    /// Bytes, header included.
    pub bytes: u64,
    pub path: PathBuf,
}

pub(super) fn io_error(path: &Path) -> impl FnOnce(io::Error) -> SpoolError + use<'_> {
    move |source| SpoolError::Io { path: path.to_owned(), source }
}

pub(super) fn create(
    folder: &Path,
    epoch: u32,
    first_seq: u64,
    created_us: i64,
) -> Result<(File, Segment), SpoolError> {
    let path = folder.join(format!("{epoch:010}-{first_seq:020}.spool"));
    let mut header = Vec::with_capacity(HEADER as usize);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&epoch.to_le_bytes());
    header.extend_from_slice(&first_seq.to_le_bytes());
    header.extend_from_slice(&created_us.to_le_bytes());
    header.extend_from_slice(&crc32fast::hash(&header).to_le_bytes());
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .map_err(io_error(&path))?;
    if let Err(e) = file.write_all_at(&header, 0) {
        let _ = fs::remove_file(&path);
        return Err(io_error(&path)(e));
    }
    Ok((file, Segment { first_seq, created_us, bytes: HEADER, path }))
}

/// Epoch and first sequence, as the name says.
fn parse_name(path: &Path) -> Option<(u32, u64)> {
    let (epoch, first_seq) = path.file_name()?.to_str()?.strip_suffix(".spool")?.split_once('-')?;
    Some((epoch.parse().ok()?, first_seq.parse().ok()?))
}

/// The files of an epoch, oldest first; removes those of other epochs.
pub(super) fn list(folder: &Path, epoch: Option<u32>) -> Result<Vec<Segment>, SpoolError> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(folder).map_err(io_error(folder))? {
        let path = entry.map_err(io_error(folder))?.path();
        let Some((file_epoch, first_seq)) = parse_name(&path) else { continue };
        if Some(file_epoch) != epoch {
            tracing::info!(path = %path.display(), "removing a spool file of another epoch");
            fs::remove_file(&path).map_err(io_error(&path))?;
            continue;
        }
        let bytes = fs::metadata(&path).map_err(io_error(&path))?.len();
        let created_us = File::open(&path).ok().and_then(|f| read_header(&f)).map_or(0, |(_, _, at)| at);
        segments.push(Segment { first_seq, created_us, bytes, path });
    }
    segments.sort_by_key(|s| s.first_seq);
    Ok(segments)
}

/// Epoch, first sequence and creation time, where the header is whole.
pub(super) fn read_header(file: &File) -> Option<(u32, u64, i64)> {
    let mut header = [0; HEADER as usize];
    file.read_exact_at(&mut header, 0).ok()?;
    let crc = u32::from_le_bytes(header[28..].try_into().ok()?);
    if &header[..8] != MAGIC || crc != crc32fast::hash(&header[..28]) {
        return None;
    }
    Some((
        u32::from_le_bytes(header[8..12].try_into().ok()?),
        u64::from_le_bytes(header[12..20].try_into().ok()?),
        i64::from_le_bytes(header[20..28].try_into().ok()?),
    ))
}

/// Reads the whole record at `offset`; `Ok(Err)` says why there is none.
pub(super) fn read_record(file: &File, offset: u64) -> io::Result<Result<(Vec<u8>, Clear), Unreadable>> {
    let mut lead = [0; LEAD];
    let got = read_some_at(file, &mut lead, offset)?;
    let size = match record::size(&lead[..got]) {
        Ok(size) => size,
        Err(e) => return Ok(Err(e)),
    };
    let mut bytes = vec![0; size];
    let got = read_some_at(file, &mut bytes, offset)?;
    bytes.truncate(got);
    Ok(record::check(&bytes).map(|clear| (bytes, clear)))
}

/// Clear part of the record at `offset`, without reading or checking the rest: to find a place quickly.
pub(super) fn peek_record(file: &File, offset: u64) -> io::Result<Result<Clear, Unreadable>> {
    let mut lead = [0; LEAD + 20];
    let got = read_some_at(file, &mut lead, offset)?;
    if got < lead.len() {
        return Ok(Err(Unreadable::Short));
    }
    Ok(record::size(&lead).and_then(|size| record::clear(&lead, size).ok_or(Unreadable::Damaged)))
}

/// Whether a whole record stands anywhere from `offset` on.
pub(super) fn any_record_after(file: &File, mut offset: u64) -> io::Result<bool> {
    let mut window = vec![0; 2 * MAX_RECORD];
    loop {
        let got = read_some_at(file, &mut window, offset)?;
        if record::any_record_in(&window[..got]) {
            return Ok(true);
        }
        if got < window.len() {
            return Ok(false);
        }
        offset += MAX_RECORD as u64;
    }
}

fn read_some_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match file.read_at(&mut buffer[got..], offset + got as u64) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(got)
}

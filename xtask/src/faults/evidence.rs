//! Did the kill fall inside a batch? Looked up where the truth is: transactions at the platform's Postgres that were
//! open at the kill and never committed, and records in the agent's spool beyond what bronze holds.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};

use super::bed::Place;
use crate::bench::session::Session;

/// Transactions of a login role that have written and not yet ended.
pub fn open_transactions(session: &mut Session, roles: &[&str]) -> Result<Vec<u64>> {
    let roles = roles.iter().map(|role| format!("'{role}'")).collect::<Vec<_>>().join(", ");
    let rows = session.rows(&format!(
        "select backend_xid::text from pg_stat_activity where usename in ({roles}) and backend_xid is not null"
    ))?;
    rows.iter().map(|row| row[0].parse().context("a transaction id")).collect()
}

/// What a batch in its transaction waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    Whatever,
    Lock,
    /// Committed in the log, and not yet for anybody to see.
    Standby,
}

/// Transactions of ingest that have stored a segment.
pub fn batches(session: &mut Session, waits: Waits) -> Result<Vec<u64>> {
    let waits = match waits {
        Waits::Whatever => "true",
        Waits::Lock => "a.wait_event_type = 'Lock'",
        Waits::Standby => "a.wait_event = 'SyncRep'",
    };
    let rows = session.rows(&format!(
        "select a.backend_xid::text from pg_stat_activity a
         join pg_locks l on l.pid = a.pid and l.relation = 'bronze_segments'::regclass and l.mode = 'RowExclusiveLock'
         where a.usename = 'clarity_ingest' and a.backend_xid is not null and {waits}"
    ))?;
    rows.iter().map(|row| row[0].parse().context("a transaction id")).collect()
}

/// Whether a transaction has left a segment in bronze.
pub fn has_segment(session: &mut Session, xid: u64) -> Result<bool> {
    // Rows know the lower 32 bits.
    session.is(&format!("select exists (select from bronze_segments where xmin = '{}'::xid)", xid as u32))
}

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Committed,
    /// Rolled back, or cut off by a crash; one that left no trace in the log counts too.
    Aborted,
    Running,
}

pub fn fate(session: &mut Session, xid: u64) -> Result<Fate> {
    let status: Option<String> = session.find(&format!(
        "select case when '{xid}'::xid8 >= pg_snapshot_xmax(pg_current_snapshot()) then 'aborted'
                else pg_xact_status('{xid}'::xid8) end"
    ))?;
    Ok(match status.as_deref() {
        Some("committed") => Fate::Committed,
        Some("in progress") => Fate::Running,
        _ => Fate::Aborted,
    })
}

/// The end of a spool on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolEnd {
    pub place: Place,
    /// Bytes after the last whole record.
    pub torn_bytes: u64,
}

const FILE_HEADER: usize = 32;
const RECORD_LEAD: usize = 12;
const RECORD_MAGIC: &[u8] = b"CSR1";

/// Reads the clear parts of the newest file's records: place and length. None where there is no spool yet.
pub fn spool_end(folder: &Path) -> Result<Option<SpoolEnd>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(None) };
    let names = entries.flatten().filter_map(|e| e.file_name().into_string().ok());
    let Some(newest) = names.filter(|n| n.ends_with(".spool")).max() else { return Ok(None) };
    let parts = newest.strip_suffix(".spool").and_then(|n| n.split_once('-'));
    let (epoch, first_seq) = parts.with_context(|| format!("the name of the spool file {newest}"))?;
    let place = Place { epoch: epoch.parse()?, next_seq: first_seq.parse()? };
    Ok(Some(read_end(&fs::read(folder.join(&newest))?, place)))
}

fn read_end(bytes: &[u8], mut place: Place) -> SpoolEnd {
    let mut rest = bytes.get(FILE_HEADER..).unwrap_or_default();
    while let Some((size, first_seq, count)) = record(rest) {
        // The file may have been grown ahead, or end in the middle of a record.
        let Some(after) = rest.get(size..) else { break };
        place.next_seq = first_seq + count;
        rest = after;
    }
    SpoolEnd { place, torn_bytes: rest.len() as u64 }
}

/// Size of the whole record, its first sequence and count.
fn record(bytes: &[u8]) -> Option<(usize, u64, u64)> {
    let length = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?) as usize;
    let first_seq = u64::from_le_bytes(bytes.get(12..20)?.try_into().ok()?);
    let count = u32::from_le_bytes(bytes.get(20..24)?.try_into().ok()?);
    bytes.starts_with(RECORD_MAGIC).then_some((RECORD_LEAD + length, first_seq, u64::from(count)))
}

/// `kill -9` of a postmaster and every process below it, as when the machine loses them.
pub fn kill_postgres(postmaster: u32) -> Result<()> {
    // Stopped first, so that it forks no backend while we look.
    send(postmaster, Signal::STOP)?;
    let mut doomed = children(postmaster);
    doomed.push(postmaster);
    for pid in &doomed {
        // One that has just ended by itself is as dead as the others.
        let _ = send(*pid, Signal::KILL);
    }
    let started = std::time::Instant::now();
    while doomed.iter().any(|pid| lives(*pid)) {
        anyhow::ensure!(started.elapsed().as_secs() < 10, "Postgres still lives 10 s after kill -9");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    Ok(())
}

fn send(pid: u32, signal: Signal) -> Result<()> {
    let pid = Pid::from_raw(pid.cast_signed()).context("a process id")?;
    kill_process(pid, signal).context("signal Postgres")
}

/// State and parent, from `/proc/<pid>/stat`.
fn stat(pid: u32) -> Option<(char, u32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.get(text.rfind(')')? + 1..)?.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn lives(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| state != 'Z' && state != 'X')
}

fn children(parent: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| stat(*pid).is_some_and(|(_, of)| of == parent)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spool(records: &[(u64, u32, usize)]) -> Vec<u8> {
        let mut bytes = vec![0; FILE_HEADER];
        for &(first_seq, count, content) in records {
            bytes.extend_from_slice(RECORD_MAGIC);
            bytes.extend_from_slice(&(12 + content as u32).to_le_bytes());
            bytes.extend_from_slice(&[0; 4]);
            bytes.extend_from_slice(&first_seq.to_le_bytes());
            bytes.extend_from_slice(&count.to_le_bytes());
            bytes.extend(std::iter::repeat_n(7, content));
        }
        bytes
    }

    #[test]
    fn the_end_of_a_spool_is_after_its_last_whole_record() {
        let begin = Place { epoch: 1, next_seq: 5 };
        let whole = spool(&[(5, 10, 100), (15, 3, 0), (18, 2, 50)]);
        assert_eq!(read_end(&whole, begin), SpoolEnd { place: Place { epoch: 1, next_seq: 20 }, torn_bytes: 0 });
        let torn = read_end(&whole[..whole.len() - 1], begin);
        assert_eq!((torn.place.next_seq, torn.torn_bytes), (18, 73));
        assert_eq!(read_end(&[], begin).place, begin);
    }

    #[test]
    fn our_own_processes_are_found() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id();
        assert!(children(std::process::id()).contains(&pid) && lives(pid));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!lives(pid));
    }
}

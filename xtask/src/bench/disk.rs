//! What the disk itself does while something else is measured: the time of a small write and its sync, over and over.

use std::{
    fs::{File, OpenOptions},
    io::Result,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Result as AnyResult, anyhow};

use super::figures::Spread;

const EVERY: Duration = Duration::from_millis(10);
const BYTES: usize = 8192;
/// As a file of a write-ahead log: made before, then written over and over.
const FILE_BYTES: u64 = 4 << 20;

/// A thread that writes and syncs until [`Self::spread`] is asked for.
pub struct Disk {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Spread>>,
}

impl Disk {
    pub fn probe(folder: &Path) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (asked, path) = (stop.clone(), folder.join("disk-probe"));
        Self { stop, thread: std::thread::spawn(move || run(&path, &asked)) }
    }

    /// Ends it; milliseconds a sync.
    pub fn spread(self) -> AnyResult<Spread> {
        self.stop.store(true, Ordering::Relaxed);
        Ok(self.thread.join().map_err(|_| anyhow!("the disk's probe has panicked"))??)
    }
}

fn run(path: &PathBuf, stop: &AtomicBool) -> Result<Spread> {
    let file: File = OpenOptions::new().create(true).write(true).truncate(true).open(path)?;
    file.write_all_at(&vec![0; FILE_BYTES as usize], 0)?;
    file.sync_all()?;
    let (mut spread, mut at) = (Spread::default(), 0);
    while !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        file.write_all_at(&[1; BYTES], at)?;
        file.sync_data()?;
        spread.add(began.elapsed().as_secs_f64() * 1000.0, 1);
        at = (at + BYTES as u64) % FILE_BYTES;
        std::thread::sleep(EVERY.saturating_sub(began.elapsed()));
    }
    std::fs::remove_file(path)?;
    Ok(spread)
}

//! What a stack left running when it was itself killed: its process ids are kept in its folder, so the next one in the
//! same folder ends them before it starts.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Result;
use rustix::process::{Pid, Signal, kill_process_group};

const PATIENCE: Duration = Duration::from_secs(10);

fn folder(dir: &Path) -> PathBuf {
    dir.join("pids")
}

/// To be called for each process that is started.
pub fn note(dir: &Path, name: &str, pid: u32) -> Result<()> {
    fs::create_dir_all(folder(dir))?;
    fs::write(folder(dir).join(name), pid.to_string())?;
    Ok(())
}

/// To be called when all have ended.
pub fn forget(dir: &Path) {
    // Not there: nothing was started.
    let _ = fs::remove_dir_all(folder(dir));
}

/// Ends those that still run. A process id that now belongs to a program which is not ours is left alone.
pub fn end(dir: &Path) -> Result<()> {
    let Ok(notes) = fs::read_dir(folder(dir)) else { return Ok(()) };
    let pids = notes.flatten().filter_map(|note| fs::read_to_string(note.path()).ok()?.parse::<i32>().ok());
    let ours: Vec<i32> = pids.filter(|pid| is_ours(*pid)).collect();
    let deadline = Instant::now() + PATIENCE;
    signal(&ours, Signal::TERM);
    while ours.iter().any(|pid| is_ours(*pid)) {
        if Instant::now() >= deadline {
            signal(&ours, Signal::KILL);
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    forget(dir);
    Ok(())
}

fn signal(pids: &[i32], signal: Signal) {
    for pid in pids.iter().filter(|pid| is_ours(**pid)).filter_map(|pid| Pid::from_raw(*pid)) {
        // Gone between the look and the signal is what was wanted.
        let _ = kill_process_group(pid, signal);
    }
}

fn is_ours(pid: i32) -> bool {
    let program = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    program.file_name().is_some_and(|name| name.to_string_lossy().starts_with("clarity-"))
}

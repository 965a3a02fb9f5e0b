//! Where a cluster's folder is, which Postgres it runs, and as which user.
//!
//! Postgres refuses to run as root. When we are root, the cluster belongs to the user `postgres`, and that user must be
//! able to enter every parent of its folder.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// Oldest server we run on.
const OLDEST: u32 = 15;

/// The user and group a cluster runs as, when it is not our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    pub uid: u32,
    pub gid: u32,
}

/// `Some` when we are root: the account `postgres`. `None`: run as ourselves.
pub fn account() -> Result<Option<Account>> {
    if fs::metadata("/proc/self").context("cannot read /proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let passwd = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    let found = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        (name == "postgres").then_some(Account { uid, gid })
    });
    match found {
        Some(account) => Ok(Some(account)),
        None => bail!(
            "Postgres does not run as root, and there is no user `postgres` to run it as. \
             Install the package postgresql (it makes the user), or: useradd --system postgres"
        ),
    }
}

/// Newest Postgres installation that can make a cluster: `CLARITY_PG_BIN`, else the newest of
/// `/usr/lib/postgresql/*/bin`, else what `pg_config --bindir` says.
pub fn binaries() -> Result<PathBuf> {
    if let Some(dir) = std::env::var_os("CLARITY_PG_BIN") {
        let dir = PathBuf::from(dir);
        if !dir.join("initdb").is_file() {
            bail!("CLARITY_PG_BIN is {}, which has no initdb", dir.display());
        }
        return Ok(dir);
    }
    let newest = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin"))))
        .filter(|(version, bin)| *version >= OLDEST && bin.join("initdb").is_file())
        .max();
    if let Some((_, bin)) = newest {
        return Ok(bin);
    }
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        let bin = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        if output.status.success() && bin.join("initdb").is_file() {
            return Ok(bin);
        }
    }
    bail!(
        "no Postgres server of version {OLDEST} or newer was found under /usr/lib/postgresql. \
         Install it (apt-get install postgresql), or set CLARITY_PG_BIN to the folder that has initdb"
    )
}

/// The nearest parent of `dir` that `account` cannot enter.
pub fn unreachable_parent(dir: &Path, account: Account) -> Option<PathBuf> {
    let closed = |parent: &Path| {
        let Ok(meta) = fs::metadata(parent) else { return false };
        let mode = meta.permissions().mode();
        let bit = if meta.uid() == account.uid {
            0o100
        } else if meta.gid() == account.gid {
            0o010
        } else {
            0o001
        };
        mode & bit == 0
    };
    dir.ancestors().skip(1).find(|parent| closed(parent)).map(Path::to_path_buf)
}

/// Where the cluster for `wanted` really lives: there, or, when its user cannot get there (a home folder closed to
/// others), in a folder of `/var/tmp` named after it, the same one each time.
pub fn resolve(wanted: &Path) -> Result<PathBuf> {
    let wanted = std::path::absolute(wanted)?;
    let Some(account) = account()? else { return Ok(wanted) };
    let Some(closed) = unreachable_parent(&wanted, account) else { return Ok(wanted) };
    let digest = hex::encode(Sha256::digest(wanted.as_os_str().as_encoded_bytes()));
    let name = wanted.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let home = PathBuf::from("/var/tmp/clarity-stream");
    fs::create_dir_all(&home).with_context(|| format!("cannot make {}", home.display()))?;
    let owner = fs::metadata(&home)?.uid();
    if owner != 0 {
        bail!(
            "{} cannot be entered by the user postgres, and {} belongs to another user ({owner}); \
             choose another folder, or: chmod o+x {}",
            closed.display(),
            home.display(),
            closed.display()
        );
    }
    Ok(home.join(format!("{}-{name}", &digest[..12])))
}

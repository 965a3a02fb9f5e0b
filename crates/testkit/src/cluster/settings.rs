//! The settings of our clusters, written anew at each start so that a change here reaches an existing cluster.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Longest path of a Unix socket, less `/.s.PGSQL.65535`.
const SOCKET_DIR_MAX_BYTES: usize = 107 - 15;

pub fn render(
    port: u16,
    socket_dir: Option<&Path>,
    logical: bool,
    fsync: bool,
    extra: &BTreeMap<String, String>,
) -> String {
    let mut settings: BTreeMap<&str, String> = BTreeMap::new();
    let mut set = |name, value: &str| settings.insert(name, value.to_owned());
    set("listen_addresses", "127.0.0.1");
    set("max_connections", "200");
    set("shared_buffers", "256MB");
    set("max_wal_size", "4GB");
    set("checkpoint_timeout", "15min");
    set("synchronous_commit", "on");
    set("jit", "off");
    set("random_page_cost", "1.1");
    set("log_min_duration_statement", "-1");
    set("timezone", "UTC");
    if logical {
        set("wal_level", "logical");
        set("max_replication_slots", "20");
        set("max_wal_senders", "20");
    }
    if !fsync {
        set("fsync", "off");
        set("full_page_writes", "off");
    }
    set("port", &port.to_string());
    set("unix_socket_directories", &socket_dir.map(Path::to_string_lossy).unwrap_or_default());
    for (name, value) in extra {
        set(name, value);
    }
    let mut text = String::from("# Written at each start; edits are lost.\n");
    for (name, value) in &settings {
        let _ = writeln!(text, "{name} = '{}'", value.replace('\'', "''"));
    }
    text
}

/// False where the path would be longer than the system allows for a socket.
pub fn socket_fits(dir: &Path) -> bool {
    dir.as_os_str().len() <= SOCKET_DIR_MAX_BYTES
}

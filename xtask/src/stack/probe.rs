//! Is it up? Asked by HTTP, as a load balancer asks. Also: which ports are free.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

/// `GET path` on this machine answers 200.
pub fn http_ok(port: u16, path: &str) -> bool {
    http_status(port, path) == Some(200)
}

fn http_status(port: u16, path: &str) -> Option<u16> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_millis(500)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).ok()?;
    std::str::from_utf8(&head).ok()?.strip_prefix("HTTP/1.1 ")?.parse().ok()
}

/// `GET https://localhost:port/path` answers 200 with a certificate that `ca` has signed. Node asks: it is there
/// anyway, and knows TLS.
pub fn https_ok(port: u16, path: &str, ca: &Path) -> bool {
    const ASK: &str = "const [port, path, ca] = process.argv.slice(1); \
        require('https').get({ host: 'localhost', port, path, ca: require('fs').readFileSync(ca), timeout: 2000 }, \
        (answer) => process.exit(answer.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1)) \
        .on('timeout', () => process.exit(1))";
    let mut node = Command::new("node");
    node.args(["--eval", ASK, "--"]).arg(port.to_string()).arg(path).arg(ca);
    node.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    node.status().is_ok_and(|status| status.success())
}

/// So many ports that nothing listens on now, all different.
pub fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let held: Vec<TcpListener> = (0..N).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    let mut ports = [0; N];
    for (port, listener) in ports.iter_mut().zip(&held) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}

/// An error that says what to do when something else listens on the port.
pub fn expect_free(port: u16, advice: &str) -> Result<()> {
    match TcpListener::bind(("127.0.0.1", port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!("Port {port} is in use. {advice}"),
        Err(error) => Err(error).with_context(|| format!("port {port} cannot be used")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_one_clear_sentence() {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = held.local_addr().unwrap().port();
        let error = expect_free(port, "Choose another.").unwrap_err().to_string();
        assert_eq!(error, format!("Port {port} is in use. Choose another."));
        let [one, other] = free_ports().unwrap();
        assert_ne!(one, other);
        assert!(expect_free(one, "").is_ok());
        assert!(!http_ok(one, "/healthz"));
    }
}

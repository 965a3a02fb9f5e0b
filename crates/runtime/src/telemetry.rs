//! Logs: text for people, JSON for machines, to stderr. Payloads and database text never go here. An entry is one line in both
//! forms: what came from outside cannot begin another.

use std::io;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging as `CLARITY_LOG` (a tracing filter, default `info`) and `CLARITY_LOG_FORMAT` (`text` or `json`) say.
pub fn start() {
    let filter = std::env::var("CLARITY_LOG").unwrap_or_else(|_| "info".into());
    let started = match std::env::var("CLARITY_LOG_FORMAT").as_deref() {
        Ok("json") => json(filter, io::stderr).try_init(),
        _ => text(filter, io::stderr).try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was started already");
    }
}

/// One JSON object a line, which quotes line ends by itself.
pub fn json<W: io::Write + 'static>(
    filter: String,
    open: impl Fn() -> W + Send + Sync + 'static,
) -> impl Subscriber + Send + Sync + 'static {
    tracing_subscriber::fmt().with_env_filter(parsed(&filter)).json().with_writer(open).finish()
}

/// A line for people, without colours: whatever controls a terminal came from outside then, and is written out.
pub fn text<W: io::Write + 'static>(
    filter: String,
    open: impl Fn() -> W + Send + Sync + 'static,
) -> impl Subscriber + Send + Sync + 'static {
    let open = move || OneLine(open());
    tracing_subscriber::fmt()
        .with_env_filter(parsed(&filter))
        .with_target(false)
        .with_ansi(false)
        .with_writer(open)
        .finish()
}

fn parsed(filter: &str) -> EnvFilter {
    EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"))
}

/// Writes each entry, which tracing hands over whole, as one line in which nothing controls a terminal.
struct OneLine<W>(W);

impl<W: io::Write> io::Write for OneLine<W> {
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        let inside = entry.strip_suffix(b"\n").unwrap_or(entry);
        if inside.iter().any(u8::is_ascii_control) {
            let mut line = Vec::with_capacity(entry.len() + 16);
            for byte in inside {
                if byte.is_ascii_control() {
                    line.extend(byte.escape_ascii());
                } else {
                    line.push(*byte);
                }
            }
            line.extend_from_slice(&entry[inside.len()..]);
            self.0.write_all(&line)?;
        } else {
            self.0.write_all(entry)?;
        }
        Ok(entry.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What was written.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Written {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    const FORGED: &str = "1.0\n2026-01-01T00:00:00Z  INFO somebody signed in\r\n\u{1b}[2J";

    fn log_it() {
        let span = tracing::info_span!("request", path = FORGED);
        let _inside = span.enter();
        tracing::warn!(version = %FORGED, "an agent says {FORGED}");
        tracing::info!("the next");
    }

    #[test]
    fn what_came_from_outside_begins_no_line_of_the_log() {
        let written = Written::default();
        let to = written.clone();
        tracing::subscriber::with_default(text("info".into(), move || to.clone()), log_it);
        let text = written.text();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.contains("1.0\\n2026-01-01T00:00:00Z  INFO somebody signed in\\r\\n"), "{text}");
        assert!(!text.contains("\u{1b}[2J") && !text.contains('\r'), "{text}");
    }

    #[test]
    fn a_program_reads_each_line_as_an_object_with_its_time_in_utc() {
        let written = Written::default();
        let to = written.clone();
        tracing::subscriber::with_default(json("info".into(), move || to.clone()), log_it);
        let text = written.text();
        let entries: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
        assert_eq!(entries.len(), 2, "{text}");
        let first = &entries[0];
        assert_eq!((first["level"].as_str(), first["fields"]["version"].as_str()), (Some("WARN"), Some(FORGED)));
        assert_eq!(first["fields"]["message"].as_str(), Some(format!("an agent says {FORGED}").as_str()));
        assert!(first["target"].as_str().is_some() && first["span"]["name"] == "request", "{first}");
        let at = first["timestamp"].as_str().unwrap();
        // 2026-01-01T00:00:00.000000Z: to the microsecond, in UTC.
        assert!(at.len() == 27 && at.ends_with('Z') && at.as_bytes()[10] == b'T', "{at}");
    }
}

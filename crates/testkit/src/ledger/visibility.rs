//! `pg_current_snapshot()`: which transactions the query that read a chunk could see.

use anyhow::{Context, Result};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visibility {
    xmin: u64,
    xmax: u64,
    /// In progress when the query ran, sorted.
    running: Vec<u64>,
}

impl Visibility {
    /// From `xmin:xmax:xip,…`.
    pub fn parse(text: &str) -> Result<Self> {
        let mut parts = text.split(':');
        let mut number = |what| -> Result<u64> {
            let part = parts.next().with_context(|| format!("snapshot {text:?} has no {what}"))?;
            part.parse().with_context(|| format!("{what} of snapshot {text:?}"))
        };
        let (xmin, xmax) = (number("xmin")?, number("xmax")?);
        let list = parts.next().unwrap_or_default();
        let running = list.split(',').filter(|x| !x.is_empty()).map(str::parse).collect::<Result<Vec<u64>, _>>();
        let mut running = running.with_context(|| format!("running transactions of snapshot {text:?}"))?;
        running.sort_unstable();
        Ok(Self { xmin, xmax, running })
    }

    /// Whether the query saw what this committed transaction did.
    pub fn sees(&self, xid: u64) -> bool {
        xid < self.xmin || (xid < self.xmax && self.running.binary_search(&xid).is_err())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_what_was_committed_and_not_what_was_running() {
        let snapshot = Visibility::parse("10:20:12,10,15").unwrap();
        let seen: Vec<u64> = (8..23).filter(|xid| snapshot.sees(*xid)).collect();
        assert_eq!(seen, [8, 9, 11, 13, 14, 16, 17, 18, 19]);
        assert!(!Visibility::parse("10:10:").unwrap().sees(10));
        assert!(Visibility::parse("10").is_err() && Visibility::parse("a:b:").is_err());
    }
}

//! One `psql` that stays open: a poll every few milliseconds must not cost a process and a connection each time.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Stdio},
    str::FromStr,
};

use anyhow::{Context as _, Result, bail};

use crate::stack::Cluster;

/// Printed behind each answer, so that the end of one is known.
const END: &str = "-- end of answer --";
const SEPARATOR: char = '\t';

/// A superuser's session. Rows come as text, columns apart by tabs.
#[derive(Debug)]
pub struct Session {
    psql: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    pub fn open(cluster: &Cluster, database: &str) -> Result<Self> {
        let mut psql = cluster.psql(database)?;
        psql.args(["--quiet", "--tuples-only", "--no-align", "--field-separator", &SEPARATOR.to_string()]);
        let mut psql = psql.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("start psql")?;
        let input = psql.stdin.take().context("psql's input")?;
        let output = BufReader::new(psql.stdout.take().context("psql's output")?);
        let mut session = Self { psql, input, output };
        // Pages of figures are read in UTC, whatever the machine is set to.
        session.rows("set time zone 'UTC'")?;
        Ok(session)
    }

    /// Runs statements (no semicolon at the end) and gives all their rows.
    pub fn rows(&mut self, statements: &str) -> Result<Vec<Vec<String>>> {
        writeln!(self.input, "{statements};\n\\echo {END}")?;
        self.input.flush()?;
        let mut rows = Vec::new();
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line)? == 0 {
                bail!("psql ended at: {}", statements.chars().take(300).collect::<String>());
            }
            let line = line.trim_end_matches('\n');
            if line == END {
                return Ok(rows);
            }
            rows.push(line.split(SEPARATOR).map(str::to_owned).collect());
        }
    }

    /// The first column of the first row; `None` where there is no row or it is null.
    pub fn find<T: FromStr>(&mut self, query: &str) -> Result<Option<T>> {
        let rows = self.rows(query)?;
        let Some(text) = rows.first().and_then(|row| row.first()).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        text.parse().map(Some).ok().with_context(|| format!("`{text}` is not what was expected of: {query}"))
    }

    /// Whether the first column of the first row is true.
    pub fn is(&mut self, query: &str) -> Result<bool> {
        Ok(self.find::<String>(query)?.is_some_and(|text| text == "t"))
    }

    pub fn get<T: FromStr>(&mut self, query: &str) -> Result<T> {
        self.find(query)?.with_context(|| format!("no answer to: {query}"))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.psql.kill();
        let _ = self.psql.wait();
    }
}

/// A column of a row that [`Session::rows`] gave.
pub fn column<T: FromStr>(row: &[String], index: usize) -> Result<T> {
    let text = row.get(index).with_context(|| format!("the row has no column {index}"))?;
    text.parse().ok().with_context(|| format!("`{text}` in column {index} is not what was expected"))
}

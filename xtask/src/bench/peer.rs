//! Other systems on the same backlog in the same run, in turns with ours: `../shared/peers`, which keeps a Postgres of
//! its own. Where the folder is not there, only ours is measured.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use super::{
    Context, FULL,
    backlog::{add_bronze, drain_to_bronze, to_bronze},
    bed::Bed,
    figures::{Figures, median, number},
};
use crate::{
    process::{run, step},
    stack::{Cluster, READER},
};

const PORT: &str = "54331";
const DATABASE: &str = "bench";

/// `run.sh`, and the folder it works in.
struct Peers {
    script: PathBuf,
    dir: PathBuf,
}

/// What a peer's line said.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    peer: String,
    rows_per_s: f64,
    cpu_s_per_million: Option<f64>,
    rss_mb: Option<f64>,
}

pub fn measure(context: &Context, figures: &mut Figures) -> Result<()> {
    let script = context.paths.join("../shared/peers/run.sh");
    if !script.exists() {
        figures.note(format!("peers: {} is not there; ours alone", script.display()));
        return to_bronze(context, figures);
    }
    let peers = Peers { script, dir: context.paths.demo().join("peers") };
    if let Err(error) = peers.ready(&context.paths.root) {
        figures.note(format!("peers: cannot be run ({error:#}); ours alone"));
        return to_bronze(context, figures);
    }
    let outcome = rounds(context, &peers, figures);
    peers.call("stop", &[])?;
    outcome
}

fn rounds(context: &Context, peers: &Peers, figures: &mut Figures) -> Result<()> {
    let mut lines = Vec::new();
    // Their backlog has one size. A ratio of single runs says little, so there are two rounds at least.
    let rounds = context.scale.runs.max(2);
    for round in 1..=rounds {
        step(&format!("round {round} of {rounds}: empty table"), || peers.call("prepare", &[]))?;
        let mut bed = Bed::platform(context, &format!("peer-{round}"), false)?;
        bed.stack.use_customer(peers.cluster()?);
        reader(&bed)?;
        step("workers: ingest", || bed.stack.start_workers("workers", "ingest"))?;
        bed.settle_agent()?;
        step("backlog of 1,000,000 changes", || peers.call("fill", &[]))?;
        let drain = step("agent: the whole backlog", || drain_to_bronze(&mut bed, FULL.changes()))?;
        add_bronze(figures, &drain);
        bed.stack.stop_all()?;
        // Its slot would keep the log.
        peers.cluster()?.sql(
            DATABASE,
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name like 'clarity%'",
        )?;
        bed.remove()?;
        let said = step("peers", || peers.call("cdc", &["1"]))?;
        lines.extend(said.lines().filter_map(read));
    }
    compare(&lines, figures);
    Ok(())
}

/// The customer's administrator on the peers' server: a user for the agent and a publication.
fn reader(bed: &Bed<'_>) -> Result<()> {
    let password = &bed.stack.secrets.reader_password;
    let sql = format!(
        "do $$ begin
           if not exists (select from pg_roles where rolname = '{READER}') then create role {READER} login replication noinherit; end if;
           if exists (select from pg_publication where pubname = 'clarity') then drop publication clarity; end if;
         end $$;
         alter role {READER} password '{password}';
         create publication clarity for table machine_telemetry;
         grant usage on schema public to {READER};
         grant select on all tables in schema public to {READER};"
    );
    bed.stack.customer()?.sql(DATABASE, &sql).map(drop)
}

fn compare(lines: &[Line], figures: &mut Figures) {
    let mut names: Vec<&str> = lines.iter().map(|line| line.peer.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let ours =
        ["backlog_to_bronze_rows_per_s", "agent_cpu_s_per_million", "agent_peak_rss_mb"].map(|key| figures.median(key));
    for name in names {
        let of = |read: fn(&Line) -> Option<f64>| {
            let values: Vec<f64> = lines.iter().filter(|line| line.peer == name).filter_map(read).collect();
            (!values.is_empty()).then(|| median(&values))
        };
        let theirs = [of(|line| Some(line.rows_per_s)), of(|line| line.cpu_s_per_million), of(|line| line.rss_mb)];
        let words: Vec<String> = ["rows/s", "s CPU a million", "MB"]
            .iter()
            .zip(theirs.iter().zip(ours))
            .filter_map(|(unit, (theirs, ours))| {
                let (theirs, ours) = ((*theirs)?, ours?);
                Some(format!("{} {unit} (ours is {} of it)", number(theirs), ratio(ours / theirs)))
            })
            .collect();
        figures.note(format!("peer {name}: {}", words.join(", ")));
    }
}

fn ratio(ratio: f64) -> String {
    if ratio >= 1.0 { format!("{}×", number(ratio)) } else { format!("{} %", number(ratio * 100.0)) }
}

fn read(line: &str) -> Option<Line> {
    let field = |name: &str| line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    let figure = |name: &str| field(name).and_then(|text| text.parse::<f64>().ok());
    Some(Line {
        peer: field("peer")?.to_owned(),
        rows_per_s: figure("rows/s")?,
        cpu_s_per_million: figure("cpu_s_per_M").or_else(|| figure("apply_cpu_s")),
        rss_mb: figure("rss_mb"),
    })
}

impl Peers {
    /// Sets them up where that was not done yet, and starts their Postgres.
    fn ready(&self, root: &Path) -> Result<()> {
        std::fs::create_dir_all(&self.dir)?;
        if !self.dir.join("bin/java/DebeziumBench.class").exists() || !self.dir.join("pg").exists() {
            let mut setup = self.command("setup", &[]);
            run("peers: set up (once)", setup.current_dir(root))?;
        }
        // Answers with an error when it runs already.
        let _ = self.call("stop", &[]);
        self.call("start", &[]).map(drop)
    }

    fn command(&self, verb: &str, args: &[&str]) -> Command {
        let mut command = Command::new("bash");
        command.arg(&self.script).arg(verb).args(args).env("PEERS", &self.dir).stdin(Stdio::null());
        command
    }

    /// Gives what it printed. Through a file: a Postgres that it starts would hold a pipe open.
    fn call(&self, verb: &str, args: &[&str]) -> Result<String> {
        let file = self.dir.join(format!("{verb}.out"));
        let out = std::fs::File::create(&file)?;
        let status = self.command(verb, args).stdout(out.try_clone()?).stderr(out).status().context("start bash")?;
        let said = std::fs::read_to_string(&file)?;
        if !status.success() {
            bail!("run.sh {verb} ended with {status}: {}", said.lines().rev().take(5).collect::<Vec<_>>().join(" | "));
        }
        Ok(said)
    }

    fn cluster(&self) -> Result<Cluster> {
        let mut cluster = Cluster::from_url(&format!("postgres://postgres:postgres@127.0.0.1:{PORT}/{DATABASE}"))?;
        cluster.database = Some(DATABASE.to_owned());
        Ok(cluster)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_peers_print() {
        let line = "peer=debezium-json-tuned case=backlog n=1000000 stream_s=33.10 rows/s=30211 cpu_s=46.1 rss_mb=812 cpu_s_per_M=46.10 walsender_cpu_s=9.1";
        let read = read(line).unwrap();
        assert_eq!((read.peer.as_str(), read.rows_per_s), ("debezium-json-tuned", 30_211.0));
        assert_eq!((read.cpu_s_per_million, read.rss_mb), (Some(46.1), Some(812.0)));
        assert_eq!(super::read("# payload bytes of the whole stream: 120 MB"), None);
        assert_eq!(super::read("peer=x case=backlog FAILED"), None);
    }
}

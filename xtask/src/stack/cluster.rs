//! A Postgres server of a stack: a private cluster that `clarity-services` keeps, or one that is already there.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::{process::capture, setup};

/// How to reach a server as its superuser.
#[derive(Debug, Clone, Deserialize)]
pub struct Cluster {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: String,
    /// The database that `clarity-services` has made.
    #[serde(default)]
    pub database: Option<String>,
    /// Of the postmaster; none for a server that is not ours.
    #[serde(default)]
    pub pid: Option<u32>,
    /// What the address of a server that is there says of TLS, as `?sslmode=…&sslrootcert=…`; else nothing.
    #[serde(skip)]
    pub tls: String,
    #[serde(skip)]
    private: Option<Private>,
}

/// Where the private cluster is, and the program that starts and stops it.
#[derive(Debug, Clone)]
struct Private {
    services: PathBuf,
    dir: PathBuf,
}

/// What a cluster is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Platform,
    /// With logical replication.
    Customer,
}

impl Cluster {
    /// Makes the cluster in `dir` where it is missing, starts it where it is stopped.
    pub fn up(services: &Path, dir: &Path, purpose: Purpose) -> Result<Self> {
        Self::up_with(services, dir, purpose, &[])
    }

    /// As [`Self::up`], with further variables; of these a server takes what its clock depends on.
    pub fn up_with(services: &Path, dir: &Path, purpose: Purpose, variables: &[(String, String)]) -> Result<Self> {
        let mut up = Command::new(services);
        up.args(["up", "--dir"]).arg(dir).envs(variables.iter().cloned());
        match purpose {
            Purpose::Platform => up.args(["--name", "platform"]),
            Purpose::Customer => up.args(["--name", "customer", "--logical"]),
        };
        let mut cluster: Self = serde_json::from_str(&capture(&mut up)?).context("answer of clarity-services")?;
        cluster.private = Some(Private { services: services.to_owned(), dir: dir.to_owned() });
        Ok(cluster)
    }

    /// A server that is already there, from `postgres://superuser:password@host:port/…`.
    pub fn from_url(url: &str) -> Result<Self> {
        let expected = "DATABASE_URL must be postgres://superuser:password@host:port/postgres";
        let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://")).context(expected)?;
        let (login, place) = rest.split_once('@').context(expected)?;
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let tls = place.split_once('?').map_or("", |(_, query)| query);
        let tls: Vec<_> = tls.split('&').filter(|pair| pair.starts_with("ssl")).collect();
        let tls = if tls.is_empty() { String::new() } else { format!("?{}", tls.join("&")) };
        let place = place.split(['/', '?']).next().unwrap_or(place);
        let (host, port) = place.split_once(':').unwrap_or((place, "5432"));
        Ok(Self {
            host: host.to_owned(),
            port: port.parse().context(expected)?,
            user: user.to_owned(),
            password: password.to_owned(),
            database: None,
            pid: None,
            tls,
            private: None,
        })
    }

    /// Stops a private cluster; its data stays. A server that is not ours is left alone.
    pub fn down(&self) -> Result<()> {
        if let Some(private) = &self.private {
            capture(Command::new(&private.services).args(["down", "--dir"]).arg(&private.dir))?;
        }
        Ok(())
    }

    /// `kill -9` of the postmaster.
    pub fn kill(&self) -> Result<()> {
        let pid = self.pid.and_then(|pid| rustix::process::Pid::from_raw(i32::try_from(pid).ok()?));
        let Some(pid) = pid else { bail!("a server that is not ours is not killed") };
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).context("kill Postgres")
    }

    /// The same server with another login.
    pub fn as_user(&self, user: &str, password: &str) -> Self {
        Self { user: user.to_owned(), password: password.to_owned(), ..self.clone() }
    }

    pub fn url(&self, database: &str) -> String {
        let Self { host, port, user, password, tls, .. } = self;
        format!("postgres://{user}:{password}@{host}:{port}/{database}{tls}")
    }

    /// Runs statements as the superuser, in one call, the way a person at a prompt would; gives the rows unadorned.
    pub fn sql(&self, database: &str, statements: &str) -> Result<String> {
        let mut psql = self.psql(database)?;
        psql.args(["--quiet", "--tuples-only", "--no-align", "--command", statements]);
        capture(&mut psql)
    }

    /// `psql` on this server: stops at the first error, reads no file of the person's.
    pub fn psql(&self, database: &str) -> Result<Command> {
        let mut psql = Command::new(setup::psql()?);
        psql.args(["--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--host", &self.host, "--port", &self.port.to_string()]);
        psql.args(["--username", &self.user, "--dbname", database]).env("PGPASSWORD", &self.password);
        psql.env("PGOPTIONS", "-c client_min_messages=warning");
        Ok(psql)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_url_of_a_server_that_is_there() {
        let cluster = Cluster::from_url("postgres://admin:s3cret@db.example:6543/postgres?sslmode=disable").unwrap();
        assert_eq!((cluster.host.as_str(), cluster.port), ("db.example", 6543));
        assert_eq!(cluster.url("clarity"), "postgres://admin:s3cret@db.example:6543/clarity?sslmode=disable");
        assert!(Cluster::from_url("mysql://x").is_err());
        assert!(cluster.kill().is_err(), "never kill a server that is not ours");
    }
}

//! Settings of a Postgres source, as the operator writes them in `agent.toml`.

use super::problems;
use crate::sources::{Patterns, Secret, SourceError};
use serde::Deserialize;
use std::net::IpAddr;
use std::path::PathBuf;

/// A `[[source]]` with `kind = "postgres"`. The password itself never stands here.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostgresConfig {
    /// The agent's own name for it, e.g. `plant-db`.
    pub name: String,
    pub host: String,
    #[serde(default = "default_port")]
    pub port: u16,
    pub database: String,
    pub user: String,
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    #[serde(default)]
    pub password_env: Option<String>,
    /// `schema.table`, with `*`.
    #[serde(default = "default_tables")]
    pub tables: Patterns,
    #[serde(default)]
    pub exclude: Patterns,
    /// See [`PostgresConfig::tls`].
    #[serde(default)]
    tls: Option<TlsMode>,
    /// Roots that the server's certificate must come from; the public ones when absent.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    #[serde(default)]
    publication: Option<String>,
    #[serde(default)]
    slot: Option<String>,
    /// Whether the rows that are there already are read too.
    #[serde(default = "default_snapshot")]
    pub snapshot: bool,
    #[serde(default)]
    pub confirm: Confirm,
    /// Log that the database may keep for us before we confirm what is only spooled.
    #[serde(default = "default_wal_budget")]
    pub wal_budget_bytes: u64,
}

/// As libpq has them.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    Disable,
    Prefer,
    Require,
    VerifyFull,
}

/// When the database is told that it may forget.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Confirm {
    #[default]
    Durable,
    Spooled,
}

fn default_port() -> u16 {
    5432
}

fn default_tables() -> Patterns {
    Patterns::new(["public.*"])
}

fn default_snapshot() -> bool {
    true
}

fn default_wal_budget() -> u64 {
    10 << 30
}

impl PostgresConfig {
    pub fn slot(&self) -> String {
        self.slot.clone().unwrap_or_else(|| self.default_name())
    }

    /// The publication of tables whose every change can be read.
    pub fn publication(&self) -> String {
        self.publication.clone().unwrap_or_else(|| self.default_name())
    }

    /// The publication of tables without a replica identity: inserts only, since publishing their updates would make
    /// those fail in the customer's own database.
    pub fn inserts_publication(&self) -> String {
        let mut name = self.publication();
        name.truncate(name.floor_char_boundary(63 - "_inserts".len()));
        name + "_inserts"
    }

    /// As the operator says. Else a server on another machine has to show a certificate for its name: password and rows pass
    /// there, and what fell back to plain text would tell nobody.
    pub fn tls(&self) -> TlsMode {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        self.tls.unwrap_or(if here { TlsMode::Prefer } else { TlsMode::VerifyFull })
    }

    /// Slot names allow lower-case letters, digits and `_`, at most 63.
    fn default_name(&self) -> String {
        let safe = self.name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
        let mut name: String = "clarity_".chars().chain(safe).collect();
        name.truncate(name.floor_char_boundary(55));
        name
    }

    /// Reads the password from where the operator put it.
    pub fn password(&self) -> Result<Option<Secret>, SourceError> {
        if let Some(path) = &self.password_file {
            let text = std::fs::read_to_string(path).map_err(|e| problems::password_file(path, &e))?;
            return Ok(Some(Secret::new(text.trim_end_matches(['\r', '\n']))));
        }
        if let Some(name) = &self.password_env {
            let text = std::env::var(name).map_err(|_| problems::password_env(name))?;
            return Ok(Some(Secret::new(text)));
        }
        Ok(None)
    }

    pub fn wants(&self, table: &str) -> bool {
        self.tables.matches(table) && !self.exclude.matches(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::SourceConfig;

    const MINIMAL: &str = "kind = 'postgres'\nname = 'Plant-DB'\nhost = 'db'\ndatabase = 'plant'\nuser = 'reader'\n";

    #[test]
    fn defaults() {
        let SourceConfig::Postgres(config) = toml::from_str(MINIMAL).unwrap();
        assert_eq!(config.port, 5432);
        assert_eq!(config.slot(), "clarity_plant_db");
        assert_eq!(config.publication(), "clarity_plant_db");
        assert_eq!(config.inserts_publication(), "clarity_plant_db_inserts");
        assert_eq!(config.confirm, Confirm::Durable);
        assert!(config.snapshot && config.wants("public.t") && !config.wants("private.t"));
    }

    #[test]
    fn a_server_on_another_machine_has_to_show_who_it_is_unless_the_operator_says_otherwise() {
        let of = |host: &str, more: &str| {
            let SourceConfig::Postgres(config) =
                toml::from_str(&format!("{}{more}", MINIMAL.replace("'db'", &format!("'{host}'")))).unwrap();
            config.tls()
        };
        for host in ["db", "10.1.2.3", "db.plant.example", "localhost.evil", "2001:db8::1"] {
            assert_eq!(of(host, ""), TlsMode::VerifyFull, "{host}");
        }
        for host in ["localhost", "127.0.0.1", "::1"] {
            assert_eq!(of(host, ""), TlsMode::Prefer, "{host}");
        }
        assert_eq!(of("db", "tls = 'disable'"), TlsMode::Disable);
        assert_eq!(of("db", "tls = 'require'"), TlsMode::Require);
        assert_eq!(of("127.0.0.1", "tls = 'verify-full'"), TlsMode::VerifyFull);
    }

    #[test]
    fn an_unknown_setting_is_refused() {
        let error = toml::from_str::<SourceConfig>(&format!("{MINIMAL}pasword_file = 'x'")).unwrap_err();
        assert!(error.to_string().contains("pasword_file"), "{error}");
    }
}

//! Postgres by logical replication. See `README.md` beside this file for what the operator grants and what is promised.
//!
//! - [`source`] is one run: connect, find the place to go on ([`resume`], [`repair`]), then a [`session`] of parts that run
//!   beside each other.
//! - [`stream`] reads the replication session ([`walsender`], [`socket`], [`frames`]) into blocks ([`assemble`],
//!   [`decode`], [`encode`]); [`flow`] compresses and spools them; [`confirm`] tells the server what is kept.
//! - [`plan`] knows which tables need their [`snapshot`], which reads the rows that were there before.
//! - [`setup`] makes and checks publications and slot; [`watch`] looks at lag, clocks and new tables; [`join`] takes in
//!   publications that were made later.

mod assemble;
mod catalog;
mod check;
mod config;
mod confirm;
mod connect;
mod decode;
mod encode;
mod flow;
mod frames;
mod heartbeat;
mod join;
mod plan;
mod position;
mod problems;
mod repair;
mod resume;
mod session;
mod setup;
mod snapshot;
mod socket;
mod source;
mod stream;
#[cfg(test)]
mod tests;
mod walsender;
mod watch;

pub use check::check;
pub use config::{Confirm, PostgresConfig, TlsMode};
pub use source::run;

use super::Descriptor;
use serde_json::json;

pub const KIND: &str = "postgres";

pub fn descriptor() -> Descriptor {
    Descriptor {
        kind: KIND,
        label: "PostgreSQL 14 or later",
        capabilities: &["changes", "deletes", "old_rows", "snapshot", "heartbeat", "schema_changes"],
        settings: json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["name", "host", "database", "user"],
            "properties": {
                "name": { "type": "string", "title": "Name", "maxLength": 48 },
                "host": { "type": "string", "title": "Host" },
                "port": { "type": "integer", "title": "Port", "default": 5432, "minimum": 1, "maximum": 65535 },
                "database": { "type": "string", "title": "Database" },
                "user": { "type": "string", "title": "User with REPLICATION" },
                "password_file": { "type": "string", "title": "File with the password", "secret": true },
                "password_env": { "type": "string", "title": "Environment variable with the password", "secret": true },
                "tables": { "type": "array", "title": "Tables", "items": { "type": "string" }, "default": ["public.*"] },
                "exclude": { "type": "array", "title": "Tables to leave out", "items": { "type": "string" } },
                "tls": { "enum": ["disable", "prefer", "require", "verify-full"], "title": "TLS", "default": "prefer" },
                "ca_file": { "type": "string", "title": "File with the server's root certificate" },
                "publication": { "type": "string", "title": "Publication" },
                "slot": { "type": "string", "title": "Replication slot", "pattern": "^[a-z0-9_]{1,63}$" },
                "snapshot": { "type": "boolean", "title": "Read the rows that are there already", "default": true },
                "confirm": { "enum": ["durable", "spooled"], "title": "Confirm when", "default": "durable" },
                "wal_budget_bytes": { "type": "integer", "title": "Log the database may keep for us", "default": 10_737_418_240_u64 }
            }
        }),
    }
}

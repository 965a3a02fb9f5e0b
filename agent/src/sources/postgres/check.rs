//! What `clarity-agent doctor` prints for a Postgres source: everything reading needs, without changing anything.

use super::config::PostgresConfig;
use super::connect::connect;
use super::walsender::WalSender;
use super::{problems, setup};
use crate::sources::{Check, Policy, SourceError};
use clarity_wire::frame::Problem;

fn failed(name: &str, error: SourceError) -> Check {
    match error {
        // What stands in the way of a check fails it, also where a running source would just try again.
        SourceError::Problem(problem) => Check::of(name, Problem { fatal: true, ..problem }),
        SourceError::Spool(e) => Check::of(name, problems::fatal("spool", e.to_string(), None)),
    }
}

/// Each line stands alone; a check that needs one that failed is left out.
pub async fn check(config: &PostgresConfig, policy: &Policy) -> Vec<Check> {
    let mut lines = Vec::new();
    if !policy.allows_host(&config.host, config.port) {
        lines.push(Check::of("local policy", problems::policy_host(config)));
        return lines;
    }
    let client = match connect(config, "doctor").await {
        Ok(client) => client,
        Err(error) => {
            lines.push(failed("connection", error));
            return lines;
        }
    };
    lines.push(Check::passed(
        "connection",
        format!("{}@{}:{}/{}", config.user, config.host, config.port, config.database),
    ));
    let server = match setup::server(&client, config).await {
        Ok(server) => server,
        Err(error) => {
            lines.push(failed("server settings", error));
            return lines;
        }
    };
    lines.push(Check::passed("server settings", format!("{}, wal_level logical, replication granted", server.product)));
    match WalSender::connect(config, server.raw_text).await {
        Ok(sender) => {
            lines.push(Check::passed("replication session", format!("system {}", sender.identity.system_identifier)));
        }
        Err(error) => lines.push(failed("replication session", error)),
    }
    match setup::publications(&client, config, policy, &server, false).await {
        Ok(published) => {
            lines.push(Check::passed("publication", format!("{} tables are published", published.tables.len())));
            lines.extend(published.problems.into_iter().map(|p| Check::of("tables", p)));
            if config.snapshot {
                let unreadable = published.tables.iter().filter(|t| !t.readable);
                lines.extend(
                    unreadable.map(|t| Check::of("grants", problems::select_grant(config, &t.schema, &t.table))),
                );
            }
        }
        Err(error) => lines.push(failed("publication", error)),
    }
    lines.push(slot(config, &client, &server).await);
    lines
}

async fn slot(config: &PostgresConfig, client: &tokio_postgres::Client, server: &setup::Server) -> Check {
    const NAME: &str = "replication slot";
    match setup::find_slot(client, config, server).await {
        Err(error) => failed(NAME, error),
        Ok(Some(slot)) => match (&slot.lost, slot.plugin == "pgoutput" && slot.database == config.database) {
            (Some(how), _) => {
                let how = format!("was invalidated ({how})");
                Check::of(NAME, problems::slot_lost(&config.slot(), &how, slot.confirmed))
            }
            (None, false) => Check::of(NAME, problems::slot_kind(&config.slot(), &slot.plugin, &slot.database)),
            (None, true) => Check::passed(NAME, format!("{} is there", config.slot())),
        },
        Ok(None) => match setup::free_slots(client).await {
            Ok((0, max)) => Check::of(NAME, problems::no_slot_left(&max.to_string())),
            Ok((free, max)) => {
                Check::passed(NAME, format!("{} is not made yet; {free} of {max} are free", config.slot()))
            }
            Err(e) => failed(NAME, problems::of_error(config, &e, "counting slots").into()),
        },
    }
}

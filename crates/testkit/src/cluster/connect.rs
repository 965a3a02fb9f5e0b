//! Connections for the testkit's own use.

use anyhow::{Context, Result};
use tokio_postgres::{Client, NoTls};

use super::Cluster;

/// Connects; the connection is driven by a task of the current runtime and ends with the client.
pub async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("cannot connect to Postgres")?;
    tokio::spawn(async move {
        // Its error reaches every caller of the client as well.
        let _ = connection.await;
    });
    Ok(client)
}

/// Makes an empty database where there is none of this name.
pub async fn ensure_database(cluster: &Cluster, name: &str) -> Result<()> {
    let client = connect(&cluster.admin_url("postgres")).await?;
    if client.query_opt("select 1 from pg_database where datname = $1", &[&name]).await?.is_none() {
        client.batch_execute(&format!("create database \"{name}\"")).await?;
    }
    Ok(())
}

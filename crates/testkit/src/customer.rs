//! A customer's database for tests of change data capture: logical replication, an owner and a reader.
//!
//! The cluster is shared by all test binaries, the database is the test's own. Its slots and it are dropped at the end.

use anyhow::Result;
use tokio_postgres::Client;

use crate::Cluster;
use crate::cluster::connect;
use crate::shared;

const PREFIX: &str = "customer";

/// A database with nothing in it but its rights. Cluster-wide users, the same for all tests:
/// - `customer_owner`: owns the database and its tables.
/// - `clarity_reader`: `LOGIN REPLICATION NOINHERIT`, may `select` what the owner makes in `public`; owns nothing, so
///   the publication is the owner's to make, as on a careful customer's server.
#[derive(Debug)]
pub struct CustomerDb {
    cluster: Cluster,
    name: String,
}

impl CustomerDb {
    pub const OWNER: &str = "customer_owner";
    pub const READER: &str = "clarity_reader";

    /// Panics with the reason when the database cannot be made.
    pub async fn new() -> Self {
        Self::create().await.unwrap_or_else(|error| panic!("no customer database: {error:#}"))
    }

    async fn create() -> Result<Self> {
        let cluster = shared::cluster("customer", true).await?;
        let admin = connect(&cluster.admin_url("postgres")).await?;
        shared::drop_abandoned(&admin, PREFIX).await?;
        let password = cluster.password();
        let (owner, reader) = (Self::OWNER, Self::READER);
        admin
            .batch_execute(&format!(
                "select pg_advisory_lock(720001);
                 do $$ begin
                   if not exists (select from pg_roles where rolname = '{owner}') then
                     create role {owner} login password '{password}';
                   end if;
                   if not exists (select from pg_roles where rolname = '{reader}') then
                     create role {reader} login replication noinherit password '{password}';
                   end if;
                 end $$;
                 select pg_advisory_unlock(720001);"
            ))
            .await?;
        let name = shared::fresh_name(PREFIX);
        admin.batch_execute(&format!("create database {name} owner {owner}")).await?;
        let db = Self { cluster, name };
        let client = connect(&db.admin_url()).await?;
        client
            .batch_execute(&format!(
                "alter schema public owner to {owner};
                 grant usage on schema public to {reader};
                 alter default privileges for role {owner} in schema public grant select on tables to {reader};"
            ))
            .await?;
        Ok(db)
    }

    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    pub fn port(&self) -> u16 {
        self.cluster.port()
    }

    /// Of the owner, and of the reader.
    pub fn password(&self) -> &str {
        self.cluster.password()
    }

    pub fn owner_url(&self) -> String {
        self.cluster.url(Self::OWNER, self.password(), &self.name)
    }

    pub fn reader_url(&self) -> String {
        self.cluster.url(Self::READER, self.password(), &self.name)
    }

    pub fn admin_url(&self) -> String {
        self.cluster.admin_url(&self.name)
    }

    /// A connection as the owner: for making tables and writing rows.
    pub async fn owner(&self) -> Client {
        connect(&self.owner_url()).await.unwrap_or_else(|error| panic!("the owner cannot connect: {error:#}"))
    }

    /// A connection as the superuser: for ending senders, dropping slots, and other faults.
    pub async fn admin(&self) -> Client {
        connect(&self.admin_url()).await.unwrap_or_else(|error| panic!("the superuser cannot connect: {error:#}"))
    }
}

impl Drop for CustomerDb {
    fn drop(&mut self) {
        shared::drop_database_in_background(&self.cluster, &self.name);
    }
}

//! The customer's side: a Postgres with logical replication, a user for the agent, and the plant that writes.

use anyhow::{Context as _, Result};

use super::{Cluster, Purpose, Stack, child::Spec};
use crate::process::capture;

/// The user the agent reads with.
pub const READER: &str = "clarity_reader";
pub const PUBLICATION: &str = "clarity";

impl Stack {
    /// The customer's server, and what their administrator does once: the plant's tables, a user for us that may read
    /// and replicate and nothing else, and the publication. Done again, it changes nothing.
    pub fn start_customer(&mut self) -> Result<()> {
        let dir = self.dir.join("customer");
        let cluster = Cluster::up(&self.bin("clarity-services"), &dir, Purpose::Customer)?;
        self.customer = Some(cluster);
        capture(&mut self.plant_spec("plant-init")?.args(["init"]).command()).context("make the plant's tables")?;
        let password = &self.secrets.reader_password;
        let grants = format!(
            "do $$ begin
               if not exists (select from pg_roles where rolname = '{READER}') then
                 create role {READER} login replication noinherit;
               end if;
               if not exists (select from pg_publication where pubname = '{PUBLICATION}') then
                 create publication {PUBLICATION} for tables in schema public;
               end if;
             end $$;
             alter role {READER} password '{password}';
             grant usage on schema public to {READER};
             grant select on all tables in schema public to {READER};
             alter default privileges in schema public grant select on tables to {READER};"
        );
        self.customer()?.sql(self.customer_database()?, &grants).context("grants at the customer's database")?;
        Ok(())
    }

    /// A customer's server that is already there, with its tables and grants made: it is neither started nor stopped.
    pub fn use_customer(&mut self, cluster: Cluster) {
        self.customer = Some(cluster);
    }

    pub fn customer(&self) -> Result<&Cluster> {
        self.customer.as_ref().context("the customer's database is not started")
    }

    pub fn customer_database(&self) -> Result<&str> {
        Ok(self.customer()?.database.as_deref().unwrap_or("customer"))
    }

    /// Writes until it is stopped. `args` go to `clarity-plant run` beside the rate.
    pub fn start_plant(&mut self, rows_per_second: u32, args: &[&str]) -> Result<()> {
        let rate = rows_per_second.to_string();
        let spec = self.plant_spec("plant")?.args(["run", "--rate", &rate]).args(args);
        self.start(spec)
    }

    /// `clarity-plant …` to its end, for backlogs: `backfill --rows …`, `run --rows …`, `status`. Gives what it printed.
    pub fn plant_command(&self, args: &[&str]) -> Result<String> {
        capture(&mut self.plant_spec("plant-once")?.args(args).command())
    }

    fn plant_spec(&self, name: &str) -> Result<Spec> {
        let url = self.customer()?.url(self.customer_database()?);
        Ok(Spec::new(name, self.bin("clarity-plant"), &self.logs).env([("PLANT_URL".to_owned(), url)]))
    }
}

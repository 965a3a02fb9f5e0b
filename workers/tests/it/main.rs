//! The workers against a real Postgres, as the roles they run as.

mod ingest;

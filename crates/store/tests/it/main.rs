//! The store against a real Postgres, as the roles that the services have.

mod catalogue;
mod isolation;

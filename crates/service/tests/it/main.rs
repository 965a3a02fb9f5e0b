//! Use cases on a real Postgres, as the roles that the server has.

mod accounts;
mod dead_letters;
mod overview;
mod pairing;
mod stage;

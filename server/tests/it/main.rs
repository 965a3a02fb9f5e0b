//! The whole router on a real Postgres.

mod live;
mod pages;
mod stage;

//! The web server of Clarity Stream: pages, their server functions, static files and live streams.
//!
//! It serves people; agents' traffic never passes here. All it knows of the data comes from `clarity_service`.
#![recursion_limit = "256"]

pub mod admin;
pub mod anchors;
mod api;
mod assets;
mod audit;
pub mod cli;
mod export;
mod health;
mod live;
mod middleware;
pub mod plan;
mod problem;
pub mod router;
pub mod serve;
pub mod setup;
mod sso;
pub mod ssr;
pub mod state;

//! The only crate that speaks SQL; one folder or file an aggregate.
//!
//! A query runs in a [`WorkspaceTx`], which needs a [`WorkspaceScope`], which has no public constructor: it comes from
//! resolving a session or an agent's key ([`auth`]) or from claiming work ([`system`]). No function takes a workspace's
//! id. Our own people get an [`OpsScope`] from a session of theirs, and see with it what a live grant shows ([`support`]).
//! Crossing workspaces is possible in one visible place, [`SystemTx`], on its own role and pool. Another workspace's
//! id reads as "not found".

mod address;
pub mod agent;
pub mod agent_key;
pub mod asset;
mod at;
pub mod audit;
pub mod auth;
pub mod chunk;
pub mod compaction;
pub mod dead_letter;
pub mod dead_letter_view;
pub mod domain;
pub mod erasure;
pub mod error;
pub mod export;
pub mod extras;
pub mod head;
pub mod ingest;
pub mod lease;
pub mod live;
pub mod mapping;
pub mod masking;
pub mod metric;
pub mod overview;
pub mod plan;
mod planted;
mod pool;
pub mod rebuild;
pub mod record;
pub mod refine;
pub mod replay;
pub mod retention;
pub mod rewrite;
pub mod rollup;
mod scope;
pub mod search;
pub mod set_up;
pub mod setup;
pub mod site;
pub mod source_view;
pub mod state;
pub mod stream;
pub mod stream_fields;
pub mod support;
mod tx;
pub mod usage;

pub use error::StoreError;
pub use pool::{AppStore, AuthStore, IngestStore, OpsStore, SystemStore, WorkerStore};
pub use scope::{OpsScope, Principal, WorkspaceScope};
pub use tx::{AuthTx, OpsTx, SystemTx, WorkspaceTx};

pub type Result<T, E = StoreError> = std::result::Result<T, E>;

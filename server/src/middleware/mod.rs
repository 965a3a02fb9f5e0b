//! What happens to every request, one file each.

pub mod body;
pub mod bounds;
pub mod cross_site;
pub mod headers;
pub mod proxied;
pub mod request_id;
pub mod visitor;

pub use request_id::RequestId;

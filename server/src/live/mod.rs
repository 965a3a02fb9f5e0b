//! Live streams: one server-sent event stream a page, and the hub that feeds them.

mod feed;
mod hub;
mod places;
mod query;
mod stream;

pub use hub::Hub;
pub use stream::stream;

//! Server functions of the audit log. Its files have addresses of their own: they are sent as they are read.

mod read;

pub use read::read;

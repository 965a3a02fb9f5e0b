//! Access of our own support to a workspace: requests and what a workspace's owners make of them ([`grant`]), asking ([`ask`]),
//! and what a live grant shows ([`look`]). Whether a grant is live the database says, in `ops_grant_live()`, which stands in
//! every policy that lets support read.

pub mod ask;
pub mod grant;
pub mod look;

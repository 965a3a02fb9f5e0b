//! What programs use, by version. A version that is out there is only added to.

pub mod v1;

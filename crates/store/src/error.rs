//! What can go wrong in the database, without the database's own text: that may hold data.

use std::borrow::Cow;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The row does not exist, or belongs to another workspace.
    #[error("not found")]
    NotFound,
    /// A unique or foreign key refused; the constraint's name says which.
    #[error("conflict with {0}")]
    Conflict(Cow<'static, str>),
    /// A check constraint, a type or a limit refused a value.
    #[error("invalid value ({0})")]
    Invalid(Cow<'static, str>),
    /// The policy or a grant refused. A fault in our code: services check permissions before.
    #[error("the database refused (SQLSTATE {0})")]
    Refused(String),
    /// Another worker holds this work now; what this one was about to write must not be written.
    #[error("the lease was taken over")]
    Fenced,
    /// The database cannot be reached, is busy or restarts; trying again may help.
    #[error("the database is not available (SQLSTATE {0})")]
    Unavailable(String),
    /// The workspace has as many transactions at work as it may; trying again may help.
    #[error("the workspace is busy")]
    Busy,
    /// What stands in a row cannot be read; the place is named, never the value.
    #[error("unreadable {0}")]
    Corrupt(&'static str),
    /// Start-up: the login is stronger or weaker than its role.
    #[error("{0}")]
    Setup(String),
    #[error("database error (SQLSTATE {0})")]
    Other(String),
}

impl StoreError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Busy)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(e: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match e {
            E::RowNotFound => Self::NotFound,
            E::Database(db) => {
                let state = db.code().unwrap_or_default().into_owned();
                let constraint = || db.constraint().unwrap_or("constraint").to_owned().into();
                match state.as_str() {
                    "23505" | "23503" => Self::Conflict(constraint()),
                    "23514" | "23502" => Self::Invalid(constraint()),
                    "42501" => Self::Refused(state),
                    // serialization failure, deadlock, lock timeout, too many connections, start-up and shutdown
                    "40001" | "40P01" | "55P03" | "53300" | "57014" => Self::Unavailable(state),
                    s if s.starts_with("57P") || s.starts_with("08") || s.starts_with("53") => Self::Unavailable(state),
                    s if s.starts_with("22") => Self::Invalid(format!("SQLSTATE {s}").into()),
                    _ => Self::Other(state),
                }
            }
            E::Io(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::Tls(_) | E::Protocol(_) => {
                Self::Unavailable("connection".into())
            }
            E::ColumnDecode { .. } | E::Decode(_) => Self::Corrupt("column"),
            other => {
                tracing::error!(kind = %std::any::type_name_of_val(&other), "unexpected database error");
                Self::Other("none".into())
            }
        }
    }
}

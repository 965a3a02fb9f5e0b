//! How long a workspace keeps what, what a shorter time would take away, and the holds that stop all removal.

use serde::{Deserialize, Serialize};

use super::Micros;
use crate::{
    ids::LegalHoldId,
    retention::{DataClass, Keep},
};

/// What the URL asks for: the preview of another time for a class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionQuery {
    /// [`DataClass::as_str`]
    pub class: Option<String>,
    /// Days, or "forever".
    pub days: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retention {
    pub as_of: Micros,
    pub rows: Vec<RetentionRow>,
    /// Open ones, the oldest first.
    pub holds: Vec<LegalHold>,
    /// Whether the viewer places and lifts holds.
    pub may_hold: bool,
    pub preview: Option<RetentionPreview>,
}

/// A class of data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetentionRow {
    pub class: DataClass,
    pub keep: Keep,
    /// Nobody has said anything else.
    pub is_default: bool,
    /// As the last run left it; not known before the first.
    pub oldest_at: Option<Micros>,
    pub rows: Option<u64>,
    pub bytes: Option<u64>,
    pub last_run: Option<RetentionRun>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionRun {
    pub at: Micros,
    pub removed: u64,
    pub freed_bytes: u64,
}

/// What would go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetentionPreview {
    pub class: DataClass,
    pub keep: Keep,
    /// It lets go of something that is kept now.
    pub shorter: bool,
    /// What lies before this goes; nothing for ever.
    pub cut_at: Option<Micros>,
    pub rows: u64,
    pub bytes: u64,
    pub oldest_at: Option<Micros>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegalHold {
    pub id: LegalHoldId,
    pub reason: String,
    pub placed_at: Micros,
}

//! The plan of a workspace, and what it has used of it.

use serde::{Deserialize, Serialize};

use super::Micros;
use crate::plan::{Limit, Plan, Standing};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    pub as_of: Micros,
    pub plan: Plan,
    /// Of the workspace, as its members say it; empty: they did not.
    pub region: String,
    /// In the order of [`Limit::ALL`].
    pub meters: Vec<Meter>,
    /// When the month's figures begin anew.
    pub month_ends_at: Micros,
    /// The agents of this workspace have to wait, because they send faster than the plan's rate.
    pub slowed_since: Option<Micros>,
    /// Thirty days, the newest first.
    pub days: Vec<UsageDay>,
}

impl Usage {
    /// The limit of the month that data is held back for.
    pub fn held_for(&self) -> Option<Limit> {
        let held = |meter: &&Meter| Limit::OF_THE_MONTH.contains(&meter.limit) && meter.standing == Standing::Over;
        self.meters.iter().find(held).map(|meter| meter.limit)
    }
}

/// One limit and its use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meter {
    pub limit: Limit,
    /// Not measured for a rate: whether it is passed is told by [`Usage::slowed_since`].
    pub used: Option<u64>,
    /// Without a limit.
    pub at_most: Option<u64>,
    pub standing: Standing,
    /// Agreed for this workspace, beside the plan.
    pub agreed: bool,
}

/// A day in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageDay {
    /// "2026-11-23"
    pub day: String,
    pub events: u64,
    pub bytes: u64,
    pub exports: u64,
}

/// What the frame says over every page, to those who can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanNotice {
    pub limit: Limit,
    pub standing: Standing,
}

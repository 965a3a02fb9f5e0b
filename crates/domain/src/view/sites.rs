//! The sites of a workspace and the machines at them.

use serde::{Deserialize, Serialize};

use crate::ids::{AssetId, SiteId};

/// A site, to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteCard {
    pub id: SiteId,
    pub name: String,
}

/// The page of the sites, for those who manage them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SitesPage {
    /// In the order in which they were added.
    pub sites: Vec<SiteRow>,
    /// Those without a site first, then by name; the first of them when there are very many.
    pub machines: Vec<MachineRow>,
    pub machines_total: u32,
    /// Machines without a site.
    pub without_site: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteRow {
    pub id: SiteId,
    pub name: String,
    /// IANA name.
    pub time_zone: String,
    pub machines: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineRow {
    pub id: AssetId,
    pub name: String,
    /// As the sources write it.
    pub key: String,
    pub site: Option<SiteId>,
}

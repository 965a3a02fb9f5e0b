//! The machines of a workspace and the sites that they are at. The sites themselves: see [`super::workspace_settings`].

use serde::{Deserialize, Serialize};

use crate::ids::{AssetId, SiteId};

/// A site, to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteCard {
    pub id: SiteId,
    pub name: String,
}

/// The page of the machines at the sites, for those who manage them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SitesPage {
    /// In the order in which they were added.
    pub sites: Vec<SiteCard>,
    /// Those without a site first, then by name; the first of them when there are very many.
    pub machines: Vec<MachineRow>,
    pub machines_total: u32,
    /// Machines without a site.
    pub without_site: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineRow {
    pub id: AssetId,
    pub name: String,
    /// As the sources write it.
    pub key: String,
    pub site: Option<SiteId>,
}

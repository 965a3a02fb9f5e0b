//! What a workspace is called, where it is, and its sites: the page that changes them.

use serde::{Deserialize, Serialize};

use crate::ids::SiteId;

/// The page, for those who may manage sources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceSettings {
    pub name: String,
    /// Its part of the address of every page.
    pub slug: String,
    /// How every page's address begins: "https://clarity.example/w/".
    pub base: String,
    /// What the slug was before, the last one first. Members are led on from there.
    pub former: Vec<String>,
    /// The viewer may change the slug.
    pub may_change_address: bool,
    /// They showed a moment ago that it is them, as the change asks for.
    pub confirmed: bool,
    /// A provider is set up: its people come by an address with the slug in it.
    pub by_sso: bool,
    /// A word for people; empty: none was said.
    pub region: String,
    /// IANA name.
    pub time_zone: String,
    /// Every time zone that the server knows.
    pub zones: Vec<String>,
    /// The one that was there first at the beginning.
    pub sites: Vec<SiteRow>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteRow {
    pub id: SiteId,
    pub name: String,
    /// IANA name.
    pub time_zone: String,
    /// Machines that are said to be there.
    pub machines: u64,
    /// Machines that no site is known of go by its clock.
    pub first: bool,
    /// Data names it: under another name it would come again.
    pub name_fixed: bool,
    /// Days of its machines were cut by its clock already.
    pub zone_fixed: bool,
    pub may_remove: bool,
}

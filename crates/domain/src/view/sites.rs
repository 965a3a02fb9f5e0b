//! The machines of a workspace and the sites that they are at. The sites themselves: see [`super::workspace_settings`].

use std::fmt;
use std::str::FromStr;

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
    /// A page of those that were looked for: without a site first, then by name.
    pub machines: Vec<MachineRow>,
    /// How many fit what was looked for.
    pub found: u32,
    /// How many of these stand before the page.
    pub skipped: u32,
    /// The place to go back from, and the one to go on from, where there is more.
    pub before: Option<MachinePlace>,
    pub after: Option<MachinePlace>,
    pub machines_total: u32,
    /// Machines without a site.
    pub without_site: u32,
}

/// What the page asks for; all of it stands in the URL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SitesQuery {
    /// A part of a machine's name or key.
    pub find: Option<String>,
    /// The page of machines before this place.
    pub before: Option<MachinePlace>,
    /// The page of machines after this place.
    pub after: Option<MachinePlace>,
}

/// A place in the list of machines. The machine may be put at a site meanwhile and stand elsewhere; the place stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MachinePlace {
    /// Among those that are at a site.
    pub placed: bool,
    pub number: i32,
}

impl fmt::Display for MachinePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", u8::from(self.placed), self.number)
    }
}

impl FromStr for MachinePlace {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let place = text.split_once('-').and_then(|(placed, number)| {
            let placed = match placed {
                "0" => false,
                "1" => true,
                _ => return None,
            };
            Some(Self { placed, number: number.parse().ok()? })
        });
        place.ok_or("not a place in the list of machines")
    }
}

impl From<MachinePlace> for String {
    fn from(place: MachinePlace) -> Self {
        place.to_string()
    }
}

impl TryFrom<String> for MachinePlace {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineRow {
    pub id: AssetId,
    pub name: String,
    /// As the sources write it.
    pub key: String,
    pub site: Option<SiteId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        for place in [MachinePlace { placed: false, number: 1 }, MachinePlace { placed: true, number: i32::MAX }] {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for nonsense in ["", "1", "2-1", "0-", "0-x", "0-99999999999", "true-1"] {
            assert!(nonsense.parse::<MachinePlace>().is_err(), "{nonsense:?}");
        }
    }
}

//! A person's second factor, as its page shows it.

use serde::{Deserialize, Serialize};

use super::Micros;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecondFactorPage {
    pub state: SecondFactor,
    /// Names of the person's workspaces that ask for one.
    pub required_by: Vec<String>,
    /// Recovery codes that were made a moment ago, until the person says that they have them.
    pub new_codes: Option<Vec<String>>,
    /// The visitor came by the single sign-on of this workspace: they confirm that it is them there.
    #[serde(default)]
    pub by_sso: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactor {
    Off,
    /// The app is told the secret; its first code is waited for.
    Enrolling(Enrolment),
    On {
        since: Micros,
        codes_left: u32,
    },
}

/// What an app needs to make codes. Its `Debug` shows nothing: it is the secret.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Enrolment {
    /// Base32 in groups of four, to be typed.
    pub secret: String,
    /// `otpauth://totp/…`
    pub url: String,
    /// The address as a picture.
    pub picture: Picture,
}

impl std::fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Enrolment(…)")
    }
}

/// A QR code: so many modules wide and high, the dark ones as the outline of an SVG path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    pub modules: u32,
    pub path: String,
}

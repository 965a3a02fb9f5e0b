//! A person's second factor, as its page shows it.

use serde::{Deserialize, Serialize};

use super::Micros;
use crate::ids::PasskeyId;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecondFactorPage {
    pub state: SecondFactor,
    pub passkeys: Passkeys,
    /// Names of the person's workspaces that ask for one.
    pub required_by: Vec<String>,
    /// Recovery codes that were made a moment ago, until the person says that they have them.
    pub new_codes: Option<Vec<String>>,
    /// The visitor came by the single sign-on of this workspace: they confirm that it is them there.
    #[serde(default)]
    pub by_sso: Option<String>,
}

impl SecondFactorPage {
    /// Whether codes of an app are asked for.
    pub fn has_app(&self) -> bool {
        matches!(self.state, SecondFactor::On { .. })
    }

    /// Whether there is anything beside the password.
    pub fn is_on(&self) -> bool {
        self.has_app() || !self.passkeys.list.is_empty()
    }
}

/// A person's passkeys, the oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Passkeys {
    /// False where the installation is reached by a number and not by a name: browsers make none for it.
    pub possible: bool,
    pub list: Vec<PasskeyCard>,
    /// Recovery codes that were not used.
    pub codes_left: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PasskeyCard {
    pub id: PasskeyId,
    /// As the person calls it.
    pub name: String,
    pub added_at: Micros,
    pub used_at: Option<Micros>,
}

/// What a sign-in that waits may be finished with. A recovery code always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondStep {
    pub app: bool,
    pub passkey: bool,
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

//! For whom passkeys are made: the host of the installation's own address, never one that a request names.

use std::sync::Arc;

use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::view::session::UserCard;
use clarity_store::auth::passkey::PasskeyRow;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, PasskeyRegistration, Url, Webauthn, WebauthnBuilder, WebauthnError, WebauthnResult,
};

use crate::error::broken;

/// As devices show it.
const NAME: &str = "Clarity Stream";

#[derive(Clone)]
pub(crate) struct PasskeySite(Option<Arc<Webauthn>>);

impl PasskeySite {
    /// Of an address that is a number there is none: browsers make no passkeys for it.
    pub(crate) fn new(public_url: &str) -> Self {
        Self(Url::parse(public_url).ok().and_then(|url| build(&url).ok()).map(Arc::new))
    }

    pub(crate) fn is_possible(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn get(&self) -> Result<&Webauthn, AppError> {
        self.0.as_deref().ok_or_else(|| {
            let message = "Passkeys need an address with a name, such as https://clarity.example. This installation's is a number.";
            AppError::new(ErrorCode::Conflict, message)
        })
    }

    /// What a device is asked to make a passkey, as JSON of the Web Authentication standard.
    pub(super) fn ask_for_new(
        &self,
        user: &UserCard,
        there: &[PasskeyRow],
    ) -> Result<(String, PasskeyRegistration), AppError> {
        let excluded = there.iter().map(|row| row.credential_id.clone()).collect();
        let asked = self.get()?.start_passkey_registration(user.id.0, &user.email, &user.name, Some(excluded));
        let (asked, state) = asked.map_err(broken)?;
        let mut options = serde_json::to_value(&asked.public_key).map_err(broken)?;
        // Where the device can, it keeps whose the passkey is: then it signs in without an address as well.
        if let Some(selection) = options.get_mut("authenticatorSelection").and_then(Value::as_object_mut) {
            selection.insert("residentKey".into(), json!("preferred"));
        }
        Ok((options.to_string(), state))
    }

    /// What a device is asked to show: one of these passkeys, or of none in particular where there are none.
    pub(super) fn ask_for_one_of(
        &self,
        these: &[PasskeyRow],
    ) -> Result<(String, DiscoverableAuthentication), AppError> {
        let (asked, state) = self.get()?.start_discoverable_authentication().map_err(broken)?;
        let mut options = serde_json::to_value(&asked.public_key).map_err(broken)?;
        let one = |row: &PasskeyRow| json!({ "type": "public-key", "id": BASE64URL_NOPAD.encode(&row.credential_id) });
        if let Some(options) = options.as_object_mut() {
            options.insert("allowCredentials".into(), these.iter().map(one).collect());
        }
        Ok((options.to_string(), state))
    }
}

fn build(url: &Url) -> WebauthnResult<Webauthn> {
    let host = url.domain().ok_or(WebauthnError::Configuration)?;
    WebauthnBuilder::new(host, url)?.rp_name(NAME).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_are_for_hosts_that_have_a_name() {
        for named in ["https://app.clarity.example", "http://localhost:8080"] {
            assert!(PasskeySite::new(named).is_possible(), "{named}");
        }
        for numbered in ["http://127.0.0.1:8080", "http://[::1]:80", "https://192.0.2.7", "", "not an address"] {
            let site = PasskeySite::new(numbered);
            assert!(!site.is_possible(), "{numbered}");
            assert_eq!(site.get().err().map(|error| error.code), Some(ErrorCode::Conflict), "{numbered}");
        }
    }
}

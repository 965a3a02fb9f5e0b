//! What the server tells the app about where it runs; provided as a context to every route and server function.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;

/// The site, as configured. Links and cookies depend on it, never on the Host header.
#[derive(Clone, Debug)]
pub struct Site {
    /// "https://app.example.com", without a trailing slash.
    pub origin: String,
    /// Served over TLS: cookies are `Secure` and carry the `__Host-` prefix.
    pub secure: bool,
    pub assets: Assets,
}

impl Site {
    /// Name of the session cookie.
    pub const fn session_cookie(&self) -> &'static str {
        if self.secure { "__Host-cs" } else { "cs" }
    }

    /// Name of the session cookie of the platform's own people.
    pub const fn ops_cookie(&self) -> &'static str {
        if self.secure { "__Host-clarity_ops" } else { "clarity_ops" }
    }

    /// Name of the short-lived cookie that keeps a new API token for the browser that asked for it.
    pub const fn token_cookie(&self) -> &'static str {
        if self.secure { "__Host-cs-token" } else { "cs-token" }
    }

    /// Name of the short-lived cookie that keeps a pairing code in the browser that asked for it.
    pub const fn pairing_cookie(&self) -> &'static str {
        if self.secure { "__Host-cs-pair" } else { "cs-pair" }
    }

    /// Name of the short-lived cookie of a sign-in that waits for its code.
    pub const fn pending_cookie(&self) -> &'static str {
        if self.secure { "__Host-cs-code" } else { "cs-code" }
    }

    /// Name of the short-lived cookie of a sign-in that begins with a passkey.
    pub const fn passkey_cookie(&self) -> &'static str {
        if self.secure { "__Host-cs-passkey" } else { "cs-passkey" }
    }

    /// Name of the short-lived cookie of a way to a workspace's identity provider and back.
    pub const fn sso_cookie(&self) -> &'static str {
        if self.secure { "__Host-cs-sso" } else { "cs-sso" }
    }

    /// Name of the short-lived cookie of somebody who shows that an account is theirs.
    pub const fn sso_link_cookie(&self) -> &'static str {
        if self.secure { "__Host-cs-sso-link" } else { "cs-sso-link" }
    }

    /// Name of the cookie of a minute that keeps why single sign-on did not go through.
    pub const fn sso_said_cookie(&self) -> &'static str {
        if self.secure { "__Host-cs-sso-said" } else { "cs-sso-said" }
    }

    /// Name of the short-lived cookie that keeps new recovery codes in the browser that made them.
    pub const fn recovery_cookie(&self) -> &'static str {
        if self.secure { "__Host-cs-recovery" } else { "cs-recovery" }
    }

    /// A `Set-Cookie`: for our own pages alone, out of reach of scripts. `same_site` is `Lax` or `Strict`; zero seconds take the
    /// cookie away.
    pub fn cookie_text(&self, name: &str, value: &str, max_age_s: i64, same_site: &str) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{name}={value}; Path=/; HttpOnly; SameSite={same_site}; Max-Age={max_age_s}{secure}")
    }

    /// The `Set-Cookie` of a session's token.
    pub fn session_cookie_text(&self, token: &str, max_age_s: i64) -> String {
        self.cookie_text(self.session_cookie(), token, max_age_s, "Lax")
    }
}

/// Plain file names to the hashed URLs of the build: `clarity.css` to `/pkg/clarity.3f2a….css`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Assets(Arc<BTreeMap<String, String>>);

impl Assets {
    /// From the build's `assets.json`: one object, plain name to URL.
    ///
    /// # Errors
    /// When the text is no such object.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The URL of a file; one the build does not know is served under its plain name.
    pub fn url(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_else(|| format!("/pkg/{name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_hashed_url_and_an_unknown_one_its_plain_name() {
        let assets = Assets::from_json(r#"{"clarity.css":"/pkg/clarity.1a2b.css"}"#).unwrap();
        assert_eq!(assets.url("clarity.css"), "/pkg/clarity.1a2b.css");
        assert_eq!(assets.url("charts.js"), "/pkg/charts.js");
        assert!(Assets::from_json("[]").is_err());
    }

    #[test]
    fn cookies_are_host_bound_where_there_is_tls() {
        let mut site = Site { origin: "https://a.example".into(), secure: true, assets: Assets::default() };
        let names =
            |site: &Site| [site.session_cookie(), site.pairing_cookie(), site.pending_cookie(), site.recovery_cookie()];
        assert_eq!(names(&site), ["__Host-cs", "__Host-cs-pair", "__Host-cs-code", "__Host-cs-recovery"]);
        assert_eq!(site.token_cookie(), "__Host-cs-token");
        assert_eq!(site.passkey_cookie(), "__Host-cs-passkey");
        assert_eq!(site.ops_cookie(), "__Host-clarity_ops");
        assert_eq!(
            site.session_cookie_text("0", 60),
            "__Host-cs=0; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure"
        );
        assert_eq!((site.sso_cookie(), site.sso_link_cookie()), ("__Host-cs-sso", "__Host-cs-sso-link"));
        site.secure = false;
        assert_eq!(names(&site), ["cs", "cs-pair", "cs-code", "cs-recovery"]);
    }
}

//! Where letters go, checked when the server starts.

use clarity_runtime::secret::Secret;
use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use url::Url;

pub(super) type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// What becomes of letters.
#[derive(Clone, Debug)]
pub enum MailSettings {
    /// This mail server sends them. The address may hold a password.
    Smtp { url: Secret, from: Mailbox },
    /// Nobody sends them: the newest are kept, and shown at /dev/mail.
    Outbox { from: Mailbox },
}

/// Said without the address, which may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum MailSettingsError {
    #[error(
        "the SMTP address cannot be used: give smtps://user:password@host, smtp://user:password@host:587 (encrypted by \
         STARTTLS), or smtp://localhost:port, without anything behind"
    )]
    Url,
    #[error("the SMTP address names a user and no password, or a password and no user: give both or none")]
    Login,
    #[error("the sender of letters is no e-mail address: give it as in Clarity Stream <no-reply@example.com>")]
    From,
}

impl MailSettings {
    /// Letters are sent by the mail server at `url`: `smtps://`, or `smtp://`, which is plain to this machine and has to
    /// be encrypted by STARTTLS to any other.
    pub fn smtp(url: &Secret, from: &str) -> Result<Self, MailSettingsError> {
        Ok(Self::Smtp { url: checked(url.expose())?, from: sender(from)? })
    }

    /// Letters are kept and not sent.
    pub fn outbox(from: &str) -> Result<Self, MailSettingsError> {
        Ok(Self::Outbox { from: sender(from)? })
    }

    pub(super) fn keeps_letters(&self) -> bool {
        matches!(self, Self::Outbox { .. })
    }

    /// The part of the sender's address behind the @.
    pub fn sender_domain(&self) -> &str {
        let (Self::Smtp { from, .. } | Self::Outbox { from }) = self;
        from.email.domain()
    }
}

fn sender(text: &str) -> Result<Mailbox, MailSettingsError> {
    text.parse().map_err(|_| MailSettingsError::From)
}

/// As lettre is to read it: its own query says how the connection is encrypted, so the operator's may say nothing.
fn checked(text: &str) -> Result<Secret, MailSettingsError> {
    let mut url = Url::parse(text.trim()).map_err(|_| MailSettingsError::Url)?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(MailSettingsError::Url)?.to_owned();
    if url.query().is_some() || url.fragment().is_some() || !matches!(url.path(), "" | "/") {
        return Err(MailSettingsError::Url);
    }
    if url.username().is_empty() != url.password().is_none_or(str::is_empty) {
        return Err(MailSettingsError::Login);
    }
    match url.scheme() {
        "smtps" => {}
        "smtp" if is_this_machine(&host) => {}
        "smtp" => url.set_query(Some("tls=required")),
        _ => return Err(MailSettingsError::Url),
    }
    Transport::from_url(url.as_str()).map_err(|_| MailSettingsError::Url)?;
    Ok(Secret::new(url.as_str()))
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: &str = "Clarity Stream <no-reply@localhost>";

    fn url(text: &str) -> Result<String, MailSettingsError> {
        checked(text).map(|url| url.expose().to_owned())
    }

    #[test]
    fn letters_are_plain_on_this_machine_alone() {
        assert_eq!(url("smtp://localhost:2525").unwrap(), "smtp://localhost:2525");
        assert_eq!(url("smtp://127.0.0.1:25").unwrap(), "smtp://127.0.0.1:25");
        assert_eq!(url("smtp://u:p%40ss@mail.example:587").unwrap(), "smtp://u:p%40ss@mail.example:587?tls=required");
        assert_eq!(url("smtp://10.0.0.1").unwrap(), "smtp://10.0.0.1?tls=required");
        assert_eq!(url("smtps://u:p@mail.example").unwrap(), "smtps://u:p@mail.example");
        for wrong in [
            "",
            "mail.example",
            "https://mail.example",
            "smtps://",
            "smtp://mail.example?tls=opportunistic",
            "smtp://mail.example/name",
            "smtp://localhost.evil.example?",
        ] {
            assert!(matches!(url(wrong), Err(MailSettingsError::Url)), "{wrong}");
        }
        for wrong in ["smtps://u@mail.example", "smtps://:p@mail.example"] {
            assert!(matches!(url(wrong), Err(MailSettingsError::Login)), "{wrong}");
        }
    }

    #[test]
    fn the_password_is_shown_nowhere() {
        let settings = MailSettings::smtp(&Secret::new("smtps://user:hunter2@mail.example"), FROM).unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
        let error = MailSettings::smtp(&Secret::new("smtps://user:hunter2@mail.example?x"), FROM).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn the_sender_is_an_address() {
        assert_eq!(MailSettings::outbox(FROM).unwrap().sender_domain(), "localhost");
        for wrong in ["", "Clarity Stream", "a@b.example\r\nBcc: c@d.example"] {
            assert!(matches!(MailSettings::outbox(wrong), Err(MailSettingsError::From)), "{wrong}");
        }
    }
}

//! Where the database is and how it is reached. Over a network only by TLS with a certificate that is checked, unless the
//! address says otherwise in so many words: a password and everything that is kept pass there.

use std::io::ErrorKind;
use std::net::IpAddr;

use clarity_runtime::database::DbLogin;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::error::StoreError;

/// As the login says, as its role.
pub(crate) fn of(login: &DbLogin) -> Result<PgConnectOptions, StoreError> {
    let options = read("CLARITY_DATABASE_URL", &login.url)?;
    Ok(options.username(login.role.name()).password(login.password.expose()))
}

/// `name` is what the address is called where it was given.
pub(crate) fn read(name: &str, url: &str) -> Result<PgConnectOptions, StoreError> {
    let wrong = || StoreError::Setup(format!("{name} is not a postgres:// address"));
    // sqlx takes any scheme.
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(wrong());
    }
    let options: PgConnectOptions = url.parse().map_err(|_| wrong())?;
    // Statements carry values, and some of them secrets: a slow one is not logged.
    let options = options.disable_statement_logging();
    if is_here(&options) {
        return Ok(options);
    }
    match says(url).then(|| options.get_ssl_mode()) {
        None => Ok(options.ssl_mode(PgSslMode::VerifyFull)),
        Some(PgSslMode::Prefer | PgSslMode::Allow) => Err(StoreError::Setup(format!(
            "{name} says sslmode=prefer or allow, which falls back to no encryption without a word, and its host is another \
             machine. Leave sslmode out, and the certificate is checked (sslrootcert=/path/ca.pem names your own authority); \
             or say sslmode=disable where a tunnel encrypts"
        ))),
        Some(mode) => {
            if !matches!(mode, PgSslMode::VerifyFull) {
                tracing::warn!(?mode, "the database is on another machine, and its certificate is not checked in full");
            }
            Ok(options)
        }
    }
}

/// Nothing leaves this machine: a socket, or a loopback address.
fn is_here(options: &PgConnectOptions) -> bool {
    let host = options.get_host().trim_start_matches('[').trim_end_matches(']');
    let loopback = || host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    options.get_socket().is_some() || host.starts_with('/') || loopback()
}

/// Whether the address itself names how. The environment's `PGSSLMODE` is nobody's word about this database.
fn says(url: &str) -> bool {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    query.split('&').any(|pair| pair.starts_with("sslmode=") || pair.starts_with("ssl-mode="))
}

/// What a connection failed of, in words for whoever starts the process; without the database's own.
pub(crate) fn unreachable(e: sqlx::Error) -> StoreError {
    // A certificate that is refused comes as bad data of the socket.
    let untrusted = match &e {
        sqlx::Error::Tls(_) => true,
        sqlx::Error::Io(io) => io.kind() == ErrorKind::InvalidData,
        _ => false,
    };
    if !untrusted {
        return e.into();
    }
    StoreError::Setup(
        "the database offers no TLS with a certificate that can be trusted. Give it one for its name from a public \
         authority, or from your own and name that in CLARITY_DATABASE_URL (sslrootcert=/path/ca.pem); or say \
         sslmode=disable there where a tunnel encrypts"
            .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> Result<PgSslMode, String> {
        read("CLARITY_DATABASE_URL", url).map(|options| options.get_ssl_mode()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_database_over_a_network_shows_a_certificate_that_is_checked() {
        for url in [
            "postgres://db.example:5432/clarity",
            "postgres://10.1.2.3/clarity",
            "postgres://localhost.evil/clarity",
            "postgres://[2001:db8::1]/clarity",
            "postgres://db.example/clarity?sslrootcert=/etc/ca.pem",
            "postgres://localhost/clarity?host=db.example",
            "postgres://db.example/clarity?sslmode=verify-full",
        ] {
            assert!(matches!(mode(url), Ok(PgSslMode::VerifyFull)), "{url}: {:?}", mode(url));
        }
    }

    #[test]
    fn less_is_said_in_so_many_words_and_nothing_falls_back() {
        for (url, expected) in [("sslmode=disable", "Disable"), ("ssl-mode=require", "Require")] {
            let given = mode(&format!("postgres://db.example/clarity?{url}")).unwrap();
            assert_eq!(format!("{given:?}"), expected, "{url}");
        }
        for url in ["sslmode=prefer", "sslmode=allow", "application_name=x&sslmode=prefer"] {
            let words = mode(&format!("postgres://db.example/clarity?{url}")).unwrap_err();
            assert!(words.contains("falls back") && words.contains("sslrootcert="), "{words}");
        }
    }

    #[test]
    fn on_this_machine_nothing_is_asked() {
        for url in
            ["postgres://127.0.0.1:5/clarity", "postgres://[::1]/clarity", "postgres://%2Frun%2Fpostgresql/clarity"]
        {
            assert!(!matches!(mode(url), Ok(PgSslMode::VerifyFull) | Err(_)), "{url}: {:?}", mode(url));
        }
        assert_eq!(mode("mysql://x").unwrap_err(), "CLARITY_DATABASE_URL is not a postgres:// address");
    }

    #[test]
    fn a_certificate_that_is_not_trusted_is_said_with_what_to_do() {
        let refused = std::io::Error::new(ErrorKind::InvalidData, "invalid peer certificate: UnknownIssuer");
        for error in [sqlx::Error::Tls("server does not support TLS".into()), sqlx::Error::Io(refused)] {
            let words = unreachable(error).to_string();
            assert!(words.contains("sslrootcert=") && words.contains("CLARITY_DATABASE_URL"), "{words}");
        }
    }
}

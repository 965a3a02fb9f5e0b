//! Connections to the customer's database: TLS as configured, and a session whose text forms are canonical.

use super::config::{PostgresConfig, TlsMode};
use super::problems;
use crate::sources::SourceError;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Client;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

/// The same for the replication session and for queries, so that a value reads the same from both.
pub const SESSION_OPTIONS: &str = "-c datestyle=ISO -c timezone=UTC -c intervalstyle=postgres -c bytea_output=hex \
     -c extra_float_digits=3 -c standard_conforming_strings=on -c statement_timeout=0 -c lock_timeout=0 \
     -c idle_in_transaction_session_timeout=0 -c row_security=off";

pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// An ordinary session. It ends when the client is dropped.
pub async fn connect(config: &PostgresConfig, purpose: &str) -> Result<Client, SourceError> {
    let mut pg = tokio_postgres::Config::new();
    pg.host(&config.host)
        .port(config.port)
        .dbname(&config.database)
        .user(&config.user)
        .application_name(format!("clarity-agent {} {purpose}", config.name))
        .options(SESSION_OPTIONS)
        .connect_timeout(CONNECT_TIMEOUT)
        .keepalives_idle(Duration::from_secs(30))
        .ssl_mode(match config.tls() {
            TlsMode::Disable => SslMode::Disable,
            TlsMode::Prefer => SslMode::Prefer,
            TlsMode::Require | TlsMode::VerifyFull => SslMode::Require,
        });
    if let Some(password) = config.password()? {
        pg.password(password.reveal());
    }
    let tls = MakeRustlsConnect::new(tls_config(config)?);
    let doing = "connecting";
    let connected = tokio::time::timeout(CONNECT_TIMEOUT + Duration::from_secs(5), pg.connect(tls)).await;
    let (client, connection) = connected
        .map_err(|_| problems::unreachable(config, "no answer in time"))?
        .map_err(|e| problems::of_error(config, &e, doing))?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to Postgres ended");
        }
    });
    Ok(client)
}

/// Modes as libpq has them: `prefer` and `require` encrypt without asking who the server is.
pub fn tls_config(config: &PostgresConfig) -> Result<ClientConfig, SourceError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|e| problems::tls(config, e))?;
    if config.tls() != TlsMode::VerifyFull {
        let verifier = Arc::new(Unverified(provider.signature_verification_algorithms));
        return Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth());
    }
    let mut roots = RootCertStore::empty();
    if let Some(path) = &config.ca_file {
        for certificate in CertificateDer::pem_file_iter(path).map_err(|e| problems::ca_file(path, e))? {
            let certificate = certificate.map_err(|e| problems::ca_file(path, e))?;
            roots.add(certificate).map_err(|e| problems::ca_file(path, e))?;
        }
        if roots.is_empty() {
            return Err(problems::ca_file(path, "it holds no certificate").into());
        }
    } else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Takes any certificate, but checks that the handshake was signed with it.
#[derive(Debug)]
struct Unverified(rustls::crypto::WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

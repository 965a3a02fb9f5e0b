//! Whom to trust: the pinned CA alone where there is one, else the system's roots and the public ones.

use anyhow::{Context, Result, bail};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsConnector;

/// Where systems keep their roots; `SSL_CERT_FILE` outranks them.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

pub fn connector(pinned: Option<&Path>) -> Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    match pinned {
        Some(path) => {
            for certificate in read(path)? {
                roots
                    .add(certificate)
                    .with_context(|| format!("a certificate in {} cannot be used", path.display()))?;
            }
        }
        None => {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            if let Some(path) = system_roots() {
                // Public bundles hold certificates that rustls cannot use; the others still count.
                roots.add_parsable_certificates(read(&path).unwrap_or_default());
            }
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn system_roots() -> Option<PathBuf> {
    let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    named.into_iter().chain(SYSTEM_ROOTS.map(PathBuf::from)).find(|p| p.exists())
}

/// The certificates of a PEM file; an error where there is none.
pub fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let pem = std::fs::read(path).with_context(|| format!("cannot read the certificates in {}", path.display()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let found = found.with_context(|| format!("{} is no PEM file of certificates", path.display()))?;
    if found.is_empty() {
        bail!("{} holds no certificate", path.display());
    }
    Ok(found)
}

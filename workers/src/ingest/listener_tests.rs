//! Which TLS is spoken, by the bytes of a first message: rustls itself could not ask for what is refused here.

use super::{accept, tls};
use clarity_runtime::telemetry;
use clarity_testkit::{Log, wait_until};
use rustls::{ContentType, ServerConnection};
use rustls_pki_types::PrivateKeyDer;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

const TLS_1_2: u16 = 0x0303;
/// TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
const GOOD: u16 = 0xc02b;

fn config() -> Arc<rustls::ServerConfig> {
    let key = rcgen::KeyPair::generate().unwrap();
    let cert = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap().self_signed(&key).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    Arc::new(tls(vec![cert.der().clone()], key).unwrap())
}

/// A ClientHello of a version with one suite, P-256 and ECDSA with SHA-256.
fn hello(version: u16, suite: u16) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    // No session, one suite, no compression.
    body.extend([0, 0, 2]);
    body.extend(suite.to_be_bytes());
    body.extend([1, 0]);
    let extensions = [0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 4, 0, 2, 4, 3];
    body.extend([0, extensions.len() as u8]);
    body.extend(extensions);
    let mut record = vec![22, 3, 1, 0, body.len() as u8 + 4, 1, 0, 0, body.len() as u8];
    record.extend(body);
    record
}

/// Of the first record of the answer: its kind, and of an alert what it says.
fn answer(config: &Arc<rustls::ServerConfig>, mut first: &[u8]) -> (ContentType, Option<u8>) {
    let mut server = ServerConnection::new(config.clone()).unwrap();
    server.read_tls(&mut first).unwrap();
    let refused = server.process_new_packets().is_err();
    let mut written = Vec::new();
    server.write_tls(&mut written).unwrap();
    (ContentType::from(written[0]), refused.then(|| written[6]))
}

#[test]
fn older_versions_of_tls_are_refused() {
    let config = config();
    assert_eq!(answer(&config, &hello(TLS_1_2, GOOD)), (ContentType::Handshake, None), "TLS 1.2 is spoken");
    // SSL 3.0, TLS 1.0, TLS 1.1
    for version in [0x0300, 0x0301, 0x0302] {
        let protocol_version = Some(70);
        assert_eq!(answer(&config, &hello(version, GOOD)), (ContentType::Alert, protocol_version), "{version:#06x}");
    }
}

#[test]
fn only_suites_with_forward_secrecy_and_authenticated_encryption_are_spoken() {
    let config = config();
    // ChaCha20-Poly1305 and AES-256-GCM, with ECDHE.
    for suite in [GOOD, 0xc02c, 0xcca9] {
        assert_eq!(answer(&config, &hello(TLS_1_2, suite)), (ContentType::Handshake, None), "{suite:#06x}");
    }
    // Without encryption, RC4, 3DES, AES-CBC with RSA, with DHE and with ECDHE, AES-GCM without forward secrecy, anonymous.
    for suite in [0x003b, 0x0005, 0x000a, 0x002f, 0x0067, 0xc009, 0xc023, 0x009c, 0xc018] {
        let handshake_failure = Some(40);
        assert_eq!(answer(&config, &hello(TLS_1_2, suite)), (ContentType::Alert, handshake_failure), "{suite:#06x}");
    }
    let known: Vec<String> =
        config.crypto_provider().cipher_suites.iter().map(|suite| format!("{:?}", suite.suite())).collect();
    let modern = |name: &String| name.starts_with("TLS13_") || name.starts_with("TLS_ECDHE_");
    let sealed = |name: &String| name.contains("_GCM_") || name.contains("_CHACHA20_POLY1305_");
    assert!(known.len() >= 9 && known.iter().all(|name| modern(name) && sealed(name)), "{known:?}");
}

#[tokio::test]
async fn a_failed_handshake_is_in_the_log_and_a_thousand_do_not_fill_it() {
    let log = Log::default();
    let kept = log.clone();
    let _guard = tracing::subscriber::set_default(telemetry::text("info".into(), move || kept.clone()));
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let (ready, mut accepted) = mpsc::channel(1);
    tokio::spawn(accept(tcp, Some(TlsAcceptor::from(config())), ready));
    for _ in 0..40 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&hello(0x0301, GOOD)).await.unwrap();
        let mut said = Vec::new();
        // An alert and the end, or the end alone.
        let _ = stream.read_to_end(&mut said).await;
    }
    let lines = || log.text().matches("TLS handshake failed").count();
    wait_until("they are written down", Duration::from_secs(10), || async { lines() >= 30 }).await;
    assert!(lines() < 40 && log.text().contains("WARN") && log.text().contains("127.0.0.1"), "{}", log.text());
    assert!(accepted.try_recv().is_err(), "none of them came in");
}

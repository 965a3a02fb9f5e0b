//! The way to the server: TLS against a pinned CA, a proxy that wants credentials.

use clarity_agent::uplink::dial::Server;
use clarity_agent::uplink::proxy::Proxy;
use rustls_pki_types::PrivateKeyDer;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A TLS WebSocket server for `localhost`, and the PEM of its CA.
async fn secure_server(dir: &std::path::Path) -> (u16, PathBuf) {
    let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca = rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, &ca).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let stream = acceptor.accept(stream).await.ok()?;
                let socket = tokio_tungstenite::accept_async(stream).await.ok()?;
                drop(socket);
                Some(())
            });
        }
    });
    let path = dir.join("ca.pem");
    std::fs::write(&path, ca.pem()).unwrap();
    (port, path)
}

/// A proxy that tunnels for `user:pa:ss` only.
async fn proxy() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let (mut target, mut allowed) = (String::new(), false);
                loop {
                    let mut line = String::new();
                    stream.read_line(&mut line).await.unwrap();
                    if let Some(rest) = line.strip_prefix("CONNECT ") {
                        target = rest.split(' ').next().unwrap().to_owned();
                    }
                    allowed |= line.trim_end() == "Proxy-Authorization: Basic dXNlcjpwYTpzcw==";
                    if line == "\r\n" {
                        break;
                    }
                }
                if !allowed {
                    stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await.unwrap();
                    return;
                }
                let mut onward = TcpStream::connect(target).await.unwrap();
                // Answer and the server's first bytes in one piece: the client may not swallow what follows.
                let mut first = [0; 5];
                onward.read_exact(&mut first).await.unwrap();
                stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\nhello").await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn only_the_pinned_ca_is_trusted() {
    let dir = tempfile::tempdir().unwrap();
    let (port, ca) = secure_server(dir.path()).await;
    let server = Server::parse(&format!("wss://localhost:{port}")).unwrap();
    assert!(server.connect(Some(&ca)).await.is_ok());
    let words = format!("{:#}", server.connect(None).await.err().expect("an unknown CA is refused"));
    assert!(words.contains("--ca"), "{words}");
    let other = tempfile::tempdir().unwrap();
    let (_, other_ca) = secure_server(other.path()).await;
    let words = format!("{:#}", server.connect(Some(&other_ca)).await.err().expect("another CA is refused"));
    assert!(words.contains("pinned CA"), "{words}");
}

#[tokio::test]
async fn a_proxy_is_passed_with_credentials_and_without_swallowing_a_byte() {
    let greeter = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = greeter.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = greeter.accept().await {
            stream.write_all(b"hello world").await.unwrap();
        }
    });
    let proxy = proxy().await;
    let good = Proxy::parse(&format!("http://user:pa%3Ass@{proxy}")).unwrap();
    let mut stream = good.connect("127.0.0.1", port).await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    assert_eq!(said, "hello world");
    let without = Proxy::parse(&format!("http://{proxy}")).unwrap();
    let words = without.connect("127.0.0.1", port).await.unwrap_err().to_string();
    assert!(words.contains("407") && words.contains("HTTPS_PROXY"), "{words}");
}

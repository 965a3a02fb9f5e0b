//! Where a message ends, over a real connection: nobody hides one request in another.

use std::net::SocketAddr;
use std::time::Duration;

use crate::stage::{PASSWORD, Stage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Serves the stage as the server does.
async fn serve(stage: &Stage) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = stage.router.clone().into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    address
}

/// All that is answered until the server closes the connection.
async fn answers(address: SocketAddr, request: &str) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    let mut piece = [0; 4096];
    let read = async {
        // A connection that is reset is closed as well.
        while let Ok(count @ 1..) = socket.read(&mut piece).await {
            all.extend_from_slice(&piece[..count]);
        }
    };
    timeout(Duration::from_secs(10), read).await.expect("the connection is closed");
    String::from_utf8_lossy(&all).into_owned()
}

#[tokio::test]
async fn a_message_whose_end_is_in_doubt_is_refused_and_nothing_after_it_is_read() {
    let stage = Stage::new().await;
    let address = serve(&stage).await;
    let hidden = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    for (what, head) in [
        (
            "two lengths",
            "POST /api/session/sign_in HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\ncontent-length: 40\r\n\r\n",
        ),
        ("a list of lengths", "POST /api/session/sign_in HTTP/1.1\r\nhost: x\r\ncontent-length: 0, 40\r\n\r\n"),
        ("a signed length", "POST /api/session/sign_in HTTP/1.1\r\nhost: x\r\ncontent-length: +0\r\n\r\n"),
        ("an unknown coding", "POST /api/session/sign_in HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n"),
        (
            "chunks not last",
            "POST /api/session/sign_in HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, identity\r\n\r\n",
        ),
        ("chunks in HTTP/1.0", "POST /api/session/sign_in HTTP/1.0\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"),
        ("a space in a name", "POST /api/session/sign_in HTTP/1.1\r\nhost: x\r\ncontent-length : 0\r\n\r\n"),
    ] {
        let answered = answers(address, &format!("{head}{hidden}")).await;
        assert!(answered.starts_with("HTTP/1.1 400") || answered.starts_with("HTTP/1.0 400"), "{what}: {answered}");
        assert_eq!(answered.matches("HTTP/1.").count(), 1, "{what}: {answered}");
    }
}

/// As RFC 9112 says: the chunks count, the length does not, and the connection ends.
#[tokio::test]
async fn with_chunks_and_a_length_the_chunks_count_and_nothing_follows() {
    let stage = Stage::new().await;
    stage.sign_up("Nordmark", "maja@nordmark.example").await;
    let address = serve(&stage).await;
    let form = format!("email=maja%40nordmark.example&password={}", PASSWORD.replace(' ', "+"));
    let hidden = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    for lengths in
        ["content-length: 3\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 3"]
    {
        let request = format!(
            "POST /api/session/sign_in HTTP/1.1\r\nhost: localhost:8080\r\nsec-fetch-site: same-origin\r\n\
             accept: text/html\r\ncontent-type: application/x-www-form-urlencoded\r\n{lengths}\r\n\r\n\
             {:x}\r\n{form}\r\n0\r\n\r\n{hidden}",
            form.len()
        );
        let answered = answers(address, &request).await;
        assert!(answered.starts_with("HTTP/1.1 302"), "the whole form was read: {answered}");
        assert_eq!(answered.matches("HTTP/1.").count(), 1, "{lengths}: {answered}");
    }
}

//! Requests to addresses that a tenant named: hundreds of ways to point inside, none of which gets there, and what comes of
//! a server that does not behave.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clarity_service::{Outgoing, OutgoingError, OutgoingSettings};
use hickory_resolver::proto::rr::RecordType;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::name_server::{Answer, NameServer};

/// Listens and counts who comes.
struct Trap {
    port: u16,
    came: Arc<AtomicUsize>,
}

impl Trap {
    /// On a port that requests may go to where there is one to have.
    async fn set() -> Self {
        let wanted = ["[::]:8443", "0.0.0.0:8443", "127.0.0.1:8443", "0.0.0.0:0"];
        for at in wanted {
            if let Ok(listener) = TcpListener::bind(at).await {
                return Self::on(listener);
            }
        }
        panic!("no port to listen on");
    }

    fn on(listener: TcpListener) -> Self {
        let port = listener.local_addr().expect("an address").port();
        let came = Arc::new(AtomicUsize::new(0));
        let counter = came.clone();
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { port, came }
    }

    fn came(&self) -> usize {
        self.came.load(Ordering::SeqCst)
    }
}

fn outgoing(allow: &[SocketAddr], names: &NameServer) -> Outgoing {
    reaching(allow, &[], names)
}

fn reaching(allow: &[SocketAddr], hosts: &[&str], names: &NameServer) -> Outgoing {
    let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
    let settings = OutgoingSettings { allow: allow.to_vec(), hosts, resolver: Some(names.address) };
    Outgoing::new(&settings).expect("outgoing")
}

async fn get(outgoing: &Outgoing, url: &str) -> Result<http::Response<Vec<u8>>, OutgoingError> {
    let Ok(request) = http::Request::get(url).body(Vec::new()) else { return Err(OutgoingError::NoAddress) };
    outgoing.send(request).await
}

/// Ranges that are not public, with their first and last addresses.
const RANGES: [(&str, &str); 17] = [
    ("0.0.0.0", "0.255.255.255"),
    ("10.0.0.0", "10.255.255.255"),
    ("100.64.0.0", "100.127.255.255"),
    ("127.0.0.1", "127.255.255.254"),
    ("168.63.129.16", "168.63.129.16"),
    ("169.254.0.0", "169.254.255.255"),
    ("169.254.169.254", "169.254.169.254"),
    ("172.16.0.0", "172.31.255.255"),
    ("192.0.0.0", "192.0.0.255"),
    ("192.0.2.0", "192.0.2.255"),
    ("192.88.99.0", "192.88.99.255"),
    ("192.168.0.0", "192.168.255.255"),
    ("198.18.0.0", "198.19.255.255"),
    ("198.51.100.0", "198.51.100.255"),
    ("203.0.113.0", "203.0.113.255"),
    ("224.0.0.0", "239.255.255.255"),
    ("240.0.0.0", "255.255.255.255"),
];

/// Every way that an address can be written as a host, and every IPv6 address that holds it.
fn written(ip: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = ip.octets();
    let (whole, low, half) = (u32::from(ip), u32::from_be_bytes([0, b, c, d]), u32::from_be_bytes([0, 0, c, d]));
    let (high, rest) = (whole >> 16, whole & 0xffff);
    vec![
        format!("{a}.{b}.{c}.{d}"),
        format!("{a}.{b}.{c}.{d}."),
        whole.to_string(),
        format!("0{whole:o}"),
        format!("0x{whole:x}"),
        format!("0X{whole:08X}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
        format!("{a}.{low}"),
        format!("{a}.{b}.{half}"),
        format!("0x{a:x}.{b}.0{half:o}"),
        format!("[::ffff:{a}.{b}.{c}.{d}]"),
        format!("[::ffff:{high:x}:{rest:x}]"),
        format!("[0:0:0:0:0:ffff:{high:04x}:{rest:04x}]"),
        format!("[::{a}.{b}.{c}.{d}]"),
        format!("[64:ff9b::{a}.{b}.{c}.{d}]"),
        format!("[64:ff9b:1::{high:x}:{rest:x}]"),
        format!("[2002:{high:x}:{rest:x}::1]"),
        format!("[2001:0:{high:x}:{rest:x}::1]"),
    ]
}

/// Hosts that lead inside by themselves, without a name server.
fn literals() -> Vec<String> {
    let mut all = Vec::new();
    for (first, last) in RANGES {
        let (first, last): (Ipv4Addr, Ipv4Addr) = (first.parse().expect("one"), last.parse().expect("one"));
        let middle = Ipv4Addr::from(u32::from(first) + (u32::from(last) - u32::from(first)) / 2);
        for ip in [first, middle, last] {
            all.extend(written(ip));
        }
    }
    for six in
        ["::", "::1", "fc00::1", "fd00:ec2::254", "fdff::1", "fe80::1", "febf::1", "fec0::1", "ff02::1", "100::1"]
    {
        all.push(format!("[{six}]"));
    }
    for six in ["2001::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "3fff::1", "4000::1", "5f00::1"] {
        all.push(format!("[{six}]"));
    }
    all.sort();
    all.dedup();
    all
}

#[tokio::test]
async fn no_way_of_writing_an_address_leads_inside() {
    let trap = Trap::set().await;
    let names = NameServer::start().await;
    let outgoing = outgoing(&[], &names);
    let mut tried = 0;
    for host in literals() {
        for place in [String::new(), ":443".into(), ":8443".into(), format!(":{}", trap.port)] {
            let url = format!("https://{host}{place}/.well-known/openid-configuration");
            let refused = get(&outgoing, &url).await.expect_err(&url);
            assert!(matches!(refused, OutgoingError::NotPublic { .. }), "{url}: {refused:?}");
            tried += 1;
        }
        // Another scheme, another port, somebody's name before it.
        for url in [
            format!("http://{host}/"),
            format!("http://{host}:{}/", trap.port),
            format!("https://{host}:22/"),
            format!("https://auth.example.com@{host}/"),
            format!("https://auth.example.com:443@{host}:{}/", trap.port),
        ] {
            get(&outgoing, &url).await.expect_err(&url);
            tried += 1;
        }
    }
    assert!(tried > 5_000, "{tried}");
    assert_eq!(trap.came(), 0, "of {tried}");
    assert_eq!(names.asked("auth.example.com", RecordType::A), 0, "what stands before an @ is no host");
    // The trap does catch.
    drop(TcpStream::connect(("127.0.0.1", trap.port)).await.expect("connected"));
    let until = Instant::now() + Duration::from_secs(5);
    while trap.came() == 0 && Instant::now() < until {
        tokio::task::yield_now().await;
    }
    assert_eq!(trap.came(), 1);
}

#[tokio::test]
async fn no_name_leads_inside() {
    let trap = Trap::on(TcpListener::bind("127.0.0.1:0").await.expect("a port"));
    let names = NameServer::start().await;
    let allowed: SocketAddr = SocketAddr::from(([127, 0, 0, 77], trap.port));
    let outgoing = outgoing(&[allowed], &names);
    let mut tricks: Vec<(String, Vec<Answer>)> = Vec::new();
    for (n, (first, last)) in RANGES.into_iter().enumerate() {
        tricks.push((format!("first{n}.evil.example"), vec![Answer::at(&[first])]));
        tricks.push((format!("last{n}.evil.example"), vec![Answer::at(&[last])]));
        // Public ones beside it help nobody, whatever their order.
        tricks.push((format!("mixed{n}.evil.example"), vec![Answer::at(&["93.184.216.34", first])]));
        tricks.push((format!("turned{n}.evil.example"), vec![Answer::at(&[last, "93.184.216.34"])]));
        tricks.push((format!("both{n}.evil.example"), vec![Answer::at(&["2606:4700::1111", first])]));
        tricks.push((format!("six{n}.evil.example"), vec![Answer::at(&[format!("::ffff:{last}").as_str()])]));
    }
    for (n, six) in
        ["::1", "fd00::1", "fe80::1", "64:ff9b::7f00:1", "2002:7f00:1::1", "2001:0:7f00:1::1"].into_iter().enumerate()
    {
        tricks.push((format!("only{n}.evil.example"), vec![Answer::at(&[six])]));
        tricks.push((format!("beside{n}.evil.example"), vec![Answer::at(&["93.184.216.34", six])]));
    }
    // An allowed address helps only by itself, and at its own port.
    tricks.push(("allowed.evil.example".into(), vec![Answer::at(&["127.0.0.77", "127.0.0.1"])]));
    for (name, answers) in &tricks {
        names.say(name, answers.clone());
        for url in [
            format!("https://{name}/"),
            format!("https://{name}:{}/", trap.port),
            format!("http://{name}:{}/", trap.port),
        ] {
            let refused = get(&outgoing, &url).await.expect_err(&url);
            assert!(
                matches!(refused, OutgoingError::NotPublic { .. } | OutgoingError::NotHttps | OutgoingError::Port(_)),
                "{url}: {refused:?}"
            );
        }
    }
    names.say("port.evil.example", vec![Answer::at(&["127.0.0.77"])]);
    let other_port = get(&outgoing, "http://port.evil.example:22/").await.unwrap_err();
    assert!(matches!(other_port, OutgoingError::NotPublic { .. }), "{other_port:?}");
    for name in ["localhost", "a.localhost", "LOCALHOST."] {
        let refused = get(&outgoing, &format!("https://{name}:{}/", trap.port)).await.unwrap_err();
        assert!(matches!(refused, OutgoingError::NotPublic { .. }), "{name}: {refused:?}");
    }
    assert_eq!(trap.came(), 0, "of {} names", tricks.len());
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_the_connection_goes_where_it_was_looked_at() {
    let site = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = site.local_addr().expect("an address");
    tokio::spawn(serve(site));
    let trap = Trap::on(TcpListener::bind(("127.0.0.2", at.port())).await.expect("the same port"));
    let names = NameServer::start().await;
    let outgoing = outgoing(&[at], &names);
    // Looked at as one address, connected to as another: the old trick.
    names.say("turns.example", vec![Answer::at(&["127.0.0.1"]), Answer::at(&["127.0.0.2"])]);
    let url = format!("http://turns.example:{}/ok", at.port());
    assert_eq!(get(&outgoing, &url).await.expect("answered").body(), b"fine");
    assert_eq!(names.asked("turns.example", RecordType::A), 1);
    // The next request looks again, and is refused.
    let refused = get(&outgoing, &url).await.unwrap_err();
    let OutgoingError::NotPublic { host, address, .. } = &refused else { panic!("{refused:?}") };
    assert_eq!((host.as_str(), address.to_string().as_str()), ("turns.example", "127.0.0.2"));
    assert!(refused.to_string().starts_with("turns.example points into the server itself (127.0.0.2)."), "{refused}");
    assert_eq!(trap.came(), 0);
}

#[tokio::test]
async fn where_an_operator_lists_hosts_no_other_is_asked() {
    let site = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = site.local_addr().expect("an address");
    tokio::spawn(serve(site));
    let names = NameServer::start().await;
    let listed = reaching(&[], &[" Nobody.Example ", "192.0.2.7"], &names);
    let unknown = OutgoingError::UnknownName("nobody.example".into());
    assert_eq!(get(&listed, "https://nobody.example/").await.unwrap_err(), unknown, "it is looked up as ever");
    let documents = get(&listed, "https://192.0.2.7/").await.unwrap_err();
    assert!(matches!(documents, OutgoingError::NotPublic { .. }), "a list opens nothing: {documents:?}");
    // Neither asked nor looked up: these names would be answered by a failure.
    for other in ["failure.example", "a.nobody.example", "nobody.example.failure.example", "9.9.9.9"] {
        let refused = get(&listed, &format!("https://{other}/")).await.unwrap_err();
        assert_eq!(refused, OutgoingError::NotListed(other.into()));
    }
    // What is allowed by its exact address is beside the list.
    let allowed = reaching(&[at], &["nobody.example"], &names);
    assert_eq!(get(&allowed, &format!("http://{at}/ok")).await.expect("answered").status().as_u16(), 200);
    assert_eq!(get(&allowed, "https://9.9.9.9/").await.unwrap_err(), OutgoingError::NotListed("9.9.9.9".into()));
}

#[tokio::test]
async fn what_an_operator_allows_is_reached_and_an_answer_is_bounded() {
    let site = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = site.local_addr().expect("an address");
    tokio::spawn(serve(site));
    let names = NameServer::start().await;
    let outgoing = outgoing(&[at], &names);
    let to = |path: &str| format!("http://{at}/{path}");

    let answer = get(&outgoing, &to("ok")).await.expect("answered");
    assert_eq!((answer.status().as_u16(), answer.body().as_slice()), (200, b"fine".as_slice()));
    // No success is an answer too, with its body.
    let answer = get(&outgoing, &to("gone")).await.expect("answered");
    assert_eq!((answer.status().as_u16(), answer.body().as_slice()), (404, b"none".as_slice()));
    // What was compressed stays so: nothing small becomes large here.
    let answer = get(&outgoing, &to("packed")).await.expect("answered");
    assert_eq!((answer.headers()["content-encoding"].to_str().unwrap(), answer.body().len()), ("gzip", 4));

    let post = http::Request::post(to("head"))
        .header("host", "metadata.internal")
        .header("content-type", "application/json")
        .body(b"{}".to_vec())
        .unwrap();
    let head = String::from_utf8(outgoing.send(post).await.expect("answered").into_body()).unwrap().to_lowercase();
    assert!(head.starts_with("post /head http/1.1"), "{head}");
    assert!(head.contains(&format!("host: {at}")) && !head.contains("metadata.internal"), "{head}");
    assert!(head.contains("user-agent: claritystream/") && head.contains("content-type: application/json"), "{head}");
    for none in ["cookie:", "referer:", "accept-encoding:", "authorization:", "proxy"] {
        assert!(!head.contains(none), "{none} in {head}");
    }

    for path in ["redirect/301", "redirect/302", "redirect/303", "redirect/307", "redirect/308"] {
        let refused = get(&outgoing, &to(path)).await.unwrap_err();
        assert!(matches!(refused, OutgoingError::Redirected { .. }), "{path}: {refused:?}");
        assert!(refused.to_string().contains("Give the final address"), "{refused}");
    }
    for path in ["large", "endless"] {
        let refused = get(&outgoing, &to(path)).await.unwrap_err();
        assert_eq!(refused, OutgoingError::TooLarge { host: "127.0.0.1".into(), most_kib: 64 }, "{path}");
    }
    let large = http::Request::get(to("large")).body(Vec::new()).unwrap();
    assert_eq!(outgoing.send_for(large, 128 << 10).await.expect("answered").body().len(), 70_000);
    let endless = http::Request::get(to("endless")).body(Vec::new()).unwrap();
    let refused = outgoing.send_for(endless, usize::MAX).await.unwrap_err();
    assert_eq!(refused, OutgoingError::TooLarge { host: "127.0.0.1".into(), most_kib: 256 });

    let began = Instant::now();
    for slow in ["slow", "silent"] {
        let refused = get(&outgoing, &to(slow)).await.unwrap_err();
        assert_eq!(refused, OutgoingError::Slow("127.0.0.1".into()), "{slow}");
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!(get(&outgoing, &to("broken")).await.unwrap_err(), OutgoingError::Broken("127.0.0.1".into()));
    // Plain text where a secure connection was asked for.
    let refused = get(&outgoing, &format!("https://{at}/ok")).await.unwrap_err();
    assert_eq!(refused, OutgoingError::Tls("127.0.0.1".into()));
}

#[tokio::test]
async fn what_dns_says_is_said_in_words() {
    let names = NameServer::start().await;
    let outgoing = outgoing(&[], &names);
    names.say("failure.example", vec![Answer::Failure]);
    names.say("silence.example", vec![Answer::Silence]);
    names.say("bare.example", vec![Answer::Addresses(Vec::new())]);
    for (name, error) in [
        ("nobody.example", OutgoingError::UnknownName("nobody.example".into())),
        ("bare.example", OutgoingError::UnknownName("bare.example".into())),
        ("failure.example", OutgoingError::NamesFailed("failure.example".into())),
        ("silence.example", OutgoingError::NamesSlow("silence.example".into())),
    ] {
        assert_eq!(get(&outgoing, &format!("https://{name}/")).await.unwrap_err(), error);
    }
    // Nobody listens where an operator said there is a host.
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    let allowing = self::outgoing(&[closed], &names);
    let refused = get(&allowing, &format!("http://{closed}/")).await.unwrap_err();
    assert_eq!(refused, OutgoingError::Unreachable("127.0.0.1".into()));
}

/// A server that behaves as the path says.
async fn serve(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            // Whoever asked may be gone before the end.
            let _ = answer(stream).await;
        });
    }
}

async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut part = [0; 1024];
        let length = stream.read(&mut part).await?;
        if length == 0 {
            return Ok(());
        }
        head.extend_from_slice(&part[..length]);
        // Not the beginning of a request: somebody speaks TLS.
        if !head[0].is_ascii_alphabetic() {
            break;
        }
    }
    respond(&mut stream, &String::from_utf8_lossy(&head)).await?;
    // Closed with something unread, the connection would be torn down, and the answer with it.
    stream.shutdown().await?;
    while stream.read(&mut [0; 1024]).await? > 0 {}
    Ok(())
}

async fn respond(stream: &mut TcpStream, text: &str) -> std::io::Result<()> {
    let path = text.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
    let whole = |status: &str, headers: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}connection: close\r\n\r\n{body}", body.len())
    };
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    match path.split_once('/').unwrap_or((path, "")) {
        ("ok", _) => stream.write_all(whole("200 OK", "", "fine").as_bytes()).await,
        ("gone", _) => stream.write_all(whole("404 Not Found", "", "none").as_bytes()).await,
        ("packed", _) => stream.write_all(whole("200 OK", "content-encoding: gzip\r\n", "????").as_bytes()).await,
        ("head", _) => stream.write_all(whole("200 OK", "", text).as_bytes()).await,
        ("large", _) => stream.write_all(whole("200 OK", "", &"x".repeat(70_000)).as_bytes()).await,
        ("redirect", status) => {
            let headers = "location: http://169.254.169.254/latest/meta-data/\r\n";
            stream.write_all(whole(&format!("{status} Moved"), headers, "").as_bytes()).await
        }
        ("endless", _) => {
            stream.write_all(chunked.as_bytes()).await?;
            loop {
                stream.write_all(format!("400\r\n{}\r\n", "x".repeat(1024)).as_bytes()).await?;
            }
        }
        ("slow", _) => {
            stream.write_all(chunked.as_bytes()).await?;
            loop {
                stream.write_all(b"1\r\nx\r\n").await?;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        ("broken", _) => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nten bytes.").await,
        ("silent", _) => std::future::pending().await,
        _ => stream.write_all(whole("400 Bad Request", "", "").as_bytes()).await,
    }
}

//! A name server on this machine: answers as a test says, and counts what it was asked.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::TXT;
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

#[derive(Clone, Debug)]
pub enum Answer {
    Addresses(Vec<IpAddr>),
    /// Records, each of its parts.
    Texts(Vec<Vec<String>>),
    /// There is no such name.
    Nothing,
    Failure,
    Silence,
}

impl Answer {
    pub fn at(addresses: &[&str]) -> Self {
        Self::Addresses(addresses.iter().map(|text| text.parse().expect("an address")).collect())
    }

    pub fn text(text: &str) -> Self {
        Self::Texts(vec![vec![text.to_owned()]])
    }
}

#[derive(Default)]
struct Known {
    /// The n-th question for a name gets the n-th answer, and the last one from then on.
    answers: HashMap<String, Vec<Answer>>,
    asked: HashMap<(String, RecordType), usize>,
}

pub struct NameServer {
    pub address: SocketAddr,
    known: Arc<Mutex<Known>>,
    serving: JoinHandle<()>,
}

impl NameServer {
    pub async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        let address = socket.local_addr().expect("an address");
        let known = Arc::new(Mutex::new(Known::default()));
        let serving = tokio::spawn(serve(socket, known.clone()));
        Self { address, known, serving }
    }

    /// From now on; in order, when there are more answers than one.
    pub fn say(&self, name: &str, answers: Vec<Answer>) {
        let mut known = self.known.lock().expect("not poisoned");
        known.answers.insert(name.to_owned(), answers);
        known.asked.retain(|(of, _), _| of != name);
    }

    pub fn asked(&self, name: &str, kind: RecordType) -> usize {
        let known = self.known.lock().expect("not poisoned");
        known.asked.get(&(name.to_owned(), kind)).copied().unwrap_or_default()
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(socket: UdpSocket, known: Arc<Mutex<Known>>) {
    let mut bytes = [0; 4096];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut bytes).await else { continue };
        let Some(answer) = Message::from_vec(&bytes[..length]).ok().and_then(|asked| reply(&asked, &known)) else {
            continue;
        };
        let bytes = answer.to_vec().expect("a message");
        socket.send_to(&bytes, from).await.expect("sent");
    }
}

fn reply(asked: &Message, known: &Mutex<Known>) -> Option<Message> {
    let query = asked.queries.first()?.clone();
    let name = query.name().to_ascii().trim_end_matches('.').to_ascii_lowercase();
    let kind = query.query_type();
    let answer = {
        let mut known = known.lock().expect("not poisoned");
        let count = known.asked.entry((name.clone(), kind)).or_default();
        let place = *count;
        *count += 1;
        let answers = known.answers.get(&name);
        answers.and_then(|all| all.get(place).or(all.last())).cloned().unwrap_or(Answer::Nothing)
    };
    let mut message = Message::response(asked.metadata.id, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.metadata.recursion_available = true;
    let owner = query.name().clone();
    message.add_query(query);
    let records: Vec<RData> = match answer {
        Answer::Silence => return None,
        Answer::Nothing => {
            message.metadata.response_code = ResponseCode::NXDomain;
            Vec::new()
        }
        Answer::Failure => {
            message.metadata.response_code = ResponseCode::ServFail;
            Vec::new()
        }
        Answer::Addresses(all) => {
            let wanted = all.into_iter().filter(|ip| ip.is_ipv4() == (kind == RecordType::A));
            wanted.filter(|_| matches!(kind, RecordType::A | RecordType::AAAA)).map(RData::from).collect()
        }
        Answer::Texts(all) if kind == RecordType::TXT => {
            all.into_iter().map(|parts| RData::TXT(TXT::new(parts))).collect()
        }
        Answer::Texts(_) => Vec::new(),
    };
    message.add_answers(records.into_iter().map(|data| Record::from_rdata(owner.clone(), 60, data)));
    Some(message)
}

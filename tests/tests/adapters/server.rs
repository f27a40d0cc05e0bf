//! The emulator, and a server whose answers are scripted.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use async_tungstenite::accept_async;
use async_tungstenite::tungstenite::protocol::{CloseFrame, Message};
use futures_util::{AsyncWriteExt as _, StreamExt};
use serde_json::{Value, json};
use talk_client::TalkOptions;
use talk_emulator::{Emulator, EmulatorBuilder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_util::compat::TokioAsyncReadCompatExt;

use super::adapter::servers;

/// A request that arrived over a socket.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) connection: usize,
    pub(crate) seq: u64,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) data: Value,
}

/// The scripted reaction to a request.
pub(crate) enum Answer {
    /// Answers 200 with this body.
    Ok(Value),
    /// Answers another status with an error code.
    Refuse(u16, &'static str),
    /// Answers nothing until [`Server::release`], which sends this body.
    Hold(Value),
    /// Drops the connection.
    Drop,
    /// Closes the connection with this code.
    Close(u16),
    /// Drops the connection in the middle of a frame.
    CutShort,
    /// Stops reading from the connection.
    Stall,
}

type Script = dyn Fn(&Request) -> Option<Answer> + Send + Sync;

#[derive(Clone, Debug)]
enum Act {
    Send(String),
    Drop,
    Close(u16),
    CutShort,
    Stall,
}

/// A server that records every connection and request. Dropping it closes the port.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
    task: tokio::task::JoinHandle<()>,
}

struct State {
    script: Box<Script>,
    record: watch::Sender<Record>,
    held: Mutex<Vec<(usize, u64, Value)>>,
    live: Mutex<BTreeMap<usize, mpsc::UnboundedSender<Act>>>,
    /// The status of the app check.
    app_status: u16,
}

#[derive(Clone, Default)]
pub(crate) struct Record {
    pub(crate) requests: Vec<Request>,
    /// The close codes of connections that the client has closed, by connection.
    pub(crate) closed: BTreeMap<usize, Option<u16>>,
    pub(crate) connections: usize,
}

impl Record {
    /// Returns the paths of the requests with this method, in order.
    pub(crate) fn paths(&self, method: &str) -> Vec<&str> {
        let of_method = self.requests.iter().filter(|r| r.method == method);
        of_method.map(|request| request.path.as_str()).collect()
    }

    /// Returns the texts of the sent messages, in order, including repetitions.
    pub(crate) fn texts(&self) -> Vec<String> {
        let sends = self.requests.iter().filter(|r| r.is_send());
        sends
            .map(|r| r.data["content"][0]["children"][0].to_string())
            .map(|text| text.trim_matches('"').to_owned())
            .collect()
    }
}

impl Request {
    pub(crate) fn is_send(&self) -> bool {
        self.method == "POST" && self.path.ends_with("/messages")
    }

    pub(crate) fn is_renewal(&self) -> bool {
        self.path == "/session/renew"
    }
}

impl Server {
    /// Starts a server that answers 200 where the script returns nothing. The body is `{}` or a
    /// minimal one for the request.
    pub(crate) fn start(
        script: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        Self::start_with_app(200, script)
    }

    pub(crate) fn start_with_app(
        app_status: u16,
        script: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        let listener = listen();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            script: Box::new(script),
            record: watch::Sender::new(Record::default()),
            held: Mutex::default(),
            live: Mutex::default(),
            app_status,
        });
        let task = servers().spawn(accept(listener, Arc::clone(&state)));
        Self {
            address,
            state,
            task,
        }
    }

    pub(crate) fn options(&self, user: &str) -> TalkOptions {
        TalkOptions::new("app", user)
            .unwrap()
            .host(&self.address.to_string())
            .token("token")
    }

    /// Returns the record so far.
    pub(crate) fn record(&self) -> Record {
        self.state.record.borrow().clone()
    }

    /// Waits until the record satisfies a condition.
    pub(crate) async fn until(&self, what: impl Fn(&Record) -> bool) -> Record {
        let mut record = self.state.record.subscribe();
        let done = record.wait_for(|record| what(record));
        done.await.unwrap().clone()
    }

    /// Sends the held answers.
    pub(crate) fn release(&self) {
        for (connection, seq, body) in std::mem::take(&mut *self.state.held.lock().unwrap()) {
            self.state
                .act(connection, Act::Send(json!([seq, 200, body]).to_string()));
        }
    }

    /// Drops all connections without a close frame.
    pub(crate) fn drop_connections(&self) {
        for live in self.state.live.lock().unwrap().values() {
            let _ = live.send(Act::Drop);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    fn act(&self, connection: usize, act: Act) {
        if let Some(live) = self.live.lock().unwrap().get(&connection) {
            // The connection may be gone already.
            let _ = live.send(act);
        }
    }

    fn answer(&self, request: &Request) -> Vec<Act> {
        let answer = (self.script)(request).unwrap_or_else(|| Answer::Ok(default_body(request)));
        let Request {
            connection, seq, ..
        } = *request;
        match answer {
            Answer::Ok(body) => vec![Act::Send(json!([seq, 200, body]).to_string())],
            Answer::Refuse(status, code) => {
                let body = json!({ "errorCode": code, "reasons": ["as the script says"] });
                vec![Act::Send(json!([seq, status, body]).to_string())]
            }
            Answer::Hold(body) => {
                self.held.lock().unwrap().push((connection, seq, body));
                vec![]
            }
            Answer::Drop => vec![Act::Drop],
            Answer::Close(code) => vec![Act::Close(code)],
            Answer::CutShort => vec![Act::CutShort],
            Answer::Stall => vec![Act::Stall],
        }
    }
}

/// Returns a proper server's answer to a frame, or `None` for an acknowledgement.
pub(crate) fn answer_well(text: &str) -> Option<String> {
    let request = parse(0, text)?;
    Some(json!([request.seq, 200, default_body(&request)]).to_string())
}

fn default_body(request: &Request) -> Value {
    if request.is_renewal() {
        json!({ "expiresInSeconds": null })
    } else if request.is_send() {
        json!({ "id": format!("msg_{}", request.seq) })
    } else {
        json!({})
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    // Dropping the set ends all connections when the server stops.
    let mut tasks = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        tasks.spawn(serve(stream, Arc::clone(&state)));
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>) {
    let mut head = [0; 4096];
    let length = stream.peek(&mut head).await.unwrap_or(0);
    let is_socket = head[..length]
        .to_ascii_lowercase()
        .windows(18)
        .any(|window| window == b"upgrade: websocket");
    if is_socket {
        serve_socket(stream, &state).await;
    } else {
        let _ = stream.read(&mut head).await;
        let answer = format!(
            "HTTP/1.1 {} X\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}",
            state.app_status
        );
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

async fn serve_socket(stream: TcpStream, state: &State) {
    let Ok(mut socket) = accept_async(stream.compat()).await else {
        return;
    };
    let mut connection = 0;
    state.record.send_modify(|record| {
        connection = record.connections;
        record.connections += 1;
    });
    let (acts, mut next_act) = mpsc::unbounded_channel();
    state.live.lock().unwrap().insert(connection, acts.clone());
    loop {
        tokio::select! {
            Some(act) = next_act.recv() => match act {
                Act::Send(text) => {
                    if socket.send(Message::text(text)).await.is_err() {
                        break;
                    }
                }
                Act::Drop => break,
                Act::Close(code) => {
                    let frame = CloseFrame {
                        code: code.into(),
                        reason: "as the script says".into(),
                    };
                    let _ = socket.close(Some(frame)).await;
                }
                Act::CutShort => {
                    // The header announces a message of 100 bytes, of which one is sent.
                    let _ = socket.into_inner().write_all(&[0x81, 100, b'[']).await;
                    break;
                }
                Act::Stall => std::future::pending().await,
            },
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let request = parse(connection, text.as_str());
                    let Some(request) = request else { continue };
                    let answers = state.answer(&request);
                    state.record.send_modify(|record| record.requests.push(request));
                    for act in answers {
                        let _ = acts.send(act);
                    }
                }
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.map(|frame| frame.code.into());
                    state.record.send_modify(|record| {
                        record.closed.insert(connection, code);
                    });
                    let _ = socket.close(None).await;
                    break;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            },
        }
    }
    state.live.lock().unwrap().remove(&connection);
}

/// Parses a request. Returns `None` for an acknowledgement.
fn parse(connection: usize, text: &str) -> Option<Request> {
    let frame: Value = serde_json::from_str(text).unwrap();
    Some(Request {
        connection,
        seq: frame[0].as_u64()?,
        method: frame[1]
            .as_str()
            .filter(|&method| method != "ACK")?
            .to_owned(),
        path: frame[2].as_str()?.to_owned(),
        data: frame[3].clone(),
    })
}

/// Starts an emulator with the documented defaults.
pub(crate) async fn start_emulator() -> Emulator {
    start_emulator_as(Emulator::builder()).await
}

pub(crate) async fn start_emulator_as(builder: EmulatorBuilder) -> Emulator {
    servers().spawn(builder.start()).await.unwrap().unwrap()
}

/// Listens on a free port of this machine.
pub(crate) fn listen() -> TcpListener {
    listen_on(Ipv4Addr::LOCALHOST.into()).unwrap()
}

/// Listens on a free port of an address. Fails if the machine does not have the address.
pub(crate) fn listen_on(address: IpAddr) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind((address, 0))?;
    listener.set_nonblocking(true)?;
    let _on_servers = servers().enter();
    TcpListener::from_std(listener)
}

//! A server that answers what a test wants and remembers what it was sent.

use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use tungstenite::Message;

/// Listens on a free port for as long as the test runs.
pub(crate) struct Peer {
    pub(crate) host: String,
    requests: Arc<Mutex<Vec<Value>>>,
}

impl Peer {
    /// Answers each request with what `answer` gives for its method and path, and leaves it
    /// without an answer for `None`.
    pub(crate) fn start(answer: fn(&str, &str) -> Option<Value>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let requests = Arc::default();
        let peer = Self {
            host,
            requests: Arc::clone(&requests),
        };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let requests = Arc::clone(&requests);
                thread::spawn(move || serve(stream.unwrap(), answer, &requests));
            }
        });
        peer
    }

    /// The requests so far, as `[METHOD, path, data]`.
    pub(crate) fn requests(&self) -> Vec<Value> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, answer: fn(&str, &str) -> Option<Value>, requests: &Mutex<Vec<Value>>) {
    // What is no WebSocket, such as the check of the app, is not answered.
    let Ok(mut socket) = tungstenite::accept(stream) else {
        return;
    };
    while let Ok(message) = socket.read() {
        let Ok(text) = message.into_text() else {
            continue;
        };
        let Ok(frame) = serde_json::from_str::<Value>(&text) else {
            continue;
        };
        let (Some(method), Some(path)) = (frame[1].as_str(), frame[2].as_str()) else {
            continue;
        };
        requests
            .lock()
            .unwrap()
            .push(json!([method, path, frame[3]]));
        let body = if path == "/session/renew" {
            Some(json!({"expiresInSeconds": null}))
        } else {
            answer(method, path)
        };
        if let Some(body) = body {
            let answer = json!([frame[0], 200, body]).to_string();
            socket.send(Message::text(answer)).unwrap();
        }
    }
}

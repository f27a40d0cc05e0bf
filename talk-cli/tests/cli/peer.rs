//! A server with scripted answers that records the requests.

use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use tungstenite::Message;

/// A server that listens on a free port for as long as the test runs.
pub(crate) struct Peer {
    pub(crate) host: String,
    frames: Arc<Mutex<Vec<Value>>>,
}

/// A function that returns the status and body of the answer to a request.
type Answer = dyn Fn(&str, &str) -> Option<(u16, Value)> + Send + Sync;

impl Peer {
    /// Starts a server that answers each request with the result of `answer` for its method and
    /// path, or not at all for `None`.
    pub(crate) fn start(answer: fn(&str, &str) -> Option<Value>) -> Self {
        Self::start_with_status(move |method, path| Some((200, answer(method, path)?)))
    }

    /// Starts a server whose answers have other statuses than 200.
    pub(crate) fn start_with_status(
        answer: impl Fn(&str, &str) -> Option<(u16, Value)> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let frames = Arc::default();
        let peer = Self {
            host,
            frames: Arc::clone(&frames),
        };
        let answer: Arc<Answer> = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let frames = Arc::clone(&frames);
                let answer = Arc::clone(&answer);
                thread::spawn(move || serve(stream.unwrap(), &*answer, &frames));
            }
        });
        peer
    }

    /// Returns the requests so far, as `[METHOD, path, data, headers]`.
    pub(crate) fn frames(&self) -> Vec<Value> {
        self.frames.lock().unwrap().clone()
    }

    /// Returns the requests so far, as `[METHOD, path, data]`.
    pub(crate) fn requests(&self) -> Vec<Value> {
        let request = |frame: Value| json!([frame[0], frame[1], frame[2]]);
        self.frames().into_iter().map(request).collect()
    }
}

fn serve(stream: TcpStream, answer: &Answer, frames: &Mutex<Vec<Value>>) {
    // Plain HTTP requests, such as the app check, are not answered.
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
        frames
            .lock()
            .unwrap()
            .push(json!([method, path, frame[3], frame[4]]));
        let answer = if path == "/session/renew" {
            Some((200, json!({"expiresInSeconds": null})))
        } else {
            answer(method, path)
        };
        if let Some((status, body)) = answer {
            let answer = json!([frame[0], status, body]).to_string();
            socket.send(Message::text(answer)).unwrap();
        }
    }
}

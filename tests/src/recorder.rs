//! A proxy that records the bytes that clients send to a server.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// The bytes that clients sent, by connection.
type Said = Arc<Mutex<Vec<Vec<u8>>>>;

/// A proxy between clients and a server that records the bytes that the clients send.
#[derive(Debug)]
pub struct Recorder {
    host: String,
    said: Said,
    task: AbortHandle,
}

/// A recorded HTTP request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The request line and the headers.
    pub head: String,
    /// The body, without its transfer encoding.
    pub body: Vec<u8>,
}

impl Recorder {
    /// Starts a proxy in front of the server at `host`.
    ///
    /// # Errors
    ///
    /// If no port is free.
    pub async fn start(host: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let own = listener.local_addr()?.to_string();
        let said = Said::default();
        let task = tokio::spawn(listen(listener, host.to_owned(), Arc::clone(&said)));
        let task = task.abort_handle();
        Ok(Self {
            host: own,
            said,
            task,
        })
    }

    /// Returns the value for a client's `host` option.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the complete HTTP requests so far whose first line begins with `start`. The requests
    /// of a connection are in order.
    ///
    /// # Errors
    ///
    /// If the recorded bytes are not HTTP.
    pub fn requests(&self, start: &str) -> Result<Vec<Recorded>> {
        let mut requests = Vec::new();
        for connection in lock(&self.said).iter() {
            requests.extend(read_all(connection)?);
        }
        requests.retain(|request| request.head.starts_with(start));
        Ok(requests)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(listener: TcpListener, host: String, said: Said) -> io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await?;
        let server = TcpStream::connect(&host).await?;
        let number = {
            let mut said = lock(&said);
            said.push(Vec::new());
            said.len() - 1
        };
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let said = Arc::clone(&said);
        let record = move |bytes: &[u8]| {
            if let Some(said) = lock(&said).get_mut(number) {
                said.extend_from_slice(bytes);
            }
        };
        connections.spawn(pass_on(from_client, to_server, record));
        connections.spawn(pass_on(from_server, to_client, |_| {}));
    }
}

async fn pass_on(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    record: impl Fn(&[u8]),
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer).await? {
            0 => return to.shutdown().await,
            count => {
                record(&buffer[..count]);
                to.write_all(&buffer[..count]).await?;
            }
        }
    }
}

/// Returns the requests of a connection, up to the first incomplete one.
fn read_all(mut said: &[u8]) -> Result<Vec<Recorded>> {
    let mut requests = Vec::new();
    while let Some((request, rest)) = read_one(said)? {
        // After an upgrade, the connection carries frames instead of requests.
        let is_upgrade = header(&request.head, "upgrade").is_some();
        requests.push(request);
        if is_upgrade {
            break;
        }
        said = rest;
    }
    Ok(requests)
}

fn read_one(said: &[u8]) -> Result<Option<(Recorded, &[u8])>> {
    let Some(end) = find(said, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&said[..end])?.to_owned();
    let rest = &said[end + 4..];
    let is_chunked = header(&head, "transfer-encoding").is_some();
    let body = if is_chunked {
        read_chunks(rest)?
    } else {
        let length = match header(&head, "content-length") {
            Some(length) => length.parse()?,
            None => 0,
        };
        rest.split_at_checked(length)
            .map(|(body, rest)| (body.to_vec(), rest))
    };
    Ok(body.map(|(body, rest)| (Recorded { head, body }, rest)))
}

fn read_chunks(mut said: &[u8]) -> Result<Option<(Vec<u8>, &[u8])>> {
    let mut body = Vec::new();
    loop {
        let Some(end) = find(said, b"\r\n") else {
            return Ok(None);
        };
        let length = usize::from_str_radix(std::str::from_utf8(&said[..end])?, 16)?;
        let Some((chunk, rest)) = said[end + 2..].split_at_checked(length + 2) else {
            return Ok(None);
        };
        said = rest;
        if length == 0 {
            return Ok(Some((body, said)));
        }
        body.extend_from_slice(&chunk[..length]);
    }
}

impl Recorded {
    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// Returns the body of a form, with its boundary replaced by `BOUNDARY`.
    ///
    /// # Errors
    ///
    /// If the body is not a form.
    pub fn form(&self) -> Result<Vec<u8>> {
        let kind = self.header("content-type").context("no content type")?;
        let (_, boundary) = kind.split_once("boundary=").context("no boundary")?;
        let delimiter = format!("--{}", boundary.trim_matches('"'));
        ensure!(self.body.starts_with(delimiter.as_bytes()), "no delimiter");
        let mut form = Vec::with_capacity(self.body.len());
        let mut rest = self.body.as_slice();
        while let Some(at) = find(rest, delimiter.as_bytes()) {
            form.extend_from_slice(&rest[..at]);
            form.extend_from_slice(b"--BOUNDARY");
            rest = &rest[at + delimiter.len()..];
        }
        form.extend_from_slice(rest);
        Ok(form)
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let found = lines.find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim())
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

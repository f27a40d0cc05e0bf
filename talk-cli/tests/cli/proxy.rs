//! Sessions through proxies.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use talk_emulator::Emulator;
use talk_tokio::net::ProxyOptions;
use talk_tokio::{ConnectionState, TalkOptions, get_talk_session};

use crate::support::talk;

const USER: &str = "alice";
const PASSWORD: &str = "s3cret";
/// `alice:s3cret` in Base64.
const BASIC: &str = "Basic YWxpY2U6czNjcmV0";
const TIMEOUT: Duration = Duration::from_secs(60);

/// A proxy for CONNECT and SOCKS5 that requires a password and connects every name to one server.
struct Proxy {
    address: SocketAddr,
    targets: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(server: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let targets = Arc::new(Mutex::new(Vec::new()));
        let (server, seen) = (server.to_owned(), Arc::clone(&targets));
        thread::spawn(move || {
            for client in listener.incoming() {
                let (server, seen) = (server.clone(), Arc::clone(&seen));
                // The thread ends if the client is refused or gone.
                thread::spawn(move || serve(client?, &server, &seen));
            }
        });
        Self { address, targets }
    }

    fn url(&self, scheme: &str, password: &str) -> String {
        format!("{scheme}://{USER}:{password}@{}", self.address)
    }

    fn targets(&self) -> Vec<String> {
        self.targets.lock().unwrap().clone()
    }
}

fn serve(mut client: TcpStream, server: &str, seen: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut first = [0];
    client.peek(&mut first)?;
    let target = if first == [5] {
        socks5(&mut client)?
    } else {
        connect(&mut client)?
    };
    seen.lock().unwrap().push(target);
    let server = TcpStream::connect(server)?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        to.shutdown(Shutdown::Write)
    });
    let (mut from, mut to) = (server, client);
    io::copy(&mut from, &mut to)?;
    to.shutdown(Shutdown::Write)
}

/// Reads a CONNECT request and returns its target.
fn connect(client: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).map_err(io::Error::other)?;
    if !head.contains(&format!("\r\nproxy-authorization: {BASIC}\r\n")) {
        client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")?;
        return Err(io::Error::other("not authenticated"));
    }
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let target = head.split(' ').nth(1);
    Ok(target.unwrap_or_default().to_owned())
}

/// Reads a SOCKS5 request for a name or an IPv4 address and returns its target.
fn socks5(client: &mut TcpStream) -> io::Result<String> {
    let [_, methods] = read(client)?;
    read_vec(client, methods)?;
    client.write_all(&[5, 2])?;
    let [_, length] = read(client)?;
    let user = read_vec(client, length)?;
    let [length] = read(client)?;
    if (user, read_vec(client, length)?) != (USER.into(), PASSWORD.into()) {
        client.write_all(&[1, 1])?;
        return Err(io::Error::other("not authenticated"));
    }
    client.write_all(&[1, 0])?;
    let [_, _, _, kind] = read(client)?;
    let host = if kind == 3 {
        let [length] = read(client)?;
        String::from_utf8(read_vec(client, length)?).map_err(io::Error::other)?
    } else {
        Ipv4Addr::from(read::<4>(client)?).to_string()
    };
    let port = u16::from_be_bytes(read(client)?);
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    Ok(format!("{host}:{port}"))
}

fn read<const N: usize>(client: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    client.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read_vec(client: &mut TcpStream, length: u8) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length.into()];
    client.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Returns a command without the proxy settings of the environment.
fn talk_without_proxy() -> Command {
    let mut command = talk();
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.args(["--app", "app", "--user", "alice"]);
    command
}

fn succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}

#[test]
fn command_uses_the_proxy_of_the_environment() {
    let emulator = Emulator::start_blocking().unwrap();
    for (variable, scheme) in [
        ("HTTP_PROXY", "http"),
        ("ALL_PROXY", "socks5"),
        ("all_proxy", "socks5h"),
    ] {
        let proxy = Proxy::start(emulator.host());
        let url = proxy.url(scheme, PASSWORD);
        // Only the proxy knows this name.
        let set = [
            "--host",
            "talk.test:4000",
            "--plain",
            "user",
            "set",
            "alice",
        ];
        succeeds(
            talk_without_proxy()
                .env(variable, &url)
                .args(set)
                .args(["--name", "Alice"]),
        );
        let targets = proxy.targets();
        assert!(!targets.is_empty(), "{variable}");
        assert!(
            targets.iter().all(|target| target == "talk.test:4000"),
            "{targets:?}"
        );
        // Loopback servers bypass the proxy.
        let file = tempfile::NamedTempFile::new().unwrap();
        succeeds(
            talk_without_proxy()
                .env(variable, &url)
                .args(["--host", emulator.host(), "upload"])
                .arg(file.path()),
        );
        assert_eq!(proxy.targets(), targets);
    }
}

#[test]
fn https_proxy_is_used_for_servers_with_tls() {
    let emulator = Emulator::start_blocking().unwrap();
    let proxy = Proxy::start(emulator.host());
    let mut command = talk_without_proxy();
    command
        .env("HTTPS_PROXY", proxy.url("http", PASSWORD))
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .args(["--host", "talk.test", "user", "get", "alice"]);
    let mut process = command.stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while proxy.targets().is_empty() && start.elapsed() < TIMEOUT {
        thread::sleep(Duration::from_millis(20));
    }
    process.kill().unwrap();
    process.wait().unwrap();
    assert_eq!(proxy.targets()[0], "talk.test:443");
}

#[test]
fn proxy_rejects_password_reason_hides_it() {
    let emulator = Emulator::start_blocking().unwrap();
    let proxy = Proxy::start(emulator.host());
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for scheme in ["http", "socks5"] {
        let url = ProxyOptions::url(&proxy.url(scheme, "wr0ng")).unwrap();
        let options = TalkOptions::new("app", "alice").unwrap();
        let options = options.host(emulator.host()).proxy(url).force_new();
        tokio.block_on(async {
            let session = get_talk_session(options).unwrap();
            let _subscription = session.current_user().subscribe();
            let mut states = session.connection_states();
            let reason = loop {
                if let Some(ConnectionState::Waiting { reason, .. }) = states.next().await {
                    break reason;
                }
            };
            assert!(reason.contains("password"), "{reason}");
            assert!(!reason.contains("wr0ng"), "{reason}");
        });
    }
    assert_eq!(proxy.targets(), [""; 0]);
}

#[test]
fn proxy_url_refused_is_not_repeated() {
    for url in ["ftp://bob:hunter2@h", "http://bob:hunter2@h:99999"] {
        let output = talk_without_proxy()
            .args(["--proxy", url, "--host", "talk.test"])
            .args(["user", "get", "alice"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains("--proxy"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

/// A process that is killed on drop.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a program that listens on `port`. Returns `None` if it is not installed.
fn start(command: &mut Command, port: u16) -> Option<Process> {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    let process = match quiet.spawn() {
        Ok(process) => Process(process),
        Err(error) => {
            let is_required = std::env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(!is_required, "{command:?}: {error}");
            println!("{command:?} is not installed, nothing is tested");
            return None;
        }
    };
    let start = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        assert!(start.elapsed() < TIMEOUT, "{command:?} does not listen");
        thread::sleep(Duration::from_millis(20));
    }
    Some(process)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Makes calls and an upload through a proxy.
fn use_proxy(scheme: &str, port: u16) {
    let emulator = Emulator::start_blocking().unwrap();
    let proxy = format!("{scheme}://{USER}:{PASSWORD}@127.0.0.1:{port}");
    let run = |args: &[&str]| {
        let session = ["--host", emulator.host(), "--proxy", &proxy];
        succeeds(talk_without_proxy().args(session).args(args));
    };
    run(&["user", "set", "alice", "--name", "Alice"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_write(file.path());
    run(&["upload", file.path().to_str().unwrap()]);
}

/// Writes a file that is larger than a socket's buffer.
fn fs_write(path: &std::path::Path) {
    std::fs::write(path, vec![b'x'; 4 << 20]).unwrap();
}

#[test]
fn tinyproxy_carries_a_session() {
    let port = free_port();
    let config = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(
        config.path(),
        format!(
            "Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 600\nMaxClients 20\n\
             BasicAuth {USER} {PASSWORD}\n"
        ),
    )
    .unwrap();
    let mut command = Command::new("tinyproxy");
    command.arg("-d").arg("-c").arg(config.path());
    if let Some(_process) = start(&mut command, port) {
        use_proxy("http", port);
    }
}

#[test]
fn microsocks_carries_a_session() {
    let port = free_port();
    let mut command = Command::new("microsocks");
    command.args(["-i", "127.0.0.1", "-p", &port.to_string()]);
    command.args(["-u", USER, "-P", PASSWORD]);
    if let Some(_process) = start(&mut command, port) {
        use_proxy("socks5", port);
    }
}

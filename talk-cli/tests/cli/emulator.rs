use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::{Emulator, talk};

/// Sends a GET request without credentials, and returns the response.
pub(crate) fn get(host: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn emulator_listens_at_printed_address() {
    let emulator = Emulator::start(&[]);
    let port = emulator.host.strip_prefix("127.0.0.1:").unwrap();
    assert_ne!(port.parse::<u16>().unwrap(), 0);
    assert!(get(&emulator.host, "/api/v0/app").starts_with("HTTP/1.1 200"));
}

/// Returns `true` if the commands that the tests start ignore a hangup.
#[cfg(unix)]
fn is_hangup_ignored() -> bool {
    let shell = std::process::Command::new("sh")
        .args(["-c", "kill -HUP $$; true"])
        .status();
    shell.unwrap().success()
}

#[cfg(unix)]
#[test]
fn emulator_signal_stops_it_cleanly() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        if signal == "-HUP" && is_hangup_ignored() {
            println!("skipped: the tests run under nohup, so the emulator ignores a hangup");
            continue;
        }
        let mut emulator = Emulator::start(&[]);
        let kill = std::process::Command::new("kill")
            .args([signal, &emulator.process.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        assert_eq!(emulator.process.wait().unwrap().code(), Some(0));
        let mut rest = String::new();
        emulator.output.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
        assert!(TcpStream::connect(&emulator.host).is_err());
    }
}

#[test]
fn emulator_used_port_is_reported() {
    let emulator = Emulator::start(&[]);
    let port = emulator.host.rsplit(':').next().unwrap();
    let output = talk().args(["emulator", "--port", port]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains(port) && message.contains("in use"),
        "{message}"
    );
}

#[test]
fn emulator_takes_settings_file_and_secret_flag() {
    let config = tempfile::NamedTempFile::new().unwrap();
    let path = config.path().to_str().unwrap();

    fs::write(path, r#"{"refusedApps": ["gone"]}"#).unwrap();
    let emulator = Emulator::start(&["--config", path]);
    assert!(get(&emulator.host, "/api/v0/gone").starts_with("HTTP/1.1 404"));
    let boken = "/api/v0/app/bokens/alice?signature=";
    assert!(get(&emulator.host, boken).starts_with("HTTP/1.1 200"));

    let emulator = Emulator::start(&["--config", path, "--secret", "s3cret"]);
    assert!(get(&emulator.host, boken).starts_with("HTTP/1.1 401"));
}

#[test]
fn emulator_invalid_settings_are_usage_errors() {
    let config = tempfile::NamedTempFile::new().unwrap();
    let path = config.path().to_str().unwrap();
    let list = tempfile::NamedTempFile::new().unwrap();
    fs::write(path, r#"{"rolls": {}}"#).unwrap();
    fs::write(list.path(), "[]").unwrap();
    for path in [
        path,
        list.path().to_str().unwrap(),
        "/nowhere/settings.json",
    ] {
        let output = talk()
            .args(["emulator", "--config", path])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(path), "{message}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn emulator_ignored_hangup_stays_ignored() {
    // `nohup` starts commands in this way.
    let mut command = std::process::Command::new("sh");
    command.args(["-c", r#"trap "" HUP; exec "$0" emulator"#]);
    let emulator = Emulator::start_command(command.arg(talk().get_program()));
    let pid = emulator.process.id().to_string();
    let kill = std::process::Command::new("kill")
        .args(["-HUP", &pid])
        .status();
    assert!(kill.unwrap().success());
    assert!(get(&emulator.host, "/api/v0/app").starts_with("HTTP/1.1 200"));
}

/// Runs the three commands that an emulator prints.
#[cfg(unix)]
fn run_hints(options: &[&str]) {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let mut command = talk();
    command.args(["emulator", "--port", "0"]).args(options);
    let mut emulator = Emulator::start_command(command.stderr(Stdio::piped()));
    let hints = BufReader::new(emulator.process.stderr.take().unwrap());
    let mut lines = hints.lines().map(Result::unwrap);
    let inspector = format!("inspector at http://{}/_emulator/", emulator.host);
    assert_eq!(lines.next().unwrap(), inspector);
    assert!(get(&emulator.host, "/_emulator/").starts_with("HTTP/1.1 200"));
    assert!(lines.next().unwrap().starts_with("try in another terminal"));
    let talk = talk();
    let folder = std::path::Path::new(talk.get_program()).parent().unwrap();
    for line in lines.by_ref().take(3) {
        assert!(line.starts_with("  talk --host 127.0.0.1:"), "{line}");
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
        let line = line.replace("=KEY", "=s3cret");
        let output = Command::new("sh")
            .args(["-c", &line])
            .env("PATH", path)
            .output();
        assert!(output.unwrap().status.success(), "{line}");
    }
}

#[cfg(unix)]
#[test]
fn emulator_hints_run_as_printed() {
    run_hints(&[]);
    run_hints(&["--seed", "demo"]);
    run_hints(&["--secret", "s3cret"]);
}

#[test]
fn emulator_seed_is_a_file_or_the_demo() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    fs::write(path, r#"{"app": "app", "users": {"eve": {"name": "Eve"}}}"#).unwrap();
    for (seed, app, user, name) in [("demo", "demo", "bob", "Bob"), (path, "app", "eve", "Eve")] {
        let emulator = Emulator::start(&["--seed", seed]);
        let output = talk()
            .args(["--host", &emulator.host, "--app", app, "--user", user])
            .args(["user", "get", user])
            .output()
            .unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(shown.starts_with(&format!("{name}  {user}\n")), "{shown}");
    }
    fs::write(path, r#"{"app": "app", "usres": {}}"#).unwrap();
    let output = talk().args(["emulator", "--seed", path]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("usres"), "{message}");
}

#[test]
fn emulator_sends_webhooks_and_prints_key() {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::process::Stdio;

    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks", receiver.local_addr().unwrap());
    let mut command = talk();
    command.args(["emulator", "--port", "0", "--webhook", &url]);
    command.args(["--webhook-event", "user.created"]);
    let mut emulator = Emulator::start_command(command.stderr(Stdio::piped()));
    let notes = BufReader::new(emulator.process.stderr.take().unwrap());
    let mut notes = notes.lines().map(Result::unwrap);
    let note = notes.find(|line| line.contains(&url)).unwrap();
    assert!(note.contains("signed with sk_test_"), "{note}");

    let output = talk()
        .args(["--host", &emulator.host, "--app", "app", "--user", "alice"])
        .args(["user", "set", "alice", "--name", "Alice"])
        .output();
    assert!(output.unwrap().status.success());
    let (stream, _) = receiver.accept().unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert_eq!(lines.next().unwrap(), "POST /hooks HTTP/1.1");
    assert!(lines.any(|line| line.to_lowercase().starts_with("x-talkjs-signature: ")));
}

#[test]
fn emulator_configured_webhook_key_is_not_printed() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.json");
    let settings = r#"{"webhooks": {"url": "http://127.0.0.1:1/", "secret": "sk_test_own"}}"#;
    std::fs::write(&config, settings).unwrap();
    // The second start has the stored settings.
    for flags in [&["--config", config.to_str().unwrap()][..], &[]] {
        let mut command = talk();
        command
            .args(["emulator", "--data"])
            .arg(folder.path().join("data"))
            .args(flags);
        let mut emulator = Emulator::start_command(command.stderr(Stdio::piped()));
        let notes = BufReader::new(emulator.process.stderr.take().unwrap());
        let mut notes = notes.lines().map(Result::unwrap);
        let note = notes.find(|line| line.contains("127.0.0.1:1")).unwrap();
        assert!(note.ends_with("signed with the secret key"), "{note}");
        let id = emulator.process.id().to_string();
        let stop = std::process::Command::new("kill").arg(&id).status();
        assert!(stop.unwrap().success());
        emulator.process.wait().unwrap();
    }
}

#[test]
fn emulator_foreign_webhook_needs_flag() {
    let url = "http://192.0.2.1/hooks";
    let output = talk().args(["emulator", "--webhook", url]).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("--webhook-any"), "{message}");
    Emulator::start(&["--webhook", url, "--webhook-any"]);
}

#[test]
fn emulator_binds_to_the_given_address() {
    let emulator = Emulator::start(&["--bind", "0.0.0.0"]);
    assert!(emulator.host.starts_with("127.0.0.1:"), "{}", emulator.host);
    assert!(get(&emulator.host, "/api/v0/app").starts_with("HTTP/1.1 200"));
    let output = talk().args(["emulator", "--bind", "192.0.2.1"]).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("192.0.2.1"), "{message}");
}

#[test]
fn emulator_verbose_logs_requests_without_secrets() {
    use std::io::Read;
    use std::process::Stdio;

    let mut command = talk();
    command.args(["-v", "emulator", "--port", "0", "--seed", "demo"]);
    let mut emulator = Emulator::start_command(command.stderr(Stdio::piped()));
    let mut errors = emulator.process.stderr.take().unwrap();
    let args = ["--host", &emulator.host, "--app", "demo", "--user", "alice"];
    let token = ["--token", "t0ken-of-alice"];
    for command in [
        &["send", "weekend", "a hidden text"][..],
        &["search", "messages", "a hidden text"],
    ] {
        let output = talk().args(args).args(token).args(command).output();
        assert!(output.unwrap().status.success(), "{command:?}");
    }
    get(&emulator.host, "/v1/demo/users?filter=a-hidden-filter");
    let url = format!("ws://{}/public_api/v1/demo/realtime/alice", emulator.host);
    let stream = TcpStream::connect(&emulator.host).unwrap();
    let (mut socket, _) = tungstenite::client(url, stream).unwrap();
    for request in [
        r#"[0,"POST","/session/renew?token=t0ken",{},{}]"#,
        r#"[1,"GET","/me/messages/search?searchString=hidden",{},{}]"#,
        r#"[2,"a hidden method","/ping",{},{}]"#,
    ] {
        socket.send(tungstenite::Message::text(request)).unwrap();
        socket.read().unwrap();
    }
    emulator.process.kill().unwrap();
    let mut log = String::new();
    errors.read_to_string(&mut log).unwrap();
    for part in [
        "user=\"alice\" state=Authenticated",
        "method=\"POST\" path=\"/conversations/weekend/messages\" status=200",
        "method=GET path=\"/public_api/v1/demo/me/messages/search\" status=200",
        "method=GET path=\"/v1/demo/users\" status=401",
        "method=\"POST\" path=\"/session/renew\" status=401",
        "method=\"unknown\" path=\"/ping\" status=401",
    ] {
        assert!(log.contains(part), "{part} is not in {log}");
    }
    assert!(!log.contains("hidden") && !log.contains("t0ken"), "{log}");
}

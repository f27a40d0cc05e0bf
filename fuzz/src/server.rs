//! Fuzz target for frames received by the emulator's server.

use std::time::Duration;

use talk_emulator::server::{ConnectionId, Output, Server, Settings};
use talk_proto::Timestamp;

/// Sends each line of the data as a frame of one of two users. Each drain must end, and no timer
/// may stay due.
pub fn server_frames(data: &[u8]) {
    let mut now = Timestamp::from_millis(1_700_000_000_000);
    let mut server = Server::new(Settings::default(), 1, now);
    let connections = [ConnectionId(1), ConnectionId(2)];
    for (connection, user) in connections.into_iter().zip(["alice", "bob"]) {
        server.open(now, connection, "app", user);
        server.handle_frame(
            now,
            connection,
            r#"[0,"POST","/session/renew",{"token":"t"},{}]"#,
        );
    }
    drain(&mut server);
    for (turn, line) in data.split(|byte| *byte == b'\n').enumerate() {
        now = now + Duration::from_millis(10);
        server.handle_frame(now, connections[turn % 2], &String::from_utf8_lossy(line));
        drain(&mut server);
    }
    now = now + Duration::from_secs(60);
    server.tick(now);
    drain(&mut server);
    assert!(
        server.poll_timeout().is_none_or(|at| at > now),
        "a timer stays due"
    );
}

fn drain(server: &mut Server) {
    let mut outputs = 0;
    while let Some(output) = server.poll_output() {
        if let Output::SendFrame { text, .. } = output {
            assert!(text.starts_with('['), "a frame is an array");
        }
        outputs += 1;
        assert!(outputs < 10_000, "the drain does not end");
    }
}

//! The connection alone, without a session.

use serde_json::{Value, json};

use super::*;
use crate::io::Event;

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A connection, the time and the number of sent requests.
struct Bench {
    connection: Connection,
    now: Timestamp,
    rng: Rng,
    sent: u64,
}

impl Bench {
    /// A connection with a token.
    fn new() -> Self {
        Self {
            connection: Connection::new(Authentication {
                token: Some("token-1".into()),
                can_fetch_token: true,
                signature: None,
            }),
            now: START,
            rng: Rng::with_seed(1),
            sent: 0,
        }
    }

    /// A connection that is needed and ready.
    fn ready() -> Self {
        let mut bench = Self::new();
        assert_eq!(bench.need(true), ["open 1"]);
        bench.connection.handle_opened(bench.now, SocketId(1));
        assert_eq!(bench.due(), ["send 0 POST /session/renew"]);
        assert_eq!(bench.frame(&json!([0, 200, {}])), ["ready"]);
        bench
    }

    fn need(&mut self, is_needed: bool) -> Vec<String> {
        self.connection.set_needed(self.now, is_needed, false);
        self.due()
    }

    /// Handles everything that is due, and returns the effects.
    fn due(&mut self) -> Vec<String> {
        self.connection.handle_timeout(self.now);
        self.effects()
    }

    /// Advances the time from one deadline to the next.
    fn pass(&mut self, seconds: u64) -> Vec<String> {
        let end = self.now + Duration::from_secs(seconds);
        let mut effects = Vec::new();
        while let Some(at) = self.connection.poll_timeout().filter(|at| *at <= end) {
            assert!(at > self.now || effects.is_empty(), "{at} is in the past");
            self.now = at;
            effects.extend(self.due());
        }
        self.now = end;
        effects
    }

    fn frame(&mut self, frame: &Value) -> Vec<String> {
        let text = frame.to_string();
        let socket = SocketId(1);
        let rng = &mut self.rng;
        let received = self
            .connection
            .handle_frame(self.now, socket, &text, 1_000, rng);
        let received = match received {
            Received::Nothing => None,
            Received::Answer(slot, answer) => Some(format!("{slot:?}: {}", answer.status)),
            Received::Unreadable(slot, error) => Some(format!("{slot:?}: {error}")),
            Received::Publish { number, .. } => Some(format!("publish {number}")),
            Received::LargePublish => Some("large publish".to_owned()),
        };
        let mut effects = self.effects();
        effects.extend(received);
        effects
    }

    /// Sends the next request of the queue.
    fn send(&mut self) -> QueueSlot {
        let slot = QueueSlot::numbered(self.sent);
        self.sent += 1;
        let request = Request::bare(Method::Get, "/a".to_owned());
        let encode = |seq| encode_request(seq, &request);
        self.connection.send_request(self.now, slot, encode);
        slot
    }

    fn effects(&mut self) -> Vec<String> {
        let outputs = std::iter::from_fn(|| self.connection.poll_output());
        outputs.map(|output| describe(&output)).collect()
    }
}

fn describe(output: &ConnectionOutput) -> String {
    match output {
        ConnectionOutput::OpenSocket(socket) => format!("open {}", socket.0),
        ConnectionOutput::FetchAnonymousToken { .. } => "fetch anonymous token".to_owned(),
        ConnectionOutput::CancelAnonymousToken => "cancel anonymous token".to_owned(),
        ConnectionOutput::Ready { is_resumed: false } => "ready".to_owned(),
        ConnectionOutput::Ready { is_resumed: true } => "ready again".to_owned(),
        ConnectionOutput::Lost(Loss { reason, cause }) => format!("lost: {reason:?}, {cause:?}"),
        ConnectionOutput::End(error) => format!("end: {error}"),
        ConnectionOutput::Emit(Output::SendFrame { frame, .. }) => {
            let frame: Vec<Value> = serde_json::from_str(frame.as_str()).unwrap();
            let mut text = format!("send {}", frame[0]);
            for part in frame[1..].iter().filter_map(Value::as_str) {
                text = format!("{text} {part}");
            }
            text
        }
        ConnectionOutput::Emit(Output::CloseSocket { socket, code }) => {
            format!("close {} with {code}", socket.0)
        }
        ConnectionOutput::Emit(Output::FetchToken { fetch }) => format!("fetch token {}", fetch.0),
        ConnectionOutput::Emit(Output::Event(Event::Warning(warning))) => format!("{warning:?}"),
        ConnectionOutput::Emit(other) => format!("{other:?}"),
    }
}

#[test]
fn connection_unneeded_does_nothing() {
    let mut bench = Bench::new();
    assert_eq!(bench.due(), [""; 0]);
    assert_eq!(bench.connection.poll_timeout(), None);
    assert!(bench.connection.is_idle());
}

#[test]
fn connection_without_token_fetches_one() {
    let mut bench = Bench::new();
    bench.connection = Connection::new(Authentication {
        token: None,
        can_fetch_token: true,
        signature: None,
    });
    assert_eq!(bench.need(true), ["fetch token 1", "open 2"]);
    bench.connection.handle_opened(bench.now, SocketId(2));
    assert_eq!(bench.due(), [""; 0]);
    let token = Ok("token-1".into());
    bench
        .connection
        .handle_token(bench.now, TokenFetchId(1), token);
    assert_eq!(bench.due(), ["send 0 POST /session/renew"]);
}

#[test]
fn connection_not_open_within_15_s_is_lost() {
    let mut bench = Bench::new();
    bench.need(true);
    assert_eq!(bench.pass(14), [""; 0]);
    let lost = r#"lost: Some("no connection within 15 s"), Other"#;
    assert_eq!(bench.pass(1), ["close 1 with 1000", lost]);
    // The session decides if there is another attempt.
    assert!(bench.connection.is_idle());
    let reason = "why".to_owned();
    bench
        .connection
        .reconnect(bench.now, reason, &mut bench.rng);
    assert_eq!(bench.pass(1), ["open 2"]);
}

#[test]
fn connection_unneeded_for_3_s_is_closed() {
    let mut bench = Bench::ready();
    assert_eq!(bench.need(false), [""; 0]);
    assert_eq!(bench.pass(2), [""; 0]);
    assert_eq!(bench.pass(1), ["close 1 with 1000", "lost: None, Other"]);
    assert_eq!(bench.connection.poll_timeout(), None);
}

#[test]
fn silent_server_is_pinged_and_lost() {
    let mut bench = Bench::ready();
    assert_eq!(bench.pass(10), ["send 1 GET /ping"]);
    assert_eq!(bench.frame(&json!([1, 200, {}])), [""; 0]);
    assert_eq!(bench.pass(10), ["send 2 GET /ping"]);
    let lost = r#"lost: Some("the server has fallen silent"), Other"#;
    assert_eq!(bench.pass(5), ["close 1 with 1000", lost]);
}

/// Lets the time pass while the server answers pings.
fn pass_with_pings(bench: &mut Bench, seconds: u64) -> Vec<String> {
    let mut effects = Vec::new();
    for _ in 0..seconds {
        for effect in bench.pass(1) {
            match effect.strip_suffix(" GET /ping") {
                Some(ping) => {
                    let seq: u64 = ping[5..].parse().unwrap();
                    bench.frame(&json!([seq, 200, {}]));
                }
                None => effects.push(effect),
            }
        }
    }
    effects
}

#[test]
fn request_unanswered_for_30_s_loses_the_connection() {
    let mut bench = Bench::ready();
    bench.send();
    let slot = bench.send();
    bench.effects();
    pass_with_pings(&mut bench, 10);
    bench.send();
    assert_eq!(bench.frame(&json!([1, 200, {}])).len(), 2);
    assert_eq!(pass_with_pings(&mut bench, 19), [""; 0]);
    let reason = r#"Some("the server left a request unanswered for 30 s")"#;
    let lost = format!("lost: {reason}, Unanswered([{slot:?}])");
    let effects = pass_with_pings(&mut bench, 1);
    assert_eq!(effects, ["close 1 with 1000".to_owned(), lost]);
}

#[test]
fn answer_timeout_restarts_with_authentication() {
    let mut bench = Bench::ready();
    bench.send();
    pass_with_pings(&mut bench, 29);
    let expired = json!([1, "PUBLISH", {"type": "session.expired"}]);
    bench.frame(&expired);
    assert_eq!(bench.due(), ["fetch token 2"]);
    assert_eq!(bench.pass(40), [""; 0]);
    let token = Ok("token-2".into());
    bench
        .connection
        .handle_token(bench.now, TokenFetchId(2), token);
    let renewal = bench.due();
    let seq: u64 = renewal[0].split(' ').nth(1).unwrap().parse().unwrap();
    assert_eq!(bench.frame(&json!([seq, 200, {}])), ["ready again"]);
    assert_eq!(pass_with_pings(&mut bench, 29), [""; 0]);
    assert_eq!(pass_with_pings(&mut bench, 1).len(), 2);
}

#[test]
fn inputs_of_an_old_socket_are_ignored() {
    let mut bench = Bench::ready();
    let cause = SocketClosed::ByServer { code: Some(1006) };
    bench
        .connection
        .handle_closed(bench.now, SocketId(1), &cause);
    assert_eq!(bench.effects().len(), 1);
    let again = bench.frame(&json!([1, "PUBLISH", {"type": "session.expired"}]));
    assert_eq!(again, [""; 0]);
    bench
        .connection
        .handle_closed(bench.now, SocketId(1), &cause);
    bench.connection.handle_opened(bench.now, SocketId(1));
    assert_eq!(bench.due(), ["open 2"], "it is still needed");
}

#[test]
fn publish_is_acknowledged_once() {
    let mut bench = Bench::ready();
    let publish = json!([1, "PUBLISH", {"type": "user.edited", "userId": "bob", "diff": {}}]);
    assert_eq!(bench.frame(&publish), ["send 1 ACK", "publish 1"]);
    assert_eq!(bench.frame(&publish), ["send 1 ACK", "RepeatedPublish"]);
}

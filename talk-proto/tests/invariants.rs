//! The invariants of the core. Each has tests of its number, and
//! [`Invariants`](crate::support::Invariants) checks all of them at every step of every other test.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use arbitrary::{Arbitrary, Unstructured};
use proptest::prelude::*;
use serde_json::json;
use talk_proto::{
    Call, CommandError, Event, Input, Output, RequestError, Session, SessionError, SocketClosed,
    Timestamp, Topic, TransportError, model::ParticipantParams,
};

use crate::support::history::{History, Step};
use crate::support::{
    Answer, START, Transcript, World, conversation, mark_as_read, millis, options, seconds, send,
    unpaced,
};

fn step() -> impl Strategy<Value = Step> {
    let bytes = prop::collection::vec(any::<u8>(), 24);
    bytes.prop_filter_map("not a step", |bytes| {
        Step::arbitrary(&mut Unstructured::new(&bytes)).ok()
    })
}

fn history() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 0..120)
}

fn create_participant(user: &str) -> Call {
    Call::CreateParticipant {
        conversation: conversation("c1"),
        user: crate::support::user(user),
        params: ParticipantParams::default(),
    }
}

fn messages(id: &str) -> Topic {
    Topic::Messages {
        conversation: conversation(id),
    }
}

/// Returns the transcript of a history.
fn transcript_of(steps: &[Step], seed: u64) -> Transcript {
    let mut history = History::new(options(), seed);
    history.world.transcript = Some(Transcript::new());
    history.live(steps);
    history.world.transcript.expect("it is recorded")
}

#[test]
fn invariant_1_commands_share_a_frame_until_polled() {
    let mut world = World::ready(options());
    world.call(create_participant("x"));
    world.call(create_participant("y"));
    let output = world.session.poll_output();
    let Some(Output::SendFrame { frame, .. }) = output else {
        panic!("{output:?}");
    };
    let frame: serde_json::Value = serde_json::from_str(frame.as_str()).expect("JSON");
    assert_eq!(frame[3]["actions"].as_array().map(Vec::len), Some(2));
    world
        .session
        .call(world.now, create_participant("z"))
        .expect("accepted");
    let output = world.session.poll_output();
    assert!(
        matches!(output, Some(Output::SendFrame { .. })),
        "{output:?}"
    );
}

#[test]
fn invariant_1_open_batch_is_queued_output() {
    let mut world = World::ready(options());
    assert!(world.session.poll_timeout() > Some(world.now));
    world.call(create_participant("x"));
    assert!(world.session.poll_timeout() <= Some(world.now));
}

#[test]
fn invariant_2_outputs_are_owned_and_known() {
    fn name(output: Output) -> &'static str {
        // There is no wildcard, so that a new output must be added here.
        match output {
            Output::OpenSocket { .. } => "open",
            Output::SendFrame { .. } => "frame",
            Output::CloseSocket { .. } => "close",
            Output::FetchToken { .. } => "token",
            Output::SendHttp { .. } => "http",
            Output::CancelHttp { .. } => "cancel",
            Output::Store { .. } => "store",
            Output::CheckFile { .. } => "check",
            Output::Event(_) => "event",
        }
    }
    let mut session = Session::new(options(), 1, START);
    session.call(START, mark_as_read("c1")).expect("accepted");
    let mut outputs = Vec::new();
    while let Some(output) = session.poll_output() {
        outputs.push(output);
    }
    drop(session);
    let names: Vec<_> = outputs.into_iter().map(name).collect();
    assert_eq!(names, ["token", "open", "http", "event"]);
}

#[test]
fn invariant_2_debug_hides_secrets() {
    let mut options = options();
    options.authentication.token = Some("the-secret-token".into());
    options.authentication.signature = Some("the-secret-signature".into());
    let debug = format!("{options:?}");
    assert!(!debug.contains("the-secret"), "{debug}");
    let mut world = World::new(options);
    world.transcript = Some(Transcript::new());
    world.call(send("c1", "the secret text"));
    // The invariants search these strings in every `Debug` output.
    world.run();
    let transcript = world.transcript.expect("it is recorded");
    for secret in ["the-secret-token", "the secret text"] {
        assert!(
            transcript.as_str().contains(secret),
            "{}",
            transcript.as_str()
        );
    }
    let error = SessionError::TokenRejected;
    assert!(!format!("{error:?} {error}").contains("the-secret"));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        max_shrink_iters: 5_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn invariant_3_and_6_any_input_resolves_requests_once(steps in history(), seed: u64) {
        History::new(options(), seed).live(&steps);
    }

    #[test]
    fn invariant_3_and_9_end_is_absorbing(steps in history(), seed: u64) {
        let mut options = unpaced();
        options.authentication.can_fetch_token = false;
        options.limits.pending_calls = 5;
        options.limits.subscriptions = 3;
        options.limits.frame_size = 300;
        let mut history = History::new(options, seed);
        history.live(&steps);
        history.world.session.shutdown(history.world.now);
        history.heal();
        prop_assert!(history.world.end().is_some());
    }

    #[test]
    fn invariant_3_any_text_at_any_time(texts in prop::collection::vec(any::<String>(), 0..20)) {
        let mut world = World::ready(options());
        for text in texts {
            world.receive(&text);
        }
        let request = world.call(mark_as_read("c1"));
        world.run_for(seconds(1));
        prop_assert!(world.outcome(request).is_ok());
    }

    #[test]
    fn invariant_4_unscheduled_tick_changes_nothing(steps in history(), seed: u64) {
        let plain = outputs_with(&steps, seed, |_| {});
        let ticked = outputs_with(&steps, seed, |session| {
            for at in [Timestamp::from_millis(0), START] {
                session.handle_input(at, Input::Tick);
                prop_assert_eq_none(session.poll_output().as_ref());
            }
        });
        prop_assert_eq!(plain.as_str(), ticked.as_str());
    }

    #[test]
    fn invariant_5_equal_inputs_give_equal_outputs(steps in history(), seed: u64) {
        let (one, two) = (transcript_of(&steps, seed), transcript_of(&steps, seed));
        prop_assert_eq!(one.as_str(), two.as_str());
    }
}

fn prop_assert_eq_none(output: Option<&Output>) {
    assert!(output.is_none(), "{output:?}");
}

/// Returns the transcript of a history in which `between` runs after every step.
fn outputs_with(steps: &[Step], seed: u64, between: impl Fn(&mut Session)) -> Transcript {
    let mut history = History::new(options(), seed);
    history.world.transcript = Some(Transcript::new());
    for step in steps {
        history.take(step);
        history.world.drain();
        between(&mut history.world.session);
    }
    history.heal();
    history.world.transcript.expect("it is recorded")
}

#[test]
fn invariant_4_queued_output_is_due() {
    let mut session = Session::new(options(), 1, START);
    assert_eq!(session.poll_timeout(), None);
    session.call(START, mark_as_read("c1")).expect("accepted");
    while session.poll_timeout().is_some_and(|at| at <= START) {
        assert!(session.poll_output().is_some() || session.poll_timeout() > Some(START));
    }
    assert_eq!(
        session.poll_output().map(|output| format!("{output:?}")),
        None
    );
    let next = session.poll_timeout().expect("the attempt has a deadline");
    assert_eq!(next, START + seconds(15));
    session.handle_input(next, Input::Tick);
    while session.poll_output().is_some() {}
    assert!(session.poll_timeout() > Some(next));
}

#[test]
fn invariant_5_another_seed_gives_other_keys() {
    let key = |seed| {
        let mut world = World::seeded(options(), seed);
        world.call(send("c1", "hello"));
        world.run();
        world
            .log
            .work()
            .next()
            .map(|r| r.data["idempotencyKey"].to_string())
    };
    let keys: std::collections::BTreeSet<_> = (0..100).map(key).collect();
    assert_eq!(keys.len(), 100);
}

#[test]
fn invariant_5_late_tick_probes_the_socket() {
    let late_by = |late: u64| {
        let mut world = World::ready(options());
        world
            .script
            .add(|r| (!r.is_housekeeping()).then_some(Answer::Silence));
        world.call(mark_as_read("c1"));
        world.run();
        let due = world.session.poll_timeout().expect("a heartbeat is due");
        world.run_until(due);
        let due = world.session.poll_timeout().expect("a heartbeat is due");
        let pings = world.log.of("GET /ping").len();
        world.script.add(|_| Some(Answer::Silence));
        world.sleep_until(due + millis(late));
        assert_eq!(world.log.of("GET /ping").len(), pings + 1);
        let since = world.now;
        world.run_for(seconds(10));
        world.log.sockets[0]
            .closed
            .map(|(at, _)| at.saturating_since(since))
    };
    assert_eq!(late_by(10_001), Some(seconds(5)));
    assert_eq!(late_by(3_600_000), Some(seconds(5)));
    assert_eq!(
        late_by(0),
        Some(seconds(5)),
        "silence for ten seconds is as bad"
    );
}

#[test]
fn invariant_6_cancel_reports_maybe_happened() {
    let mut world = World::ready(options());
    world.script.add(|_| Some(Answer::Silence));
    let sent = world.call(send("c1", "sent"));
    world.run();
    let unsent = world.call(send("c1", "unsent"));
    for request in [sent, unsent] {
        world
            .session
            .cancel(world.now, request)
            .expect("it is pending");
    }
    world.run();
    for (request, maybe_happened) in [(sent, true), (unsent, false)] {
        let cancelled = TransportError::Cancelled {
            maybe_happened,
            idempotent: false,
        };
        let expected = Err(RequestError::Transport(cancelled));
        assert_eq!(world.outcome(request), &expected);
        let again = world.session.cancel(world.now, request);
        assert_eq!(again, Err(CommandError::Unknown));
    }
    assert_eq!(world.log.work().count(), 1);
}

#[test]
fn invariant_7_one_socket_and_one_token_fetch() {
    // The invariants panic if they are violated. This test checks that they had something to check.
    let mut world = World::new(options());
    world.tokens = crate::support::TokenSource::After(seconds(20));
    world.network = crate::support::Network::Up(seconds(1));
    for n in 0..10 {
        world.call(mark_as_read(&format!("c{n}")));
        world.run_for(seconds(1));
        world.session.network_changed(world.now);
        if n % 3 == 2 {
            world.cut();
        }
    }
    world.run_for(seconds(60));
    assert!(world.log.sockets.len() >= 4);
    assert_eq!(world.log.token_fetches.len(), 1);
    assert_eq!(world.log.work().count(), 10);
}

#[test]
fn invariant_8_command_above_cap_is_refused() {
    let mut options = options();
    options.limits.pending_calls = 2;
    options.limits.subscriptions = 1;
    let mut world = World::new(options);
    for n in 0..2 {
        world.call(mark_as_read(&format!("c{n}")));
    }
    let refused = world.try_call(mark_as_read("c2"));
    assert_eq!(refused, Err(CommandError::TooManyCalls { limit: 2 }));
    world.subscribe(messages("c1"));
    let refused = world.try_subscribe(messages("c2"));
    assert_eq!(
        refused,
        Err(CommandError::TooManySubscriptions { limit: 1 })
    );
    world.run();
    assert!(world.log.work().all(|r| !r.path.contains("c2")));
}

#[test]
fn invariant_8_two_large_frames_fail_in_flight_calls() {
    let mut world = World::ready(options());
    world
        .script
        .add(|r| r.path.ends_with("/c1/read").then_some(Answer::Silence));
    let request = world.call(mark_as_read("c1"));
    for losses in 0..2 {
        assert!(!world.is_resolved(request), "after {losses}");
        world.run_for(seconds(5));
        world.close(SocketClosed::FrameTooLarge);
    }
    let expected = RequestError::Transport(TransportError::FrameTooLarge);
    assert_eq!(world.outcome(request), &Err(expected));
}

#[test]
fn invariant_9_end_is_final() {
    let mut world = World::ready(options());
    world.script.add(|_| Some(Answer::Silence));
    let request = world.call(send("c1", "never answered"));
    world.run();
    world.session.shutdown(world.now);
    world.run();
    assert_eq!(
        world.outcome(request),
        &Err(RequestError::Session(SessionError::Shutdown))
    );
    let events = world.log.events.len();
    assert!(matches!(
        world.log.events[events - 1].1,
        Event::Ended(SessionError::Shutdown)
    ));
    world.session.network_changed(world.now);
    world.session.shutdown(world.now);
    world.run_for(seconds(3600));
    assert_eq!(world.log.events.len(), events);
    assert_eq!(world.session.poll_timeout(), None);
}

#[test]
fn invariant_10_error_planes_differ_by_type() {
    let mut options = options();
    options.limits.pending_calls = 1;
    let mut world = World::ready(options);
    let mut statuses = [403, 200].into_iter();
    world.script.add(move |r| match statuses.next() {
        Some(200) => Some(Answer::Raw(vec![
            json!([r.seq, 200, "nonsense"]).to_string(),
        ])),
        Some(status) => Some(Answer::refuse(status, "CODE")),
        None => Some(Answer::Silence),
    });
    let refused = world.call(send("c1", "one"));
    world.run();
    assert!(matches!(world.outcome(refused), Err(RequestError::Server(r)) if r.status == 403));
    let malformed = world.call(send("c1", "two"));
    world.run();
    let expected = RequestError::Transport(TransportError::Malformed);
    assert_eq!(world.outcome(malformed), &Err(expected));
    let ended = world.call(send("c1", "three"));
    let misuse: CommandError = world
        .try_call(send("c1", "four"))
        .expect_err("over the cap");
    assert_eq!(misuse, CommandError::TooManyCalls { limit: 1 });
    world.session.shutdown(world.now);
    world.run();
    assert!(matches!(
        world.outcome(ended),
        Err(RequestError::Session(SessionError::Shutdown))
    ));
}

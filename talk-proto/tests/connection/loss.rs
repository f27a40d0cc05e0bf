use std::time::Duration;

use serde_json::json;
use talk_proto::{ConnectionState, Input, Output, Session, SocketClosed};

use crate::support::{
    Answer, Network, START, World, mark_as_read, millis, options, seconds, send, unpaced,
};

/// Returns the delays between a connection loss and the next attempt.
fn reconnect_delays(world: &World) -> Vec<Duration> {
    let sockets = world.log.sockets.windows(2);
    let delay = |pair: &[crate::support::SocketLog]| {
        let (lost_at, _) = pair[0].closed.expect("it is lost");
        pair[1].asked_at.saturating_since(lost_at)
    };
    sockets.map(delay).collect()
}

/// Creates a world with a subscription, so that a connection is always needed.
fn needy() -> World {
    let mut world = World::ready(options());
    world.keep_connected();
    world.run();
    world
}

#[test]
fn connecting_after_loss_names_last_failure() {
    let mut world = needy();
    world.cut();
    world.run_for(seconds(5));
    let connecting: Vec<_> = world
        .log
        .states()
        .into_iter()
        .filter(|state| matches!(state, ConnectionState::Connecting { .. }))
        .collect();
    assert!(connecting.len() >= 2, "{connecting:?}");
    assert_eq!(connecting[0].last_failure(), None);
    assert!(connecting[1].last_failure().is_some(), "{connecting:?}");
}

#[test]
fn connecting_after_expiry_names_the_token() {
    let mut world = needy();
    world.publish(&[serde_json::json!({"type": "session.expired"})]);
    world.run_for(seconds(5));
    let states = world.log.states();
    let failures = states.iter().filter_map(|state| state.last_failure());
    let failures: Vec<_> = failures.collect();
    assert_eq!(failures, ["the token has expired or was rejected"]);
    assert!(matches!(states.last(), Some(ConnectionState::Ready)));
}

#[test]
fn loss_resends_unanswered_calls_in_order() {
    let mut world = World::ready(unpaced());
    world
        .script
        .add(|r| (r.connection == 0).then_some(Answer::Silence));
    let texts = ["a", "b", "c", "d"];
    let first = texts.map(|text| world.call(send("c1", text)));
    world.run();
    world.cut();
    let newer = world.call(send("c1", "e"));
    world.run_until_resolved(seconds(5));
    let frames = |connection: usize| -> Vec<_> {
        let work = world.log.work().filter(|r| r.connection == connection);
        work.map(|r| r.data.clone()).collect()
    };
    let (before, after) = (frames(0), frames(1));
    assert_eq!(before.len(), 4);
    assert_eq!(after[..4], before, "the same frames, keys included");
    assert_eq!(after[4]["content"][0]["children"], json!(["e"]));
    let keys: Vec<_> = after
        .iter()
        .map(|d| d["idempotencyKey"].to_string())
        .collect();
    let mut unique = keys.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), keys.len());
    for request in first.into_iter().chain([newer]) {
        assert!(world.outcome(request).is_ok());
    }
}

#[test]
fn loss_does_not_resend_answered_calls() {
    let mut world = World::ready(options());
    world.call(send("c1", "answered"));
    world.run();
    world.cut();
    world.call(mark_as_read("c2"));
    world.run_for(seconds(2));
    assert_eq!(world.log.of("POST /conversations/c1/messages").len(), 1);
}

#[test]
fn loss_resends_whole_batch() {
    let mut world = World::ready(options());
    world
        .script
        .add(|r| (r.connection == 0).then_some(Answer::Silence));
    let create = |user: &str| talk_proto::Call::CreateParticipant {
        conversation: crate::support::conversation("c1"),
        user: crate::support::user(user),
        params: talk_proto::model::ParticipantParams::default(),
    };
    let requests = ["x", "y"].map(|user| world.call(create(user)));
    world.run();
    world.cut();
    world.run_until_resolved(seconds(5));
    let frames: Vec<_> = world.log.work().map(|r| r.frame()).collect();
    assert_eq!(frames.len(), 2);
    assert_eq!(frames[0], frames[1]);
    assert!(requests.iter().all(|r| world.outcome(*r).is_ok()));
}

#[test]
fn reconnect_delays_grow_exponentially() {
    let mut seen = vec![];
    for seed in 0..40 {
        let mut world = World::seeded(options(), seed);
        world.network = Network::Refuse;
        world.call(mark_as_read("c1"));
        world.run_for(seconds(240));
        let delays = reconnect_delays(&world);
        assert!(delays.len() >= 10, "{delays:?}");
        for (n, delay) in delays.iter().enumerate() {
            let longest = seconds(1 << n.min(5)).min(seconds(30));
            assert!(*delay <= longest, "attempt {n} after {delay:?}");
        }
        seen.push(delays[0]);
    }
    seen.sort();
    seen.dedup();
    assert!(seen.len() > 30, "the delays are spread: {seen:?}");
}

#[test]
fn reconnect_delay_resets_after_10_s() {
    let mut world = needy();
    world.network = Network::Refuse;
    world.cut();
    world.run_for(seconds(300));
    world.network = Network::Up(seconds(0));
    world.run_for(seconds(31));
    assert!(world.socket().is_some());
    world.run_for(seconds(10));
    world.cut();
    let lost_at = world.now;
    world.run_for(seconds(1));
    let last = world.log.sockets.last().expect("a socket");
    assert!(last.asked_at.saturating_since(lost_at) <= seconds(1));
    assert!(last.is_open);
}

#[test]
fn reconnect_delay_grows_for_short_connections() {
    let mut world = needy();
    for _ in 0..12 {
        // Nine seconds are too short for a connection to count as healthy.
        world.run_for(seconds(9));
        world.cut();
        while world.socket().is_none() {
            let next = world.session.poll_timeout().expect("an attempt is due");
            world.run_until(next);
        }
    }
    let delays = reconnect_delays(&world);
    assert!(delays.iter().any(|delay| *delay > seconds(2)), "{delays:?}");
}

#[test]
fn planned_restart_spreads_reconnects_over_10s() {
    let mut seen = vec![];
    for seed in 0..60 {
        let mut world = World::seeded(options(), seed);
        world.keep_connected();
        world.run_for(seconds(60));
        world.publish(&[json!({"type": "upstream.restarting"})]);
        world.cut();
        world.run_for(seconds(10));
        let delays = reconnect_delays(&world);
        assert_eq!(delays.len(), 1, "{delays:?}");
        seen.push(delays[0]);
    }
    assert!(seen.iter().all(|delay| *delay <= seconds(10)));
    assert!(seen.iter().filter(|delay| **delay > seconds(5)).count() > 15);
    assert!(seen.iter().filter(|delay| **delay < seconds(5)).count() > 15);
}

#[test]
fn network_change_reconnects_at_once() {
    let mut world = needy();
    world.network = Network::Refuse;
    world.cut();
    world.run_for(seconds(120));
    let attempts = world.log.sockets.len();
    world.network = Network::Up(seconds(0));
    world.session.network_changed(world.now);
    world.run();
    assert_eq!(world.log.sockets.len(), attempts + 1);
    assert_eq!(world.log.states().last(), Some(&&ConnectionState::Ready));
}

#[test]
fn attempt_times_out_after_15_s() {
    let mut world = World::new(options());
    world.network = Network::Hang;
    world.call(mark_as_read("c1"));
    world.run_for(millis(14_999));
    assert_eq!(world.log.sockets[0].closed, None);
    world.run_for(millis(1));
    let closed = (START + seconds(15), Some(1000));
    assert_eq!(world.log.sockets[0].closed, Some(closed));
    world.network = Network::Up(millis(14_000));
    world.run_until_resolved(seconds(16));
}

#[test]
fn attempt_abandoned_late_open_is_ignored() {
    let mut world = World::new(options());
    world.network = Network::Hang;
    world.call(mark_as_read("c1"));
    world.run_for(seconds(15));
    let stale = world.log.sockets[0].id;
    world.input(talk_proto::Input::SocketOpened { socket: stale });
    world.input(talk_proto::Input::SocketFrame {
        socket: stale,
        text: "[0,200,{}]",
    });
    assert!(world.log.requests.is_empty());
}

#[test]
fn loss_of_any_cause_is_reported_and_retried() {
    let causes = [
        (SocketClosed::ConnectFailed("no route".into()), "no route"),
        (SocketClosed::Lost("broken pipe".into()), "broken pipe"),
        (
            SocketClosed::ByServer { code: Some(1011) },
            "the server closed the connection with code 1011",
        ),
        (
            SocketClosed::ByServer { code: None },
            "the server closed the connection",
        ),
        (SocketClosed::FrameTooLarge, "a frame was too large"),
    ];
    for (cause, expected) in causes {
        let mut world = needy();
        world.close(cause);
        let told = world.log.states().iter().any(
            |state| matches!(state, ConnectionState::Waiting { reason, .. } if reason == expected),
        );
        assert!(told, "{:?}", world.log.states());
        world.run_for(seconds(1));
        assert_eq!(world.log.sockets.len(), 2);
        assert_eq!(world.log.states().last(), Some(&&ConnectionState::Ready));
    }
}

#[test]
fn loss_while_unneeded_makes_no_attempt() {
    let mut world = World::ready(options());
    world.run_for(seconds(1));
    world.cut();
    world.run_for(seconds(600));
    assert_eq!(world.log.sockets.len(), 1);
    assert!(world.session.is_idle());
}

/// The delay is a random number of milliseconds, and rarely zero.
#[test]
fn attempt_without_delay_starts_in_same_drain() {
    let opened_at_once = |seed: &u64| {
        let mut session = Session::new(options(), *seed, START);
        session.call(START, mark_as_read("c1")).unwrap();
        while session.poll_output().is_some() {}
        // The token is available, but the socket never opens.
        session.set_token(START, "a-token".into()).unwrap();
        while session.poll_output().is_some() {}
        let now = START + seconds(15);
        session.handle_input(now, Input::Tick);
        let outputs: Vec<_> = std::iter::from_fn(|| session.poll_output()).collect();
        let next = session.poll_timeout().expect("it goes on");
        assert!(next > now, "{seed}");
        let opens = |output: &Output| matches!(output, Output::OpenSocket { .. });
        outputs.iter().any(opens)
    };
    let seeds = 3_000;
    let at_once = (0..seeds).filter(opened_at_once).count();
    assert!((1..20).contains(&at_once), "{at_once}");
}

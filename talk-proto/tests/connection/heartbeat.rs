use serde_json::json;

use crate::support::{Answer, START, World, mark_as_read, millis, options, seconds};

/// Creates a world with a subscription, which keeps the connection open.
fn busy_world() -> World {
    let mut world = World::ready(options());
    world.keep_connected();
    world.run();
    world
}

fn pings(world: &World) -> Vec<i64> {
    let times = world.log.times_of("GET /ping");
    times
        .iter()
        .map(|at| at.as_millis() - START.as_millis())
        .collect()
}

#[test]
fn server_silent_for_10_s_is_pinged() {
    let mut world = busy_world();
    world.run_for(millis(9_999));
    assert!(pings(&world).is_empty());
    world.run_for(seconds(51));
    assert_eq!(
        pings(&world),
        [10_000, 20_000, 30_000, 40_000, 50_000, 60_000]
    );
    let ping = &world.log.of("GET /ping")[0];
    assert_eq!(ping.frame(), json!(["GET", "/ping", {}, {}]));
    assert_eq!(world.log.sockets.len(), 1);
}

#[test]
fn ping_unanswered_for_5_s_is_a_loss() {
    let mut world = busy_world();
    world.script.add(|_| Some(Answer::Silence));
    world.run_for(millis(14_999));
    assert_eq!(world.log.sockets.len(), 1);
    world.run_for(millis(1));
    let closed = world.log.sockets[0].closed.expect("it is closed");
    assert_eq!(closed, (START + seconds(15), Some(1000)));
    world.run_for(seconds(1));
    assert_eq!(world.log.sockets.len(), 2);
}

#[test]
fn heartbeat_any_frame_delays_the_ping() {
    let mut world = busy_world();
    for n in 0..20 {
        world.run_for(seconds(9));
        let text = if n % 2 == 0 {
            "no JSON"
        } else {
            "[1,\"PUBLISH\"]"
        };
        world.receive(text);
    }
    assert_eq!(world.log.sockets.len(), 1);
    // Only the pings that keep the client's side alive are sent.
    let pings = pings(&world);
    assert!(pings.len() <= 180 / 25, "{pings:?}");
}

#[test]
fn client_silent_for_25_s_pings() {
    let mut world = busy_world();
    // The frames need no acknowledgement, but prove that the server is alive.
    for _ in 0..60 {
        world.run_for(seconds(1));
        world.receive("[999,200,{}]");
    }
    assert_eq!(pings(&world), [25_000, 50_000]);
}

#[test]
fn ping_late_answer_keeps_connection() {
    let mut world = busy_world();
    world.script.add(|request| {
        (request.path == "/ping").then(|| Answer::Late(millis(4_999), 200, json!({})))
    });
    world.run_for(seconds(120));
    assert_eq!(world.log.sockets.len(), 1);
}

#[test]
fn ping_refused_counts_as_answer() {
    for status in [404, 429, 500] {
        let mut world = busy_world();
        world
            .script
            .add(move |request| (request.path == "/ping").then(|| Answer::refuse(status, "NO")));
        world.run_for(seconds(120));
        assert_eq!(world.log.sockets.len(), 1);
        assert_eq!(pings(&world).len(), 12);
    }
}

#[test]
fn clock_jump_probes_socket() {
    let mut world = busy_world();
    world.run_for(seconds(1));
    world.script.add(|_| Some(Answer::Silence));
    // The machine slept: the due tick arrives more than 10 s late.
    world.sleep_until(START + seconds(10 + 11));
    assert_eq!(pings(&world), [21_000], "it is asked at once");
    world.run_for(millis(4_999));
    assert_eq!(world.log.sockets.len(), 1);
    world.run_for(millis(1_001));
    assert_eq!(world.log.sockets.len(), 2);
}

#[test]
fn clock_jump_answered_probe_keeps_socket() {
    let mut world = busy_world();
    world.run_for(seconds(1));
    world.sleep_until(START + seconds(8 * 3600));
    world.run_for(seconds(9));
    assert_eq!(world.log.sockets.len(), 1);
    assert_eq!(pings(&world).len(), 1);
}

#[test]
fn clock_jump_during_token_fetch_keeps_socket() {
    let mut world = World::new(options());
    world.tokens = crate::support::TokenSource::After(seconds(50));
    let request = world.call(mark_as_read("c1"));
    world.run();
    world.sleep_until(START + seconds(40));
    world.run_for(seconds(11));
    assert!(world.outcome(request).is_ok());
    assert_eq!(world.log.sockets.len(), 1);
}

#[test]
fn network_change_probes_socket() {
    let mut world = busy_world();
    world.run_for(seconds(1));
    world.session.network_changed(world.now);
    world.run_for(seconds(7));
    assert_eq!(pings(&world), [1_000]);
    assert_eq!(world.log.sockets.len(), 1);
    world.script.add(|_| Some(Answer::Silence));
    world.session.network_changed(world.now);
    world.run_for(seconds(5));
    assert_eq!(
        world.log.sockets[0].closed.map(|(at, _)| at),
        Some(START + seconds(13))
    );
}

#[test]
fn suspend_closed_socket_is_not_pinged() {
    let mut world = busy_world();
    world.run_for(seconds(1));
    let before = pings(&world);
    world.now = world.now + seconds(3_600);
    world.cut();
    world.run_for(seconds(1));
    assert_eq!(pings(&world), before);
}

#[test]
fn clock_jump_publish_keeps_probe_pending() {
    let mut world = busy_world();
    world.run_for(seconds(1));
    world.script.add(|_| Some(Answer::Silence));
    world.now = START + seconds(3_600);
    world.publish(&[json!({"type": "user.edited", "userId": "bob", "diff": {"name": "Bob"}})]);
    world.run();
    assert_eq!(pings(&world), [3_600_000]);
}

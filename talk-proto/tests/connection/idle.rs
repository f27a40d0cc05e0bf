use talk_proto::ConnectionState;

use crate::support::{Answer, START, World, mark_as_read, millis, options, seconds};

#[test]
fn idle_connection_closes_after_three_seconds() {
    let mut world = World::ready(options());
    world.run_for(millis(2_999));
    assert!(world.socket().is_some());
    world.run_for(millis(1));
    let closed = (START + seconds(3), Some(1000));
    assert_eq!(world.log.sockets[0].closed, Some(closed));
    assert_eq!(world.log.states().last(), Some(&&ConnectionState::Idle));
    assert!(world.session.is_idle());
    assert_eq!(world.session.poll_timeout(), None);
}

#[test]
fn idle_call_in_time_keeps_connection() {
    let mut world = World::ready(options());
    for _ in 0..10 {
        world.run_for(millis(2_900));
        world.call(mark_as_read("c1"));
        world.run();
    }
    assert_eq!(world.log.sockets.len(), 1);
    assert!(world.socket().is_some());
}

#[test]
fn unanswered_call_keeps_connection() {
    let mut world = World::ready(options());
    world.script.add(|request| {
        let is_read = request.path.ends_with("/read");
        is_read.then(|| Answer::Late(seconds(29), 200, serde_json::json!({})))
    });
    let request = world.call(mark_as_read("c1"));
    world.run_for(seconds(30));
    assert!(world.outcome(request).is_ok());
    assert_eq!(world.log.sockets.len(), 1);
    world.run_for(seconds(3));
    assert!(world.session.is_idle());
}

#[test]
fn idle_next_call_reconnects_with_same_token() {
    let mut world = World::ready(options());
    world.run_for(seconds(60));
    let request = world.call(mark_as_read("c1"));
    world.run();
    assert!(world.outcome(request).is_ok());
    let second: Vec<_> = world
        .log
        .requests
        .iter()
        .map(|r| (r.connection, r.seq))
        .collect();
    assert_eq!(second, [(1, 0), (1, 1)]);
    assert_eq!(world.log.tokens(), ["token-1"]);
    assert_eq!(world.log.token_fetches.len(), 1);
}

#[test]
fn idle_call_cancelled_early_closes_attempt() {
    let mut world = World::new(options());
    world.network = crate::support::Network::Up(seconds(1));
    let request = world.call(mark_as_read("c1"));
    world.run();
    world.session.cancel(world.now, request).unwrap();
    world.run_for(seconds(10));
    assert_eq!(world.log.work().count(), 0);
    assert!(world.session.is_idle());
}

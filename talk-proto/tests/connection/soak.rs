//! A whole day in virtual time.

use serde_json::json;

use crate::support::{Answer, Network, World, mark_as_read, millis, options, seconds, send};

#[test]
fn soak_heartbeats_and_refreshes_on_one_connection() {
    let mut world = World::new(options());
    world.script.add(|request| match request.path.as_str() {
        "/session/renew" => Some(Answer::Reply(200, json!({"expiresInSeconds": 3600}))),
        _ => None,
    });
    world.keep_connected();
    world.run_for(seconds(24 * 3600));
    assert_eq!(world.log.sockets.len(), 1);
    assert_eq!(world.log.token_fetches.len(), 1 + 24 * 3600 / 3300);
    // Answers to renewals also prove that the server is alive, and postpone the next ping.
    let pings = world.log.of("GET /ping").len();
    assert!((8_600..=8_640).contains(&pings), "{pings}");
}

#[test]
fn soak_losses_resolve_every_call() {
    let mut world = World::new(options());
    world.script.add(|request| match request.path.as_str() {
        "/session/renew" => Some(Answer::Reply(200, json!({"expiresInSeconds": 600}))),
        _ => None,
    });
    world.latency = millis(40);
    let mut requests = vec![];
    for minute in 0..24 * 60 {
        world.network = match minute % 10 {
            3 => Network::Refuse,
            4 => Network::Hang,
            _ => Network::Up(millis(200)),
        };
        for n in 0..3 {
            requests.push(world.call(send("c1", &format!("message {n} of minute {minute}"))));
        }
        world.run_for(seconds(1));
        if minute % 3 == 0 {
            world.cut();
        }
        world.run_for(seconds(59));
    }
    world.network = Network::Up(millis(200));
    world.run_until_resolved(seconds(120));
    assert_eq!(requests.len(), 3 * 24 * 60);
    assert!(
        requests
            .iter()
            .all(|request| world.outcome(*request).is_ok())
    );
}

#[test]
fn soak_idle_stops() {
    let mut world = World::new(options());
    for _ in 0..24 * 60 {
        world.call(mark_as_read("c1"));
        world.run_for(seconds(60));
        assert!(world.session.is_idle());
    }
    assert_eq!(world.log.sockets.len(), 24 * 60);
    assert_eq!(world.log.token_fetches.len(), 1);
    assert_eq!(world.log.of("GET /ping").len(), 0);
    assert!(
        world
            .log
            .sockets
            .iter()
            .all(|s| matches!(s.closed, Some((_, Some(1000)))))
    );
}

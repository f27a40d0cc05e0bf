use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use talk_proto::Timestamp;

use crate::support::{Answer, Network, START, TokenSource, World, mark_as_read, options, seconds};

/// Creates a world whose tokens live this long, with a subscription that keeps the connection open.
fn world(expires_in: Value) -> World {
    let mut world = World::new(options());
    world
        .script
        .add(move |request| match request.path.as_str() {
            "/session/renew" => Some(Answer::Reply(200, json!({"expiresInSeconds": expires_in}))),
            _ => None,
        });
    world.keep_connected();
    world.run();
    world
}

fn fetches(world: &World) -> Vec<u64> {
    let times = world.log.token_fetches.iter();
    times
        .map(|at| at.saturating_since(START).as_secs())
        .collect()
}

#[test]
fn token_refresh_time_follows_lifetime() {
    let day = 24 * 3600;
    let cases = [
        (3600, 3300),
        (601, 301),
        (600, 300),
        (240, 120),
        (120, 60),
        (day, day - 300),
        (400 * day, 20 * day),
    ];
    for (expires_in, refreshed_after) in cases {
        let mut world = world(json!(expires_in));
        if refreshed_after > 24 * 3600 {
            // The machine sleeps, because weeks of heartbeats would add nothing to the test.
            world.sleep_until(START + seconds(refreshed_after - 3600));
        }
        world.run_until(START + seconds(refreshed_after - 1));
        assert_eq!(fetches(&world), [0], "{expires_in}");
        world.run_for(seconds(1));
        assert_eq!(fetches(&world), [0, refreshed_after], "{expires_in}");
        assert_eq!(world.log.tokens(), ["token-1", "token-2"]);
        assert_eq!(world.log.sockets.len(), 1);
        if expires_in <= 3600 {
            world.run_for(seconds(refreshed_after));
            assert_eq!(fetches(&world)[2], 2 * refreshed_after, "and again");
        }
    }
}

#[test]
fn token_without_expiry_is_never_refreshed() {
    let mut world = world(Value::Null);
    world.run_for(seconds(24 * 3600));
    world.sleep_until(START + seconds(60 * 24 * 3600));
    world.run_for(seconds(60));
    assert_eq!(fetches(&world), [0]);
}

#[test]
fn refresh_interrupts_nothing() {
    let mut world = world(json!(600));
    world.tokens = TokenSource::After(seconds(7));
    world.run_for(seconds(303));
    assert_eq!(fetches(&world), [0, 300]);
    let request = world.call(mark_as_read("meanwhile"));
    world.run();
    assert!(world.outcome(request).is_ok(), "the old token still does");
    world.run_for(seconds(5));
    assert_eq!(world.log.tokens(), ["token-1", "token-2"]);
    assert_eq!(
        world
            .log
            .of("SUBSCRIBE /me/conversations/kept/typing")
            .len(),
        1
    );
    assert_eq!(world.log.states().len(), 2, "Connecting, Ready");
}

#[test]
fn given_token_without_callback_is_used_until_rejected() {
    let mut options = options();
    options.authentication.can_fetch_token = false;
    options.authentication.token = Some("given-token".into());
    let mut world = World::new(options);
    world.script.add(|request| match request.path.as_str() {
        "/session/renew" => Some(Answer::Reply(200, json!({"expiresInSeconds": 600}))),
        _ => None,
    });
    world.keep_connected();
    world.run_for(seconds(590));
    assert_eq!(world.end(), None);
    assert_eq!(world.log.tokens(), ["given-token"]);
}

#[test]
fn renewal_server_error_keeps_calls_running() {
    let mut world = world(json!(600));
    let mut failed = false;
    world.script.add(move |request| {
        let is_second = request.data["token"] == "token-2";
        (is_second && !std::mem::replace(&mut failed, true)).then(|| Answer::refuse(500, "LATER"))
    });
    world.run_for(seconds(301));
    let request = world.call(mark_as_read("meanwhile"));
    world.run();
    assert!(world.outcome(request).is_ok());
    world.run_for(seconds(10));
    assert_eq!(world.log.tokens(), ["token-1", "token-2", "token-2"]);
    let times = world.log.times_of("POST /session/renew");
    let delay = times[2].saturating_since(times[1]);
    assert!((seconds(5)..=seconds(10)).contains(&delay), "{delay:?}");
}

#[test]
fn idle_session_fetches_no_token() {
    let mut world = World::new(options());
    world.script.add(|request| {
        let life = json!({"expiresInSeconds": 600});
        (request.path == "/session/renew").then(|| Answer::Reply(200, life.clone()))
    });
    world.call(mark_as_read("c1"));
    world.run_for(seconds(24 * 3600));
    assert_eq!(fetches(&world), [0]);
    world.call(mark_as_read("c2"));
    world.run();
    assert_eq!(fetches(&world), [0, 24 * 3600]);
    assert_eq!(
        world.log.tokens().last().map(String::as_str),
        Some("token-2")
    );
}

/// Creates a world that answers only renewals. The n-th token lives for `life(n)` seconds after the
/// server first received it.
fn world_of_silence(life: impl Fn(u64) -> u64 + 'static) -> World {
    let mut world = World::new(options());
    let mut heard: BTreeMap<String, Timestamp> = BTreeMap::new();
    world.script.add(move |request| {
        let Some(token) = request.data["token"].as_str() else {
            return Some(Answer::Silence);
        };
        let since = *heard.entry(token.to_owned()).or_insert(request.at);
        let number = token.trim_start_matches("token-").parse().unwrap_or(0);
        let left = life(number) - request.at.saturating_since(since).as_secs();
        Some(Answer::Reply(200, json!({"expiresInSeconds": left})))
    });
    world.call(mark_as_read("kept"));
    world
}

/// Cuts the connection and prevents another one for this time.
fn lose_for(world: &mut World, time: Duration) {
    world.network = Network::Refuse;
    world.cut();
    world.run_for(time);
    world.network = Network::Up(Duration::ZERO);
    world.session.network_changed(world.now);
    world.run();
}

#[test]
fn token_expired_while_idle_is_no_rejection() {
    let mut world = world_of_silence(|_| 125);
    for _ in 0..8 {
        world.run_for(seconds(1));
        lose_for(&mut world, seconds(8));
        assert_eq!(world.end(), None);
    }
    assert_eq!(fetches(&world), [0, 10, 19, 28, 37, 46, 55, 64]);
}

#[test]
fn token_accepted_resets_rejection_count() {
    let is_good = |number| number % 4 == 0;
    let mut world = world_of_silence(move |number| if is_good(number) { 125 } else { 60 });
    for _ in 0..3 {
        // Three bad tokens have delays of 1, 2 and 4 s.
        world.run_for(seconds(8));
        lose_for(&mut world, seconds(65));
        assert_eq!(world.end(), None);
    }
    assert_eq!(world.log.token_fetches.len(), 13);
}

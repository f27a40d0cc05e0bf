use talk_proto::{Addresses, Authentication, SessionOptions};

use crate::support::{START, World, mark_as_read, options, seconds};

fn asked_of(options: SessionOptions) -> (Vec<String>, Vec<String>) {
    let mut world = World::new(options);
    world.call(mark_as_read("c1"));
    world.run();
    let sockets = world.log.sockets.iter().map(|s| s.url.clone()).collect();
    let http = world.log.http.iter().map(|h| h.uri.clone()).collect();
    (sockets, http)
}

fn client_id(url: &str) -> &str {
    let (_, rest) = url.split_once("talkjs-client-id=").expect("a client ID");
    rest.split('&').next().unwrap_or(rest)
}

#[test]
fn addresses_default_to_the_public_service() {
    let options = SessionOptions::new("my app".try_into().unwrap(), "a/b é".try_into().unwrap());
    let (sockets, http) = asked_of(options);
    let id = client_id(&sockets[0]);
    let expected = format!(
        "wss://realtime.talkjs.com/v1/my%20app/realtime/a%2Fb%20%C3%A9\
         ?talkjs-client-build=standalone&talkjs-core=1.11.2&talkjs-client-id={id}&talkjs-time={}",
        START.as_millis(),
    );
    assert_eq!(sockets, [expected]);
    assert_eq!(
        http,
        [
            "https://app.talkjs.com/api/v0/my%20app/bokens/a%2Fb%20%C3%A9?signature=",
            "https://app.talkjs.com/api/v0/my%20app",
        ]
    );
}

#[test]
fn host_changes_all_addresses() {
    let cases = [
        (
            "127.0.0.1:81",
            "ws://127.0.0.1:81/public_api/v1/",
            "http://127.0.0.1:81/api/v0/app",
        ),
        (
            "chat.test",
            "wss://chat.test/public_api/v1/",
            "https://chat.test/api/v0/app",
        ),
        (
            "eu.talkjs.com",
            "wss://realtime-eu.talkjs.com/v1/",
            "https://app-eu.talkjs.com/api/v0/app",
        ),
    ];
    for (host, socket, check) in cases {
        let mut options = options();
        options.addresses = Addresses::of_host(host);
        let (sockets, http) = asked_of(options);
        assert!(sockets[0].starts_with(socket), "{host}: {}", sockets[0]);
        assert_eq!(http, [check], "{host}");
    }
}

#[test]
fn addresses_can_be_set_separately() {
    let mut options = options();
    options.addresses.realtime = "ws://a.test/x".to_owned();
    options.addresses.internal = "http://b.test/y".to_owned();
    let (sockets, http) = asked_of(options);
    assert!(sockets[0].starts_with("ws://a.test/x/app/realtime/alice?"));
    assert_eq!(http, ["http://b.test/y/app"]);
}

#[test]
fn host_with_scheme_or_bad_port_ends_session() {
    let end = |host: &str| {
        let mut options = options();
        options.authentication = Authentication::default();
        options.authentication.signature = Some("c0ffee00".into());
        options.addresses = Addresses::of_host(host);
        let mut world = World::new(options);
        let request = world.call(mark_as_read("c1"));
        world.run();
        let error = world.outcome(request).as_ref().unwrap_err().to_string();
        assert!(world.log.http.is_empty(), "{host}");
        assert!(!error.contains("c0ffee00"), "{host}: {error}");
        error
    };
    for host in [
        "http://chat.test",
        "chat.test:99999",
        "chat.test:",
        "a b",
        "",
    ] {
        let error = end(host);
        assert!(
            error.contains("give the host as NAME or NAME:PORT"),
            "{host}: {error}"
        );
    }
    let error = end("http://bob:hunter2@chat.test");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn socket_url_has_client_id_and_attempt_time() {
    let mut world = World::ready(options());
    world.run_for(seconds(60));
    world.call(mark_as_read("c1"));
    world.run();
    let urls: Vec<_> = world.log.sockets.iter().map(|s| s.url.as_str()).collect();
    assert_eq!(urls.len(), 2);
    assert_eq!(client_id(urls[0]), client_id(urls[1]));
    assert!(client_id(urls[0]).bytes().all(|b| b.is_ascii_digit()));
    for (url, log) in urls.iter().zip(&world.log.sockets) {
        let time = format!("&talkjs-time={}", log.asked_at.as_millis());
        assert!(url.ends_with(&time), "{url}");
    }
    let other = World::seeded(options(), 7);
    let mut other = other;
    other.call(mark_as_read("c1"));
    other.run();
    assert_ne!(client_id(&other.log.sockets[0].url), client_id(urls[0]));
}

#[test]
fn address_malformed_ends_session_with_reason() {
    let mut options = options();
    options.addresses.internal = "not a url".to_owned();
    let mut world = World::new(options);
    world.call(mark_as_read("c1"));
    world.run();
    let error = world.end().expect("it has ended").to_string();
    assert!(error.contains("address not a url is invalid"), "{error}");
}

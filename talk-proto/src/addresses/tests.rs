//! Addresses of hosts.

use super::*;

fn realtime(host: &str) -> String {
    Addresses::of_host(host).realtime
}

#[test]
fn of_host_region_has_its_own_hosts() {
    assert_eq!(realtime("eu.talkjs.com"), "wss://realtime-eu.talkjs.com/v1");
    assert_eq!(
        realtime("app-eu.talkjs.com"),
        "wss://realtime-eu.talkjs.com/v1"
    );
    assert_eq!(
        realtime("a-b-eu.talkjs.com"),
        "wss://realtime-b-eu.talkjs.com/v1"
    );
}

#[test]
fn of_host_public_host_is_the_public_service() {
    for host in [
        "talkjs.com",
        "app.talkjs.com",
        "cdn.talkjs.com",
        "staging-app.talkjs.com",
    ] {
        assert_eq!(Addresses::of_host(host), Addresses::default(), "{host}");
    }
}

#[test]
fn of_host_loopback_only_is_without_tls() {
    for host in [
        "127.0.0.1:80",
        "127.8.9.1",
        "localhost:3",
        "Localhost",
        "my.localhost:3",
        "[::1]:90",
        "[::1]",
    ] {
        assert!(realtime(host).starts_with("ws://"), "{host}");
    }
    for host in [
        "chat.example.com",
        "chat.example.com:80",
        "1.2.3",
        "10.0.0.1",
        "127.0.0.1.example.com",
        "localhost.evil.example",
        "my.localhost.dev",
        "evillocalhost",
        "[2001:db8::1]:90",
        "eu.talkjs.com:9",
    ] {
        assert!(realtime(host).starts_with("wss://"), "{host}");
    }
}

#[test]
fn without_tls_changes_only_the_scheme() {
    let plain = Addresses::of_host("10.0.0.1:80").without_tls();
    assert_eq!(plain.realtime, "ws://10.0.0.1:80/public_api/v1");
    assert_eq!(plain.internal, "http://10.0.0.1:80/api/v0");
    assert_eq!(plain.clone().without_tls(), plain);
}

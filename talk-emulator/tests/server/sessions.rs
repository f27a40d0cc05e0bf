use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use talk_emulator::server::Settings;

use crate::support::{APP, World, get};

fn signed(secret: &str, header: &Value, claims: &Value) -> String {
    let encode = |part: &Value| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
    let text = format!("{}.{}", encode(header), encode(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    format!(
        "{text}.{}",
        BASE64URL_NOPAD.encode(&mac.finalize().into_bytes())
    )
}

fn token(claims: &Value) -> String {
    signed("s3cret", &json!({ "alg": "HS256" }), claims)
}

fn world_with_secret() -> World {
    World::with(Settings {
        secret: Some("s3cret".to_owned()),
        ..Settings::default()
    })
}

#[test]
fn nothing_but_renewing_is_answered_before_authentication() {
    let mut world = World::new();
    let peer = world.open("alice");
    for (method, path) in [
        ("GET", "/ping"),
        ("SUBSCRIBE", "/users"),
        ("GET", "/nowhere"),
    ] {
        assert_eq!(world.refused(peer, method, path, json!({})).0, 401);
    }
    let renewed = world.ok(peer, "POST", "/session/renew", json!({ "token": "T" }));
    assert_eq!(renewed, json!({ "expiresInSeconds": null }));
    assert_eq!(world.ok(peer, "GET", "/ping", json!({})), json!({}));
}

#[test]
fn a_renewal_without_a_token_is_malformed() {
    let mut world = World::new();
    let peer = world.open("alice");
    assert_eq!(
        world.refused(peer, "POST", "/session/renew", json!({})).0,
        400
    );
}

#[test]
fn what_is_no_request_is_skipped() {
    let mut world = World::new();
    let peer = world.connect("alice");
    for text in [
        "",
        "{",
        "{}",
        "[]",
        "[1]",
        "[1,\"ACK\"]",
        "[\"x\",\"GET\",\"/ping\",{},{}]",
        "7",
    ] {
        world.raw(peer, text);
    }
    assert_eq!(world.ok(peer, "GET", "/ping", json!({})), json!({}));
    assert_eq!(
        world.refused(peer, "GET", "/nowhere", json!({})),
        (404, "ROUTE_NOT_FOUND".into())
    );
    assert_eq!(
        world.refused(peer, "BREW", "/ping", json!({})),
        (404, "ROUTE_NOT_FOUND".into())
    );
    assert_eq!(
        world.refused(peer, "GET", "/users/%FF/online", json!({})).0,
        404
    );
}

#[test]
fn frames_of_a_closed_connection_change_nothing() {
    let mut world = World::new();
    let peer = world.connect("alice");
    world.close(peer);
    let seq = world.send(peer, "POST", "/users/alice", json!({ "name": "Alice" }));
    assert_eq!(world.answer(peer, seq), None);
}

#[test]
fn a_secret_asks_for_a_good_token() {
    let mut world = world_with_secret();
    let peer = world.open("alice");
    let good = json!({ "iss": APP, "sub": "alice", "tokenType": "user" });
    let past = world.now() / 1000;
    let bad = [
        "T".to_owned(),
        "a.b.c".to_owned(),
        token(&json!({ "iss": "other", "sub": "alice" })),
        token(&json!({ "iss": APP, "sub": "bob" })),
        token(&json!({ "iss": APP })),
        token(&json!({ "iss": APP, "sub": "alice", "exp": past })),
        signed("wrong", &json!({ "alg": "HS256" }), &good),
        signed("s3cret", &json!({ "alg": "none" }), &good),
        signed("s3cret", &json!({ "alg": "HS512" }), &good),
    ];
    for token in bad {
        let data = json!({ "token": token });
        assert_eq!(
            world.refused(peer, "POST", "/session/renew", data).0,
            401,
            "{token}"
        );
        assert_eq!(world.refused(peer, "GET", "/ping", json!({})).0, 401);
    }
    let renewed = world.ok(
        peer,
        "POST",
        "/session/renew",
        json!({ "token": token(&good) }),
    );
    assert_eq!(renewed, json!({ "expiresInSeconds": null }));
}

#[test]
fn a_session_expires_with_its_token_and_a_new_one_revives_it() {
    let mut world = world_with_secret();
    let peer = world.open("alice");
    let until = |world: &World, seconds: u64| {
        token(&json!({ "iss": APP, "sub": "alice", "exp": world.now() / 1000 + seconds }))
    };
    let data = json!({ "token": until(&world, 600) });
    let renewed = world.ok(peer, "POST", "/session/renew", data);
    assert_eq!(renewed, json!({ "expiresInSeconds": 600 }));
    world.subscribe(peer, &["/me/conversations"]);

    world.wait(599_999);
    assert_eq!(world.events(peer), [] as [Value; 0]);
    world.wait(1);
    assert_eq!(world.events(peer), [json!({ "type": "session.expired" })]);
    assert_eq!(world.refused(peer, "GET", "/ping", json!({})).0, 401);

    let data = json!({ "token": until(&world, 600) });
    world.ok(peer, "POST", "/session/renew", data);
    world.ok(peer, "POST", "/users/alice", json!({ "name": "Alice" }));
    assert_eq!(
        world.event_types(peer),
        ["user.created"],
        "subscriptions live on"
    );
}

#[test]
fn a_token_renewed_in_time_moves_the_end() {
    let mut world = world_with_secret();
    let peer = world.open("alice");
    for _ in 0..3 {
        let exp = world.now() / 1000 + 600;
        let data = json!({ "token": token(&json!({ "iss": APP, "sub": "alice", "exp": exp })) });
        world.ok(peer, "POST", "/session/renew", data);
        world.wait(400_000);
        world.ok(peer, "GET", "/ping", json!({}));
    }
    assert_eq!(world.events(peer), [] as [Value; 0]);
}

#[test]
fn a_boken_lets_in_whom_it_was_made_for() {
    let mut world = World::new();
    let (status, body) = world.http(get("/api/v0/app/bokens/al%2Fice?signature="));
    assert_eq!(status, 200);
    let peer = world.open("al/ice");
    world.ok(
        peer,
        "POST",
        "/session/renew",
        json!({ "token": body["boken"] }),
    );
}

#[test]
fn with_a_secret_a_boken_costs_a_signature() {
    let mut world = world_with_secret();
    let mut mac = Hmac::<Sha256>::new_from_slice(b"s3cret").unwrap();
    mac.update(b"alice");
    let signature = data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes());

    assert_eq!(
        world.http(get("/api/v0/app/bokens/alice?signature=")).0,
        401
    );
    assert_eq!(
        world
            .http(get(&format!(
                "/api/v0/app/bokens/bob?signature={signature}"
            )))
            .0,
        401
    );
    for signature in [signature.to_uppercase(), signature] {
        let uri = format!("/api/v0/app/bokens/alice?signature={signature}");
        let (status, body) = world.http(get(&uri));
        assert_eq!(status, 200);
        let peer = world.open("alice");
        world.ok(
            peer,
            "POST",
            "/session/renew",
            json!({ "token": body["boken"] }),
        );
        let bob = world.open("bob");
        let refused = world.refused(
            bob,
            "POST",
            "/session/renew",
            json!({ "token": body["boken"] }),
        );
        assert_eq!(refused.0, 401);
    }
}

#[test]
fn an_app_that_is_refused_does_not_exist() {
    let settings = Settings {
        refused_apps: [APP.to_owned()].into(),
        ..Settings::default()
    };
    let mut world = World::with(settings);
    assert_eq!(world.http(get("/api/v0/app")).0, 404);
    assert_eq!(
        world.http(get("/api/v0/app/bokens/alice?signature=")).0,
        404
    );
    assert_eq!(world.http(get("/api/v0/other")), (200, json!({})));
    let peer = world.open("alice");
    assert_eq!(
        world
            .refused(peer, "POST", "/session/renew", json!({ "token": "T" }))
            .0,
        404
    );
}

#[test]
fn debug_shows_no_secret() {
    let settings = Settings {
        secret: Some("s3cret".to_owned()),
        ..Settings::default()
    };
    assert!(!format!("{settings:?}").contains("s3cret"));
    assert!(!format!("{:?}", World::with(settings).server).contains("s3cret"));
}

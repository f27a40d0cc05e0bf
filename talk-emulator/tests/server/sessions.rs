use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use talk_emulator::server::{Fault, FaultKind, Settings};

use super::support::{APP, World, get};

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
fn request_before_authentication_is_401() {
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
fn renew_without_token_is_refused() {
    let mut world = World::new();
    let peer = world.open("alice");
    assert_eq!(
        world.refused(peer, "POST", "/session/renew", json!({})).0,
        400
    );
}

#[test]
fn handle_frame_non_request_is_skipped() {
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
fn handle_frame_after_close_is_ignored() {
    let mut world = World::new();
    let peer = world.connect("alice");
    world.close(peer);
    let seq = world.send(peer, "POST", "/users/alice", json!({ "name": "Alice" }));
    assert_eq!(world.answer(peer, seq), None);
}

#[test]
fn renew_with_secret_needs_valid_token() {
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
        signed("s3cret", &json!({ "alg": "HS256", "crit": ["exp"] }), &good),
        token(&json!({ "iss": APP, "sub": "alice", "nbf": past + 1 })),
        token(&json!({ "iss": APP, "sub": "alice", "nbf": "now" })),
        String::new(),
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
fn session_expires_and_renews() {
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
fn renew_after_not_before_is_accepted() {
    let mut world = world_with_secret();
    let peer = world.open("alice");
    let now = world.now() / 1000;
    let data = json!({ "token": token(&json!({ "iss": APP, "sub": "alice", "nbf": now })) });
    world.ok(peer, "POST", "/session/renew", data);
}

fn let_expire(world: &mut World) {
    let now = world.time();
    world.server.inject(now, Fault::new(FaultKind::TokenExpiry));
    world.wait(0);
}

#[test]
fn expired_session_holds_events_until_renewal() {
    let (mut world, alice, bob) = World::of_friends();
    world.subscribe(alice, &["/me/conversations/c/messages"]);
    let_expire(&mut world);
    assert_eq!(world.event_types(alice), ["session.expired"]);
    world.event_types(bob);
    world.ok(bob, "POST", "/session/renew", json!({ "token": "b" }));
    for text in ["one", "two"] {
        world.say(bob, "c", text);
    }
    world.wait(60_000);
    assert_eq!(world.events(alice), [] as [Value; 0]);
    world.ok(alice, "POST", "/session/renew", json!({ "token": "a" }));
    let events = world.events(alice);
    let texts: Vec<&Value> = events
        .iter()
        .map(|event| &event["state"]["content"][0]["children"][0])
        .collect();
    assert_eq!(texts, ["one", "two"]);
}

#[test]
fn expired_session_with_many_events_is_closed() {
    let (mut world, alice, bob) = World::of_friends();
    world.subscribe(alice, &["/me/conversations/c/messages"]);
    world.subscribe(bob, &["/users/alice/online"]);
    let_expire(&mut world);
    world.ok(bob, "POST", "/session/renew", json!({ "token": "b" }));
    world.forget_events(&[bob]);
    let text = "x".repeat(100_000);
    for _ in 0..11 {
        world.say(bob, "c", &text);
    }
    assert_eq!(world.is_closed(alice), Some(Some(1008)));
    assert_eq!(world.event_types(alice), ["session.expired"]);
    assert_eq!(world.event_types(bob), ["user.online.changed"]);
}

#[test]
fn set_settings_new_secret_expires_sessions() {
    let (mut world, alice, bob) = World::of_friends();
    let set = |world: &mut World, secret: Option<&str>| {
        let mut settings = world.server.settings().clone();
        settings.secret = secret.map(str::to_owned);
        let now = world.time();
        world.server.set_settings(now, settings);
        world.wait(0);
    };
    // An empty secret counts as none.
    set(&mut world, Some(""));
    world.ok(alice, "POST", "/session/renew", json!({ "token": "any" }));
    set(&mut world, Some("first"));
    for peer in [alice, bob] {
        assert_eq!(world.event_types(peer), ["session.expired"]);
        assert_eq!(world.refused(peer, "GET", "/ping", json!({})).0, 401);
    }
    let claims = json!({ "iss": APP, "sub": "alice" });
    let renew =
        |secret: &str| json!({ "token": signed(secret, &json!({ "alg": "HS256" }), &claims) });
    world.ok(alice, "POST", "/session/renew", renew("first"));
    set(&mut world, Some("first"));
    assert_eq!(world.events(alice), [] as [Value; 0]);
    set(&mut world, Some("second"));
    assert_eq!(world.event_types(alice), ["session.expired"]);
    let refused = world.refused(alice, "POST", "/session/renew", renew("first"));
    assert_eq!(refused.0, 401);
    world.ok(alice, "POST", "/session/renew", renew("second"));
}

#[test]
fn anonymous_token_without_signature_names_token() {
    let mut world = world_with_secret();
    for query in ["", "?signature="] {
        let (status, body) = world.http(get(&format!("/api/v0/{APP}/bokens/alice{query}")));
        assert_eq!(status, 401);
        let reason = body["reasons"][0].as_str().unwrap();
        assert!(
            reason.contains("token") && !reason.contains("signature"),
            "{reason}"
        );
    }
}

#[test]
fn handle_frame_unreadable_request_is_answered() {
    let mut world = World::new();
    let peer = world.connect("alice");
    for (seq, text) in [
        (50, r#"[50,"GET"]"#),
        (51, r#"[51,"GET",7]"#),
        (52, r#"[52,"GET","/ping",{"a":NaN}]"#),
        (53, r#"[53,"GET","\ud8"]"#),
        (54, r#" [ 54 , "GET","/ping",{}"#),
    ] {
        world.raw(peer, text);
        let (status, body) = world.answer(peer, seq).unwrap();
        assert_eq!(
            (status, &body["errorCode"]),
            (400, &json!("INVALID_REQUEST")),
            "{text}"
        );
    }
    let stranger = world.open("bob");
    world.raw(stranger, r#"[0,"GET"]"#);
    assert_eq!(world.answer(stranger, 0).unwrap().0, 401);
}

#[test]
fn renew_before_expiry_extends_session() {
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
fn anonymous_token_authenticates_its_user() {
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
fn anonymous_token_with_secret_needs_signature() {
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
fn refused_app_is_404() {
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
fn debug_hides_secret() {
    let settings = Settings {
        secret: Some("s3cret".to_owned()),
        ..Settings::default()
    };
    assert!(!format!("{settings:?}").contains("s3cret"));
    assert!(!format!("{:?}", World::with(settings).server).contains("s3cret"));
}

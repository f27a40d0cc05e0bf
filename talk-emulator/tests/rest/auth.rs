use serde_json::{Value, json};
use talk_emulator::server::Settings;

use super::support::{request, sign};
use crate::server::support::World;

const SECRET: &str = "sk_test_secret";

/// A token from another implementation, valid until 2026-01-01T00:00:30Z.
const VECTOR: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlblR5cGUiOiJhcHAiLCJpc3MiOiJh\
    cHAxIiwiZXhwIjoxNzY3MjI1NjMwfQ.5SPzl7LTn9R8znINtQGx6dTxKPWwxA_GZKB-kD5X01Y";

fn status(world: &mut World, authorization: Option<&str>) -> u16 {
    let mut request = request("GET", "", &Value::Null);
    request.headers_mut().remove("authorization");
    if let Some(authorization) = authorization {
        let value = authorization.parse().unwrap();
        request.headers_mut().insert("authorization", value);
    }
    let (status, body) = world.http(request);
    if status == 401 {
        assert_eq!(body["errorCode"], "UNAUTHORIZED");
    }
    status
}

fn secured_settings() -> Settings {
    Settings {
        secret: Some(SECRET.to_owned()),
        ..Settings::default()
    }
}

fn secured() -> World {
    World::with(secured_settings())
}

#[test]
fn app_token_of_another_implementation_is_accepted() {
    let mut world = secured();
    let mut vector = request("GET", "", &Value::Null);
    *vector.uri_mut() = "/v1/app1".parse().unwrap();
    let bearer = format!("Bearer {VECTOR}").parse().unwrap();
    vector.headers_mut().insert("authorization", bearer);
    assert_eq!(world.http(vector.clone()).0, 200);
    world.wait(67_225_629_999);
    assert_eq!(world.http(vector.clone()).0, 200);
    world.wait(1);
    assert_eq!(world.http(vector).0, 401, "there is no leeway");
}

#[test]
fn app_token_needs_type_app_and_key() {
    let mut world = secured();
    let mut bearer = |key: &str, claims: Value| {
        let token = format!("Bearer {}", sign(key, &claims));
        status(&mut world, Some(&token))
    };
    let later = 1_800_000_000;
    for kind in ["app", "admin"] {
        let claims = json!({ "tokenType": kind, "iss": "app", "exp": later });
        assert_eq!(bearer(SECRET, claims.clone()), 200, "{kind}");
        assert_eq!(bearer("sk_test_other", claims), 401);
    }
    assert_eq!(
        bearer(SECRET, json!({ "tokenType": "app", "iss": "app" })),
        200
    );
    for claims in [
        json!({ "tokenType": "app", "iss": "other", "exp": later }),
        json!({ "tokenType": "app", "exp": later }),
        json!({ "tokenType": "app", "iss": "app", "exp": 1_600_000_000 }),
        json!({ "tokenType": "app", "iss": "app", "exp": "later" }),
        json!({ "tokenType": "user", "iss": "app", "sub": "alice", "exp": later }),
        json!({ "iss": "app", "sub": "alice", "exp": later }),
        json!({ "iss": "app", "exp": later }),
    ] {
        assert_eq!(bearer(SECRET, claims.clone()), 401, "{claims}");
    }
}

#[test]
fn secret_itself_is_accepted() {
    let mut world = secured();
    assert_eq!(status(&mut world, Some("Bearer sk_test_secret")), 200);
    assert_eq!(status(&mut world, Some("bearer sk_test_secret")), 200);
    for wrong in [
        None,
        Some("Bearer "),
        Some("Bearer sk_test_secre"),
        Some("Bearer sk_test_secret1"),
        Some("Basic sk_test_secret"),
        Some("sk_test_secret"),
    ] {
        assert_eq!(status(&mut world, wrong), 401, "{wrong:?}");
    }
}

#[test]
fn without_secret_any_token_but_users_is_accepted() {
    let mut world = World::new();
    let token = |claims: Value| format!("Bearer {}", sign("any", &claims));
    let app = token(json!({ "tokenType": "app", "iss": "app" }));
    for accepted in ["Bearer x", "Bearer sk_test_1", &app] {
        assert_eq!(status(&mut world, Some(accepted)), 200, "{accepted}");
    }
    let user = token(json!({ "tokenType": "user", "iss": "app", "sub": "alice" }));
    let (_, boken) = world.http(crate::server::support::get("/api/v0/app/bokens/alice"));
    let boken = format!("Bearer {}", boken["boken"].as_str().unwrap());
    for refused in [
        None,
        Some("Bearer"),
        Some("Bearer  "),
        Some(&user),
        Some(&boken),
    ] {
        assert_eq!(status(&mut world, refused), 401, "{refused:?}");
    }
}

#[test]
fn without_secret_pages_of_other_machines_are_refused() {
    for (settings, refused) in [(Settings::default(), 401), (secured_settings(), 200)] {
        let mut world = World::with(settings);
        let mut status = |origin: &str| {
            let mut request = request("GET", "", &Value::Null);
            let headers = request.headers_mut();
            let token = "Bearer sk_test_secret".parse().unwrap();
            headers.insert("authorization", token);
            headers.insert("origin", origin.parse().unwrap());
            world.http(request).0
        };
        assert_eq!(status("http://localhost:3000"), 200);
        for origin in [
            "http://evil.example:4000",
            "null",
            "http://localhost.evil.example",
        ] {
            assert_eq!(status(origin), refused, "{origin}");
        }
    }
}

#[test]
fn rate_limits_refuse_with_time_to_wait() {
    let settings = json!({ "limits": { "restRate": true } });
    let mut world = World::with(serde_json::from_value(settings).unwrap());
    let now = world.time();
    for _ in 0..600 {
        world.read("/users");
    }
    let response = world
        .server
        .http(now, &request("GET", "/users", &Value::Null));
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "1");
    for _ in 0..500 {
        world.done("POST", "/batch", json!([]));
    }
    let refused = (429, "RATE_LIMITED".to_owned());
    assert_eq!(world.rejected("POST", "/batch", json!([])), refused);
    assert_eq!(world.rejected("GET", "/users", Value::Null), refused);
    world.wait(1000);
    for _ in 0..9 {
        world.read("/users");
    }
    assert_eq!(world.rejected("GET", "/users", Value::Null), refused);
    world.done("POST", "/batch", json!([]));
    assert_eq!(world.rejected("POST", "/batch", json!([])), refused);
}

#[test]
fn checks_run_in_documented_order() {
    let mut world = World::with(Settings {
        secret: Some(SECRET.to_owned()),
        refused_apps: ["gone".to_owned()].into(),
        ..Settings::default()
    });
    let send = |world: &mut World, path: &str, headers: &[(&str, &str)], body: &str| {
        let mut request = http::Request::put(path)
            .body(body.to_owned().into())
            .unwrap();
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        world.server.http(world.time(), &request)
    };
    let code = |world: &mut World, headers: &[(&str, &str)], body: &str| {
        let response = send(world, "/v1/app/users/alice", headers, body);
        let body: Value = serde_json::from_slice(&response.body().concat()).unwrap();
        (
            response.status().as_u16(),
            body["errorCode"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let not_found = send(&mut world, "/v1/gone/nothing", &[], "");
    assert_eq!(not_found.status(), 404);
    assert_eq!(not_found.headers()["content-type"], "application/json");
    assert_eq!(not_found.body().concat(), b"\"Not found\"");
    let no_app = send(&mut world, "/v1/gone/users/alice", &[], "");
    assert_eq!(no_app.status(), 404);
    assert!(no_app.headers().get("content-type").is_none());
    assert_eq!(no_app.body().concat(), b"Not found.");

    let bearer = ("authorization", "Bearer sk_test_secret");
    let json = ("content-type", "application/json");
    let text = ("content-type", "text/plain");
    let version = ("talkjs-rest-version", "2020-01-01");
    let large = "x".repeat(1024 * 1024 + 1);
    let expect = |found: (u16, String), status: u16, code: &str| {
        assert_eq!(found, (status, code.to_owned()));
    };
    expect(code(&mut world, &[text, version], "{"), 401, "UNAUTHORIZED");
    let found = code(&mut world, &[bearer, text, version], "{");
    expect(found, 400, "INVALID_CONTENT_TYPE");
    let found = code(&mut world, &[bearer, json, version], "{");
    expect(found, 400, "INVALID_API_VERSION");
    let found = code(&mut world, &[bearer, json], &large);
    expect(found, 400, "BODY_TOO_LARGE");
    expect(code(&mut world, &[bearer, json], "{"), 400, "INVALID_JSON");
    expect(code(&mut world, &[bearer, json], "[]"), 400, "INVALID_USER");
    expect(code(&mut world, &[bearer], ""), 400, "INVALID_USER");
    let json = ("content-type", "Application/JSON; charset=utf-8");
    expect(
        code(&mut world, &[bearer, json], r#"{"name":"A"}"#),
        200,
        "",
    );
}

#[test]
fn advanced_clock_leaves_time_of_back_ends() {
    let mut world = secured();
    let expiry = world.now() / 1000 + 30;
    let claims = json!({ "tokenType": "app", "iss": "app", "exp": expiry });
    let token = format!("Bearer {}", sign(SECRET, &claims));
    let day = std::time::Duration::from_secs(24 * 3600);
    world.server.set_ahead(day);
    world.wait(24 * 3_600_000);
    assert_eq!(status(&mut world, Some(&token)), 200);
    world.wait(30_000);
    assert_eq!(status(&mut world, Some(&token)), 401);
}

#[test]
fn body_is_checked_before_existence() {
    let mut world = World::new();
    let block = json!([{ "type": "text", "children": [5] }]);
    let content = json!({ "type": "UserMessage", "sender": "x", "content": block });
    for (method, path, body) in [
        ("POST", "/conversations/zz/messages", json!([{}])),
        ("POST", "/conversations/zz/messages", json!([content])),
        (
            "PUT",
            "/conversations/zz/messages/m",
            json!({ "content": block }),
        ),
        ("POST", "/import/conversations/zz/messages", json!([{}])),
        ("PATCH", "/users/zz/conversations/zz", json!({})),
        (
            "PATCH",
            "/conversations/zz/participants/zz",
            json!({ "access": 1 }),
        ),
        (
            "PUT",
            "/conversations/zz/participants/zz",
            json!({ "access": 1 }),
        ),
    ] {
        assert_eq!(world.rejected(method, path, body).0, 400, "{method} {path}");
    }
}

#[test]
fn body_nested_too_deep_is_refused_with_reason() {
    let mut world = World::new();
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let mut request = request("PUT", "/users/alice", &json!({}));
    *request.body_mut() = format!(r#"{{"name": "A", "unknown": {deep}}}"#).into();
    let (status, body) = world.http(request);
    assert_eq!(status, 400);
    assert_eq!(body["reasons"], json!(["The body is nested too deep."]));
}

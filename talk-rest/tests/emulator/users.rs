use talk_rest::{
    ApiVersion, Credentials, Patch, RetrySafety, UserParams, app, presences, put_users, user, users,
};

use super::world::{SECRET, World, id};

#[test]
fn user_is_created_updated_and_read() {
    let mut world = World::new();
    let alice = user("alice@example.com/1").unwrap();
    let params = UserParams::named("Alice")
        .email(["alice@example.com"])
        .phone(["+123"])
        .photo_url("https://example.com/a.png")
        .welcome_message("Hi")
        .locale("de-DE")
        .role("buyer")
        .availability_text("Mornings")
        .push_token("fcm:1")
        .push_token("apns:2")
        .custom("tier", "gold")
        .custom("old", "x");
    world.ok(&alice.put(params));
    let read = world.ok(&alice.get());
    assert_eq!(read.id, *alice.id());
    assert_eq!(read.name, "Alice");
    assert_eq!(read.email, ["alice@example.com"]);
    assert_eq!(read.phone, ["+123"]);
    assert_eq!(read.photo_url.as_deref(), Some("https://example.com/a.png"));
    assert_eq!(read.welcome_message.as_deref(), Some("Hi"));
    assert_eq!(read.locale.as_deref(), Some("de-DE"));
    assert_eq!(read.role.as_deref(), Some("buyer"));
    assert_eq!(read.availability_text.as_deref(), Some("Mornings"));
    assert_eq!(read.push_tokens.len(), 2);
    assert_eq!(read.created_at, Some(world.now));

    let changes = UserParams::default()
        .photo_url(Patch::Reset)
        .remove_push_token("fcm:1")
        .remove_custom("old");
    world.ok(&alice.put(changes));
    let read = world.ok(&alice.get());
    assert_eq!(read.name, "Alice");
    assert_eq!(read.photo_url, None);
    assert!(read.push_tokens.keys().eq(["apns:2"]));
    assert_eq!(read.custom.iter().collect::<Vec<_>>(), [("tier", "gold")]);
    assert!(read.unknown_fields.is_empty(), "{:?}", read.unknown_fields);
}

#[test]
fn put_users_one_invalid_refuses_all() {
    let mut world = World::new();
    let good = (id("alice"), UserParams::named("Alice"));
    let bad = (id("bob"), UserParams::default());
    let error = world.call(&put_users([good, bad]).unwrap()).unwrap_err();
    assert_eq!(error.retry_safety(), RetrySafety::Never);
    let talk_rest::RestError::Refused(refusal) = error else {
        panic!("{error:?}");
    };
    assert_eq!(refusal.status, 400);
    assert_eq!(refusal.reasons[0].subject.as_deref(), Some("bob"));
    let alice = world.call(&user("alice").unwrap().get()).unwrap_err();
    assert!(alice.is_not_found());
}

#[test]
fn sessions_and_presences_are_read() {
    let mut world = World::of_friends();
    assert_eq!(world.ok(&user("alice").unwrap().sessions()), []);
    let connection = talk_emulator::server::ConnectionId(1);
    world.credentials(Credentials::SecretKey(SECRET.into()));
    let claims = talk_token();
    world.server.open(world.now, connection, "app1", "alice");
    world.server.handle_frame(world.now, connection, &claims);
    assert_eq!(world.ok(&user("alice").unwrap().sessions()).len(), 1);
    let query = presences().users([id("alice"), id("bob")]);
    let online = world.ok(&query.include_background_sessions().call());
    assert!(online.data.keys().eq([&id::<talk_rest::UserId>("alice")]));
    assert_eq!(online.data[&id::<talk_rest::UserId>("alice")].widgets, []);
    let page = world.ok(&users().is_online().call().unwrap());
    assert!(page.iter().map(|user| user.id.as_str()).eq(["alice"]));
}

/// Returns the first frame of a connection, with a token that another implementation has signed.
fn talk_token() -> String {
    use data_encoding::BASE64URL_NOPAD;
    use hmac::{Hmac, KeyInit, Mac};
    let encode = |part: &str| BASE64URL_NOPAD.encode(part.as_bytes());
    let claims = r#"{"tokenType":"user","iss":"app1","sub":"alice"}"#;
    let signed = format!("{}.{}", encode(r#"{"alg":"HS256"}"#), encode(claims));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    let signature = BASE64URL_NOPAD.encode(&mac.finalize().into_bytes());
    format!(r#"[1,"POST","/session/renew",{{"token":"{signed}.{signature}"}},{{}}]"#)
}

#[test]
fn credentials_of_every_kind_are_checked() {
    let mut world = World::new();
    assert_eq!(world.ok(&app()).id, "app1");
    world.credentials(Credentials::SecretKey(SECRET.into()));
    assert_eq!(world.ok(&app()).id, "app1");
    world.credentials("sk_test_other".into());
    let error = world.call(&app()).unwrap_err();
    assert_eq!(error.status().unwrap(), 401);
    assert!(error.to_string().contains("check that the key"), "{error}");
    for invalid in [
        Credentials::Token("two\nlines".into()),
        Credentials::AppToken("".into()),
        Credentials::SecretKey("".into()),
        Credentials::Token("".into()),
    ] {
        world.credentials(invalid);
        let error = world.api.request(&app(), world.now).unwrap_err();
        assert_eq!(error, talk_rest::InvalidCall::Credentials);
    }
}

#[test]
fn app_token_expires_after_thirty_seconds() {
    let mut world = World::new();
    let request = world.api.request(&app(), world.now).unwrap();
    world.wait(29_999);
    assert_eq!(world.server.http(world.now, &request).status(), 200);
    world.wait(1);
    assert_eq!(world.server.http(world.now, &request).status(), 401);
}

#[test]
fn version_of_call_replaces_that_of_api() {
    let mut world = World::new();
    let list = user("nobody").unwrap().conversations().call().unwrap();
    assert_eq!(world.refused(&list).0, 404);
    let old = list.clone().version(ApiVersion::V2021_07_30);
    assert_eq!(world.ok(&old).len(), 0);
    world.api = world.api.clone().version(ApiVersion::V2021_01_01);
    assert_eq!(world.ok(&list).len(), 0);
}

#[test]
fn rate_limit_has_time_to_wait() {
    let settings = serde_json::json!({ "limits": { "restRate": true } });
    let mut world = World::with(&settings);
    for _ in 0..600 {
        world.ok(&app());
    }
    let error = world.call(&app()).unwrap_err();
    assert_eq!(error.status().unwrap(), 429);
    assert_eq!(error.retry_after(), Some(std::time::Duration::from_secs(1)));
    assert_eq!(error.retry_safety(), RetrySafety::Safe);
}

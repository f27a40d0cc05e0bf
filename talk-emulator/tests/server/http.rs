use serde_json::json;
use talk_emulator::server::{HttpRequest, Settings};

use super::support::{World, get, picture};

#[test]
fn http_new_app_is_created_on_first_use() {
    let mut world = World::new();
    assert_eq!(world.http(get("/api/v0/new%20app")), (200, json!({})));
    let (status, body) = world.http(get("/api/v0/new%20app//app?sessionId=1&role_name=default"));
    assert_eq!(status, 200);
    assert_eq!(body["appMetadata"]["id"], "new app");
    assert_eq!(
        body["features"],
        json!(["file_sharing", "location_sharing"])
    );
    let settings = json!({ "roles": { "guest": { "fileSharing": false } } });
    let now = world.time();
    world
        .server
        .set_settings(now, serde_json::from_value(settings).unwrap());
    let (_, body) = world.http(get("/api/v0/app//app?sessionId=1&role_name=guest"));
    assert_eq!(body["features"], json!(["location_sharing"]));
    for uri in [
        "/",
        "/api/v0/",
        "/public_api/v1",
        "/public_api/v1/app/nothing",
        "/api/v0/%FF",
    ] {
        assert_eq!(world.http(get(uri)).0, 404, "{uri}");
    }
}

#[test]
fn download_file_block_url_resolves() {
    let mut world = World::new();
    let token = world.upload(picture());
    let path = format!("/public_api/v1/app/files/{token}/cat%20%26%20dog.png");
    let download = world.server.download(&get(&path)).unwrap();
    assert_eq!(download.token, token);
    assert_eq!(download.file, picture());
    let wrong = [
        "/public_api/v1/app/files/none/x",
        "/public_api/v1/app/files",
        "/api/v0/app",
    ];
    assert!(
        wrong
            .iter()
            .all(|path| world.server.download(&get(path)).is_none())
    );
    let elsewhere = path.replace("/app/", "/other/");
    assert!(
        world.server.download(&get(&elsewhere)).is_none(),
        "files belong to their app"
    );
}

fn upload(world: &mut World, request: &HttpRequest) -> u16 {
    let now = world.time();
    world
        .server
        .begin_upload(now, request)
        .map_or_else(|refused| refused.status().as_u16(), |_| 200)
}

#[test]
fn upload_without_token_is_refused() {
    let mut world = World::new();
    let post = |uri: &str| http::Request::post(uri).body(Default::default()).unwrap();
    assert_eq!(upload(&mut world, &post("/public_api/v1/app/files")), 401);
    assert_eq!(upload(&mut world, &get("/public_api/v1/app/files")), 404);
    assert_eq!(upload(&mut world, &post("/public_api/v1/app/file")), 404);
}

#[test]
fn upload_beyond_limits_is_refused() {
    let mut settings = Settings::default();
    settings.limits.max_file_size = Some(100);
    settings.limits.file_types = Some(["png".to_owned()].into());
    let mut world = World::with(settings);
    let peer = world.connect("alice");
    let mut validate = |filename: &str, filesize: serde_json::Value| {
        let data = json!({ "filename": filename, "filesize": filesize });
        world.call(peer, "POST", "/files/validate", data).0
    };
    assert_eq!(validate("a.PNG", json!(100)), 200);
    assert_eq!(validate("a.png", json!(101)), 400);
    assert_eq!(validate("a.exe", json!(1)), 400);
    assert_eq!(validate("", json!(1)), 400);
    assert_eq!(validate("a.png", json!(-1)), 400);
    assert_eq!(validate("a.png", json!("1")), 400);

    let request = http::Request::post("/public_api/v1/app/files")
        .header("authorization", "Bearer any")
        .body(Default::default())
        .unwrap();
    let now = world.time();
    let permit = world.server.begin_upload(now, &request).unwrap();
    assert_eq!(permit.max_size, 100);
    let mut file = picture();
    file.size = 101;
    assert!(world.server.finish_upload(now, &permit, file).is_err());
}

use std::io::Write;

use serde_json::{Value, json};
use talk_emulator::Emulator;
use tempfile::NamedTempFile;

use crate::support::Rpc;

fn file(size: usize) -> NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".png").tempfile().unwrap();
    file.write_all(&vec![7; size]).unwrap();
    file
}

fn alice(emulator: &Emulator) -> Rpc {
    let mut rpc = Rpc::start(emulator.host(), "alice", &[]);
    rpc.result("user.set", json!(["alice", {"name": "Alice"}]));
    rpc.result("conversation.createIfNotExists", json!(["c1"]));
    rpc
}

#[test]
fn uploaded_file_can_be_sent() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = alice(&emulator);
    let size = 3 << 20;
    let file = file(size);
    let metadata = json!({"filename": "cat.png", "width": 640.0, "height": 480});
    rpc.send("up", "session.uploadImage", json!([file.path(), metadata]));
    let progress = rpc.wait("upload", "up");
    assert_eq!(progress["total"], size);
    let mut sent = progress["sent"].as_u64().unwrap();
    let token = loop {
        let line = rpc.wait_for(|line| line["upload"] == "up" || line["id"] == "up");
        if line.get("id").is_some() {
            break line["result"].clone();
        }
        assert!(line["sent"].as_u64().unwrap() > sent, "{line}");
        sent = line["sent"].as_u64().unwrap();
    };
    assert_eq!(sent, size as u64);
    assert!(token.is_string(), "{token}");

    let content = json!([{"type": "file", "fileToken": token}]);
    let sent = rpc.result("conversation.send", json!(["c1", {"content": content}]));
    let message = rpc.result("message.get", json!(["c1", sent["messageRef"]]));
    let block = &message["content"][0];
    assert_eq!(block["subtype"], "image");
    assert_eq!(block["filename"], "cat.png");
    assert_eq!(
        (&block["width"], &block["height"]),
        (&json!(640), &json!(480))
    );
    assert_eq!(block["size"], size);
}

#[test]
fn upload_name_defaults_to_filename() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = alice(&emulator);
    let file = file(10);
    let token = rpc.result("session.uploadFile", json!([file.path()]));
    let content = json!([{"type": "file", "fileToken": token}]);
    let sent = rpc.result("conversation.send", json!(["c1", {"content": content}]));
    let message = rpc.result("message.get", json!(["c1", sent["messageRef"]]));
    let name = file.path().file_name().unwrap().to_str().unwrap();
    assert_eq!(message["content"][0]["filename"], name);
}

#[test]
fn upload_unreadable_file_reports_reason() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = alice(&emulator);
    let answer = rpc.call("session.uploadFile", json!(["/nowhere/cat.png"]));
    assert_eq!(answer["error"]["kind"], "transport");
    for args in [
        json!([]),
        json!(["cat.png", {"name": "cat.png"}]),
        json!(["cat.png", {"width": "wide"}]),
    ] {
        let answer = rpc.call("session.uploadImage", args);
        assert_eq!(answer["error"]["kind"], "usage");
    }

    let mut settings = futures_executor::block_on(emulator.settings()).unwrap();
    settings.limits.max_file_size = Some(100);
    futures_executor::block_on(emulator.set_settings(settings)).unwrap();
    let answer = rpc.call("session.uploadFile", json!([file(101).path()]));
    assert_eq!(answer["error"]["kind"], "server");
}

#[test]
fn upload_can_be_cancelled() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = alice(&emulator);
    let file = file(50 << 20);
    rpc.send("up", "session.uploadFile", json!([file.path()]));
    rpc.wait("upload", "up");
    rpc.send("stop", "cancel", json!(["up"]));
    assert_eq!(rpc.wait("id", "up")["error"]["kind"], "transport");
    assert_eq!(rpc.wait("id", "stop")["result"], Value::Null);
}

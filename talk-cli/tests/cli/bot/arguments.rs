use super::support::{Bot, Town};
use crate::support::talk;

#[test]
fn wrong_arguments_are_usage_errors() {
    let session = [
        "--app",
        "app",
        "--user",
        "bot",
        "--host",
        "127.0.0.1:1",
        "bot",
    ];
    let wrong: [&[&str]; 11] = [
        &[],
        &["true"],
        &["--conversation", "c", "--filter", "{}", "--", "true"],
        &["--filter", "isUnread", "--", "true"],
        &["--start", "yesterday", "--", "true"],
        &["--start", "-1", "--", "true"],
        &["--concurrency", "0", "--", "true"],
        &["--command-timeout", "0", "--", "true"],
        &["--", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")],
        &["--standby", "--", "true"],
        &["--", "no-such-command-here"],
    ];
    for args in wrong {
        let output = talk().args(session).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn filter_on_own_effects_is_a_usage_error() {
    let town = Town::new(&[]);
    for filter in [
        r#"{"isUnread": true}"#,
        r#"{"lastActivityAt": [">", 1]}"#,
        r#"["any", [{"hasMessages": true}]]"#,
    ] {
        let mut bot = Bot::start(&town.emulator, &["--filter", filter], &["true"]);
        let (exit_code, errors) = bot.exit();
        assert_eq!(exit_code, Some(2), "{errors}");
        assert!(errors.contains("an inbox cannot filter by"), "{errors}");
    }
}

#[test]
fn standby_filter_is_checked_before_the_wait() {
    let town = Town::new(&[]);
    let store = town.path("store");
    let first = Bot::start(&town.emulator, &["--store", &store], &["true"]);
    first.notice("waiting for messages");
    let filter = r#"{"isUnread": true}"#;
    let args = ["--store", &store, "--standby", "--filter", filter];
    let mut second = Bot::start(&town.emulator, &args, &["true"]);
    assert_eq!(second.exit().0, Some(2));
}

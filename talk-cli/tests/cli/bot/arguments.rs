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
fn filter_that_answers_would_change_is_a_usage_error() {
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

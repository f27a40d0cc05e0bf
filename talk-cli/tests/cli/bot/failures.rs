//! Commands that fail, and answers that are refused.

use std::fs;

use serde_json::json;

use super::support::{Bot, Town};

#[test]
fn failures_are_reported_and_skipped_after_five_tries() {
    let conversations = ["exit", "flood", "hang", "signal", "silent-flood"];
    let town = Town::new(&conversations);
    for id in conversations {
        town.ask(id, &["first"]);
    }
    let script = r#"
        case "$TALK_CONVERSATION-$TALK_TEXT" in
            exit-first) echo no; exit 3 ;;
            flood-first) yes ;;
            silent-flood-first) yes '' ;;
            hang-first) sleep 300 ;;
            signal-first) kill -9 $$ ;;
            *) echo "$TALK_TEXT" ;;
        esac"#;
    let bot = town.bot(&["--command-timeout", "1"], script);
    let mut skipped: Vec<_> = conversations.iter().map(|_| bot.line()).collect();
    skipped.sort_by_key(|line| line["conversation"].to_string());
    for (line, id) in skipped.iter().zip(conversations) {
        assert_eq!(
            (&line["conversation"], &line["tries"]),
            (&json!(id), &json!(5))
        );
        assert_eq!(line.get("answer"), None, "{line}");
    }
    for id in conversations {
        town.ask(id, &["second"]);
        assert_eq!(bot.line()["tries"], 1);
        town.wait_for_messages(id, 3);
        assert_eq!(town.answers(id), ["second"]);
    }
    let notices = bot.stop();
    let failures = [
        ("exit", "exit status: 3"),
        ("flood", "more than 64 KiB"),
        ("hang", "has not ended within 1 s"),
        ("signal", "signal: 9"),
        ("silent-flood", "more than 64 KiB"),
    ];
    for (id, reason) in failures {
        let of_id = notices
            .lines()
            .filter(|line| line.contains(&format!("in conversation {id}: ")));
        let of_id: Vec<_> = of_id.collect();
        assert!(of_id.iter().all(|line| line.contains(reason)), "{of_id:?}");
        let ends = ["1 s", "2 s", "4 s", "8 s", "skipped after 5 tries"];
        assert_eq!(of_id.len(), ends.len(), "{of_id:?}");
        for (line, end) in of_id.iter().zip(ends) {
            assert!(line.contains(end), "{line}");
        }
    }
}

#[test]
fn failure_once_is_tried_again() {
    let town = Town::new(&["c"]);
    town.ask("c", &["1", "2"]);
    let marker = town.path("marker");
    let script = format!("test -e {marker} || {{ touch {marker}; exit 1; }}; echo $TALK_TEXT");
    let bot = town.bot(&[], &script);
    assert_eq!(bot.line()["tries"], 2);
    assert_eq!(bot.line()["tries"], 1);
    town.wait_for_messages("c", 4);
    assert_eq!(town.answers("c"), ["1", "2"]);
}

#[cfg(unix)]
#[test]
fn late_command_is_killed_with_its_children() {
    let town = Town::new(&["c"]);
    town.ask("c", &["?"]);
    let file = town.path("child");
    let script = format!("sleep 300 & echo $! > {file}; wait");
    let bot = town.bot(&["--command-timeout", "0.5"], &script);
    bot.notice("has not ended within 0.5 s");
    wait_for_death(&file);
}

/// Waits for the end of the process whose ID is in the file.
#[cfg(unix)]
fn wait_for_death(file: &str) {
    let child = fs::read_to_string(file).unwrap();
    // The child is gone once its new parent has waited for it.
    let is_running = || {
        let signalled = std::process::Command::new("kill")
            .args(["-0", child.trim()])
            .stderr(std::process::Stdio::null())
            .status();
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.trim()));
        signalled.unwrap().success() && !stat.is_ok_and(|stat| stat.contains(") Z "))
    };
    while is_running() {
        std::thread::yield_now();
    }
}

#[cfg(unix)]
#[test]
fn failed_command_is_killed_with_its_children() {
    let town = Town::new(&["c"]);
    town.ask("c", &["?"]);
    let file = town.path("child");
    let script = format!("sleep 300 > /dev/null & echo $! > {file}; exit 3");
    let bot = town.bot(&[], &script);
    bot.notice("exit status: 3");
    wait_for_death(&file);
}

/// Writes an executable script that answers with the text of the message.
#[cfg(unix)]
fn write_echo(path: &str) {
    use std::os::unix::fs::PermissionsExt;

    fs::write(path, "#!/bin/sh\necho \"$TALK_TEXT\"\n").unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(unix)]
#[test]
fn removed_command_ends_the_bot_and_skips_nothing() {
    let town = Town::new(&["c"]);
    let (store, echo) = (town.path("store"), town.path("echo"));
    let args = ["--store", &store, "--start", "beginning"];
    write_echo(&echo);
    let mut bot = Bot::start(&town.emulator, &args, &[&echo]);
    town.ask("c", &["1"]);
    assert_eq!(bot.line()["tries"], 1);
    fs::remove_file(&echo).unwrap();
    town.ask("c", &["2"]);
    let (exit_code, errors) = bot.exit();
    assert_eq!(exit_code, Some(1), "{errors}");
    assert!(errors.contains("COMMAND_NOT_STARTED"), "{errors}");
    write_echo(&echo);
    let bot = Bot::start(&town.emulator, &args, &[&echo]);
    bot.line();
    town.wait_for_messages("c", 4);
    assert_eq!(town.answers("c"), ["1", "2"]);
}

#[cfg(target_os = "linux")]
#[test]
fn busy_command_is_started_later() {
    let town = Town::new(&["c"]);
    let echo = town.path("echo");
    write_echo(&echo);
    // Linux runs no file that is open for writing.
    let writing = fs::OpenOptions::new().append(true).open(&echo).unwrap();
    town.ask("c", &["1"]);
    let bot = Bot::start(&town.emulator, &["--start", "beginning"], &[&echo]);
    bot.notice("cannot be run");
    drop(writing);
    assert_eq!(bot.line()["tries"], 1);
}

#[test]
fn refused_answer_is_reported_and_left() {
    let town = Town::new(&["a", "b"]);
    let mut bob = town.bob();
    bob.result("participant.edit", json!(["a", "bot", {"access": "Read"}]));
    town.ask("a", &["1"]);
    let store = town.path("store");
    let bot = town.bot(&["--store", &store], "echo yes");
    let answer = bot.line()["answer"].clone();
    let notice = bot.notice("is not sent: the server refused");
    assert!(notice.contains(answer.as_str().unwrap()), "{notice}");

    // It blocks nothing.
    bob.result(
        "participant.edit",
        json!(["a", "bot", {"access": "ReadWrite"}]),
    );
    town.ask("a", &["2"]);
    bot.line();
    town.wait_for_messages("a", 3);
    assert_eq!(town.answers("a"), ["yes"]);
}

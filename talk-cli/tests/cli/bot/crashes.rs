//! Bots that are killed, and several bots on one store.

use std::time::Duration;

use serde_json::Value;

use super::support::Town;

#[test]
fn killed_bot_answers_each_message_once() {
    let conversations = ["a", "b", "c"];
    let town = Town::new(&conversations);
    let store = town.path("store");
    let args = ["--store", store.as_str()];
    let mut expected = Vec::new();
    for round in 0..4 {
        let bot = town.bot(&args, "sleep 0.02; echo \"re $TALK_TEXT\"");
        for number in 0..3 {
            let text = format!("{round}.{number}");
            for id in conversations {
                town.ask(id, &[&text]);
            }
            expected.push(format!("re {text}"));
        }
        bot.kill();
    }
    let _bot = town.bot(&args, "echo \"re $TALK_TEXT\"");
    for id in conversations {
        town.wait_for_messages(id, 2 * expected.len());
        assert_eq!(town.answers(id), expected);
    }
}

#[test]
fn second_bot_on_a_store_ends_at_once() {
    let town = Town::new(&["c"]);
    let store = town.path("store");
    let args = ["--store", store.as_str()];
    let first = town.bot(&args, "echo first");
    first.notice("waiting for messages");
    let mut second = town.bot(&args, "echo second");
    let (exit_code, errors) = second.exit();
    assert_eq!(exit_code, Some(1), "{errors}");
    let error: Value = serde_json::from_str(errors.lines().last().unwrap()).unwrap();
    assert_eq!(error["error"]["kind"], "store");
    assert_eq!(error["error"]["code"], "STORE_IN_USE");
}

#[test]
fn standby_bot_takes_over() {
    let town = Town::new(&["c"]);
    let store = town.path("store");
    let args = ["--store", store.as_str(), "--standby"];
    let first = town.bot(&args, "echo first");
    first.notice("waiting for messages");
    let second = town.bot(&args, "echo second");
    town.ask("c", &["1"]);
    first.line();
    town.wait_for_messages("c", 2);
    first.kill();
    second.notice("waiting for messages");
    town.ask("c", &["2"]);
    second.line();
    town.wait_for_messages("c", 4);
    assert_eq!(town.answers("c"), ["first", "second"]);
}

#[test]
fn standby_bot_names_the_reason_of_its_wait() {
    let town = Town::new(&["c"]);
    let store = town.path("absent/store");
    let args = ["--store", store.as_str(), "--standby"];
    let first = town.bot(&args, "echo first");
    let notice = first.notice("still trying");
    assert!(notice.contains("absent/store"), "{notice}");
    std::fs::create_dir(town.path("absent")).unwrap();
    first.notice("waiting for messages");
    let second = town.bot(&args, "echo second");
    second.notice("another process uses the store");
}

#[test]
fn connection_losses_lose_and_repeat_nothing() {
    let town = Town::new(&["c"]);
    let bot = town.bot(&[], "echo \"re $TALK_TEXT\"");
    bot.notice("waiting for messages");
    let mut expected = Vec::new();
    for number in 0..3 {
        let text = number.to_string();
        expected.push(format!("re {text}"));
        town.ask("c", &[&text]);
        futures_executor::block_on(town.emulator.drop_connections()).unwrap();
        std::thread::sleep(Duration::from_millis(50));
    }
    town.wait_for_messages("c", 6);
    assert_eq!(town.answers("c"), expected);
}

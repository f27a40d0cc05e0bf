//! Messages, commands and answers.

use std::fs;

use serde_json::{Value, json};

use super::support::{Bot, Town};

#[test]
fn bot_answers_each_message_once_and_in_order() {
    let town = Town::new(&["a", "b"]);
    town.ask("a", &["1", "2", "3"]);
    town.ask("b", &["4"]);
    let bot = town.bot(&[], r#"echo "re $TALK_TEXT""#);
    let mut lines: Vec<_> = (0..4).map(|_| bot.line()).collect();
    town.ask("a", &["5", "6"]);
    lines.extend([bot.line(), bot.line()]);
    town.wait_for_messages("a", 10);
    town.wait_for_messages("b", 2);
    assert_eq!(town.answers("a"), ["re 1", "re 2", "re 3", "re 5", "re 6"]);
    assert_eq!(town.answers("b"), ["re 4"]);
    let in_b: Vec<_> = lines
        .iter()
        .filter(|it| it["conversation"] == "b")
        .collect();
    assert_eq!(in_b.len(), 1);
    for line in &lines {
        assert!(line["message"].is_string(), "{line}");
        assert!(line["answer"].is_string(), "{line}");
        assert_eq!(line["tries"], 1);
    }
}

#[test]
fn command_has_the_message_as_json_and_variables() {
    let town = Town::new(&["c"]);
    let file = town.path("input");
    let script = format!(
        r#"cat > {file}
        for name in CONVERSATION MESSAGE SENDER TEXT; do
            eval "printf '%s\n' \"\$TALK_$name\"" >> {file}
        done"#
    );
    town.ask("c", &["*Hi*, \"bot\"!"]);
    let bot = town.bot(&[], &script);
    let line = bot.line();
    assert_eq!(line.get("answer"), None, "{line}");
    let input = fs::read_to_string(file).unwrap();
    let lines: Vec<_> = input.lines().collect();
    let [json, variables @ ..] = &lines[..] else {
        panic!("the input is {input:?}");
    };
    let message = line["message"].as_str().unwrap();
    assert_eq!(variables, ["c", message, "bob", "Hi, \"bot\"!"]);
    let json: Value = serde_json::from_str(json).unwrap();
    assert_eq!(json["conversation"]["id"], "c");
    assert_eq!(json["message"]["id"], message);
    assert_eq!(json["message"]["sender"]["name"], "Bob");
    assert_eq!(json["message"]["plaintext"], "Hi, \"bot\"!");
    assert_eq!(town.answers("c"), [] as [String; 0]);
}

#[test]
fn command_may_ignore_its_input_and_keep_children() {
    let town = Town::new(&["c"]);
    town.ask("c", &[&"x".repeat(9_000)]);
    // The child keeps the pipes of the command open.
    let bot = town.bot(&[], "exec <&-; sleep 300 & echo ' done '; echo");
    assert!(bot.line()["answer"].is_string());
    town.wait_for_messages("c", 2);
    assert_eq!(town.answers("c"), ["done"]);
}

#[test]
fn output_without_utf8_is_replaced() {
    let town = Town::new(&["c"]);
    town.ask("c", &["?"]);
    let bot = town.bot(&[], r"printf 'caf\351'");
    bot.line();
    town.wait_for_messages("c", 2);
    assert_eq!(town.answers("c"), ["caf\u{fffd}"]);
}

#[test]
fn answer_is_a_reply_on_request() {
    let town = Town::new(&["c"]);
    town.ask("c", &["?"]);
    let bot = town.bot(&["--reply"], "echo yes");
    let line = bot.line();
    town.wait_for_messages("c", 2);
    let mut bob = town.bob();
    let messages = bob.subscribe("conversation.subscribeMessages", json!(["c"]));
    let shown = bob.wait("subscription", messages);
    let answer = &shown["snapshot"][0];
    assert_eq!(answer["plaintext"], "yes");
    assert_eq!(answer["referencedMessage"]["id"], line["message"]);
}

#[test]
fn bot_types_while_the_command_runs() {
    let town = Town::new(&["c"]);
    let mut bob = town.bob();
    let typing = bob.subscribe("conversation.subscribeTyping", json!(["c"]));
    bob.result("conversation.send", json!(["c", "?"]));
    let file = town.path("go");
    let script = format!("until test -e {file}; do sleep 0.05; done");
    let bot = town.bot(&[], &script);
    let shown = bob.wait_for(|line| {
        line["subscription"] == typing && line["snapshot"]["users"][0]["id"] == "bot"
    });
    assert_eq!(shown["snapshot"]["many"], false);
    fs::write(file, "").unwrap();
    bot.line();
}

#[test]
fn messages_of_other_conversations_are_left_alone() {
    for (args, expected) in [
        (&["--conversation", "b"][..], "b"),
        (&["--filter", r#"{"subject": ["==", "Help"]}"#], "c"),
    ] {
        let town = Town::new(&["a", "b", "c"]);
        let mut bob = town.bob();
        bob.result("conversation.set", json!(["c", {"subject": "Help"}]));
        for id in ["a", "b", "c"] {
            town.ask(id, &["?"]);
        }
        let bot = town.bot(args, "echo yes");
        assert_eq!(bot.line()["conversation"], expected);
        town.ask(expected, &["again"]);
        assert_eq!(bot.line()["conversation"], expected);
    }
}

#[test]
fn start_now_leaves_earlier_messages() {
    let town = Town::new(&["c"]);
    town.ask("c", &["early"]);
    let bot = Bot::start(&town.emulator, &[], &["sh", "-c", "echo \"$TALK_TEXT\""]);
    bot.notice("waiting for messages");
    town.ask("c", &["late"]);
    bot.line();
    town.wait_for_messages("c", 3);
    assert_eq!(town.answers("c"), ["late"]);
}

#[cfg(unix)]
#[test]
fn stop_lets_running_commands_end() {
    for signal in ["-INT", "-TERM"] {
        let town = Town::new(&["c"]);
        let (started, go) = (town.path("started"), town.path("go"));
        town.ask("c", &["1", "2"]);
        let script = format!(
            "touch {started}; until test -e {go}; do sleep 0.05; done; echo \"$TALK_TEXT\""
        );
        let store = town.path("store");
        let mut bot = town.bot(&["--store", &store], &script);
        while !fs::exists(&started).unwrap() {
            std::thread::yield_now();
        }
        bot.signal(signal);
        fs::write(go, "").unwrap();
        assert!(bot.line()["answer"].is_string());
        assert_eq!(bot.exit().0, Some(0));
        let more = town.bot(&["--store", &store], "echo \"$TALK_TEXT\"");
        more.line();
        town.wait_for_messages("c", 4);
        assert_eq!(town.answers("c"), ["1", "2"]);
    }
}

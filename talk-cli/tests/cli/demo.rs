use crate::support::talk;

fn demo() -> String {
    let output = talk().arg("demo").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn demo_shows_conversation_and_ends() {
    let output = demo();
    for shown in [
        "added to “The weekend”",
        "Alice is typing…",
        "Is *Saturday* still on?",
        "1 unread message",
        "read by everybody",
        "Bob is typing…",
        "↳ Alice: Hi Bob!",
        "• a kite",
        "🪁 1",
        "(edited)",
    ] {
        assert!(output.contains(shown), "{shown} is missing in\n{output}");
    }
    assert!(
        !output.contains('\x1b'),
        "styles where there is no terminal"
    );
}

#[test]
fn demo_output_is_deterministic() {
    let without_port = |output: String| {
        let (head, tail) = output.split_once("127.0.0.1:").unwrap();
        format!(
            "{head}{}",
            tail.trim_start_matches(|c: char| c.is_ascii_digit())
        )
    };
    assert_eq!(without_port(demo()), without_port(demo()));
}

//! Sends to one conversation keep their order as far as the client controls it.

use talk_proto::Call;

use crate::support::{Answer, World, conversation, millis, options, seconds, send};

/// Returns the texts of a conversation in the order in which the server received them.
fn taken(world: &World, conversation: &str) -> Vec<String> {
    let line = format!("POST /conversations/{conversation}/messages");
    let texts = world.log.of(&line);
    let text = |r: &&crate::support::Request| {
        let text = r.data["content"][0]["children"][0].as_str();
        text.unwrap_or_default().to_owned()
    };
    texts.iter().map(text).collect()
}

/// Makes the server refuse `text` with `status` the first `times` times.
fn busy(world: &mut World, text: &'static str, status: u16, times: usize) {
    let mut left = times;
    world.script.add(move |request| {
        let is_it = request.data["content"][0]["children"][0] == text;
        if !is_it || left == 0 {
            return None;
        }
        left -= 1;
        Some(Answer::refuse(status, "LATER"))
    });
}

#[test]
fn send_retry_blocks_its_conversation() {
    for status in [429, 500] {
        let mut world = World::ready(options());
        busy(&mut world, "a", status, 3);
        world.call(send("c1", "a"));
        world.run();
        for text in ["b", "c"] {
            world.call(send("c1", text));
            world.run_for(millis(50));
        }
        world.run_until_resolved(seconds(10));
        assert_eq!(
            taken(&world, "c1"),
            ["a", "a", "a", "a", "b", "c"],
            "{status}"
        );
    }
}

#[test]
fn read_behind_a_held_send_is_sent() {
    let mut world = World::ready(options());
    busy(&mut world, "a", 429, 3);
    world.call(send("c1", "a"));
    world.run();
    world.call(send("c1", "b"));
    let read = world.call(Call::GetConversation {
        conversation: conversation("c1"),
    });
    world.run();
    assert!(world.outcome(read).is_ok());
    world.run_until_resolved(seconds(10));
    assert_eq!(taken(&world, "c1"), ["a", "a", "a", "a", "b"]);
}

#[test]
fn sends_to_other_conversations_do_not_wait() {
    let mut world = World::ready(options());
    busy(&mut world, "a", 429, 3);
    world.call(send("c1", "a"));
    world.run();
    let other = world.call(send("c2", "x"));
    let edit = world.call(crate::support::mark_as_read("c1"));
    world.run();
    assert!(world.outcome(other).is_ok());
    assert!(world.outcome(edit).is_ok(), "only sends wait");
}

#[test]
fn send_retry_keeps_order_of_later_sends() {
    let mut world = World::ready(options());
    busy(&mut world, "b", 429, 2);
    for text in ["a", "b", "c"] {
        world.call(send("c1", text));
    }
    world.run();
    assert_eq!(taken(&world, "c1"), ["a", "b", "c"]);
    for text in ["d", "e"] {
        world.call(send("c1", text));
    }
    world.run_until_resolved(seconds(10));
    assert_eq!(taken(&world, "c1")[3..], ["b", "b", "d", "e"]);
}

#[test]
fn sends_retried_keep_their_order() {
    let mut world = World::ready(options());
    busy(&mut world, "a", 429, 6);
    busy(&mut world, "b", 429, 1);
    for text in ["a", "b"] {
        world.call(send("c1", text));
    }
    world.run();
    world.call(send("c1", "c"));
    world.run_until_resolved(seconds(10));
    assert_eq!(
        taken(&world, "c1"),
        ["a", "b", "a", "a", "a", "a", "a", "a", "b", "c"]
    );
}

#[test]
fn send_failed_releases_later_sends() {
    let mut world = World::ready(options());
    busy(&mut world, "a", 500, 10);
    let failed = world.call(send("c1", "a"));
    world.run();
    let sent = world.call(send("c1", "b"));
    world.run_until_resolved(seconds(60));
    assert!(world.outcome(failed).is_err());
    assert!(world.outcome(sent).is_ok());
}

#[test]
fn send_cancelled_releases_later_sends() {
    let mut world = World::ready(options());
    busy(&mut world, "a", 429, usize::MAX);
    let first = world.call(send("c1", "a"));
    world.run();
    let second = world.call(send("c1", "b"));
    world.run_for(millis(100));
    assert!(!world.is_resolved(second));
    world.session.cancel(world.now, first).unwrap();
    world.run();
    assert!(world.outcome(second).is_ok());
}

#[test]
fn send_order_survives_loss() {
    let mut world = World::ready(options());
    busy(&mut world, "a", 429, 2);
    world.call(send("c1", "a"));
    world.run();
    for text in ["b", "c"] {
        world.call(send("c1", text));
    }
    world.run();
    world.cut();
    world.run_until_resolved(seconds(60));
    assert_eq!(taken(&world, "c1"), ["a", "a", "a", "b", "c"]);
}

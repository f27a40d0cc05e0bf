//! Runs the examples of custom event loops.

#![allow(clippy::unwrap_used)]

use talk_emulator::Emulator;

#[allow(dead_code, clippy::duplicate_mod)]
#[path = "../../talk-proto/examples/threads.rs"]
mod threads;

#[allow(dead_code, clippy::duplicate_mod)]
#[path = "../../talk-proto/examples/many_sessions.rs"]
mod many_sessions;

#[allow(dead_code, clippy::duplicate_mod)]
#[path = "../../talk-proto/examples/frames.rs"]
mod frames;

#[allow(dead_code)]
#[path = "../../talk-emulator/examples/virtual_time.rs"]
mod virtual_time;

#[test]
fn blocking_threads_show_the_message() {
    let emulator = Emulator::start_blocking().unwrap();
    let shown = threads::run(emulator.host(), "Hello!").unwrap();
    assert_eq!(shown, "Hello!");
}

#[test]
fn one_thread_runs_many_sessions() {
    let emulator = Emulator::start_blocking().unwrap();
    let texts = many_sessions::run(emulator.host(), 50).unwrap();
    assert_eq!(texts, vec!["Hello, everybody!"; 50]);
}

#[test]
fn poll_once_per_frame_shows_the_message() {
    let emulator = Emulator::start_blocking().unwrap();
    let shown = frames::run(emulator.host(), "Hello!").unwrap();
    assert_eq!(shown, "Hello!");
}

#[test]
fn virtual_time_run_is_deterministic() {
    let story = virtual_time::run(1).unwrap();
    assert_eq!(story, virtual_time::run(1).unwrap());
    let shown = story.iter().filter(|line| line.contains("messages"));
    let shown: Vec<_> = shown.filter_map(|line| line.split_once(": ")).collect();
    let first = ("1970-01-01T00:00:00.000Z", "1 messages");
    assert_eq!(shown.first().unwrap(), &first);
    assert_eq!(shown.last().unwrap().1, "2 messages");
    // Another seed results in other delays.
    assert_ne!(story, virtual_time::run(2).unwrap());
}

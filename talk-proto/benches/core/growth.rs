//! The cost of an event against the number of loaded items, for a plot.

use serde_json::json;

use crate::callgrind::per_frame;
use crate::lists::Kind;
use crate::work::Work;

/// The numbers of loaded items.
const LOADED: [u64; 6] = [30, 100, 300, 1_000, 3_000, 10_000];

/// The number of frames of a count.
const FRAMES: u64 = 200;

/// Returns the work on a list with this many loaded items.
type LoadedWork = fn(u64) -> Work;

/// Prints a line of JSON: `{"series": [{"name", "points": [[items, instructions]]}]}`.
pub(crate) fn print() -> Result<(), String> {
    let lists: [(&str, LoadedWork); 5] = [
        ("messages: any event", Work::Loaded),
        ("messages: a change in the middle", |n| {
            Work::List(Kind::Middle, n)
        }),
        ("conversations: a new message", |n| {
            Work::List(Kind::Move, n)
        }),
        ("conversations: a change in place", |n| {
            Work::List(Kind::Edit, n)
        }),
        ("participants: a new name", |n| {
            Work::List(Kind::Participant, n)
        }),
    ];
    let mut series = Vec::new();
    for (name, work) in lists {
        let mut points = Vec::new();
        for loaded in LOADED {
            points.push((loaded, per_frame(work(loaded), FRAMES)?.round()));
        }
        series.push(json!({ "name": name, "points": points }));
    }
    println!("{}", json!({ "series": series }));
    Ok(())
}

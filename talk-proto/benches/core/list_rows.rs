//! The growth of an event's cost with the length of lists.

use crate::callgrind::per_frame;
use crate::lists::Kind;
use crate::support::table::{Goal, Row, Selection};
use crate::work::Work;

/// The number of frames of a count.
const FRAMES: u64 = 200;

/// Measures the selected rows. In a quick run, lists of conversations are shorter, and rows without
/// a goal are skipped.
pub(crate) fn measure(selection: &Selection) -> Result<Vec<Row>, String> {
    let quick = selection.quick;
    let mut rows = Vec::new();
    if selection.wants("K") {
        rows.push(move_against_value()?);
    }
    let long = if quick { 3_000 } else { 10_000 };
    let mut grow = |id, what, kind, sizes, goal| -> Result<(), String> {
        if selection.wants(id) {
            rows.push(grows(id, what, kind, sizes, goal)?);
        }
        Ok(())
    };
    let goal = Some(Goal::of(1.5));
    grow("K-long", "a message", Kind::Move, [20, long], goal)?;
    let filtered = "a message, with a filter";
    grow("K-filter", filtered, Kind::MoveFiltered, [20, long], goal)?;
    grow("K-edit", "a change in place", Kind::Edit, [20, long], goal)?;
    let named = "a new name of a participant";
    grow("L", named, Kind::Participant, [10, 5_000], goal)?;
    let middle = "a change in the middle of the messages";
    grow("N", middle, Kind::Middle, [30, 10_000], goal)?;
    if !quick {
        grow("K-300", "a message", Kind::Move, [20, 300], None)?;
        grow("K-3000", "a message", Kind::Move, [20, 3_000], None)?;
    }
    if selection.wants("L-name") {
        rows.push(messages_of_one_sender()?);
    }
    if selection.wants_any('M') {
        rows.extend(reconnect()?);
    }
    Ok(rows)
}

fn move_against_value() -> Result<Row, String> {
    let few = count(Kind::Move, 20)?;
    let value = count(Kind::MoveValue, 20)?;
    Ok(Row {
        id: "K",
        what: format!(
            "a message to one of 20 conversations of a list, against Value ({few:.0} : {value:.0})"
        ),
        ratio: few / value,
        goal: Some(Goal::of(1.3)),
    })
}

/// Compares the cost of an event of a long list with that of a short one.
fn grows(
    id: &'static str,
    what: &str,
    kind: Kind,
    [short, long]: [u64; 2],
    goal: Option<Goal>,
) -> Result<Row, String> {
    let (few, many) = (count(kind, short)?, count(kind, long)?);
    Ok(Row {
        id,
        what: format!("{what}, {long} items loaded against {short} ({many:.0} : {few:.0})"),
        ratio: many / few,
        goal,
    })
}

fn messages_of_one_sender() -> Result<Row, String> {
    const LOADED: u64 = 8_000;
    const MESSAGES: f64 = 1_000.0;
    let one = per_frame(Work::List(Kind::Rare, LOADED), 10)?;
    let many = per_frame(Work::List(Kind::Frequent, LOADED), 10)? / MESSAGES;
    Ok(Row {
        id: "L-name",
        what: format!(
            "a new name of the sender of 1000 loaded messages, each of them against a single one \
             ({many:.0} : {one:.0})"
        ),
        ratio: many / one,
        goal: Some(Goal::of(1.5)),
    })
}

fn reconnect() -> Result<Vec<Row>, String> {
    const FEW: u64 = 300;
    const MANY: u64 = 3_000;
    let cost = |kind, loaded| per_frame(Work::List(kind, loaded), 1);
    let (few, many) = (cost(Kind::Reconnect, FEW)?, cost(Kind::Reconnect, MANY)?);
    let value = cost(Kind::ReconnectValue, MANY)?;
    let linear = MANY as f64 / FEW as f64 * few;
    Ok(vec![
        Row {
            id: "M",
            what: format!(
                "a reconnect with {MANY} conversations, against 10 × one with {FEW} \
                 ({many:.0} : {linear:.0})"
            ),
            ratio: many / linear,
            goal: Some(Goal::of(1.2)),
        },
        Row {
            id: "M-value",
            what: format!(
                "a reconnect with {MANY} conversations, against reading the answers into Value \
                 ({many:.0} : {value:.0})"
            ),
            ratio: many / value,
            goal: Some(Goal::of(3.0)),
        },
    ])
}

fn count(kind: Kind, loaded: u64) -> Result<f64, String> {
    per_frame(Work::List(kind, loaded), FRAMES)
}

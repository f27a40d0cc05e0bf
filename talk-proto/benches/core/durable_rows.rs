//! The cost of a start from records.

use crate::callgrind::per_frame;
use crate::durable::{MISSED, Start};
use crate::support::table::{Goal, Row, Selection};
use crate::work::Work;

/// The number of entries in the outbox, and the smaller one of a quick run.
const ENTRIES: u64 = 10_000;
const QUICK_ENTRIES: u64 = 1_000;
/// The number of messages of a count.
const MESSAGES: u64 = 200;

/// Measures the selected rows. A quick run takes fewer entries, and leaves out the inbox, which
/// takes minutes.
pub(crate) fn measure(selection: &Selection) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    if selection.wants_any('O') {
        rows.extend(outbox(selection.quick)?);
    }
    for (id, conversations, goal) in [("P-many", 100, Goal::of(1.5)), ("P-one", 1, Goal::of(2.2))] {
        if !selection.quick && selection.wants(id) {
            rows.push(inbox(id, conversations, goal)?);
        }
    }
    Ok(rows)
}

fn outbox(quick: bool) -> Result<Vec<Row>, String> {
    let entries = if quick { QUICK_ENTRIES } else { ENTRIES };
    let restored = count(Start::Outbox, entries)?;
    let read = count(Start::OutboxValue, entries)?;
    let [few, many] = [10, entries].map(|queued| per_frame(Work::Enqueue(queued), MESSAGES));
    let (few, many) = (few?, many?);
    Ok(vec![
        Row {
            id: "O-restore",
            what: format!(
                "a start with {entries} entries in the outbox, against reading their records into \
                 Value ({restored:.0} : {read:.0})"
            ),
            ratio: restored / read,
            goal: Some(Goal::of(1.5)),
        },
        Row {
            id: "O-enqueue",
            what: format!(
                "a message into the outbox, {entries} entries of its conversation queued against \
                 10 ({many:.0} : {few:.0})"
            ),
            ratio: many / few,
            goal: Some(Goal::of(1.5)),
        },
    ])
}

fn inbox(id: &'static str, conversations: u64, goal: Goal) -> Result<Row, String> {
    let handled = count(Start::Inbox, conversations)?;
    let read = count(Start::InboxValue, conversations)?;
    let places = match conversations {
        1 => "one conversation".to_owned(),
        many => format!("{many} conversations"),
    };
    Ok(Row {
        id,
        what: format!(
            "{MISSED} missed messages in {places} delivered and acknowledged, against reading the \
             pages once into Value ({handled:.0} : {read:.0})"
        ),
        ratio: handled / read,
        goal: Some(goal),
    })
}

fn count(start: Start, count: u64) -> Result<f64, String> {
    per_frame(Work::Start(start, count), 1)
}

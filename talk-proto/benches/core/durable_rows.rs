//! The cost of a start from records.

use crate::callgrind::per_frame;
use crate::durable::{MISSED, Start};
use crate::support::table::{Goal, Row};
use crate::work::Work;

/// The number of entries in the outbox, and the smaller one of a quick run.
const ENTRIES: u64 = 10_000;
const QUICK_ENTRIES: u64 = 1_000;
/// The number of messages of a count.
const MESSAGES: u64 = 200;

/// Measures the rows. `quick` takes fewer entries, and leaves out the inbox, which takes minutes.
pub(crate) fn measure(quick: bool) -> Result<Vec<Row>, String> {
    let entries = if quick { QUICK_ENTRIES } else { ENTRIES };
    let restored = count(Start::Outbox, entries)?;
    let read = count(Start::OutboxValue, entries)?;
    let mut rows = vec![Row {
        id: "O-restore",
        what: format!(
            "a start with {entries} entries in the outbox, against reading their records into \
             Value ({restored:.0} : {read:.0})"
        ),
        ratio: restored / read,
        goal: Some(Goal::of(1.5)),
    }];
    let [few, many] = [10, entries].map(|queued| per_frame(Work::Enqueue(queued), MESSAGES));
    let (few, many) = (few?, many?);
    rows.push(Row {
        id: "O-enqueue",
        what: format!(
            "a message into the outbox, {entries} entries of its conversation queued against 10 \
             ({many:.0} : {few:.0})"
        ),
        ratio: many / few,
        goal: Some(Goal::of(1.5)),
    });
    if quick {
        return Ok(rows);
    }
    for (id, conversations, goal) in [
        ("P-many", 100, Goal::missed(1.5, 1.6)),
        ("P-one", 1, Goal::of(2.2)),
    ] {
        let handled = count(Start::Inbox, conversations)?;
        let read = count(Start::InboxValue, conversations)?;
        let places = match conversations {
            1 => "one conversation".to_owned(),
            many => format!("{many} conversations"),
        };
        rows.push(Row {
            id,
            what: format!(
                "{MISSED} missed messages in {places} delivered and acknowledged, against reading \
                 the pages once into Value ({handled:.0} : {read:.0})"
            ),
            ratio: handled / read,
            goal: Some(goal),
        });
    }
    Ok(rows)
}

fn count(start: Start, count: u64) -> Result<f64, String> {
    per_frame(Work::Start(start, count), 1)
}

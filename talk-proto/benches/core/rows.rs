//! The rows of the table, with their goals.

use std::hint::black_box;

use talk_proto::content::{MarkupSource, parse_markup};

use crate::callgrind::per_frame;
use crate::durable_rows;
use crate::input::{PLAIN, repeated};
use crate::list_rows;
use crate::support::table::{Goal, Row, Selection};
use crate::work::Work;

/// The number of frames in a count.
const FRAMES: u64 = 1_000;

/// Counts and compares the selected rows. A quick run leaves out slow rows without a goal.
pub(crate) fn measure(selection: &Selection) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    if selection.wants_any('A') {
        rows.extend(apply()?);
    }
    if selection.wants_any('B') {
        rows.extend(loaded(selection.quick)?);
    }
    if selection.wants_any('C') {
        rows.extend(other_subscriptions(selection.quick)?);
    }
    if selection.wants_any('I') {
        rows.extend(scale()?);
    }
    rows.extend(list_rows::measure(selection)?);
    rows.extend(durable_rows::measure(selection)?);
    rows.retain(|row| selection.wants(row.id));
    Ok(rows)
}

fn loaded(quick: bool) -> Result<Vec<Row>, String> {
    let sizes: &[(&'static str, u64, Option<Goal>)] = &[
        ("B", 10_000, Some(Goal::of(1.5))),
        ("B-1000", 1_000, None),
        ("B-100000", 100_000, None),
    ];
    let few = count(Work::Loaded(30))?;
    let sizes = sizes.iter().take(if quick { 1 } else { sizes.len() });
    let rows = sizes.map(|&(id, loaded, goal)| {
        let many = count(Work::Loaded(loaded))?;
        Ok(Row {
            id,
            what: format!(
                "an event with {loaded} messages loaded, against 30 ({many:.0} : {few:.0})"
            ),
            ratio: many / few,
            goal,
        })
    });
    rows.collect()
}

fn other_subscriptions(quick: bool) -> Result<Vec<Row>, String> {
    let sizes: &[(&'static str, u64, Option<Goal>)] =
        &[("C", 10_000, Some(Goal::of(1.2))), ("C-100", 100, None)];
    let one = count(Work::Beside(1))?;
    let sizes = sizes.iter().take(if quick { 1 } else { sizes.len() });
    let rows = sizes.map(|&(id, beside, goal)| {
        let many = count(Work::Beside(beside))?;
        Ok(Row {
            id,
            what: format!(
                "an event with {beside} other subscriptions, against 1 ({many:.0} : {one:.0})"
            ),
            ratio: many / one,
            goal,
        })
    });
    rows.collect()
}

/// Returns the rows for work that grows with the length of its input. An input of four times the
/// length should take four times as many instructions. Conversations are found in sorted maps,
/// which have one more level for every elevenfold size.
fn scale() -> Result<Vec<Row>, String> {
    let grows = |id, what: &str, goal, short: Work, long: Work| -> Result<Row, String> {
        let (short, long) = (per_frame(short, 2)?, per_frame(long, 2)?);
        Ok(Row {
            id,
            what: format!(
                "{what}, against four times a quarter of it ({long:.0} : 4 × {short:.0})"
            ),
            ratio: long / (4.0 * short),
            goal: Some(goal),
        })
    };
    Ok(vec![
        grows(
            "I-markup",
            "markup of 256 KiB",
            Goal::of(1.1),
            Work::Markup(64),
            Work::Markup(256),
        )?,
        grows(
            "I-filter",
            "a filter of 4,000 alternatives",
            Goal::of(1.1),
            Work::Filter(1_000),
            Work::Filter(4_000),
        )?,
        grows(
            "I-search",
            "4,000 found conversations",
            Goal::of(1.1),
            Work::Search(1_000),
            Work::Search(4_000),
        )?,
        plain(),
    ])
}

/// Measures the throughput of parsing plain text, the best of several runs. This is the only row
/// that is measured with a clock.
#[expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the clock is the benchmark's, not the core's"
)]
fn plain() -> Row {
    use std::time::Instant;

    let text = repeated(PLAIN, 1024);
    let seconds = (0..20).map(|_| {
        let start = Instant::now();
        black_box(parse_markup(black_box(&text), MarkupSource::Send));
        start.elapsed().as_secs_f64()
    });
    let best = seconds.fold(f64::INFINITY, f64::min);
    let megabytes = text.len() as f64 / 1e6 / best;
    Row {
        id: "I-plain",
        what: format!("50 MB/s, against the speed of parsing plain text ({megabytes:.0} MB/s)"),
        ratio: 50.0 / megabytes,
        goal: Some(Goal::of(1.0)),
    }
}

/// Returns the rows for single events. The goals are those that are accepted for a known profile,
/// which BENCHMARKS.md contains. Without one they would be 0.75 and 0.8. The ceilings are higher,
/// because `Value` takes 2 % fewer instructions after some changes of the core, by inlining.
fn apply() -> Result<Vec<Row>, String> {
    let (text, text_value) = (count(Work::ApplyText)?, count(Work::ValueText)?);
    let typed = count(Work::TypedText)?;
    let (mix, mix_value) = (count(Work::ApplyMix)?, count(Work::ValueMix)?);
    Ok(vec![
        Row {
            id: "A-text",
            what: format!(
                "a message into a core, against parsing it into Value \
                 ({text:.0} : {text_value:.0} instructions)"
            ),
            ratio: text / text_value,
            goal: Some(Goal::with_ceiling(0.8, 0.82)),
        },
        Row {
            id: "A-mix",
            what: format!("any event into a core, against Value ({mix:.0} : {mix_value:.0})"),
            ratio: mix / mix_value,
            goal: Some(Goal::with_ceiling(0.85, 0.87)),
        },
        Row {
            id: "A-typed",
            what: format!("a message into a core, against parsing it into Message ({typed:.0})"),
            ratio: text / typed,
            goal: None,
        },
    ])
}

fn count(work: Work) -> Result<f64, String> {
    per_frame(work, FRAMES)
}

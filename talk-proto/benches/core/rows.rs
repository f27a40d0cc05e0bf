//! What is counted and compared, and the goals.

use crate::callgrind::per_frame;
use crate::kit::table::Row;
use crate::work::Work;

/// How many frames a count is of.
const FRAMES: u64 = 1_000;

/// Counts, and compares. `quick` leaves out what takes long and has no goal.
pub(crate) fn measure(quick: bool) -> Result<Vec<Row>, String> {
    let mut rows = apply()?;
    let sizes: &[(&'static str, u64, Option<f64>)] = &[
        ("B", 10_000, Some(1.5)),
        ("B-1000", 1_000, None),
        ("B-100000", 100_000, None),
    ];
    let few = count(Work::Loaded(30))?;
    for &(id, loaded, goal) in &sizes[..if quick { 1 } else { sizes.len() }] {
        let many = count(Work::Loaded(loaded))?;
        rows.push(Row {
            id,
            what: format!(
                "an event with {loaded} messages loaded, against 30 ({many:.0} : {few:.0})"
            ),
            ratio: many / few,
            goal,
        });
    }
    let sizes: &[(&'static str, u64, Option<f64>)] =
        &[("C", 10_000, Some(1.2)), ("C-100", 100, None)];
    let one = count(Work::Beside(1))?;
    for &(id, beside, goal) in &sizes[..if quick { 1 } else { sizes.len() }] {
        let many = count(Work::Beside(beside))?;
        rows.push(Row {
            id,
            what: format!(
                "an event beside {beside} other subscriptions, against 1 ({many:.0} : {one:.0})"
            ),
            ratio: many / one,
            goal,
        });
    }
    Ok(rows)
}

fn apply() -> Result<Vec<Row>, String> {
    let (text, text_value) = (count(Work::ApplyText)?, count(Work::ValueText)?);
    let typed = count(Work::TypedText)?;
    let (mix, mix_value) = (count(Work::ApplyMix)?, count(Work::ValueMix)?);
    Ok(vec![
        Row {
            id: "A-text",
            what: format!(
                "a text message into a core, against reading it into Value \
                 ({text:.0} : {text_value:.0} instructions)"
            ),
            ratio: text / text_value,
            goal: Some(0.9),
        },
        Row {
            id: "A-mix",
            what: format!("any event into a core, against Value ({mix:.0} : {mix_value:.0})"),
            ratio: mix / mix_value,
            goal: Some(0.9),
        },
        Row {
            id: "A-typed",
            what: format!("a text message, against reading it into Message ({typed:.0})"),
            ratio: text / typed,
            goal: None,
        },
    ])
}

fn count(work: Work) -> Result<f64, String> {
    per_frame(work, FRAMES)
}

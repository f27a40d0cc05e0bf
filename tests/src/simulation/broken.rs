//! How a rule that does not hold is told.

/// A rule that does not hold. It unwinds to whoever runs the life.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    pub(super) rule: String,
    pub(super) detail: String,
}

/// Ends the life: `rule` does not hold.
#[expect(
    clippy::panic,
    reason = "a rule that is broken ends the life from anywhere"
)]
pub(super) fn broken(rule: &str, detail: impl Into<String>) -> ! {
    std::panic::panic_any(Broken {
        rule: rule.to_owned(),
        detail: detail.into(),
    })
}

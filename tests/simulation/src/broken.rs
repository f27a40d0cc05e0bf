//! The report of an invariant that does not hold.

/// An invariant that does not hold. It is the payload of a panic that the simulation's runner
/// catches.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    pub(super) rule: String,
    pub(super) detail: String,
}

/// Ends the run, because the invariant `rule` does not hold.
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

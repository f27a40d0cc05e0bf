//! Counts the steps that the parser takes, so that a test can tell that they grow with the text and
//! no faster. Outside of tests it is nothing.

#[cfg(test)]
std::thread_local! {
    static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// To be called with the number of characters that were looked at.
#[inline]
pub(super) fn count(steps: usize) {
    #[cfg(test)]
    STEPS.with(|counter| counter.set(counter.get() + steps as u64));
    #[cfg(not(test))]
    let _ = steps;
}

/// The steps that `run` takes.
#[cfg(test)]
pub(super) fn of<T>(run: impl FnOnce() -> T) -> u64 {
    let before = STEPS.with(std::cell::Cell::get);
    run();
    STEPS.with(std::cell::Cell::get) - before
}

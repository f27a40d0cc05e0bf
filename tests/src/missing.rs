use anyhow::{Result, bail};

/// Prints that a test is skipped because a required program is missing, and returns `None`. The
/// test then passes without testing anything.
///
/// # Errors
///
/// If `CI=true` is set, because CI must have every program.
pub fn missing<T>(what: &str) -> Result<Option<T>> {
    if std::env::var("CI").is_ok_and(|ci| ci == "true") {
        bail!("CI=true, but there is no {what}");
    }
    eprintln!("skipped: there is no {what}");
    Ok(None)
}

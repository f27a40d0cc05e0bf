use anyhow::{Result, bail};

/// For a test whose machine lacks what it drives: `None`, after a line that says so; the test has
/// nothing to test then and passes.
///
/// # Errors
///
/// Where `CI=true`: everything has to be there.
pub fn missing<T>(what: &str) -> Result<Option<T>> {
    if std::env::var("CI").is_ok_and(|ci| ci == "true") {
        bail!("CI=true, but there is no {what}");
    }
    eprintln!("skipped: there is no {what}");
    Ok(None)
}

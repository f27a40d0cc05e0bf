use data_encoding::HEXLOWER;

use crate::server::Settings;

/// The number of random bytes of a key.
const KEY_BYTES: usize = 20;

/// Adds a key to settings that have an address of webhooks but no key for their signatures. The key
/// is that of the earlier settings, or else a new one.
pub(crate) fn complete(
    mut settings: Settings,
    earlier: Option<&Settings>,
) -> Result<Settings, getrandom::Error> {
    if settings.webhooks.url.is_some() && settings.webhook_key().is_none() {
        let known = earlier.and_then(|earlier| earlier.webhooks.secret.clone());
        settings.webhooks.secret = Some(match known {
            Some(key) => key,
            None => new_key()?,
        });
    }
    Ok(settings)
}

/// Returns a new key in the form of the service's test keys.
fn new_key() -> Result<String, getrandom::Error> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(format!("sk_test_{}", HEXLOWER.encode(&bytes)))
}

use data_encoding::HEXLOWER;

use crate::server::{Settings, WebhookSettings};

/// The number of random bytes of a key.
const KEY_BYTES: usize = 20;

/// Adds a key to settings that have an address of webhooks but no key for their signatures. The key
/// is that of the earlier settings, or else a new one. A created key is kept without an address,
/// too, so that receivers know it when webhooks are used again.
pub(crate) fn complete(
    mut settings: Settings,
    earlier: Option<&Settings>,
) -> Result<Settings, getrandom::Error> {
    if settings.webhook_key().is_none() {
        let is_used = settings.webhooks.url.is_some();
        let earlier = earlier.map(|earlier| &earlier.webhooks);
        let known = earlier.filter(|it| is_used || it.has_created_secret());
        settings.webhooks.secret = match known.and_then(|it| it.secret.clone()) {
            None if is_used => Some(new_key()?),
            known => known,
        };
    }
    Ok(settings)
}

/// Returns a new key.
fn new_key() -> Result<String, getrandom::Error> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(WebhookSettings::created_secret(&HEXLOWER.encode(&bytes)))
}

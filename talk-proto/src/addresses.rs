//! The addresses of the service.

use std::net::IpAddr;

#[cfg(test)]
mod tests;

/// The base addresses of the service, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Addresses {
    /// The base of the WebSocket, `wss://…`.
    pub realtime: String,
    /// The base of the REST calls, `https://…`.
    pub rest: String,
    /// The base of the undocumented REST calls, `https://…`.
    pub internal: String,
}

/// The public service.
impl Default for Addresses {
    fn default() -> Self {
        Self {
            realtime: "wss://realtime.talkjs.com/v1".to_owned(),
            rest: "https://api.talkjs.com/v1".to_owned(),
            internal: "https://app.talkjs.com/api/v0".to_owned(),
        }
    }
}

impl Addresses {
    /// Returns the addresses of a host, with an optional port and without a scheme.
    ///
    /// `localhost`, its subdomains and loopback addresses are connected to without TLS; for other
    /// hosts see [`without_tls`](Self::without_tls). `NAME.talkjs.com` and `prefix-NAME.talkjs.com`
    /// are regions of the public service, unless the name is one of the hosts of the service
    /// itself.
    ///
    /// ```
    /// use talk_proto::Addresses;
    ///
    /// let local = Addresses::of_host("127.0.0.1:4000");
    /// assert_eq!(local.realtime, "ws://127.0.0.1:4000/public_api/v1");
    /// let region = Addresses::of_host("eu.talkjs.com");
    /// assert_eq!(region.rest, "https://api-eu.talkjs.com/v1");
    /// ```
    pub fn of_host(host: &str) -> Self {
        match host.strip_suffix("talkjs.com") {
            Some("") => return Self::default(),
            Some(name) if name.ends_with('.') => {
                return Self::of_public_name(name.trim_end_matches('.'));
            }
            Some(_) | None => {}
        }
        let s = if is_loopback(host) { "" } else { "s" };
        Self {
            realtime: format!("ws{s}://{host}/public_api/v1"),
            rest: format!("http{s}://{host}/public_api/v1"),
            internal: format!("http{s}://{host}/api/v0"),
        }
    }

    /// Replaces TLS by plain connections, for a server without TLS in a trusted network. Tokens and
    /// messages are sent unencrypted.
    ///
    /// ```
    /// use talk_proto::Addresses;
    ///
    /// let addresses = Addresses::of_host("chat.internal:4000").without_tls();
    /// assert_eq!(addresses.realtime, "ws://chat.internal:4000/public_api/v1");
    /// ```
    #[must_use]
    pub fn without_tls(mut self) -> Self {
        for address in [&mut self.realtime, &mut self.rest, &mut self.internal] {
            for (secure, plain) in [("wss://", "ws://"), ("https://", "http://")] {
                if let Some(rest) = address.strip_prefix(secure) {
                    *address = format!("{plain}{rest}");
                }
            }
        }
        self
    }

    fn of_public_name(name: &str) -> Self {
        let name = name.split_once('-').map_or(name, |(_prefix, name)| name);
        if name.contains('.') || matches!(name, "" | "app" | "cdn" | "api" | "realtime") {
            return Self::default();
        }
        Self {
            realtime: format!("wss://realtime-{name}.talkjs.com/v1"),
            rest: format!("https://api-{name}.talkjs.com/v1"),
            internal: format!("https://app-{name}.talkjs.com/api/v0"),
        }
    }
}

/// Returns `true` for `localhost`, its subdomains and loopback addresses, with an optional port.
/// The published client also connects without TLS to every IPv4 address and to every name that
/// contains `localhost`, so a mistyped or foreign name can disable TLS there.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        // The last colon of an IPv6 address is no separator.
        Some((name, port)) if !port.ends_with(']') => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let name = name.to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || address
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

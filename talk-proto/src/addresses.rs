//! Where the service is.

/// The base addresses of the service, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Addresses {
    /// The base of the WebSocket, `wss://…`.
    pub realtime: String,
    /// The base of the REST calls, `https://…`.
    pub rest: String,
    /// The base of the calls that no documentation names, `https://…`.
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
    /// Another place of the service: a host name with an optional port.
    ///
    /// An IPv4 address, and a name that contains `localhost`, are spoken to without TLS.
    /// `NAME.talkjs.com` and `prefix-NAME.talkjs.com` are a region of the public service, or the
    /// service itself when the name is one of its own hosts.
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
        let s = if is_local(host) { "" } else { "s" };
        Self {
            realtime: format!("ws{s}://{host}/public_api/v1"),
            rest: format!("http{s}://{host}/public_api/v1"),
            internal: format!("http{s}://{host}/api/v0"),
        }
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

/// Whether `host` is spoken to without TLS. The parts of an IPv4 address are not checked for
/// their range: the published client does not either.
fn is_local(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let mut parts = 0;
    let is_ipv4 = name.split('.').all(|part| {
        parts += 1;
        (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    });
    name.contains("localhost") || (is_ipv4 && parts == 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn realtime(host: &str) -> String {
        Addresses::of_host(host).realtime
    }

    #[test]
    fn regions_of_the_public_service_have_hosts_of_their_own() {
        assert_eq!(realtime("eu.talkjs.com"), "wss://realtime-eu.talkjs.com/v1");
        assert_eq!(
            realtime("app-eu.talkjs.com"),
            "wss://realtime-eu.talkjs.com/v1"
        );
        assert_eq!(
            realtime("a-b-eu.talkjs.com"),
            "wss://realtime-b-eu.talkjs.com/v1"
        );
    }

    #[test]
    fn the_hosts_of_the_public_service_mean_the_public_service() {
        for host in [
            "talkjs.com",
            "app.talkjs.com",
            "cdn.talkjs.com",
            "staging-app.talkjs.com",
        ] {
            assert_eq!(Addresses::of_host(host), Addresses::default(), "{host}");
        }
    }

    #[test]
    fn only_ipv4_addresses_and_localhost_go_without_tls() {
        for host in [
            "127.0.0.1:80",
            "10.0.0.1",
            "localhost:3",
            "my.localhost.dev",
        ] {
            assert!(realtime(host).starts_with("ws://"), "{host}");
        }
        for host in [
            "chat.example.com",
            "chat.example.com:80",
            "1.2.3",
            "[::1]:90",
            "eu.talkjs.com:9",
        ] {
            assert!(realtime(host).starts_with("wss://"), "{host}");
        }
    }
}

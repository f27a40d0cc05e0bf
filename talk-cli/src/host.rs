//! The address of the service on the command line.

use http::uri::Authority;

/// Parses a host name or an IP address with an optional port. An IPv6 address needs brackets.
pub(crate) fn host(text: &str) -> Result<String, String> {
    let bad = |reason: &str| {
        format!("{reason}; expected a name with an optional port, such as 127.0.0.1:8080")
    };
    if text.contains("://") {
        return Err(bad("a host has no scheme"));
    }
    if text.contains(['/', '?', '#', '@']) {
        return Err(bad("a host has no path and no user"));
    }
    let (name, port) = match text.rsplit_once(':') {
        // The last colon belongs to the address.
        Some(_) if text.ends_with(']') => (text, None),
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    if name.contains(':') && !(name.starts_with('[') && name.ends_with(']')) {
        return Err(bad("an IPv6 address stands in brackets"));
    }
    if let Some(port) = port {
        let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
        match port.parse::<u16>() {
            Ok(1..) if is_number => {}
            _ => return Err(bad("the port is not a number from 1 to 65535")),
        }
    }
    match text.parse::<Authority>() {
        Ok(authority) if !authority.host().is_empty() => Ok(text.to_owned()),
        _ => Err(bad("this is not a host name")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_with_or_without_port_is_taken() {
        for good in [
            "127.0.0.1",
            "127.0.0.1:8080",
            "api.talkjs.com",
            "localhost:1",
            "[::1]",
            "[::1]:65535",
        ] {
            assert_eq!(host(good).as_deref(), Ok(good));
        }
    }

    #[test]
    fn host_malformed_is_refused() {
        for bad in [
            "",
            ":8080",
            "127.0.0.1:",
            "127.0.0.1:22x",
            "127.0.0.1:0",
            "127.0.0.1:99999",
            "127.0.0.1:+80",
            "http://127.0.0.1:80",
            "http:127.0.0.1",
            "127.0.0.1/path",
            "user@host",
            "::1",
            "[::1",
            "two words",
            "h\u{1b}ost",
        ] {
            assert!(host(bad).is_err(), "{bad}");
        }
    }
}

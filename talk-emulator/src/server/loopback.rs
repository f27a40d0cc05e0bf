use std::net::IpAddr;

/// Returns `true` if a host name always means this machine.
pub(crate) fn is_loopback(name: &str) -> bool {
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let name = name.to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || address
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Returns `true` if the value of an `Origin` header is a page of this machine.
pub(crate) fn is_loopback_origin(origin: &str) -> bool {
    let origin: Result<http::Uri, _> = origin.parse();
    origin.is_ok_and(|origin| origin.host().is_some_and(is_loopback))
}

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_executor::block_on;

use super::*;

/// A proxy that answers with scripted bytes, a byte at a time, and records the requests.
struct Scripted {
    answers: &'static [u8],
    requests: Vec<u8>,
}

impl Scripted {
    fn new(answers: &'static [u8]) -> Self {
        Self {
            answers,
            requests: Vec::new(),
        }
    }
}

impl AsyncRead for Scripted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let Some((first, rest)) = self.answers.split_first() else {
            return Poll::Ready(Ok(0));
        };
        buffer[0] = *first;
        self.answers = rest;
        Poll::Ready(Ok(1))
    }
}

impl AsyncWrite for Scripted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.requests.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn endpoint(host: &str, secure: bool) -> Endpoint {
    Endpoint {
        host: host.to_owned(),
        port: 443,
        secure,
    }
}

fn connect_error(answers: &'static [u8]) -> String {
    let mut proxy = Scripted::new(answers);
    let error = block_on(http_connect(&mut proxy, &endpoint("a.test", true), None));
    error.unwrap_err().to_string()
}

fn socks5_error(answers: &'static [u8], credentials: Option<(&str, &str)>) -> String {
    let mut proxy = Scripted::new(answers);
    let error = block_on(socks5_connect(
        &mut proxy,
        &endpoint("a.test", true),
        credentials,
    ));
    error.unwrap_err().to_string()
}

#[test]
fn http_connect_sends_target_and_credentials() {
    let mut proxy = Scripted::new(b"HTTP/1.1 200 OK\r\nvia: 1.1 proxy\r\n\r\n");
    let target = endpoint("2001:db8::7", true);
    block_on(http_connect(&mut proxy, &target, Some(b"Basic YTpi"))).unwrap();
    assert_eq!(
        String::from_utf8(proxy.requests).unwrap(),
        "CONNECT [2001:db8::7]:443 HTTP/1.1\r\nhost: [2001:db8::7]:443\r\n\
         proxy-authorization: Basic YTpi\r\n\r\n"
    );
}

#[test]
fn http_connect_refused_names_the_reason() {
    assert!(connect_error(b"HTTP/1.1 407 No\r\n\r\n").contains("user name and a password"));
    assert!(connect_error(b"HTTP/1.1 403 Forbidden\r\n\r\n").contains("status 403"));
    assert!(connect_error(b"SSH-2.0-OpenSSH\r\n").contains("does not speak HTTP"));
    assert!(connect_error(b"HTTP/1.1 200 OK\r\n").contains("closed the connection"));
}

#[test]
fn http_connect_endless_head_is_refused() {
    let endless: &'static [u8] = b"HTTP/1.1 200 OK\r\nx: "
        .iter()
        .copied()
        .chain(std::iter::repeat_n(b'x', 2 * MAX_HEAD))
        .collect::<Vec<_>>()
        .leak();
    assert!(connect_error(endless).contains("does not speak HTTP"));
}

#[test]
fn socks5_connect_sends_name_and_password() {
    let answers = b"\x05\x02\x01\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50";
    let mut proxy = Scripted::new(answers);
    let target = endpoint("a.test", true);
    block_on(socks5_connect(&mut proxy, &target, Some(("al", "pw")))).unwrap();
    let expected = b"\x05\x02\x00\x02\x01\x02al\x02pw\x05\x01\x00\x03\x06a.test\x01\xbb";
    assert_eq!(proxy.requests, expected);
    assert!(proxy.answers.is_empty(), "the whole reply is read");
}

#[test]
fn socks5_connect_refused_names_the_reason() {
    assert!(socks5_error(b"\x05\xff", None).contains("user name and a password"));
    assert!(socks5_error(b"\x05\x02\x01\x01", Some(("a", "b"))).contains("rejects"));
    let refused = socks5_error(b"\x05\x00\x05\x02\x00\x01", None);
    assert!(refused.contains("rules forbid"), "{refused}");
    assert!(socks5_error(b"HTTP/1.1 400", None).contains("does not speak SOCKS5"));
    assert!(socks5_error(b"\x05", None).contains("closed the connection"));
}

#[test]
fn proxy_url_invalid_is_refused_without_the_url() {
    for (url, expected) in [
        ("", ProxyUrlError::Syntax),
        ("proxy", ProxyUrlError::Syntax),
        ("http://", ProxyUrlError::Syntax),
        ("https://a:secret@proxy", ProxyUrlError::Scheme),
        ("ftp://a:secret@proxy", ProxyUrlError::Scheme),
        ("http://a:secret@proxy:99999", ProxyUrlError::Port),
        ("socks5://proxy:port", ProxyUrlError::Port),
        ("socks5://[::1]:", ProxyUrlError::Port),
        ("http://:3128", ProxyUrlError::Syntax),
    ] {
        assert_eq!(ProxyOptions::url(url).unwrap_err(), expected, "{url}");
    }
}

#[test]
fn proxy_of_environment_with_invalid_port_is_refused() {
    let url = "http://a:secret@localhost:99999";
    let intercept = Matcher::builder().all(url).build();
    let intercept = intercept.intercept(&"https://talk.test/".parse().unwrap());
    assert_eq!(check(intercept.unwrap().uri()), Err(ProxyUrlError::Port));
}

#[test]
fn proxy_options_debug_hides_credentials() {
    let options = ProxyOptions::url("http://alice:secret@proxy.test:3128").unwrap();
    let debug = format!("{options:?}");
    assert!(debug.contains("proxy.test"), "{debug}");
    assert!(
        !debug.contains("secret") && !debug.contains("alice"),
        "{debug}"
    );
}

#[test]
fn proxy_of_endpoint_depends_on_settings() {
    let fixed = ProxyOptions::url("http://proxy.test:3128").unwrap();
    assert!(fixed.of(&endpoint("127.0.0.1", false)).is_some());
    assert!(fixed.of(&endpoint("2001:db8::7", true)).is_some());
    assert!(
        ProxyOptions::disabled()
            .of(&endpoint("a.test", true))
            .is_none()
    );

    let matcher = Matcher::builder()
        .https("http://proxy.test:3128")
        .no("internal.test, 10.0.0.0/8")
        .build();
    let environment = ProxyOptions {
        matcher: Some(Arc::new(matcher)),
        skips_loopback: true,
    };
    for (host, secure, expected) in [
        ("a.test", true, true),
        ("a.test", false, false),
        ("b.internal.test", true, false),
        ("10.1.2.3", true, false),
        ("127.0.0.1", true, false),
        ("::1", true, false),
        ("emulator.localhost", true, false),
    ] {
        let proxy = environment.of(&endpoint(host, secure));
        assert_eq!(proxy.is_some(), expected, "{host}");
    }
}

//! Name resolution and TCP connections.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::endpoint::Endpoint;
use super::runtime::{Runtime, run_blocking};
use crate::transport::ConnectError;

/// The delay before the next address is tried in parallel: "Connection Attempt Delay" in RFC 8305.
const CONNECTION_ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Connects to the first address of the endpoint that accepts.
pub(super) async fn connect<R: Runtime>(
    runtime: &R,
    endpoint: &Endpoint,
) -> Result<R::TcpStream, ConnectError> {
    let addresses = resolve(runtime, endpoint)
        .await
        .map_err(|cause| ConnectError::Dns {
            host: endpoint.host.clone(),
            cause,
        })?;
    connect_any(runtime, alternate_families(addresses))
        .await
        .map_err(|cause| ConnectError::Tcp {
            host: endpoint.host.clone(),
            port: endpoint.port,
            cause,
        })
}

/// Returns the addresses of the host in the system's order of preference, at least one.
async fn resolve<R: Runtime>(runtime: &R, endpoint: &Endpoint) -> io::Result<Vec<SocketAddr>> {
    if let Ok(literal) = endpoint.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(literal, endpoint.port)]);
    }
    let query = (endpoint.host.clone(), endpoint.port);
    let addresses: Vec<_> = run_blocking(runtime, move || query.to_socket_addrs())
        .await??
        .collect();
    if addresses.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the name has no address",
        ));
    }
    Ok(addresses)
}

/// Alternates between IPv6 and IPv4, starting with the family that the system prefers, so that a
/// network without one of them costs one delay.
fn alternate_families(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let prefers_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let total = addresses.len();
    let (preferred, other): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == prefers_v6);
    let mut alternated = Vec::with_capacity(total);
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    while alternated.len() < total {
        alternated.extend(preferred.next());
        alternated.extend(other.next());
    }
    alternated
}

/// Tries the addresses in order, each [`CONNECTION_ATTEMPT_DELAY`] after the one before or as soon
/// as one has failed, and keeps the first that connects.
async fn connect_any<R: Runtime>(
    runtime: &R,
    addresses: Vec<SocketAddr>,
) -> io::Result<R::TcpStream> {
    let mut attempts = FuturesUnordered::new();
    let mut failure = None;
    let mut waiting = addresses.into_iter();
    while let Some(address) = waiting.next() {
        attempts.push(runtime.connect_tcp(address));
        if waiting.len() == 0 {
            break;
        }
        match select(
            attempts.next(),
            pin!(runtime.sleep(CONNECTION_ATTEMPT_DELAY)),
        )
        .await
        {
            Either::Left((Some(Ok(stream)), _)) => return Ok(stream),
            Either::Left((Some(Err(error)), _)) => failure = Some(error),
            Either::Left((None, _)) | Either::Right(_) => {}
        }
    }
    while let Some(attempt) = attempts.next().await {
        match attempt {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = Some(error),
        }
    }
    Err(failure.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::future::{Future, pending, ready};
    use std::sync::{Arc, Mutex};

    use futures_executor::block_on;
    use futures_util::FutureExt;
    use futures_util::io::Cursor;

    use super::*;

    #[derive(Clone, Copy)]
    enum Fate {
        Connects,
        Refuses,
        NeverAnswers,
    }

    /// A runtime with scripted addresses, whose sleeps end at once.
    #[derive(Clone, Default)]
    struct Scripted {
        fates: BTreeMap<SocketAddr, Fate>,
        tried: Arc<Mutex<Vec<SocketAddr>>>,
    }

    impl Scripted {
        fn new(fates: &[(&str, Fate)]) -> Self {
            let fates = fates
                .iter()
                .map(|(text, fate)| (address(text), *fate))
                .collect();
            Self {
                fates,
                tried: Arc::default(),
            }
        }

        fn tried(&self) -> Vec<SocketAddr> {
            self.tried.lock().unwrap().clone()
        }
    }

    impl Runtime for Scripted {
        type TcpStream = Cursor<Vec<u8>>;

        fn connect_tcp(
            &self,
            address: SocketAddr,
        ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send {
            self.tried.lock().unwrap().push(address);
            match self.fates[&address] {
                Fate::Connects => {
                    ready(Ok(Cursor::new(address.to_string().into_bytes()))).left_future()
                }
                Fate::Refuses => ready(Err(io::ErrorKind::ConnectionRefused.into())).left_future(),
                Fate::NeverAnswers => pending().right_future(),
            }
        }

        fn sleep(&self, _: Duration) -> impl Future<Output = ()> + Send + 'static {
            ready(())
        }

        fn spawn(&self, _: impl Future<Output = ()> + Send + 'static) {}

        fn spawn_blocking(&self, work: impl FnOnce() + Send + 'static) {
            work();
        }
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| address(text)).collect()
    }

    #[test]
    fn connect_first_address_hangs_next_is_tried() {
        let runtime = Scripted::new(&[
            ("[::1]:1", Fate::NeverAnswers),
            ("127.0.0.1:1", Fate::Connects),
        ]);
        let stream = block_on(connect_any(
            &runtime,
            addresses(&["[::1]:1", "127.0.0.1:1"]),
        ))
        .unwrap();
        assert_eq!(stream.into_inner(), b"127.0.0.1:1");
    }

    #[test]
    fn connect_first_address_answers_no_other_is_tried() {
        let runtime = Scripted::new(&[
            ("127.0.0.1:1", Fate::Connects),
            ("127.0.0.2:1", Fate::Connects),
        ]);
        let stream = block_on(connect_any(
            &runtime,
            addresses(&["127.0.0.1:1", "127.0.0.2:1"]),
        ))
        .unwrap();
        assert_eq!(stream.into_inner(), b"127.0.0.1:1");
        assert_eq!(runtime.tried(), addresses(&["127.0.0.1:1"]));
    }

    #[test]
    fn connect_all_addresses_refuse_last_error_returned() {
        let all = ["[::1]:1", "127.0.0.1:1", "127.0.0.2:1"];
        let runtime = Scripted::new(&all.map(|text| (text, Fate::Refuses)));
        let error = block_on(connect_any(&runtime, addresses(&all))).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(runtime.tried(), addresses(&all));
    }

    #[test]
    fn alternate_families_keeps_every_address() {
        let resolved = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "127.0.0.1:1"]);
        let expected = addresses(&["[::1]:1", "127.0.0.1:1", "[::2]:1", "[::3]:1"]);
        assert_eq!(alternate_families(resolved), expected);
        let resolved = addresses(&["127.0.0.1:1", "127.0.0.2:1", "[::1]:1"]);
        let expected = addresses(&["127.0.0.1:1", "[::1]:1", "127.0.0.2:1"]);
        assert_eq!(alternate_families(resolved), expected);
    }

    #[test]
    fn connect_literal_address_skips_resolver() {
        let runtime = Scripted::new(&[("[::1]:9", Fate::Connects)]);
        let endpoint = Endpoint {
            host: "::1".to_owned(),
            port: 9,
            secure: false,
        };
        assert!(block_on(connect(&runtime, &endpoint)).is_ok());
        assert_eq!(runtime.tried(), addresses(&["[::1]:9"]));
    }
}

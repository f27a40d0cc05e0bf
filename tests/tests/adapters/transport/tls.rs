//! TLS with a certificate authority that is created for the test.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_rustls::TlsAcceptor;
use futures_rustls::pki_types::{CertificateDer, PrivateKeyDer};
use futures_rustls::rustls::crypto::ring;
use futures_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use futures_util::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt};
use http::Request;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use talk_client::net::TlsOptions;
use talk_client::transport::{ConnectError, HttpError, RequestBody, Transport};
use talk_tests::tls_server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::compat::TokioAsyncReadCompatExt;

use super::peer::{MAX_MESSAGE, native, native_with, next_text, serve_tcp};
use crate::adapters::adapter::Adapter;

/// A certificate authority, and the configuration of a server with its certificate.
pub(crate) struct Authority {
    pub(crate) pem: String,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    pub(crate) server: Arc<ServerConfig>,
}

/// Creates an authority and a server certificate for these names.
pub(crate) fn authority(names: &[&str]) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_key = KeyPair::generate().unwrap();
    let root = params.self_signed(&root_key).unwrap();
    let issuer = Issuer::new(params, root_key);
    Authority {
        pem: root.pem(),
        der: root.der().clone(),
        server: vouch_for(&issuer, leaf(names)),
        issuer,
    }
}

impl Authority {
    /// Creates another server whose certificate is signed by the authority.
    pub(crate) fn vouch_for(&self, leaf: CertificateParams) -> Arc<ServerConfig> {
        vouch_for(&self.issuer, leaf)
    }
}

/// Returns the parameters of a server certificate for these names.
pub(crate) fn leaf(names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    CertificateParams::new(names).unwrap()
}

fn vouch_for(issuer: &Issuer<'_, KeyPair>, leaf: CertificateParams) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    let certificate = leaf.signed_by(&key, issuer).unwrap();
    serve_as(certificate.der().clone(), &key)
}

/// Creates a server with a self-signed certificate.
pub(crate) fn self_signed(leaf: &CertificateParams) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    serve_as(leaf.self_signed(&key).unwrap().der().clone(), &key)
}

fn serve_as(certificate: CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    tls_server(certificate, key).unwrap()
}

/// Echoes a message over `wss`, unless the client does not trust the certificate and closes the
/// connection.
fn serve_wss(authority: &Authority) -> SocketAddr {
    let acceptor = TlsAcceptor::from(Arc::clone(&authority.server));
    let (address, _server) = serve_tcp(|stream| async move {
        let Ok(stream) = acceptor.accept(stream.compat()).await else {
            return;
        };
        let mut socket = async_tungstenite::accept_async(stream).await.unwrap();
        let message = socket.next().await.unwrap().unwrap();
        socket.send(message).await.unwrap();
        // Returns when the client closes the connection.
        socket.next().await;
    });
    address
}

/// Sends a message of many TLS records through an echo server.
async fn assert_echo<A: Adapter>(tls: TlsOptions, url: &str) {
    let mut socket = native_with::<A>(tls)
        .websocket(url, MAX_MESSAGE)
        .await
        .unwrap();
    let text = "x".repeat(300_000);
    socket.start_send(text.as_str());
    assert!(next_text(&mut socket).await == text);
}

async fn tls_extra_root_is_trusted<A: Adapter>() {
    let authority = authority(&["localhost", "127.0.0.1"]);
    let tls = TlsOptions::with_extra_roots(authority.pem.as_bytes()).unwrap();
    let address = serve_wss(&authority);
    assert_echo::<A>(tls.clone(), &format!("wss://{address}/")).await;
    let address = serve_wss(&authority);
    assert_echo::<A>(tls, &format!("wss://localhost:{}/", address.port())).await;
}

async fn tls_custom_config_is_used<A: Adapter>() {
    let authority = authority(&["127.0.0.1"]);
    let mut roots = RootCertStore::empty();
    roots.add(authority.der.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let address = serve_wss(&authority);
    assert_echo::<A>(
        TlsOptions::with_config(Arc::new(config)),
        &format!("wss://{address}/"),
    )
    .await;
}

async fn tls_unknown_root_is_refused<A: Adapter>() {
    let authority = authority(&["127.0.0.1"]);
    let other = self::authority(&["127.0.0.1"]);
    let other = TlsOptions::with_extra_roots(other.pem.as_bytes()).unwrap();
    for native in [native::<A>(), native_with::<A>(other)] {
        let address = serve_wss(&authority);
        let url = format!("wss://{address}/");
        let error = native.websocket(&url, MAX_MESSAGE).await.unwrap_err();
        assert!(
            matches!(&error, ConnectError::Tls { host, .. } if host == "127.0.0.1"),
            "{error}"
        );
        assert!(error.to_string().contains("root certificate"), "{error}");
    }
}

async fn tls_certificate_for_another_name_is_refused<A: Adapter>() {
    let authority = authority(&["talk.example"]);
    let tls = TlsOptions::with_extra_roots(authority.pem.as_bytes()).unwrap();
    let address = serve_wss(&authority);
    let url = format!("wss://{address}/");
    let error = native_with::<A>(tls)
        .websocket(&url, MAX_MESSAGE)
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::Tls { .. }), "{error:?}");
}

async fn tls_server_without_tls_is_a_typed_error<A: Adapter>() {
    let (address, _server) = serve_tcp(|mut stream| async move {
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let error = native::<A>()
        .websocket(&format!("wss://{address}/"), MAX_MESSAGE)
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::Tls { .. }), "{error:?}");

    let (address, _server) = serve_tcp(|stream| async { drop(stream) });
    let error = native::<A>()
        .websocket(&format!("wss://{address}/"), MAX_MESSAGE)
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::Interrupted(_)), "{error:?}");
}

async fn https_truncation_is_detected<A: Adapter>() {
    let authority = authority(&["127.0.0.1"]);
    let tls = TlsOptions::with_extra_roots(authority.pem.as_bytes()).unwrap();
    // Without a content length, only TLS distinguishes a complete answer from a truncated one.
    for closes_tls in [true, false] {
        let acceptor = TlsAcceptor::from(Arc::clone(&authority.server));
        let (address, _server) = serve_tcp(move |stream| async move {
            let mut stream = acceptor.accept(stream.compat()).await.unwrap();
            let mut head = vec![0; 16];
            stream.read_exact(&mut head).await.unwrap();
            stream
                .write_all(b"HTTP/1.1 200 OK\r\n\r\nhello")
                .await
                .unwrap();
            stream.flush().await.unwrap();
            if closes_tls {
                stream.close().await.unwrap();
            }
            head
        });
        let request = Request::get(format!("https://{address}/v1"));
        let request = request.body(RequestBody::default()).unwrap();
        let response = native_with::<A>(tls.clone()).http(request).await.unwrap();
        let chunks: Vec<_> = response.into_body().collect().await;
        assert_eq!(chunks[0].as_ref().unwrap(), "hello");
        match chunks.get(1) {
            None => assert!(closes_tls),
            Some(end) => {
                assert!(!closes_tls, "{end:?}");
                assert!(matches!(end, Err(HttpError::Interrupted(_))), "{end:?}");
            }
        }
    }
}

on_every_runtime!(
    tls_extra_root_is_trusted,
    tls_custom_config_is_used,
    tls_unknown_root_is_refused,
    tls_certificate_for_another_name_is_refused,
    tls_server_without_tls_is_a_typed_error,
    https_truncation_is_detected,
);

//! A proxy with a password before a TLS server before the emulator.

use futures_rustls::TlsAcceptor;
use futures_rustls::pki_types::PrivateKeyDer;
use rcgen::{CertificateParams, KeyPair};
use talk_client::net::TlsOptions;
use talk_tests::{forward, tls_server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The host name of the TLS server, which only the proxy resolves.
pub(crate) const HOST: &str = "talk.example";

/// A CONNECT proxy whose tunnels all lead to the TLS server.
pub(crate) struct Secured {
    /// The host and port of the proxy.
    pub(crate) proxy: String,
    /// Trusts the server's certificate.
    pub(crate) tls: TlsOptions,
}

impl Secured {
    pub(crate) async fn start(emulator: String) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![HOST.to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let acceptor = TlsAcceptor::from(tls_server(certificate.der().clone(), key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, acceptor.clone(), emulator.clone()));
            }
        });
        Self {
            proxy,
            tls: TlsOptions::with_extra_roots(certificate.pem().as_bytes()).unwrap(),
        }
    }
}

/// Answers CONNECT, terminates TLS and forwards to the emulator until either side ends.
async fn serve(mut stream: TcpStream, acceptor: TlsAcceptor, emulator: String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else {
            return;
        };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    assert!(head.contains("proxy-authorization: basic "), "{head}");
    let tunnel = b"HTTP/1.1 200 OK\r\n\r\n";
    if stream.write_all(tunnel).await.is_err() {
        return;
    }
    // Either side may break the connection.
    let _ = forward(stream, Some(&acceptor), emulator).await;
}

//! A TLS proxy in front of the emulator, which has no TLS.

use anyhow::{Context, Result};
use futures_rustls::TlsAcceptor;
use futures_rustls::pki_types::pem::PemObject;
use futures_rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use talk_tests::{forward, tls_server};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;

/// A self-signed certificate for 127.0.0.1 and its key, as PEM.
#[derive(Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) certificate: String,
    key: String,
}

impl Identity {
    pub(crate) fn new() -> Result<Self> {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        Ok(Self {
            certificate: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
        })
    }

    /// Returns the identity as a line of JSON.
    pub(crate) fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string(self)?)
    }

    fn acceptor(&self) -> Result<TlsAcceptor> {
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes())?;
        Ok(TlsAcceptor::from(tls_server(certificate, key)?))
    }
}

/// Forwards connections to the emulator at `to` until the input ends. The first line of the input
/// is the identity.
pub(crate) async fn run(to: String) -> Result<()> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let identity = lines.next_line().await?.context("no identity")?;
    let acceptor = serde_json::from_str::<Identity>(&identity)?.acceptor()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                let (acceptor, to) = (acceptor.clone(), to.clone());
                // The client detects failed connections itself.
                tokio::spawn(async move { forward(stream, Some(&acceptor), to).await.ok() });
            }
            line = lines.next_line() => if line?.is_none() {
                return Ok(());
            },
        }
    }
}

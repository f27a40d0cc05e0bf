//! TLS with rustls and the ring provider.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use futures_rustls::TlsConnector;
use futures_rustls::client::TlsStream;
use futures_rustls::pki_types::pem::PemObject;
use futures_rustls::pki_types::{CertificateDer, ServerName};
use futures_rustls::rustls::crypto::ring;
use futures_rustls::rustls::{ClientConfig, Error as RustlsError, RootCertStore};
use futures_util::io::{AsyncRead, AsyncWrite};
#[cfg(feature = "platform-verifier")]
use rustls_platform_verifier::Verifier;

use super::endpoint::Endpoint;
use super::runtime::{Runtime, run_blocking};
use super::tls_io::TlsIo;
use crate::transport::{ConnectError, UrlError};

/// The certificates to trust in TLS connections.
///
/// The default trusts the platform's root certificates, or the bundled ones of Mozilla on a
/// platform without any. They are loaded at the first connection that needs them. Clones share the
/// loaded certificates.
#[derive(Clone, Default)]
#[must_use]
pub struct TlsOptions {
    extra_roots: Arc<Vec<CertificateDer<'static>>>,
    #[cfg(feature = "platform-verifier")]
    uses_platform_verifier: bool,
    /// `None` is the default of the process.
    config: Option<Arc<OnceLock<Arc<ClientConfig>>>>,
}

/// The reason that root certificates are unusable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsOptionsError {
    /// The text is not PEM.
    #[error("the root certificates are not valid PEM: {0}")]
    Pem(String),
    /// The PEM text holds no certificate.
    #[error("the PEM text holds no certificate; give a file with BEGIN CERTIFICATE lines")]
    Empty,
    /// A certificate is not a valid root.
    #[error("a certificate cannot be used as a root: {0}")]
    Certificate(RustlsError),
}

impl TlsOptions {
    /// Trusts the certificates of a PEM text in addition to the default ones, for private
    /// deployments and tests.
    ///
    /// # Errors
    ///
    /// If the text is not PEM, holds no certificate, or holds an invalid root.
    pub fn with_extra_roots(pem: &[u8]) -> Result<Self, TlsOptionsError> {
        let roots: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|error| TlsOptionsError::Pem(error.to_string()))?;
        if roots.is_empty() {
            return Err(TlsOptionsError::Empty);
        }
        let mut trial = RootCertStore::empty();
        for root in &roots {
            trial
                .add(root.clone())
                .map_err(TlsOptionsError::Certificate)?;
        }
        Ok(Self {
            extra_roots: Arc::new(roots),
            #[cfg(feature = "platform-verifier")]
            uses_platform_verifier: false,
            config: Some(Arc::default()),
        })
    }

    /// Lets the operating system verify certificates, with its trust settings, revocations and
    /// policies, in addition to the extra roots. On Linux it is the same as the default. An Android
    /// application has to initialize `rustls-platform-verifier` first.
    ///
    /// ```
    /// use talk_client::TalkOptions;
    /// use talk_client::net::TlsOptions;
    ///
    /// let tls = TlsOptions::default().platform_verifier();
    /// let options = TalkOptions::new("my_app", "alice")?.tls(tls);
    /// # Ok::<(), talk_client::EmptyId>(())
    /// ```
    #[cfg(feature = "platform-verifier")]
    pub fn platform_verifier(mut self) -> Self {
        self.uses_platform_verifier = true;
        self.config = Some(Arc::default());
        self
    }

    /// Uses a custom configuration, for client certificates or certificate pinning.
    ///
    /// It must be a type of the re-exported [`rustls`](super::rustls). Its ALPN protocols must not
    /// include HTTP/2, because the client supports only HTTP/1.1.
    pub fn with_config(config: Arc<ClientConfig>) -> Self {
        Self {
            extra_roots: Arc::default(),
            #[cfg(feature = "platform-verifier")]
            uses_platform_verifier: false,
            config: Some(Arc::new(OnceLock::from(config))),
        }
    }

    /// Returns the configuration. The first call builds it where blocking is allowed.
    async fn config<R: Runtime>(&self, runtime: &R) -> io::Result<Arc<ClientConfig>> {
        if let Some(config) = self.cell().get() {
            return Ok(Arc::clone(config));
        }
        let options = self.clone();
        run_blocking(runtime, move || {
            let built = build_config(&options).map_err(io::Error::other)?;
            Ok(Arc::clone(options.cell().get_or_init(|| Arc::new(built))))
        })
        .await?
    }

    fn cell(&self) -> &OnceLock<Arc<ClientConfig>> {
        static DEFAULT: OnceLock<Arc<ClientConfig>> = OnceLock::new();
        self.config.as_deref().unwrap_or(&DEFAULT)
    }
}

impl fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptions")
            .field("extra_roots", &self.extra_roots.len())
            .finish_non_exhaustive()
    }
}

/// Builds a configuration. It reads the platform's certificates from disk and so blocks.
fn build_config(options: &TlsOptions) -> Result<ClientConfig, RustlsError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?;
    #[cfg(feature = "platform-verifier")]
    let builder = if options.uses_platform_verifier {
        let verifier = platform_verifier(&options.extra_roots)?;
        let verified = builder.dangerous();
        return Ok(finish(
            verified
                .with_custom_certificate_verifier(Arc::new(verifier))
                .with_no_client_auth(),
        ));
    } else {
        builder
    };
    let roots = load_roots(&options.extra_roots);
    Ok(finish(
        builder.with_root_certificates(roots).with_no_client_auth(),
    ))
}

fn finish(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

#[cfg(all(feature = "platform-verifier", not(target_os = "android")))]
fn platform_verifier(extra_roots: &[CertificateDer<'static>]) -> Result<Verifier, RustlsError> {
    let provider = Arc::new(ring::default_provider());
    Verifier::new_with_extra_roots(extra_roots.iter().cloned(), provider)
}

/// Android trusts the roots of the application's manifest, and no others.
#[cfg(all(feature = "platform-verifier", target_os = "android"))]
fn platform_verifier(extra_roots: &[CertificateDer<'static>]) -> Result<Verifier, RustlsError> {
    if extra_roots.is_empty() {
        Verifier::new(Arc::new(ring::default_provider()))
    } else {
        let text =
            "Android's verifier accepts no extra roots; name them in the application's manifest";
        Err(RustlsError::General(text.to_owned()))
    }
}

/// Loads the platform's certificates, or the bundled ones if there are none.
fn load_roots(extra_roots: &[CertificateDer<'static>]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // Some certificates of platforms cannot be parsed. The others are enough.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots.add_parsable_certificates(extra_roots.iter().cloned());
    roots
}

/// Performs the TLS handshake on a new connection to the endpoint.
pub(super) async fn handshake<R: Runtime>(
    runtime: &R,
    options: &TlsOptions,
    endpoint: &Endpoint,
    stream: R::TcpStream,
) -> Result<MaybeTls<R::TcpStream>, ConnectError> {
    let name = ServerName::try_from(endpoint.host.clone()).map_err(|_| UrlError::Host)?;
    let config = options
        .config(runtime)
        .await
        .map_err(ConnectError::TlsSetup)?;
    TlsConnector::from(config)
        .connect(name, TlsIo::new(stream))
        .await
        .map(|stream| MaybeTls(Inner::Tls(Box::new(stream))))
        .map_err(|cause| {
            let from_tls = cause
                .get_ref()
                .is_some_and(|inner| inner.is::<RustlsError>());
            if from_tls {
                ConnectError::Tls {
                    host: endpoint.host.clone(),
                    cause,
                }
            } else {
                ConnectError::Interrupted(cause)
            }
        })
}

/// A stream with or without TLS.
#[derive(Debug)]
pub struct MaybeTls<S>(Inner<S>);

#[derive(Debug)]
enum Inner<S> {
    Plain(S),
    /// Boxed because its state is large.
    Tls(Box<TlsStream<TlsIo<S>>>),
}

impl<S> MaybeTls<S> {
    pub(super) fn plain(stream: S) -> Self {
        Self(Inner::Plain(stream))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for MaybeTls<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().0 {
            Inner::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Inner::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for MaybeTls<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().0 {
            Inner::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Inner::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Inner::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Inner::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Inner::Plain(stream) => Pin::new(stream).poll_close(cx),
            Inner::Tls(stream) => Pin::new(stream).poll_close(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "platform-verifier")]
    #[test]
    fn platform_verifier_config_can_be_built() {
        let config = build_config(&TlsOptions::default().platform_verifier()).unwrap();
        assert_eq!(config.alpn_protocols, [b"http/1.1"]);
    }

    #[test]
    fn extra_roots_invalid_pem_is_refused() {
        let options = TlsOptions::with_extra_roots(b"not a certificate");
        assert!(matches!(options, Err(TlsOptionsError::Empty)));
        let broken = b"-----BEGIN CERTIFICATE-----\n???\n-----END CERTIFICATE-----\n";
        assert!(matches!(
            TlsOptions::with_extra_roots(broken),
            Err(TlsOptionsError::Pem(_))
        ));
        let junk = b"-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
        let options = TlsOptions::with_extra_roots(junk);
        assert!(matches!(options, Err(TlsOptionsError::Certificate(_))));
    }
}

//! The server's side of TLS, which the emulator does not have.

use std::io;
use std::sync::Arc;

use anyhow::Result;
use futures_rustls::TlsAcceptor;
use futures_rustls::pki_types::{CertificateDer, PrivateKeyDer};
use futures_rustls::rustls::ServerConfig;
use futures_rustls::rustls::crypto::ring;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio_util::compat::{FuturesAsyncReadCompatExt, TokioAsyncReadCompatExt};

/// Creates the configuration of a server with this certificate.
///
/// # Errors
///
/// If the key does not match the certificate.
pub fn tls_server(
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>> {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    Ok(Arc::new(config))
}

/// Forwards a connection to the server at `to` until both sides have ended. With an acceptor, the
/// client's side uses TLS.
///
/// # Errors
///
/// If the handshake fails, the server is unreachable, or a side breaks the connection.
pub async fn forward(
    mut stream: TcpStream,
    tls: Option<&TlsAcceptor>,
    to: impl ToSocketAddrs,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let Some(tls) = tls else {
        let mut server = connect(to).await?;
        copy_bidirectional(&mut stream, &mut server).await?;
        return Ok(());
    };
    let mut stream = tls.accept(stream.compat()).await?.compat();
    let mut server = connect(to).await?;
    copy_bidirectional(&mut stream, &mut server).await?;
    Ok(())
}

async fn connect(to: impl ToSocketAddrs) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

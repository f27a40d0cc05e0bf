//! An echo client for the Autobahn test suite, on a chosen runtime.
//!
//! `cargo run -p talk-tests --example ws_echo -- smol ws://127.0.0.1:9001`

use std::error::Error;
use std::future::poll_fn;
use std::task::Poll;

use clap::{Parser, ValueEnum};
use futures_util::StreamExt;
use futures_util::io::{AsyncRead, AsyncWrite};
use talk_client::Runtime;
use talk_client::net::{Native, NativeWebSocket};
use talk_client::transport::{Transport, WebSocketError, WebSocketEvent};

/// The largest message of the suite, in bytes.
const MAX_MESSAGE: usize = 16 << 20;

/// Runs all cases of an Autobahn fuzzing server.
#[derive(Parser)]
struct Arguments {
    /// The runtime of the sockets
    adapter: Adapter,
    /// The URL of the server, such as ws://127.0.0.1:9001
    server: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Adapter {
    Tokio,
    AsyncStd,
    Smol,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { adapter, server } = Arguments::parse();
    match adapter {
        Adapter::Tokio => {
            let tokio = tokio::runtime::Runtime::new()?;
            let runtime = talk_tokio::TokioRuntime::new(tokio.handle().clone());
            tokio.block_on(run_cases(runtime, "talk-tokio", &server))
        }
        Adapter::AsyncStd => {
            let runtime = talk_async_std::AsyncStdRuntime;
            async_std::task::block_on(run_cases(runtime, "talk-async-std", &server))
        }
        Adapter::Smol => {
            let runtime = talk_smol::SmolRuntime::global();
            smol::block_on(run_cases(runtime, "talk-smol", &server))
        }
    }
}

/// Runs all cases of `server` as the client named `agent`.
async fn run_cases<R: Runtime>(
    runtime: R,
    agent: &str,
    server: &str,
) -> Result<(), Box<dyn Error>> {
    let native = Native::new(runtime);
    let open = async |path: &str| {
        native
            .websocket(&format!("{server}/{path}"), MAX_MESSAGE)
            .await
    };

    let mut socket = open("getCaseCount").await?;
    let count: u32 = match next(&mut socket).await {
        Some(Ok(WebSocketEvent::Text(count))) => count.parse()?,
        other => return Err(format!("no count of cases but {other:?}").into()),
    };
    for case in 1..=count {
        let mut socket = open(&format!("runCase?case={case}&agent={agent}")).await?;
        match echo(&mut socket).await {
            Ok(()) => println!("{case} of {count}"),
            Err(error) => println!("{case} of {count}: {error}"),
        }
    }
    let mut socket = open(&format!("updateReports?agent={agent}")).await?;
    echo(&mut socket).await?;
    Ok(())
}

async fn echo<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut NativeWebSocket<S>,
) -> Result<(), WebSocketError> {
    while let Some(event) = next(socket).await {
        match event? {
            WebSocketEvent::Text(text) => socket.start_send(text),
            WebSocketEvent::Binary(bytes) => socket.start_send_binary(bytes),
            _ => {}
        }
    }
    Ok(())
}

/// Returns the next event, and flushes pending messages in the meantime.
async fn next<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut NativeWebSocket<S>,
) -> Option<Result<WebSocketEvent, WebSocketError>> {
    poll_fn(|cx| {
        if let Poll::Ready(event) = socket.poll_next_unpin(cx) {
            return Poll::Ready(event);
        }
        match socket.poll_flush(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Some(Err(error))),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
        }
    })
    .await
}

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::uri::Authority;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use talk_tokio::{Error, ServerError};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::exit::{CliError, runtime};
use crate::output_args::Common;
use crate::session_args::SessionArgs;

/// The time limit of an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The flags of every command that controls an emulator.
#[derive(Debug, clap::Args)]
pub(crate) struct ControlArgs {
    /// The --control-token of an emulator that is reached by its --control-host; prefer the
    /// environment variable
    #[arg(
        long,
        value_name = "KEY",
        env = "TALK_CONTROL_TOKEN",
        hide_env_values = true
    )]
    control_token: Option<String>,
}

/// The control API of a running emulator.
pub(super) struct Control {
    host: Authority,
    token: Option<String>,
    timeout: Duration,
}

/// The body of a refusal.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refused {
    error_code: String,
    reasons: Vec<String>,
}

impl Control {
    pub(super) fn new(
        args: ControlArgs,
        session: &SessionArgs,
        common: Common,
    ) -> Result<Self, CliError> {
        let host = session.control_host()?;
        Ok(Self {
            host,
            token: args.control_token.filter(|token| !token.is_empty()),
            timeout: common.timeout.unwrap_or(TIMEOUT),
        })
    }

    /// Sends a request without a body.
    pub(super) fn get(&self, path: &str) -> Result<Bytes, CliError> {
        self.request(Method::GET, path, Bytes::new())
    }

    /// Sends a request with a JSON body.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Bytes, CliError> {
        self.request(Method::POST, path, body.to_string().into())
    }

    /// Sends a request, and returns the body of its answer.
    pub(super) fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Bytes, CliError> {
        runtime()?.block_on(async {
            let exchange = timeout(self.timeout, self.exchange(method, path, body));
            let answer = match exchange.await {
                Ok(Ok(answer)) => answer,
                Ok(Err(error)) => return Err(self.unreachable(&error.to_string())),
                Err(_) => return Err(self.unreachable("no answer in time")),
            };
            let (head, body) = answer.into_parts();
            if head.status.is_success() {
                return Ok(body);
            }
            let refused: Option<Refused> = serde_json::from_slice(&body).ok();
            let refused = refused.ok_or_else(|| {
                let status = head.status;
                self.unreachable(&format!("status {status}, which no emulator sends"))
            })?;
            let status = head.status.as_u16();
            let error = ServerError::new(status, refused.error_code, refused.reasons);
            Err(Error::Server(error).into())
        })
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<http::Response<Bytes>, Box<dyn std::error::Error>> {
        let port = self.host.port_u16().unwrap_or(80);
        let name = self.host.host().trim_matches(['[', ']']);
        let stream = TcpStream::connect((name, port)).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/_emulator{path}"))
            .header(HOST, self.host.as_str())
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(body))?;
        tokio::spawn(connection);
        let response = sender.send_request(request).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(http::Response::from_parts(head, body))
    }

    fn unreachable(&self, cause: &str) -> CliError {
        CliError::Control(format!(
            "the emulator at {} does not answer: {cause}; start one with `talk emulator`, and give \
             the address that it prints with --host or TALK_HOST",
            self.host
        ))
    }
}

/// Parses the body of an answer.
pub(super) fn parse<T: DeserializeOwned>(answer: &[u8]) -> Result<T, CliError> {
    let unreadable = |error| CliError::Control(format!("the answer cannot be read: {error}"));
    serde_json::from_slice(answer).map_err(unreadable)
}

/// Returns `true` if a host is `localhost` or a loopback address.
pub(crate) fn is_loopback(host: &Authority) -> bool {
    let name = host.host().trim_matches(['[', ']']);
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

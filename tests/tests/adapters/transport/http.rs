//! HTTP exchanges: streaming in both directions, and interruptions.

use std::io;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{Request, Response, StatusCode};
use talk_client::transport::{
    ConnectError, HttpError, RequestBody, ResponseBody, Transport, UrlError,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::select;

use super::peer::{answer_with, native, read_request, serve_tcp};
use crate::adapters::adapter::Adapter;

fn get(url: String) -> Request<RequestBody> {
    Request::get(url).body(RequestBody::default()).unwrap()
}

async fn collect(body: ResponseBody) -> Result<String, HttpError> {
    let chunks: Vec<Result<Bytes, HttpError>> = body.collect().await;
    let bytes: Result<Vec<Bytes>, HttpError> = chunks.into_iter().collect();
    Ok(String::from_utf8(bytes?.concat()).unwrap())
}

async fn post<A: Adapter>(
    address: std::net::SocketAddr,
    body: RequestBody,
) -> Result<Response<ResponseBody>, HttpError> {
    let request = Request::post(format!("http://{address}/v1/app/files"))
        .body(body)
        .unwrap();
    native::<A>().http(request).await
}

async fn http_body_is_streamed<A: Adapter>() {
    let (go_on, mut wait) = tokio::sync::mpsc::channel::<()>(1);
    let (address, server) = serve_tcp(|mut stream| async move {
        let request = read_request(&mut stream).await;
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx-more: yes\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        for line in ["{\"data\":[\n", "{\"id\":1}\n", "]}"] {
            let chunk = format!("{:x}\r\n{line}\r\n", line.len());
            stream.write_all(chunk.as_bytes()).await.unwrap();
            wait.recv().await.unwrap();
        }
        stream.write_all(b"0\r\n\r\n").await.unwrap();
        request
    });
    let url = format!("http://{address}/v1/app/me/messages/search?searchString=a%2520b");
    let mut request = get(url);
    request
        .headers_mut()
        .insert("authorization", "Bearer token".parse().unwrap());
    let response = native::<A>().http(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["x-more"], "yes");
    let mut body = response.into_body();
    for line in ["{\"data\":[\n", "{\"id\":1}\n", "]}"] {
        // The server sends the next line only after this one has arrived.
        assert_eq!(body.next().await.unwrap().unwrap(), line);
        go_on.send(()).await.unwrap();
    }
    assert!(body.next().await.is_none());
    assert!(body.next().await.is_none());

    let head = server.await.unwrap().to_ascii_lowercase();
    assert!(head.starts_with("get /v1/app/me/messages/search?searchstring=a%2520b http/1.1\r\n"));
    assert!(head.contains(&format!("host: {address}\r\n")), "{head}");
    assert!(head.contains("connection: close\r\n"), "{head}");
    assert!(head.contains("authorization: bearer token\r\n"), "{head}");
    assert!(!head.contains("content-length"), "{head}");
}

async fn http_error_status_is_a_response<A: Adapter>() {
    let refusal =
        "HTTP/1.1 400 Bad Request\r\ncontent-length: 23\r\n\r\n{\"errorCode\":\"INVALID\"}";
    let (address, server) = answer_with(refusal);
    let response = post::<A>(address, RequestBody::from_bytes("hello"))
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(
        collect(response.into_body()).await.unwrap(),
        "{\"errorCode\":\"INVALID\"}"
    );
    let request = server.await.unwrap();
    assert!(
        request
            .to_ascii_lowercase()
            .contains("content-length: 5\r\n"),
        "{request}"
    );
    assert!(request.ends_with("\r\n\r\nhello"), "{request}");
}

async fn http_chunked_body_has_content_length<A: Adapter>() {
    let (address, server) = answer_with("HTTP/1.1 204 No Content\r\n\r\n");
    let chunks = stream::iter(["one,", "", "two,", "three"]).map(|text| Ok(text.into()));
    let response = post::<A>(address, RequestBody::from_stream(13, chunks))
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(collect(response.into_body()).await.unwrap(), "");
    let request = server.await.unwrap();
    assert!(
        request
            .to_ascii_lowercase()
            .contains("content-length: 13\r\n"),
        "{request}"
    );
    assert!(request.ends_with("\r\n\r\none,two,three"), "{request}");
}

async fn http_empty_body_is_sent_empty<A: Adapter>() {
    for body in [
        RequestBody::default(),
        RequestBody::from_bytes(""),
        RequestBody::from_stream(0, stream::empty()),
    ] {
        let (address, server) = answer_with("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        assert!(post::<A>(address, body).await.is_ok());
        let request = server.await.unwrap().to_ascii_lowercase();
        assert!(request.contains("content-length: 0\r\n"), "{request}");
    }
}

async fn http_large_bodies_round_trip<A: Adapter>() {
    const SIZE: usize = 8 * 1024 * 1024;
    const CHUNK: usize = 64 * 1024;
    let (address, server) = serve_tcp(|mut stream| async move {
        let mut received = 0;
        let mut buffer = vec![0; CHUNK];
        let mut seen = Vec::new();
        while !seen.windows(4).any(|window| window == b"\r\n\r\n") {
            seen.push(stream.read_u8().await.unwrap());
        }
        while received < SIZE {
            received += stream.read(&mut buffer).await.unwrap();
        }
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {SIZE}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b'y'; SIZE]).await.unwrap();
        received
    });
    let chunk = Bytes::from(vec![b'x'; CHUNK]);
    let chunks = stream::iter(vec![chunk; SIZE / CHUNK]).map(Ok);
    let response = post::<A>(address, RequestBody::from_stream(SIZE as u64, chunks))
        .await
        .unwrap();
    let text = collect(response.into_body()).await.unwrap();
    assert_eq!(server.await.unwrap(), SIZE);
    assert_eq!(text.len(), SIZE);
    assert!(text.bytes().all(|byte| byte == b'y'));
}

/// Posts from a source to a server that only reads.
async fn post_from<A: Adapter>(
    length: u64,
    chunks: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> HttpError {
    let (address, _server) = serve_tcp(|mut stream| async move {
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all).await;
    });
    post::<A>(address, RequestBody::from_stream(length, chunks))
        .await
        .unwrap_err()
}

async fn http_source_failure_differs_from_network_failure<A: Adapter>() {
    let broken = || stream::iter([Ok("abc".into()), Err(io::Error::other("the disk is gone"))]);
    let error = post_from::<A>(6, broken()).await;
    assert!(
        matches!(&error, HttpError::Source(source) if source.to_string() == "the disk is gone")
    );

    let error = post_from::<A>(6, stream::iter([Ok("abc".into())])).await;
    let HttpError::Source(source) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(source.kind(), io::ErrorKind::UnexpectedEof);

    let error = post_from::<A>(4, stream::iter([Ok("abc".into()), Ok("def".into())])).await;
    let HttpError::Source(source) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(source.kind(), io::ErrorKind::InvalidData);
}

async fn http_response_cut_short_is_interrupted<A: Adapter>() {
    for (answer, has_head) in [
        ("", false),
        ("HTTP/1.1 200 OK\r\ncontent-le", false),
        ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc", true),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
            true,
        ),
    ] {
        for reset in [false, true] {
            let (address, _server) = serve_tcp(move |mut stream| async move {
                read_request(&mut stream).await;
                stream.write_all(answer.as_bytes()).await.unwrap();
                if reset {
                    stream.set_zero_linger().unwrap();
                }
            });
            let error = match native::<A>().http(get(format!("http://{address}/"))).await {
                Ok(response) => collect(response.into_body()).await.unwrap_err(),
                Err(error) => {
                    // A connection reset may arrive before the head.
                    assert!(!has_head || reset, "{answer:?}: {error:?}");
                    error
                }
            };
            assert!(
                matches!(error, HttpError::Interrupted(_)),
                "{answer:?}: {error:?}"
            );
        }
    }
}

async fn http_body_ends_after_error<A: Adapter>() {
    let (address, _server) = answer_with("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
    let response = native::<A>()
        .http(get(format!("http://{address}/")))
        .await
        .unwrap();
    let mut body = response.into_body();
    assert_eq!(body.next().await.unwrap().unwrap(), "abc");
    assert!(body.next().await.unwrap().is_err());
    assert!(body.next().await.is_none());
}

async fn http_malformed_response_is_an_error<A: Adapter>() {
    for answer in [
        "220 mail.example ESMTP\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
    ] {
        let (address, _server) = answer_with(answer);
        let error = native::<A>()
            .http(get(format!("http://{address}/")))
            .await
            .unwrap_err();
        assert!(
            matches!(error, HttpError::Malformed(_)),
            "{answer:?}: {error:?}"
        );
    }
    let (address, _server) =
        answer_with("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n");
    let response = native::<A>()
        .http(get(format!("http://{address}/")))
        .await
        .unwrap();
    assert!(collect(response.into_body()).await.is_err());
}

async fn http_redirect_is_a_response<A: Adapter>() {
    let redirect =
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    let (address, _server) = answer_with(redirect);
    let response = native::<A>()
        .http(get(format!("http://{address}/")))
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
}

async fn http_request_dropped_closes_connection<A: Adapter>() {
    for head in ["", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"] {
        let (ready, wait) = tokio::sync::oneshot::channel();
        let (address, server) = serve_tcp(move |mut stream| async move {
            read_request(&mut stream).await;
            stream.write_all(head.as_bytes()).await.unwrap();
            ready.send(()).unwrap();
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await
        });
        let native = native::<A>();
        let exchange = async {
            let response = native
                .http(get(format!("http://{address}/")))
                .await
                .unwrap();
            collect(response.into_body()).await
        };
        select! {
            result = exchange => panic!("the answer was not complete, yet {result:?}"),
            ready = wait => ready.unwrap(),
        }
        // This only returns if the server sees the end of the connection.
        let _ = server.await.unwrap();
    }
}

async fn http_url_of_other_scheme_is_refused<A: Adapter>() {
    for url in ["ws://localhost/", "/v1/app"] {
        let error = native::<A>().http(get(url.to_owned())).await.unwrap_err();
        let HttpError::Connect(ConnectError::InvalidUrl(UrlError::Scheme { .. })) = error else {
            panic!("{url}: {error:?}");
        };
    }
}

on_every_runtime!(
    http_body_is_streamed,
    http_error_status_is_a_response,
    http_chunked_body_has_content_length,
    http_empty_body_is_sent_empty,
    http_large_bodies_round_trip,
    http_source_failure_differs_from_network_failure,
    http_response_cut_short_is_interrupted,
    http_body_ends_after_error,
    http_malformed_response_is_an_error,
    http_redirect_is_a_response,
    http_request_dropped_closes_connection,
    http_url_of_other_scheme_is_refused,
);

//! WebSockets: messages, limits, closes, and servers without WebSocket support.

use std::future::poll_fn;
use std::net::Ipv6Addr;
use std::task::Poll;

use async_tungstenite::tungstenite::Message;
use async_tungstenite::tungstenite::protocol::CloseFrame;
use bytes::Bytes;
use futures_util::io::{AsyncRead, AsyncWrite};
use futures_util::{AsyncWriteExt as _, FutureExt, Stream, StreamExt};
use talk_client::net::{Native, NativeWebSocket};
use talk_client::transport::{
    CloseReason, ConnectError, Transport, UrlError, WebSocketError, WebSocketEvent,
};
use tokio::io::AsyncReadExt;
use tokio::select;
use tokio_util::compat::TokioAsyncReadCompatExt;

use super::peer::{
    MAX_MESSAGE, ServerSocket, answer_with, native, next, next_text, serve_one, serve_tcp,
    serve_websocket,
};
use crate::adapters::adapter::{Adapter, yield_now};
use crate::adapters::server::{listen, listen_on};

async fn flush<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut NativeWebSocket<S>) {
    poll_fn(|cx| socket.poll_flush(cx)).await.unwrap();
}

/// Echoes text and binary messages until the client closes.
async fn echo(mut socket: ServerSocket) {
    while let Some(Ok(message)) = socket.next().await {
        if message.is_text() || message.is_binary() {
            socket.send(message).await.unwrap();
        }
    }
}

async fn websocket_texts_round_trip_in_order<A: Adapter>() {
    let (url, _server) = serve_websocket(echo);
    let mut socket = native::<A>().websocket(&url, MAX_MESSAGE).await.unwrap();
    let texts: Vec<_> = (0..1_000)
        .map(|n| format!("[{n},\"GET\",\"/ping\",{{}},{{}}]"))
        .collect();
    for text in &texts {
        socket.start_send(text.as_str());
    }
    for text in &texts {
        assert_eq!(&next_text(&mut socket).await, text);
    }
    assert_eq!(socket.unsent(), 0);
}

async fn websocket_large_text_round_trips<A: Adapter>() {
    let (url, _server) = serve_websocket(echo);
    let mut socket = native::<A>().websocket(&url, MAX_MESSAGE).await.unwrap();
    let text = "é".repeat(1_500_000);
    socket.start_send(text.as_str());
    assert!(next_text(&mut socket).await == text);
}

async fn websocket_text_above_limit_is_typed_error<A: Adapter>() {
    let (url, _server) = serve_websocket(|mut socket| async move {
        socket.send(Message::text("x".repeat(1_000))).await.unwrap();
        // The client closes the connection in the middle of this message.
        let _ = socket.send(Message::text("x".repeat(1_001))).await;
    });
    let mut socket = native::<A>().websocket(&url, 1_000).await.unwrap();
    assert_eq!(next_text(&mut socket).await.len(), 1_000);
    let error = next(&mut socket).await.unwrap().unwrap_err();
    assert!(
        matches!(
            error,
            WebSocketError::TooLarge {
                size: 1_001,
                limit: 1_000
            }
        ),
        "{error:?}"
    );
    assert!(next(&mut socket).await.is_none());
}

async fn websocket_fragments_share_the_limit<A: Adapter>() {
    let (url, _server) = serve_raw_frames(vec![
        // Text, not final, 3 bytes; continuation, final, 3 bytes.
        vec![0x01, 3, b'a', b'b', b'c', 0x80, 3, b'd', b'e', b'f'],
        vec![0x01, 3, b'a', b'b', b'c', 0x80, 4, b'd', b'e', b'f', b'g'],
    ]);
    let mut socket = native::<A>().websocket(&url, 6).await.unwrap();
    assert_eq!(next_text(&mut socket).await, "abcdef");
    let error = next(&mut socket).await.unwrap().unwrap_err();
    assert!(
        matches!(error, WebSocketError::TooLarge { limit: 6, .. }),
        "{error:?}"
    );
}

/// Upgrades properly, then writes these bytes, which need not be valid frames.
fn serve_raw_frames(frames: Vec<Vec<u8>>) -> (String, tokio::task::JoinHandle<()>) {
    serve_websocket(|socket| async move {
        let mut stream = socket.into_inner();
        for frame in frames {
            stream.write_all(&frame).await.unwrap();
        }
        stream.flush().await.unwrap();
        let mut rest = Vec::new();
        // Keeps the connection open until the client closes it.
        let _ = stream.into_inner().read_to_end(&mut rest).await;
    })
}

async fn websocket_broken_frames_are_typed_errors<A: Adapter>() {
    let reserved_bits = vec![0xf1, 0];
    let invalid_utf8 = vec![0x81, 2, 0xff, 0xfe];
    let masked = vec![0x81, 0x81, 1, 2, 3, 4, 5];
    let stray_continuation = vec![0x80, 1, b'x'];
    for frame in [reserved_bits, invalid_utf8, masked, stray_continuation] {
        let (url, _server) = serve_raw_frames(vec![frame.clone()]);
        let mut socket = native::<A>().websocket(&url, MAX_MESSAGE).await.unwrap();
        let error = next(&mut socket).await.unwrap().unwrap_err();
        assert!(
            matches!(error, WebSocketError::Protocol { .. }),
            "{frame:x?}: {error:?}"
        );
        assert!(next(&mut socket).await.is_none());
    }
}

async fn websocket_binary_messages_round_trip<A: Adapter>() {
    let (url, _server) = serve_websocket(|mut socket| async move {
        socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
        echo(socket).await;
    });
    let mut socket = native::<A>().websocket(&url, MAX_MESSAGE).await.unwrap();
    let event = next(&mut socket).await.unwrap().unwrap();
    assert_eq!(
        event,
        WebSocketEvent::Binary(Bytes::from_static(&[1, 2, 3]))
    );
    socket.start_send("still open");
    assert_eq!(next_text(&mut socket).await, "still open");
    socket.start_send_binary(vec![4, 5]);
    let event = next(&mut socket).await.unwrap().unwrap();
    assert_eq!(event, WebSocketEvent::Binary(Bytes::from_static(&[4, 5])));
}

async fn websocket_pings_are_answered_and_hidden<A: Adapter>() {
    let (url, server) = serve_websocket(|mut socket| async move {
        for n in 0..1_000_u32 {
            socket
                .send(Message::Ping(n.to_be_bytes().to_vec().into()))
                .await
                .unwrap();
        }
        socket.send(Message::text("after the pings")).await.unwrap();
        loop {
            match socket.next().await {
                Some(Ok(Message::Pong(payload))) if payload[..] == 999_u32.to_be_bytes() => return,
                Some(Ok(Message::Pong(_))) => {}
                other => panic!("no pong but {other:?}"),
            }
        }
    });
    let mut socket = native::<A>().websocket(&url, MAX_MESSAGE).await.unwrap();
    assert_eq!(next_text(&mut socket).await, "after the pings");
    flush(&mut socket).await;
    server.await.unwrap();
}

async fn websocket_close_has_code_and_reason<A: Adapter>() {
    let (url, server) = serve_websocket(|mut socket| async move {
        let reason = CloseFrame {
            code: 4_001.into(),
            reason: "restarting".into(),
        };
        socket.send(Message::Close(Some(reason))).await.unwrap();
        // The client's close frame.
        socket.next().await
    });
    let mut socket = native::<A>().websocket(&url, MAX_MESSAGE).await.unwrap();
    let event = next(&mut socket).await.unwrap().unwrap();
    let reason = CloseReason {
        code: 4_001,
        reason: "restarting".to_owned(),
    };
    assert_eq!(event, WebSocketEvent::Closed(Some(reason)));
    assert!(next(&mut socket).await.is_none());
    let Some(Ok(Message::Close(Some(echoed)))) = server.await.unwrap() else {
        panic!("the close was not confirmed");
    };
    assert_eq!(u16::from(echoed.code), 4_001);
}

async fn websocket_close_without_code_is_reported<A: Adapter>() {
    let (url, _server) = serve_websocket(|mut socket| async move {
        socket.send(Message::Close(None)).await.unwrap();
        socket.next().await;
    });
    let mut socket = native::<A>().websocket(&url, MAX_MESSAGE).await.unwrap();
    assert_eq!(
        next(&mut socket).await.unwrap().unwrap(),
        WebSocketEvent::Closed(None)
    );
}

async fn websocket_close_follows_queued_messages<A: Adapter>() {
    let (url, server) = serve_websocket(|mut socket| async move {
        let mut seen = Vec::new();
        while let Some(Ok(message)) = socket.next().await {
            seen.push(message);
        }
        seen
    });
    let mut socket = native::<A>().websocket(&url, MAX_MESSAGE).await.unwrap();
    socket.start_send("first");
    socket.start_close(1_000, &"ü".repeat(100));
    socket.start_send("never");
    socket.start_close(1_001, "never");
    let event = next(&mut socket).await.unwrap().unwrap();
    // The longest reason has 123 bytes. A character that crosses the limit is removed.
    let reason = "ü".repeat(61);
    let expected = CloseReason {
        code: 1_000,
        reason: reason.clone(),
    };
    assert_eq!(event, WebSocketEvent::Closed(Some(expected)));
    assert!(next(&mut socket).await.is_none());
    drop(socket);
    let close = CloseFrame {
        code: 1_000.into(),
        reason: reason.into(),
    };
    assert_eq!(
        server.await.unwrap(),
        [Message::text("first"), Message::Close(Some(close))]
    );
}

async fn websocket_connection_cut_is_lost<A: Adapter>() {
    for reset in [false, true] {
        let (url, _server) = serve_websocket(move |mut socket| async move {
            socket.send(Message::text("last")).await.unwrap();
            socket.next().await.unwrap().unwrap();
            let stream = socket.into_inner().into_inner();
            if reset {
                stream.set_zero_linger().unwrap();
            }
        });
        let mut socket = native::<A>().websocket(&url, MAX_MESSAGE).await.unwrap();
        assert_eq!(next_text(&mut socket).await, "last");
        socket.start_send("go");
        let error = next(&mut socket).await.unwrap().unwrap_err();
        assert!(matches!(error, WebSocketError::Lost(_)), "{error:?}");
        assert!(next(&mut socket).await.is_none());
    }
}

async fn websocket_backpressure_is_counted<A: Adapter>() {
    let (may_read, wait) = tokio::sync::oneshot::channel::<()>();
    let (url, server) = serve_websocket(|mut socket| async move {
        wait.await.unwrap();
        let mut total = 0;
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Text(text) = message {
                total += text.len();
            }
        }
        total
    });
    let mut socket = native::<A>().websocket(&url, MAX_MESSAGE).await.unwrap();
    let message = "x".repeat(64 * 1024);
    let mut total = 0;
    // At some point, the kernel's buffers are full.
    let stuck = loop {
        socket.start_send(message.as_str());
        total += message.len();
        let flushed = poll_fn(|cx| Poll::Ready(socket.poll_flush(cx))).await;
        if flushed.is_pending() && socket.unsent() > 4 * 1024 * 1024 {
            break socket.unsent();
        }
        yield_now().await;
    };
    assert!(stuck <= total, "{stuck} of {total}");
    may_read.send(()).unwrap();
    flush(&mut socket).await;
    assert_eq!(socket.unsent(), 0);
    socket.start_close(1_000, "");
    next(&mut socket).await.unwrap().unwrap();
    assert_eq!(server.await.unwrap(), total);
}

async fn websocket_refused_upgrade_has_status<A: Adapter>() {
    for (answer, status) in [
        ("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno", 403),
        (
            "HTTP/1.1 302 Found\r\nlocation: ws://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
            302,
        ),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200),
    ] {
        let (address, server) = answer_with(answer);
        let url = format!("ws://{address}/v1/a%2Fb?x=%20");
        let error = native::<A>()
            .websocket(&url, MAX_MESSAGE)
            .await
            .unwrap_err();
        assert!(
            matches!(&error, ConnectError::Upgrade { status: s } if *s == status),
            "{error:?}"
        );
        let request = server.await.unwrap();
        assert!(
            request.starts_with("GET /v1/a%2Fb?x=%20 HTTP/1.1\r\n"),
            "{request}"
        );
        assert!(
            request.contains(&format!("Host: {address}\r\n")),
            "{request}"
        );
    }
}

async fn websocket_other_server_is_typed_error<A: Adapter>() {
    let (address, _server) = answer_with("220 mail.example ESMTP\r\n\r\n");
    let error = native::<A>()
        .websocket(&format!("ws://{address}/"), MAX_MESSAGE)
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::Handshake { .. }), "{error:?}");

    let wrong_key = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n\
                     upgrade: websocket\r\nsec-websocket-accept: d3Jvbmc=\r\n\r\n";
    let (address, _server) = answer_with(wrong_key);
    let error = native::<A>()
        .websocket(&format!("ws://{address}/"), MAX_MESSAGE)
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::Handshake { .. }), "{error:?}");

    let (address, _server) = answer_with("");
    let error = native::<A>()
        .websocket(&format!("ws://{address}/"), MAX_MESSAGE)
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::Interrupted(_)), "{error:?}");
}

async fn websocket_connect_dropped_closes_connection<A: Adapter>() {
    let (accepted, wait) = tokio::sync::oneshot::channel();
    let (address, server) = serve_tcp(|mut stream| async move {
        let mut bytes = vec![0; 1];
        stream.read_exact(&mut bytes).await.unwrap();
        accepted.send(()).unwrap();
        stream.read_to_end(&mut bytes).await.unwrap()
    });
    let url = format!("ws://{address}/");
    let native = native::<A>();
    let connect = native.websocket(&url, MAX_MESSAGE);
    select! {
        result = connect => panic!("nobody answered, yet {result:?}"),
        accepted = wait => accepted.unwrap(),
    }
    // This only returns if the server sees the end of the connection.
    server.await.unwrap();
}

async fn unreachable_addresses_are_typed_errors<A: Adapter>() {
    let native = native::<A>();
    let listener = listen();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = native
        .websocket(&format!("ws://{address}/"), MAX_MESSAGE)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ConnectError::Tcp { port, .. } if *port == address.port()),
        "{error}"
    );

    let error = native
        .websocket("ws://name.invalid/?secret", MAX_MESSAGE)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ConnectError::Dns { host, .. } if host == "name.invalid"),
        "{error}"
    );
    assert!(!error.to_string().contains("secret"));

    let error = native
        .websocket("http://localhost/", MAX_MESSAGE)
        .await
        .unwrap_err();
    assert!(
        matches!(error, ConnectError::InvalidUrl(UrlError::Scheme { .. })),
        "{error}"
    );
    let error = native
        .websocket("not a url", MAX_MESSAGE)
        .await
        .unwrap_err();
    assert!(
        matches!(error, ConnectError::InvalidUrl(UrlError::Syntax(_))),
        "{error}"
    );
}

async fn websocket_resolves_names_and_ipv6_literals<A: Adapter>() {
    let (url, _server) = serve_websocket(echo);
    let by_name = url.replace("127.0.0.1", "localhost");
    let mut socket = native::<A>()
        .websocket(&by_name, MAX_MESSAGE)
        .await
        .unwrap();
    socket.start_send("by name");
    assert_eq!(next_text(&mut socket).await, "by name");

    let Ok(listener) = listen_on(Ipv6Addr::LOCALHOST.into()) else {
        eprintln!("no IPv6 on this machine: only the name was tested");
        return;
    };
    let (address, _server) = serve_one(listener, |stream| async {
        echo(
            async_tungstenite::accept_async(stream.compat())
                .await
                .unwrap(),
        )
        .await;
    });
    let url = format!("ws://[::1]:{}/", address.port());
    let mut socket = native::<A>().websocket(&url, MAX_MESSAGE).await.unwrap();
    socket.start_send("by address");
    assert_eq!(next_text(&mut socket).await, "by address");
}

async fn websocket_debug_shows_no_text<A: Adapter>() {
    let (url, _server) = serve_websocket(echo);
    let mut socket = native::<A>().websocket(&url, MAX_MESSAGE).await.unwrap();
    socket.start_send("my secret");
    assert!(!format!("{socket:?}").contains("secret"));
    let event = next(&mut socket).await;
    assert!(!format!("{event:?}").contains("secret"));
}

async fn websocket_types_are_send<A: Adapter>() {
    fn is_send<T: Send + 'static>(value: T) -> T {
        value
    }
    fn is_stream<T: Stream + Unpin>() {}
    let native = native::<A>();
    let connect = is_send(async move { native.websocket("ws://[::1", 1).await });
    assert!(connect.now_or_never().unwrap().is_err());
    is_stream::<<Native<A::Runtime> as Transport>::WebSocket>();
}

on_every_runtime!(
    websocket_texts_round_trip_in_order,
    websocket_large_text_round_trips,
    websocket_text_above_limit_is_typed_error,
    websocket_fragments_share_the_limit,
    websocket_broken_frames_are_typed_errors,
    websocket_binary_messages_round_trip,
    websocket_pings_are_answered_and_hidden,
    websocket_close_has_code_and_reason,
    websocket_close_without_code_is_reported,
    websocket_close_follows_queued_messages,
    websocket_connection_cut_is_lost,
    websocket_backpressure_is_counted,
    websocket_refused_upgrade_has_status,
    websocket_other_server_is_typed_error,
    websocket_connect_dropped_closes_connection,
    unreachable_addresses_are_typed_errors,
    websocket_resolves_names_and_ipv6_literals,
    websocket_debug_shows_no_text,
    websocket_types_are_send,
);

//! The client of the REST API over sockets, with the emulator as its server.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use std::time::Duration;

use talk_emulator::Emulator;
use talk_emulator::server::{Fault, FaultKind, Settings};
use talk_tokio::rest::{
    Api, ConversationParams, Credentials, FileUpload, ImportedMessage, NewMessage, RestClient,
    RestClientError, RetrySafety, Timestamp, UploadKind, UserParams, app, conversation, put_users,
    upload_file, user, users,
};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

const KEY: &str = "sk_test_1";

async fn emulator() -> Emulator {
    let settings = Settings {
        secret: Some(KEY.to_owned()),
        ..Settings::default()
    };
    Emulator::builder()
        .settings(settings)
        .start()
        .await
        .unwrap()
}

fn client(host: &str) -> RestClient {
    talk_tokio::rest_client(Api::new("my_app", KEY).unwrap().host(host)).unwrap()
}

/// Creates alice and a conversation of her.
async fn provision(rest: &RestClient) {
    let alice = user("alice").unwrap();
    rest.call(alice.put(UserParams::named("Alice")))
        .await
        .unwrap();
    let params = ConversationParams::of([alice.id().clone()]);
    rest.call(conversation("order_1").unwrap().put(params))
        .await
        .unwrap();
}

#[tokio::test]
async fn file_is_uploaded_and_sent() {
    let emulator = emulator().await;
    let rest = client(emulator.host());
    provision(&rest).await;
    let bytes = vec![7; 100_000];
    let file = FileUpload::new("a \"b\"\r\n.png", bytes.clone()).content_type("image/png");
    let (width, height) = (Some(4.0), Some(2.5));
    let file = file.kind(UploadKind::Image { width, height });
    let token = rest.call(upload_file(&file)).await.unwrap();
    let order = conversation("order_1").unwrap();
    let messages = [
        NewMessage::content(Some("alice".try_into().unwrap()), token.clone()),
        NewMessage::user("alice".try_into().unwrap(), "See").attachment(token),
    ];
    let sent = rest.call(order.send(messages).unwrap()).await.unwrap();
    let message = rest
        .call(order.message(&sent[0].id).unwrap().get())
        .await
        .unwrap();
    assert_eq!(message.attachment.unwrap().size, Some(100_000));
    let content = serde_json::to_value(&message.content.unwrap()[0]).unwrap();
    assert_eq!(content["subtype"], "image");
    assert_eq!(content["width"].as_f64(), Some(4.0));
    assert_eq!(content["height"].as_f64(), Some(2.5));
    let message = rest
        .call(order.message(&sent[1].id).unwrap().get())
        .await
        .unwrap();
    assert_eq!(message.content.unwrap().len(), 2);
}

#[tokio::test]
async fn all_reads_every_page() {
    let emulator = emulator().await;
    let rest = client(emulator.host());
    let of = |i: usize| (format!("u{i}").try_into().unwrap(), UserParams::named("U"));
    rest.call(put_users((0..100).map(of)).unwrap())
        .await
        .unwrap();
    rest.call(put_users((100..130).map(of)).unwrap())
        .await
        .unwrap();
    assert_eq!(rest.all(users()).await.unwrap().len(), 130);
    assert_eq!(rest.all(users().limit(7)).await.unwrap().len(), 130);
}

#[tokio::test]
async fn safe_calls_are_repeated() {
    let emulator = emulator().await;
    let rest = client(emulator.host());
    provision(&rest).await;
    let order = conversation("order_1").unwrap();
    for kind in [
        FaultKind::InternalError,
        FaultKind::Drop,
        FaultKind::TooManyRequests,
    ] {
        emulator
            .inject(Fault::new(kind).path("/conversations"))
            .await
            .unwrap();
        let send = order.send([NewMessage::system("once")]).unwrap();
        rest.call(send).await.unwrap();
    }
    let messages = emulator.messages("my_app", "order_1").await.unwrap();
    assert_eq!(messages.len(), 3, "each message is there once");

    emulator
        .inject(Fault::new(FaultKind::Drop).path("/conversations"))
        .await
        .unwrap();
    rest.call(order.delete()).await.unwrap();
    let gone = rest.call(order.delete()).await.unwrap_err();
    assert!(gone.is_not_found(), "{gone}");
}

#[tokio::test]
async fn import_is_not_repeated() {
    let emulator = emulator().await;
    let rest = client(emulator.host());
    provision(&rest).await;
    emulator
        .inject(Fault::new(FaultKind::Drop).path("/import"))
        .await
        .unwrap();
    let sent = Timestamp::from_millis(1_509_132_622_706);
    let old = ImportedMessage::user("alice".try_into().unwrap(), "Old", sent);
    let import = conversation("order_1").unwrap().import([old]);
    let call = import.calls().unwrap().next().unwrap();
    let error = rest.call(call.clone()).await.unwrap_err();
    assert_eq!(error.retry_safety(), RetrySafety::MayDuplicate);
    rest.call(call).await.unwrap();
}

#[tokio::test]
async fn refusals_are_not_repeated() {
    let emulator = emulator().await;
    let wrong = Api::new("my_app", "sk_test_other")
        .unwrap()
        .host(emulator.host());
    let rest = talk_tokio::rest_client(wrong).unwrap();
    let error = rest.call(app()).await.unwrap_err();
    assert_eq!(error.retry_safety(), RetrySafety::Never);
    assert!(error.to_string().contains("401 UNAUTHORIZED"), "{error}");
    let raw = Api::new("my_app", Credentials::SecretKey(KEY.into())).unwrap();
    let rest = talk_tokio::rest_client(raw.host(emulator.host())).unwrap();
    assert_eq!(rest.call(app()).await.unwrap().id, "my_app");
    assert!(!format!("{rest:?} {error:?}").contains("sk_test"));
}

#[tokio::test]
async fn unreachable_host_is_network_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    drop(listener);
    let rest = client(&host).attempts(2);
    let error = rest.call(app()).await.unwrap_err();
    assert!(
        matches!(error, RestClientError::Network { .. }),
        "{error:?}"
    );
    assert_eq!(error.retry_safety(), RetrySafety::Safe);
}

#[tokio::test]
async fn silent_server_times_out_and_drop_cancels() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let rest = client(&host).timeout(Duration::from_millis(50)).attempts(1);
    let (error, accepted) = tokio::join!(rest.call(app()), listener.accept());
    assert!(
        matches!(error, Err(RestClientError::TimedOut { .. })),
        "{error:?}"
    );
    drop(accepted);

    let rest = rest.timeout(Duration::from_secs(600));
    let call = tokio::spawn(async move { rest.call(app()).await });
    let (mut stream, _) = listener.accept().await.unwrap();
    call.abort();
    // The connection ends, which ends the read.
    stream
        .read_to_end(&mut Vec::new())
        .await
        .unwrap_or_default();
}

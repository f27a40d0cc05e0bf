//! Fuzz target for the answers of the REST API and for webhooks.

use http::Response;
use talk_rest::webhook::{self, Rejected};
use talk_rest::{
    Batch, Call, FileUpload, NewMessage, Secret, Timestamp, UserParams, app, conversation,
    presences, upload_file, user, users,
};

const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
const TIME: &[u8] = b"1767225600000";
const KEY: &str = "sk_test_secret";

/// Reads the data as the body of every answer, with a status from its first byte, and as the body
/// of a webhook. A webhook with another byte must be rejected.
pub fn rest(data: &[u8]) {
    let (&first, body) = data.split_first().unwrap_or((&0, data));
    let statuses = [200, 201, 301, 400, 401, 404, 429, 500];
    let status = statuses[usize::from(first) % statuses.len()];
    let mut response = Response::new(body);
    *response.status_mut() = status.try_into().expect("a status");
    answers(&response).expect("the IDs are not empty");
    receive(body, usize::from(first));
}

fn read<T>(call: &Call<T>, response: &Response<&[u8]>) {
    if let Err(error) = call.decode(response) {
        let shown = format!("{error} {error:?} {:?}", error.retry_safety());
        assert!(!shown.is_empty());
    }
}

fn answers(response: &Response<&[u8]>) -> Result<(), Box<dyn std::error::Error>> {
    let order = conversation("c")?;
    let message = order.message("m")?;
    read(&app(), response);
    read(&user("a")?.put(UserParams::default()), response);
    read(&user("a")?.get(), response);
    read(&user("a")?.sessions(), response);
    read(&user("a")?.conversations().call()?, response);
    read(&order.get(), response);
    read(&order.messages().call()?, response);
    read(&order.send([NewMessage::system("x")])?, response);
    read(&message.get(), response);
    read(&message.reactions("x")?.call()?, response);
    read(&presences().call(), response);
    read(&upload_file(&FileUpload::new("a", "b")), response);

    let mut pages = users().limit(1).pages()?;
    let call = pages.next().expect("the first page");
    if let Ok(page) = call.decode(response) {
        let length = page.items.len() + page.unreadable.len();
        pages.received(&page);
        assert!(pages.next().is_none() || length > 0, "an empty page is the last");
    }
    let mut batch = Batch::new();
    let handle = batch.add(&order.get())?;
    if let Ok(answers) = batch.into_call()?.decode(response) {
        let _ = answers.get(&handle);
    }
    Ok(())
}

fn receive(body: &[u8], place: usize) {
    let keys = [Secret::from(KEY)];
    let signature = webhook::sign(&keys[0], TIME, body).into_bytes();
    let verify = |signature: &[u8], body: &[u8]| {
        webhook::verify(&keys, Some(TIME), Some(signature), body, NOW, None)
    };
    match verify(&signature.to_ascii_lowercase(), body) {
        Ok(event) => assert!(!format!("{event:?} {event}").is_empty()),
        Err(Rejected::MalformedBody { .. }) => {}
        Err(other) => panic!("{other}"),
    }
    let mut changed = body.to_vec();
    match changed.get_mut(place) {
        Some(byte) => *byte ^= 1,
        None => changed.push(0),
    }
    assert_eq!(verify(&signature, &changed), Err(Rejected::WrongSignature));
    assert_eq!(verify(body, body).err(), match body {
        // A body that is the signature of itself would be a preimage.
        body if body.len() == 64 && body.iter().all(u8::is_ascii_hexdigit) => {
            Some(Rejected::WrongSignature)
        }
        _ => Some(Rejected::MalformedSignature),
    });
}

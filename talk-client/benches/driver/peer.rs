//! The responses and frames of a server.

use tungstenite::handshake::derive_accept_key;

const MESSAGES: &str = "/me/conversations/lobby/messages";

/// Returns the response to an HTTP request, which may be a WebSocket upgrade.
pub(crate) fn upgrade(head: &str) -> String {
    let key = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_key = name.eq_ignore_ascii_case("sec-websocket-key");
        is_key.then(|| value.trim())
    });
    match key {
        Some(key) => format!(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
             sec-websocket-accept: {}\r\n\r\n",
            derive_accept_key(key.as_bytes())
        ),
        None => "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}".to_owned(),
    }
}

/// Returns the answer to the request in a frame; `None` for an acknowledgement.
pub(crate) fn answer(frame: &str) -> Option<String> {
    let (seq, request) = frame.strip_prefix('[')?.split_once(',')?;
    let body = if request.starts_with("\"ACK\"") {
        return None;
    } else if request.starts_with("\"POST\",\"/session/renew\"") {
        r#"{"expiresInSeconds":null}"#.to_owned()
    } else if request.starts_with(&format!("\"GET\",\"{MESSAGES}\"")) {
        // The sender of this message also sends the later ones, so the user is known.
        format!(r#"{{"data":[{}],"cursor":null}}"#, message(0))
    } else if request.starts_with("\"GET\",\"/users\"") {
        concat!(
            r#"{"bob":{"id":"bob","name":"Bob","custom":{},"locale":null,"photoUrl":null,"#,
            r#""role":"default","welcomeMessage":null}}"#,
        )
        .to_owned()
    } else {
        "{}".to_owned()
    };
    Some(format!("[{seq},200,{body}]"))
}

fn message(n: u64) -> String {
    const OTHERS: &str = concat!(
        r#""custom":{},"editedAt":null,"referencedMessageId":null,"origin":"rest","#,
        r#""content":[{"type":"text","children":["#,
        r#""The kettle is on, and there is cake left from yesterday."]}],"reactions":{}"#,
    );
    let at = 1_700_000_000_000 + n;
    format!(
        r#"{{"id":"msg_{n:020}","type":"UserMessage","senderId":"bob","createdAt":{at},{OTHERS}}}"#
    )
}

/// Returns a publish frame with a new message.
pub(crate) fn publish(number: u64) -> String {
    const EVENT: &str = r#""type":"message.created","conversationId":"lobby""#;
    let state = message(number);
    format!(r#"[{number},"PUBLISH",{{{EVENT},"messageId":"msg_{number:020}","state":{state}}}]"#)
}

/// Appends an unmasked text frame of a server (RFC 6455, section 5.2).
pub(crate) fn frame(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(0x81);
    match u8::try_from(text.len()) {
        Ok(short) if short < 126 => bytes.push(short),
        _ => {
            bytes.push(126);
            let length = u16::try_from(text.len()).expect("a short text");
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend(text.as_bytes());
}

/// Removes and returns a client's first text message, if it is complete.
pub(crate) fn take_text(bytes: &mut Vec<u8>) -> Option<String> {
    let (length, head) = match *bytes.get(1)? & 0x7f {
        126 => (
            usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])),
            4,
        ),
        short => (usize::from(short), 2),
    };
    let mask: [u8; 4] = bytes.get(head..head + 4)?.try_into().ok()?;
    let payload = bytes.get(head + 4..head + 4 + length)?;
    let text = payload.iter().zip(mask.iter().cycle());
    let text = text.map(|(byte, mask)| byte ^ mask).collect();
    bytes.drain(..head + 4 + length);
    String::from_utf8(text).ok()
}

/// Returns the number of the request in the first message.
pub(crate) fn seq(bytes: &[u8]) -> Option<u64> {
    let text = take_text(&mut bytes.to_vec())?;
    text.strip_prefix('[')?.split_once(',')?.0.parse().ok()
}

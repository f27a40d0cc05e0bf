use std::time::Duration;

use serde_json::json;
use talk_proto::{Counters, SocketClosed};

use crate::support::{Answer, Request, World, mark_as_read, options, seconds};

fn counters(world: &World) -> Counters {
    world.session.counters()
}

#[test]
fn counters_match_frames_of_the_socket() {
    let mut world = World::new(options());
    assert_eq!(counters(&world), Counters::default());
    world.call(mark_as_read("c1"));
    world.run();
    let before = counters(&world);
    assert_eq!((before.connects, before.reconnects), (1, 0));
    assert_eq!(before.frames_sent, world.log.requests.len() as u64);
    let frame = |r: &Request| json!([r.seq, r.method, r.path, r.data, r.headers]);
    let bytes = world.log.requests.iter().map(frame);
    let bytes: usize = bytes.map(|frame| frame.to_string().len()).sum();
    assert_eq!(before.bytes_sent, bytes as u64);
    assert_eq!(before.frames_received, before.frames_sent);

    // Skipped frames are counted, and a publish is acknowledged.
    world.receive("nonsense");
    world.publish(&[json!({"type": "unheard.of"})]);
    let after = counters(&world);
    assert_eq!(after.frames_received, before.frames_received + 2);
    assert!(after.bytes_received >= before.bytes_received + "nonsense".len() as u64);
    assert_eq!(after.frames_sent, before.frames_sent + 1);
}

#[test]
fn counters_resend_counts_as_retried() {
    let mut world = World::ready(options());
    world.script.next.extend([
        Answer::refuse(429, "TOO_MANY"),
        Answer::refuse(500, "FAILED"),
        Answer::refuse(401, "UNAUTHORIZED"),
    ]);
    let request = world.call(mark_as_read("c1"));
    world.run_until_resolved(seconds(10));
    assert!(world.outcome(request).is_ok());
    assert_eq!(counters(&world).retries, 3);
    assert_eq!(counters(&world).token_refreshes, 1, "after the 401");

    world.script.next.push_back(Answer::Silence);
    world.call(mark_as_read("c2"));
    world.run_for(Duration::from_millis(1));
    world.close(SocketClosed::Lost("gone".into()));
    world.run_for(seconds(2));
    assert_eq!(counters(&world).retries, 4);
    assert_eq!(
        (counters(&world).connects, counters(&world).reconnects),
        (2, 1)
    );
}

/// A cancelled call is not retried.
#[test]
fn counters_cancelled_call_is_not_retried() {
    for status in [401, 429, 500] {
        let mut world = World::ready(options());
        let refusal = json!({"errorCode": "REFUSED", "reasons": []});
        let answer = Answer::Late(seconds(1), status, refusal);
        world.script.next.push_back(answer);
        let request = world.call(mark_as_read("c1"));
        world.run();
        world.cancel(request);
        world.run_for(seconds(60));
        assert_eq!(world.log.of("POST /me/conversations/c1/read").len(), 1);
        assert_eq!(counters(&world).retries, 0, "{status}");
        assert_eq!(world.end(), None);
    }
}

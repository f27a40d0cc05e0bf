use serde_json::json;
use talk_proto::Pacing;

use crate::support::{
    Answer, Network, START, World, mark_as_read, millis, options, seconds, send, unpaced,
};

/// Returns the times of the requests since the start, without housekeeping.
fn sent_at(world: &World) -> Vec<i64> {
    let since = |at: talk_proto::Timestamp| at.as_millis() - START.as_millis();
    world.log.work().map(|r| since(r.at)).collect()
}

#[test]
fn calls_before_authentication_keep_order() {
    let mut world = World::new(options());
    world.network = Network::Up(seconds(2));
    for n in 0..20 {
        world.call(mark_as_read(&format!("c{n}")));
        world.run_for(millis(10));
    }
    assert!(world.log.requests.is_empty());
    world.run_for(seconds(2));
    let paths: Vec<_> = world.log.work().map(|r| r.path.clone()).collect();
    let expected: Vec<_> = (0..20)
        .map(|n| format!("/me/conversations/c{n}/read"))
        .collect();
    assert_eq!(paths, expected);
    assert_eq!(sent_at(&world), [2_000; 20]);
}

#[test]
fn requests_are_numbered_from_zero_on_each_connection() {
    let mut world = World::new(options());
    for n in 0..5 {
        world.call(mark_as_read(&format!("c{n}")));
    }
    world.run();
    world.cut();
    world.call(mark_as_read("d"));
    world.run_for(seconds(2));
    let numbers: Vec<_> = world
        .log
        .requests
        .iter()
        .map(|r| (r.connection, r.seq))
        .collect();
    assert_eq!(
        numbers,
        [
            (0, 0),
            (0, 1),
            (0, 2),
            (0, 3),
            (0, 4),
            (0, 5),
            (1, 0),
            (1, 1)
        ]
    );
}

#[test]
fn flush_above_fifty_calls_is_paced() {
    let mut world = World::new(options());
    for n in 0..60 {
        world.call(mark_as_read(&format!("c{n}")));
    }
    world.run_for(seconds(2));
    let mut expected = vec![0; 50];
    expected.extend((1..=10).map(|n| n * 100));
    assert_eq!(sent_at(&world), expected);
}

#[test]
fn calls_during_flush_join_its_tail() {
    let mut world = World::new(options());
    for n in 0..52 {
        world.call(mark_as_read(&format!("c{n}")));
    }
    world.run_for(millis(150));
    world.call(mark_as_read("late"));
    world.run_for(seconds(1));
    let times = sent_at(&world);
    assert_eq!(times[50..], [100, 200, 300]);
    // The queue is flushed, so new calls are sent at once.
    for n in 0..100 {
        world.call(mark_as_read(&format!("d{n}")));
    }
    world.run();
    assert_eq!(sent_at(&world)[53..], [1_150; 100]);
}

#[test]
fn calls_on_a_ready_connection_are_not_paced() {
    let mut world = World::ready(options());
    for n in 0..500 {
        world.call(mark_as_read(&format!("c{n}")));
    }
    world.run();
    assert_eq!(sent_at(&world), [0; 500]);
}

#[test]
fn pacing_is_configurable_and_zero_disables_it() {
    let mut paced = options();
    paced.pacing = Pacing::Fixed {
        burst: 2,
        interval: millis(7),
    };
    let mut world = World::new(paced);
    for n in 0..5 {
        world.call(mark_as_read(&format!("c{n}")));
    }
    world.run_for(seconds(1));
    assert_eq!(sent_at(&world), [0, 0, 7, 14, 21]);

    let mut zero = options();
    zero.pacing = Pacing::Fixed {
        burst: 50,
        interval: millis(0),
    };
    for options in [zero, unpaced()] {
        let mut world = World::new(options);
        for n in 0..300 {
            world.call(mark_as_read(&format!("c{n}")));
        }
        world.run();
        assert_eq!(sent_at(&world), [0; 300]);
    }
}

#[test]
fn flush_after_loss_is_paced() {
    let mut world = World::new(options());
    world.script.add(|request| {
        (request.connection == 0 && request.path.ends_with("/read")).then_some(Answer::Silence)
    });
    for n in 0..60 {
        world.call(mark_as_read(&format!("c{n}")));
    }
    world.run_for(seconds(2));
    world.cut();
    world.run_for(seconds(4));
    let again: Vec<_> = world.log.work().filter(|r| r.connection == 1).collect();
    assert_eq!(again.len(), 60);
    let start = again[0].at;
    assert_eq!(again[49].at, start);
    assert_eq!(again[59].at, start + seconds(1));
    let paths: Vec<_> = again.iter().map(|r| r.path.clone()).collect();
    let expected: Vec<_> = (0..60)
        .map(|n| format!("/me/conversations/c{n}/read"))
        .collect();
    assert_eq!(paths, expected);
}

/// Returns the number of requests in each second after the first 50.
fn sent_per_second(world: &World) -> Vec<usize> {
    let mut counts = vec![0; 10];
    for at in sent_at(world).iter().skip(50) {
        counts[usize::try_from(at - 1).map_or(0, |at| at / 1_000)] += 1;
    }
    counts
}

#[test]
fn adaptive_pace_doubles_each_second() {
    let mut world = World::new(options());
    for n in 0..1_000 {
        world.call(mark_as_read(&format!("c{n}")));
    }
    world.run_for(seconds(10));
    assert_eq!(sent_at(&world)[..50], [0; 50]);
    assert_eq!(
        sent_per_second(&world),
        [10, 20, 40, 80, 160, 320, 320, 0, 0, 0]
    );
    let paths: Vec<_> = world.log.work().map(|r| r.path.clone()).collect();
    let expected: Vec<_> = (0..1_000)
        .map(|n| format!("/me/conversations/c{n}/read"))
        .collect();
    assert_eq!(paths, expected);
}

/// Callers that make their next call as soon as the last one is resolved.
struct Callers(Vec<talk_proto::RequestId>);

impl Callers {
    fn run(&mut self, world: &mut World, time: std::time::Duration) {
        let end = world.now + time;
        while world.now < end {
            world.run_for(millis(50));
            for call in &mut self.0 {
                if world.is_resolved(*call) {
                    *call = world.call(mark_as_read("c"));
                }
            }
        }
    }

    /// Returns the number of callers whose next call is not sent at once.
    fn paced(&mut self, world: &mut World) -> usize {
        self.run(world, millis(50));
        world.run();
        let waiting = self.0.iter().filter(|call| !world.is_resolved(**call));
        waiting.count()
    }
}

#[test]
fn full_queue_is_unpaced_after_10_s() {
    let mut world = World::new(options());
    let mut callers = Callers((0..60).map(|_| world.call(mark_as_read("c"))).collect());
    assert!(callers.paced(&mut world) > 0);
    callers.run(&mut world, seconds(10));
    assert_eq!(callers.paced(&mut world), 0);
    world.cut();
    world.run_for(seconds(2));
    callers.run(&mut world, seconds(10));
    assert_eq!(callers.paced(&mut world), 0);
}

#[test]
fn busy_answer_halves_the_pace() {
    let mut world = World::ready(options());
    let mut refusals = 2;
    world.script.add(move |request| {
        let is_busy = request.path.ends_with("/busy/read") && refusals > 0;
        refusals -= usize::from(is_busy);
        is_busy.then(|| Answer::refuse(429, "TOO_MANY_REQUESTS"))
    });
    for n in 0..200 {
        world.call(mark_as_read(&format!("c{n}")));
    }
    world.run();
    let busy = [(); 2].map(|()| world.call(mark_as_read("busy")));
    world.run();
    for n in 0..50 {
        world.call(mark_as_read(&format!("d{n}")));
    }
    world.run_for(seconds(2));
    // The refused calls are paced like the others.
    let expected: Vec<_> = (1..=52).map(|n| n * 10).collect();
    assert_eq!(sent_at(&world)[202..], expected);
    assert!(busy.iter().all(|call| world.outcome(*call).is_ok()));
}

#[test]
fn busy_first_answers_leave_one_call_a_second() {
    let mut world = World::ready(options());
    let mut refusals = 2;
    world.script.add(move |_| {
        let is_busy = refusals > 0;
        refusals -= usize::from(is_busy);
        is_busy.then(|| Answer::refuse(429, "TOO_MANY_REQUESTS"))
    });
    for n in 0..2 {
        world.call(mark_as_read(&format!("c{n}")));
    }
    world.run();
    for n in 2..8 {
        world.call(mark_as_read(&format!("c{n}")));
    }
    world.run_for(seconds(5));
    assert_eq!(
        sent_at(&world),
        [0, 0, 1_000, 1_500, 2_000, 2_250, 2_500, 2_750, 3_000, 3_125]
    );
}

#[test]
fn queue_full_refuses_until_a_call_resolves() {
    let mut options = options();
    options.limits.pending_calls = 3;
    let mut world = World::new(options);
    for n in 0..3 {
        world.call(mark_as_read(&format!("c{n}")));
    }
    let error = world.try_call(mark_as_read("one too many")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "3 calls are waiting already: let some finish first"
    );
    world.run();
    assert_eq!(world.log.work().count(), 3);
    world.call(mark_as_read("again"));
    world.run();
    assert_eq!(world.log.work().count(), 4);
}

#[test]
fn cancel_before_send_is_never_sent() {
    let mut world = World::new(options());
    world.network = Network::Up(seconds(1));
    let kept = world.call(mark_as_read("kept"));
    let gone = world.call(send("c1", "never mind"));
    world.run();
    world.session.cancel(world.now, gone).unwrap();
    world.run_for(seconds(2));
    assert!(world.outcome(kept).is_ok());
    let error = world.outcome(gone).as_ref().unwrap_err().to_string();
    assert_eq!(error, "cancelled before it was sent");
    assert_eq!(world.log.work().count(), 1);
    let again = world.session.cancel(world.now, gone);
    assert!(again.is_err(), "it is resolved");
}

#[test]
fn cancel_after_send_is_never_resent() {
    let mut world = World::ready(options());
    world.script.add(|request| {
        request
            .path
            .ends_with("/messages")
            .then_some(Answer::Silence)
    });
    let request = world.call(send("c1", "never mind"));
    world.run();
    world.session.cancel(world.now, request).unwrap();
    world.run();
    let error = world.outcome(request).as_ref().unwrap_err().to_string();
    assert_eq!(error, "cancelled; the server may have carried it out");
    world.cut();
    world.call(mark_as_read("c2"));
    world.run_for(seconds(2));
    assert_eq!(world.log.of("POST /conversations/c1/messages").len(), 1);
}

#[test]
fn cancel_between_two_requests_maybe_happened() {
    let mut options = options();
    options.pacing = Pacing::Fixed {
        burst: 1,
        interval: millis(100),
    };
    let mut world = World::new(options);
    let create = talk_proto::Call::CreateConversation {
        conversation: crate::support::conversation("c1"),
        params: talk_proto::model::ConversationParams::default(),
    };
    let request = world.call(create);
    world.run();
    assert_eq!(world.log.work().count(), 1, "the second request is paced");
    world.session.cancel(world.now, request).unwrap();
    world.run_for(seconds(1));
    assert_eq!(world.log.work().count(), 1);
    let error = world.outcome(request).as_ref().unwrap_err().to_string();
    assert_eq!(error, "cancelled; the server may have carried it out");
}

#[test]
fn batch_part_cancelled_keeps_the_rest() {
    let mut world = World::new(options());
    world.network = Network::Up(seconds(1));
    let create = |user: &str| talk_proto::Call::CreateParticipant {
        conversation: crate::support::conversation("c1"),
        user: crate::support::user(user),
        params: talk_proto::model::ParticipantParams::default(),
    };
    let requests = ["x", "y", "z"].map(|user| world.call(create(user)));
    world.run();
    world.session.cancel(world.now, requests[1]).unwrap();
    world.run_for(seconds(2));
    let frames: Vec<_> = world.log.work().map(|r| r.data.clone()).collect();
    let action = |id: &str| json!({"id": id, "method": "POST", "params": {}});
    assert_eq!(frames, [json!({"actions": [action("x"), action("z")]})]);
    assert!(world.outcome(requests[0]).is_ok() && world.outcome(requests[2]).is_ok());
}

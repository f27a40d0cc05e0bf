use talk_proto::{CommandError, Event, Input, RequestError, SessionError, SocketClosed, Topic};

use crate::support::{Answer, World, conversation, mark_as_read, options, seconds, send};

fn ended_world() -> World {
    let mut world = World::ready(options());
    world.script.add(|_| Some(Answer::Silence));
    world.call(mark_as_read("c1"));
    world.call(send("c1", "never to be answered"));
    world.run();
    world.session.shutdown(world.now);
    world.run();
    world
}

#[test]
fn session_end_fails_pending_and_is_reported_once() {
    let world = ended_world();
    let failed = |(_, event): &(_, Event)| {
        matches!(
            event,
            Event::Resolved {
                result: Err(RequestError::Session(SessionError::Shutdown)),
                ..
            }
        )
    };
    let count = world.log.events.iter().filter(|e| failed(e)).count();
    assert_eq!(count, 2);
    let last = world.log.events.last().expect("an event");
    assert!(matches!(last.1, Event::Ended(SessionError::Shutdown)));
    assert_eq!(world.log.sockets[0].closed, Some((world.now, Some(1000))));
    assert_eq!(world.session.ended(), Some(&SessionError::Shutdown));
    assert_eq!(world.session.pending_calls(), 0);
}

#[test]
fn input_after_end_is_ignored() {
    let mut world = ended_world();
    let events = world.log.events.len();
    let socket = world.log.sockets[0].id;
    world.input(Input::SocketFrame {
        socket,
        text: "[1,200,{}]",
    });
    world.input(Input::SocketClosed {
        socket,
        cause: SocketClosed::FrameTooLarge,
    });
    world.input(Input::SocketOpened { socket });
    world.run_for(seconds(24 * 3600));
    world.input(Input::Tick);
    assert_eq!(world.log.events.len(), events);
    assert_eq!(world.session.poll_timeout(), None);
}

#[test]
fn command_after_end_fails_with_its_reason() {
    let mut world = ended_world();
    let refused = Err(CommandError::Ended(SessionError::Shutdown));
    let now = world.now;
    assert_eq!(
        world.session.call(now, mark_as_read("c1")).map(drop),
        refused
    );
    let topic = Topic::Conversation {
        conversation: conversation("c1"),
    };
    assert_eq!(world.session.subscribe(now, topic).map(drop), refused);
    assert_eq!(world.session.set_token(now, "late-token".into()), refused);
    world.session.network_changed(now);
    world.session.release(now);
    world.session.shutdown(now);
    world.run_for(seconds(60));
    assert_eq!(world.log.sockets.len(), 1);
}

#[test]
fn shutdown_before_start_ends_session() {
    let mut world = World::new(options());
    world.session.shutdown(world.now);
    world.run();
    assert_eq!(world.end(), Some(&SessionError::Shutdown));
    assert!(world.log.sockets.is_empty());
}

#[test]
fn end_cancels_http_in_flight() {
    let mut options = options();
    options.authentication.can_fetch_token = false;
    let mut world = World::new(options);
    world.call(mark_as_read("c1"));
    world.drain();
    world.session.shutdown(world.now);
    // The invariants check that every HTTP request was cancelled before the end was reported.
    world.run_for(seconds(120));
    assert_eq!(world.end(), Some(&SessionError::Shutdown));
}

//! After every kind of failure all snapshots are correct again, and nothing is fetched twice.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use talk_proto::{Event, SubscriptionId, Topic};

use crate::support::{Answer, Request, World, conversation, data, message, options, seconds, user};

/// A failure during which the world changes, and the maximum time until all snapshots are correct.
struct Trouble {
    name: &'static str,
    begin: fn(&mut World),
    within: Duration,
}

const TROUBLES: [Trouble; 6] = [
    Trouble {
        name: "a loss",
        begin: World::cut,
        within: seconds(1),
    },
    Trouble {
        name: "a planned restart",
        begin: |world| {
            world.publish(&[json!({"type": "upstream.restarting"})]);
            world.cut();
        },
        within: seconds(10),
    },
    Trouble {
        name: "an expiry that is told",
        begin: |world| world.publish(&[json!({"type": "session.expired"})]),
        within: Duration::ZERO,
    },
    Trouble {
        name: "an expiry that a call meets",
        begin: |world| {
            let mut is_expired = true;
            world.script.add(move |request| {
                let is_read = request.path.ends_with("/read");
                let refuses = is_read && std::mem::take(&mut is_expired);
                refuses.then(|| Answer::refuse(401, "UNAUTHORIZED"))
            });
            world.call(crate::support::mark_as_read("c9"));
        },
        within: Duration::ZERO,
    },
    Trouble {
        name: "a stall",
        begin: |world| {
            world
                .script
                .add(|request| (request.connection == 0).then_some(Answer::Silence));
        },
        within: seconds(16),
    },
    Trouble {
        name: "a suspend that the socket did not survive",
        begin: |world| {
            world
                .script
                .add(|request| (request.connection == 0).then_some(Answer::Silence));
            world.sleep_until(world.now + seconds(3600));
        },
        within: seconds(6),
    },
];

fn topics() -> [Topic; 9] {
    let c1 = || conversation("c1");
    [
        Topic::Conversations { filter: None },
        Topic::Conversation { conversation: c1() },
        Topic::Messages { conversation: c1() },
        Topic::Participants { conversation: c1() },
        Topic::Participant {
            conversation: c1(),
            user: user("bob"),
        },
        Topic::Typing { conversation: c1() },
        Topic::Reactions {
            conversation: c1(),
            message: message("m1"),
            emoji: "👍".try_into().expect("an emoji"),
        },
        Topic::User { user: user("bob") },
        Topic::Online { user: user("bob") },
    ]
}

/// Returns the answer to a `GET` after the change, in which everything differs.
fn changed(request: &Request) -> Value {
    let mut body = data::get(request);
    let last = request.path.rsplit('/').next().unwrap_or_default();
    match last {
        "users" => {
            for user in body
                .as_object_mut()
                .into_iter()
                .flat_map(|it| it.values_mut())
            {
                user["name"] = json!("changed");
            }
        }
        "online" => body["isConnected"] = json!(false),
        "conversations" => body["data"][0]["subject"] = json!("changed"),
        "messages" => body["data"][0]["custom"] = json!({"changed": "yes"}),
        "participants" => body["data"][1]["access"] = json!("Read"),
        "typing" => body = json!({"many": true}),
        _ if request.path.contains("/reactions/") => body["data"] = json!([]),
        _ if request.path.contains("/participants/") => body["access"] = json!("Read"),
        _ => body["subject"] = json!("changed"),
    }
    body
}

/// A world with a subscription to every topic.
struct Shown {
    world: World,
    has_changed: Rc<Cell<bool>>,
}

impl Shown {
    fn new() -> Self {
        let mut world = World::new(options());
        let has_changed = Rc::new(Cell::new(false));
        let now = Rc::clone(&has_changed);
        world.script.add(move |request| {
            let is_changed = now.get() && request.method == "GET" && !request.is_housekeeping();
            is_changed.then(|| Answer::Reply(200, changed(request)))
        });
        for topic in topics() {
            world.subscribe(topic);
        }
        world.run();
        let shown = Self { world, has_changed };
        assert_eq!(shown.snapshots().len(), topics().len());
        shown
    }

    /// Returns the last snapshot of each subscription.
    fn snapshots(&self) -> BTreeMap<SubscriptionId, Value> {
        let events = self.world.log.events.iter();
        let updates = events.filter_map(|(_, event)| match event {
            Event::Updated {
                subscription,
                update,
            } => Some((
                *subscription,
                serde_json::to_value(&update.snapshot).expect("JSON"),
            )),
            _ => None,
        });
        updates.collect()
    }

    /// Returns the number of requests by line since the last call, without housekeeping.
    fn asked(&mut self) -> BTreeMap<String, usize> {
        let mut asked = BTreeMap::new();
        for request in self.world.log.requests.drain(..) {
            if !request.is_housekeeping() {
                *asked.entry(request.line()).or_default() += 1;
            }
        }
        asked
    }

    fn updates(&self) -> usize {
        let is_update = |event: &Event| matches!(event, Event::Updated { .. });
        let events = self.world.log.events.iter();
        events.filter(|(_, event)| is_update(event)).count()
    }
}

/// Returns the snapshots of a session that connects after the change.
fn fresh() -> Vec<Value> {
    let mut world = World::new(options());
    world.script.add(|request| {
        let is_get = request.method == "GET" && !request.is_housekeeping();
        is_get.then(|| Answer::Reply(200, changed(request)))
    });
    let has_changed = Rc::new(Cell::new(true));
    for topic in topics() {
        world.subscribe(topic);
    }
    world.run();
    let fresh = Shown { world, has_changed };
    fresh.snapshots().into_values().collect()
}

#[test]
fn faults_leave_every_snapshot_correct() {
    let fresh = fresh();
    for Trouble {
        name,
        begin,
        within,
    } in TROUBLES
    {
        let mut shown = Shown::new();
        let before: Vec<_> = shown.snapshots().into_values().collect();
        shown.has_changed.set(true);
        begin(&mut shown.world);
        shown.world.run_for(within);
        let after: Vec<_> = shown.snapshots().into_values().collect();
        assert_eq!(after, fresh, "after {name}");
        for (before, after) in before.iter().zip(&after) {
            assert_ne!(before, after, "everything has changed");
        }
    }
}

#[test]
fn faults_cause_no_repeated_requests() {
    for Trouble {
        name,
        begin,
        within,
    } in TROUBLES
    {
        let mut shown = Shown::new();
        let first = shown.asked();
        begin(&mut shown.world);
        shown.world.run_for(within + seconds(60));
        let again = shown.asked();
        for (request, count) in &again {
            // The call that met the expiry is sent twice, as expected.
            let is_call = request.starts_with("POST");
            let most = first.get(request).copied().unwrap_or_default();
            assert!(
                is_call || *count <= most,
                "{request} {count} times after {name}"
            );
        }
        let gets = |asked: &BTreeMap<String, usize>| {
            let gets = asked.keys().filter(|request| request.starts_with("GET"));
            gets.cloned().collect::<Vec<_>>()
        };
        assert_eq!(gets(&again), gets(&first), "after {name}");
    }
}

#[test]
fn faults_without_changes_update_nothing() {
    for Trouble {
        name,
        begin,
        within,
    } in TROUBLES
    {
        let mut shown = Shown::new();
        let before = shown.updates();
        begin(&mut shown.world);
        shown.world.run_for(within + seconds(60));
        assert_eq!(shown.updates(), before, "after {name}");
    }
}

//! The core's laws: each has a test of its name, and all of them are watched in every test.

mod kit;

use kit::{World, options, send};

#[test]
fn law_1_smoke() {
    let mut world = World::new(options());
    let request = world.call(send("c1", "hello there"));
    world.run();
    assert!(world.outcome(request).is_ok());
    for r in &world.log.requests {
        println!("{:?}", r);
    }
    println!("{:?}", world.log.events);
}

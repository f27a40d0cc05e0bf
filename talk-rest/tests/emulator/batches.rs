use talk_rest::{
    ApiVersion, Batch, BatchAnswers, Call, FileUpload, InvalidCall, MessageKeys, NewMessage,
    RetrySafety, UserParams, app, conversation, upload_file, user,
};

use super::world::World;

#[test]
fn batch_has_typed_answers() {
    let mut world = World::of_friends();
    world.say("alice", "Hi");
    let order = conversation("order_1").unwrap();
    let mut batch = Batch::new();
    let put = user("carol").unwrap().put(UserParams::named("Carol"));
    let put = batch.add(&put).unwrap();
    let carol = batch.add(&user("carol").unwrap().get()).unwrap();
    let send = order.send([NewMessage::system("Hello")]).unwrap();
    let sent = batch.add_as(900, &send).unwrap();
    let messages = batch
        .add(&order.messages().limit(1).call().unwrap())
        .unwrap();
    let missing = batch.add(&user("nobody").unwrap().get()).unwrap();
    let list = user("nobody").unwrap().conversations().call().unwrap();
    let old = batch.add(&list.version(ApiVersion::V2021_01_01)).unwrap();
    let app = batch.add(&app().version(ApiVersion::V2024_01_01)).unwrap();
    let mut call = batch.into_call().unwrap();
    assert_eq!(call.retry_safety(), RetrySafety::MayDuplicate);
    call.fill_keys(&mut MessageKeys::new(1), world.now);
    assert_eq!(call.retry_safety(), RetrySafety::Safe);

    let answers = world.ok(&call);
    answers.get(&put).unwrap();
    assert_eq!(answers.get(&carol).unwrap().name, "Carol");
    let id = answers.get(&sent).unwrap().remove(0).id;
    let page = answers.get(&messages).unwrap();
    assert_eq!(page.len(), 1);
    assert_eq!(page[0].id, id);
    assert!(answers.get(&missing).unwrap_err().is_not_found());
    assert_eq!(answers.get(&old).unwrap().len(), 0);
    assert_eq!(answers.get(&app).unwrap().id, "app1");
    assert_eq!(answers.statuses().count(), 7);
    let again = world.ok(&call);
    assert_eq!(again.get(&sent).unwrap()[0].id, id, "the key is the same");
}

#[test]
fn batch_refuses_invalid_operations() {
    let call = user("alice").unwrap().get();
    let mut batch = Batch::new();
    let (items, max) = ("operations", 10);
    let empty = batch.clone().into_call().unwrap_err();
    assert_eq!(
        empty,
        InvalidCall::Count {
            items,
            count: 0,
            max
        }
    );
    batch.add_as(7, &call).unwrap();
    let equal = batch.add_as(7, &call).unwrap_err();
    assert_eq!(equal, InvalidCall::DuplicateSeq { seq: 7 });
    for dots in [".", ".."] {
        let call = conversation(dots).unwrap().get();
        assert_eq!(batch.add(&call).unwrap_err(), InvalidCall::Url);
    }
    let upload = upload_file(&FileUpload::new("a.txt", "a"));
    assert_eq!(batch.add(&upload).unwrap_err(), InvalidCall::NotForBatch);
    let nested = batch.clone().into_call().unwrap();
    assert_eq!(batch.add(&nested).unwrap_err(), InvalidCall::NotForBatch);
    for _ in 0..9 {
        batch.add(&call).unwrap();
    }
    let full = batch.add(&call).unwrap_err();
    assert_eq!(
        full,
        InvalidCall::Count {
            items,
            count: 11,
            max
        }
    );
    assert_eq!(batch.len(), 10);
    let last = u64::MAX;
    let mut batch = Batch::new();
    batch.add_as(last, &call).unwrap();
    let error = batch.add(&call).unwrap_err();
    assert_eq!(error, InvalidCall::DuplicateSeq { seq: last });
}

#[test]
fn repeated_batch_takes_missing_as_deleted() {
    let mut world = World::of_friends();
    let order = conversation("order_1").unwrap();
    let mut batch = Batch::new();
    let delete = batch.add(&order.delete()).unwrap();
    let get = batch.add(&order.get()).unwrap();
    let call = batch.into_call().unwrap();
    world.ok(&order.delete());

    let request = world.api.request(&call, world.now).unwrap();
    let response = world.server.http(world.now, &request);
    let response = response.map(|chunks| chunks.concat());
    let first = call.decode(&response).unwrap();
    assert!(first.get(&delete).unwrap_err().is_not_found());
    let repeated = call.decode_repeated(&response).unwrap();
    repeated.get(&delete).unwrap();
    assert!(repeated.get(&get).unwrap_err().is_not_found());
}

#[test]
fn batch_answers_in_any_order_are_matched() {
    let mut batch = Batch::new();
    let alice = batch.add(&user("alice").unwrap().get()).unwrap();
    let bob = batch.add(&user("bob").unwrap().get()).unwrap();
    let carol = batch.add(&user("carol").unwrap().get()).unwrap();
    let call = batch.into_call().unwrap();
    let read = |call: &Call<BatchAnswers>, body: &str| {
        call.decode(&http::Response::new(body.to_owned())).unwrap()
    };
    let body = r#"[[2,200,{"id":"bob"}],"junk",[1,200,{"id":"alice"}],[3]]"#;
    let answers = read(&call, body);
    assert_eq!(answers.get(&alice).unwrap().id, "alice");
    assert_eq!(answers.get(&bob).unwrap().id, "bob");
    let missing = answers.get(&carol).unwrap_err();
    assert_eq!(missing.to_string().matches("no answer").count(), 1);
    assert_eq!(missing.retry_safety(), RetrySafety::Safe);
}

//! The core against a small model. The model predicts the resolved calls, the sent requests and the
//! subscriptions from the calls, losses, answers and delays.

mod model;
mod subject;

use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use model::{Model, Step};
use subject::Subject;

prop_state_machine! {
    #![proptest_config(ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn core_matches_model(sequential 1..60 => Subject);
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::default()).boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Step> {
        state.steps()
    }

    fn preconditions(state: &Self, step: &Step) -> bool {
        state.allows(step)
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        state.take(step);
        state
    }
}

impl StateMachineTest for Subject {
    type SystemUnderTest = Self;
    type Reference = Model;

    fn init_test(_: &Model) -> Self {
        Self::new()
    }

    fn apply(mut subject: Self, _: &Model, step: Step) -> Self {
        subject.take(&step);
        subject
    }

    fn check_invariants(subject: &Self, model: &Model) {
        subject.check(model);
    }
}

#[test]
fn refused_sends_fail_one_after_the_other() {
    let send = |count| Step::Send {
        conversation: 2,
        count,
    };
    let refuse = |call| Step::Answer { call, status: 503 };
    let mut steps = vec![send(6)];
    steps.extend((0..5).map(refuse));
    steps.extend([send(1), Step::Lose, Step::Reconnect, Step::Expire]);
    let (mut model, mut subject) = (Model::default(), Subject::new());
    for step in steps {
        assert!(model.allows(&step), "{step:?}");
        model.take(&step);
        subject.take(&step);
        subject.check(&model);
    }
    assert_eq!(model.pending(), 0);
}

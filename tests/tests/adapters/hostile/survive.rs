//! Checks of a session under attack.

use futures_util::StreamExt;
use futures_util::future::join_all;
use talk_client::{ConnectionState, Session};

use super::attack::Attack;
use super::front::Front;
use crate::adapters::adapter::Adapter;

/// An attack on the connection, and the expected reason of the loss.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) reason: &'static str,
    pub(super) attack: Attack,
}

pub(super) const fn case(name: &'static str, reason: &'static str, attack: Attack) -> Case {
    Case {
        name,
        reason,
        attack,
    }
}

/// Checks that sessions survive the attacks. Runs them at the same time.
pub(super) async fn all_survive<A: Adapter>(cases: impl IntoIterator<Item = Case>) {
    join_all(cases.into_iter().map(survives::<A>)).await;
}

/// Checks that a session survives an attack.
pub(super) async fn survives<A: Adapter>(case: Case) {
    let front = Front::start(case.attack);
    survives_at::<A>(case.name, case.reason, &front).await;
}

/// Checks that a session reports the loss of its connection for `reason`, and that its pending call
/// and subscription succeed once the attacks end.
pub(super) async fn survives_at<A: Adapter>(name: &str, reason: &str, front: &Front) {
    let session = A::session(front.options());
    let subscription = session.user("bob").unwrap().subscribe();
    let call = A::spawn(session.current_user().set(Default::default()));
    let told = first_loss(&session).await;
    assert!(told.contains(reason), "{name}: {told}");
    assert!(front.attacked() > 0, "{name}");

    front.relent();
    session.network_changed();
    assert_eq!(call.await, Ok(()), "{name}");
    assert!(subscription.connected().await.is_ok(), "{name}");
    assert_eq!(front.good.record().connections, 1, "{name}");
    assert_eq!(session.error(), None, "{name}");
}

/// Returns the reason of the session's latest loss.
pub(super) async fn first_loss(session: &Session) -> String {
    let mut losses = session
        .connection_states()
        .filter_map(async |state| match state {
            ConnectionState::Waiting { reason, .. } => Some(reason),
            _ => None,
        })
        .boxed();
    losses.next().await.expect("the session has not ended")
}

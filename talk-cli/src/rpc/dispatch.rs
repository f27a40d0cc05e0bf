//! The table of calls by name.

use serde::Serialize;
use talk_tokio::{
    CallFuture, ConversationRef, Error, MessageRef, ParticipantRef, ReactionsRef, Search, Session,
    Subscription, TransportError, UserRef,
};

use super::action::Action;
use super::args::Args;
use super::output::json;
use super::state::Rpc;
use super::subscriptions::Shown;
use super::{inbox, outbox, signatures, uploads};
use crate::failure::Failure;

type Entry = fn(&Rpc, &mut Args) -> Result<Action, Failure>;

/// Parses the arguments of a call.
pub(crate) fn prepare(rpc: &Rpc, call: &str, mut args: Args) -> Result<Action, Failure> {
    let (_, entry) = CALLS
        .iter()
        .find(|(name, _)| *name == call)
        .ok_or_else(|| {
            Failure::usage(format!("there is no call {call:?}: see `talk rpc --help`"))
        })?;
    let read = || {
        let action = entry(rpc, &mut args)?;
        args.finish()?;
        Ok(action)
    };
    read().map_err(|failure: Failure| {
        failure.with_arguments(call, signatures::arguments(call).unwrap_or_default())
    })
}

const CALLS: &[(&str, Entry)] = &[
    ("user.get", |rpc, args| call(user(rpc, args)?.get())),
    ("user.set", |rpc, args| {
        call(user(rpc, args)?.set(args.params()?))
    }),
    ("user.createIfNotExists", |rpc, args| {
        call(user(rpc, args)?.create_if_not_exists(args.params()?))
    }),
    ("user.subscribe", |rpc, args| {
        let user = user(rpc, args)?;
        subscribe(move || user.subscribe())
    }),
    ("user.subscribeOnline", |rpc, args| {
        let user = user(rpc, args)?;
        subscribe(move || user.subscribe_online())
    }),
    ("conversation.get", |rpc, args| {
        call(conversation(rpc, args)?.get())
    }),
    ("conversation.set", |rpc, args| {
        call(conversation(rpc, args)?.set(args.params()?))
    }),
    ("conversation.createIfNotExists", |rpc, args| {
        call(conversation(rpc, args)?.create_if_not_exists(args.params()?))
    }),
    ("conversation.markAsRead", |rpc, args| {
        call(conversation(rpc, args)?.mark_as_read())
    }),
    ("conversation.markAsUnread", |rpc, args| {
        call(conversation(rpc, args)?.mark_as_unread())
    }),
    ("conversation.markAsTyping", |rpc, args| {
        call(conversation(rpc, args)?.mark_as_typing())
    }),
    ("conversation.send", |rpc, args| {
        let sent = conversation(rpc, args)?.send(args.message()?);
        Ok(Action::Call(Box::pin(async move {
            #[derive(Serialize)]
            #[serde(rename_all = "camelCase")]
            struct Sent<'a> {
                message_ref: &'a str,
            }
            json(&Sent {
                message_ref: sent.await?.id().as_str(),
            })
        })))
    }),
    ("conversation.enqueue", |rpc, args| {
        outbox::enqueue(rpc, conversation(rpc, args)?, args)
    }),
    ("conversation.subscribe", |rpc, args| {
        let conversation = conversation(rpc, args)?;
        subscribe(move || conversation.subscribe())
    }),
    ("conversation.subscribeMessages", |rpc, args| {
        let conversation = conversation(rpc, args)?;
        subscribe(move || conversation.subscribe_messages())
    }),
    ("conversation.subscribeParticipants", |rpc, args| {
        let conversation = conversation(rpc, args)?;
        subscribe(move || conversation.subscribe_participants())
    }),
    ("conversation.subscribeTyping", |rpc, args| {
        let conversation = conversation(rpc, args)?;
        subscribe(move || conversation.subscribe_typing())
    }),
    ("participant.get", |rpc, args| {
        call(participant(rpc, args)?.get())
    }),
    ("participant.set", |rpc, args| {
        call(participant(rpc, args)?.set(args.params()?))
    }),
    ("participant.edit", |rpc, args| {
        call(participant(rpc, args)?.edit(args.params()?))
    }),
    ("participant.createIfNotExists", |rpc, args| {
        call(participant(rpc, args)?.create_if_not_exists(args.params()?))
    }),
    ("participant.delete", |rpc, args| {
        call(participant(rpc, args)?.delete())
    }),
    ("participant.subscribe", |rpc, args| {
        let participant = participant(rpc, args)?;
        subscribe(move || participant.subscribe())
    }),
    ("message.get", |rpc, args| call(message(rpc, args)?.get())),
    ("message.edit", |rpc, args| {
        call(message(rpc, args)?.edit(args.edit()?))
    }),
    ("message.delete", |rpc, args| {
        call(message(rpc, args)?.delete())
    }),
    ("message.translate", |rpc, args| {
        call(message(rpc, args)?.translate(args.text("language")?))
    }),
    ("reactions.add", |rpc, args| {
        call(reactions(rpc, args)?.add())
    }),
    ("reactions.remove", |rpc, args| {
        call(reactions(rpc, args)?.remove())
    }),
    ("reactions.getFirstReactions", |rpc, args| {
        call(reactions(rpc, args)?.get_first_reactions())
    }),
    ("reactions.subscribe", |rpc, args| {
        let reactions = reactions(rpc, args)?;
        subscribe(move || reactions.subscribe())
    }),
    ("session.subscribeConversations", |rpc, args| {
        let filter = args.filter("filter")?;
        let session = rpc.session.clone();
        subscribe(move || session.subscribe_conversations(filter))
    }),
    ("outbox.subscribe", |rpc, _| {
        let session = rpc.session.clone();
        subscribe(move || session.subscribe_outbox())
    }),
    ("outbox.retry", |rpc, args| {
        outbox::update(rpc, args, |_, entry| Ok(async move { entry.retry().await }))
    }),
    ("outbox.discard", |rpc, args| {
        outbox::update(rpc, args, |_, entry| {
            Ok(async move { entry.discard().await })
        })
    }),
    ("outbox.cancel", |rpc, args| {
        outbox::update(rpc, args, |_, entry| {
            Ok(async move { entry.cancel().await })
        })
    }),
    ("outbox.edit", |rpc, args| {
        outbox::update(rpc, args, |args, entry| {
            let message = args.message()?;
            Ok(async move { entry.edit(message).await })
        })
    }),
    ("outbox.editAfter", outbox::edit_after),
    ("outbox.deleteAfter", outbox::delete_after),
    ("outbox.retryAll", |rpc, _| {
        let session = rpc.session.clone();
        outbox::done(async move { session.retry_outbox().await })
    }),
    ("outbox.pause", |rpc, args| {
        let conversation = conversation(rpc, args)?;
        outbox::done(async move { conversation.pause_outbox().await })
    }),
    ("outbox.resume", |rpc, args| {
        let conversation = conversation(rpc, args)?;
        outbox::done(async move { conversation.resume_outbox().await })
    }),
    ("outbox.sent", outbox::sent),
    ("session.inbox", inbox::open),
    ("inbox.ack", inbox::ack),
    ("inbox.close", |_, args| {
        let number = args.number("inbox")?;
        now(move |rpc| rpc.inboxes.close(number))
    }),
    ("session.searchMessages", |_, args| {
        search(args, Session::search_messages)
    }),
    ("session.searchConversations", |_, args| {
        search(args, Session::search_conversations)
    }),
    ("search.loadMore", |rpc, args| {
        let number = args.number("search")?;
        let job = rpc.searches.load_more(number, args.count()?)?;
        Ok(Action::Call(job))
    }),
    ("search.setQuery", |rpc, args| {
        let number = args.number("search")?;
        let text = args.text("query")?;
        let job = rpc
            .searches
            .set_query(number, text, args.filter("conversation")?)?;
        Ok(Action::Call(job))
    }),
    ("session.uploadFile", |rpc, args| {
        uploads::prepare(&rpc.session, args, |session, source, metadata| {
            session.upload_file(source, metadata)
        })
    }),
    ("session.uploadImage", |rpc, args| {
        uploads::prepare(&rpc.session, args, |session, source, metadata| {
            session.upload_image(source, metadata)
        })
    }),
    ("session.uploadVideo", |rpc, args| {
        uploads::prepare(&rpc.session, args, |session, source, metadata| {
            session.upload_video(source, metadata)
        })
    }),
    ("session.uploadAudio", |rpc, args| {
        uploads::prepare(&rpc.session, args, |session, source, metadata| {
            session.upload_audio(source, metadata)
        })
    }),
    ("session.uploadVoice", |rpc, args| {
        uploads::prepare(&rpc.session, args, |session, source, metadata| {
            session.upload_voice(source, metadata)
        })
    }),
    ("session.setToken", |_, args| {
        let token = args.text("token")?;
        if token.is_empty() {
            return Err(Failure::usage("the token must not be empty"));
        }
        now(move |rpc| {
            rpc.session.set_token(token);
            Ok(())
        })
    }),
    ("session.networkChanged", |_, _| {
        now(|rpc| {
            rpc.session.network_changed();
            Ok(())
        })
    }),
    ("subscription.loadMore", |rpc, args| {
        let number = args.number("subscription")?;
        let job = rpc.subscriptions.load_more(number, args.count()?)?;
        Ok(Action::Call(job))
    }),
    ("subscription.unsubscribe", |_, args| {
        let number = args.number("subscription")?;
        now(move |rpc| rpc.subscriptions.unsubscribe(number))
    }),
    ("cancel", |_, args| {
        let id = args.any("ID of the call")?;
        now(move |rpc| {
            // It is unknown here if the request was sent.
            let cancelled = TransportError::Cancelled {
                maybe_happened: true,
                idempotent: false,
            };
            let cancelled = cancelled.into();
            let was_waiting = rpc.calls.stop(&id, &cancelled);
            let was_searching = rpc.searches.cancel(&id, &cancelled);
            let was_opening = rpc.inboxes.cancel(&id, &cancelled);
            if was_waiting || was_searching || was_opening {
                Ok(())
            } else {
                Err(Failure::usage("nothing with this ID is under way"))
            }
        })
    }),
];

fn user(rpc: &Rpc, args: &mut Args) -> Result<UserRef, Failure> {
    Ok(rpc.session.user(args.text("user ID")?)?)
}

fn conversation(rpc: &Rpc, args: &mut Args) -> Result<ConversationRef, Failure> {
    Ok(rpc.session.conversation(args.text("conversation ID")?)?)
}

fn participant(rpc: &Rpc, args: &mut Args) -> Result<ParticipantRef, Failure> {
    Ok(conversation(rpc, args)?.participant(args.text("user ID")?)?)
}

fn message(rpc: &Rpc, args: &mut Args) -> Result<MessageRef, Failure> {
    Ok(conversation(rpc, args)?.message(args.text("message ID")?)?)
}

fn reactions(rpc: &Rpc, args: &mut Args) -> Result<ReactionsRef, Failure> {
    Ok(message(rpc, args)?.reactions(args.text("emoji")?)?)
}

fn call<T: Serialize + 'static>(call: CallFuture<T>) -> Result<Action, Failure> {
    Ok(Action::Call(Box::pin(async move {
        let result: Result<T, Error> = call.await;
        json(&result?)
    })))
}

fn subscribe<S: Shown>(
    subscribe: impl FnOnce() -> Subscription<S> + 'static,
) -> Result<Action, Failure> {
    Ok(Action::Start(Box::new(move |rpc, id| {
        rpc.subscriptions.start(id, subscribe());
    })))
}

/// Starts a search in all conversations, or in those of a filter.
fn search<T: Serialize + Send + Sync + 'static>(
    args: &mut Args,
    search: fn(&Session) -> Search<T>,
) -> Result<Action, Failure> {
    let text = args.text("query")?;
    let filter = args.filter("conversation")?;
    Ok(Action::Start(Box::new(move |rpc, id| {
        let search = search(&rpc.session);
        rpc.searches.start(id, search, text, filter);
    })))
}

fn now(act: impl FnOnce(&mut Rpc) -> Result<(), Failure> + 'static) -> Result<Action, Failure> {
    Ok(Action::Now(Box::new(move |rpc| {
        act(rpc)?;
        json(&())
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_name_every_call() {
        let calls = CALLS.iter().map(|(name, _)| *name);
        assert!(calls.eq(signatures::SIGNATURES.iter().map(|(name, ..)| *name)));
    }
}

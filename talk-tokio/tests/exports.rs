//! The types in public signatures can be named with the adapter crate as the only dependency.

/// Names types, so that the test fails to compile if one of them is missing.
macro_rules! assert_named {
    ($($type:ty),* $(,)?) => {
        $(let _: Option<$type> = None;)*
    };
}

#[test]
fn signature_types_are_exported() {
    use talk_tokio::*;

    assert_named!(
        // Sessions.
        Session,
        TalkOptions,
        TokioRuntime,
        Addresses,
        Counters,
        Limits,
        Pacing,
        Secret,
        ConnectionState,
        ConnectionStateStream,
        StoreStateStream,
        ErrorSubscription,
        // References, and the arguments and results of their calls.
        ConversationRef,
        MessageRef,
        ParticipantRef,
        ReactionsRef,
        UserRef,
        CallFuture<()>,
        SendMessage,
        EditMessage,
        MessageBody,
        Translation,
        Patch<()>,
        CustomPatch,
        UserParams,
        OneOrMany,
        ConversationParams,
        ParticipantParams,
        // Uploads.
        MediaKind,
        UploadFuture,
        UploadMetadata,
        UploadProgress,
        UploadProgressStream,
        UploadSource,
        FileToken,
        // Subscriptions and searches.
        Subscription<()>,
        SubscriptionState<()>,
        &dyn ListSnapshot<Item = ()>,
        Update<()>,
        Changes,
        ListChanges,
        Freshness,
        Removal,
        RemovalReason,
        Window<()>,
        WindowIter<'_, ()>,
        Search<()>,
        SearchPage<()>,
        SearchUpdate<()>,
        SearchStatus,
        MessageHit,
        Hits<()>,
        ConversationFilter,
        SimpleFilter,
        CustomFilter,
        NumberFilter,
        StringFilter,
    );
}

#[test]
fn snapshot_field_types_are_exported() {
    use talk_tokio::*;

    assert_named!(
        Timestamp,
        AppId,
        ConversationId,
        MessageId,
        UserId,
        Emoji,
        User,
        OnlineSnapshot,
        ConversationSnapshot,
        ParticipantSnapshot,
        Access,
        Notify,
        TypingSnapshot,
        MessageSnapshot,
        MessageType,
        Origin,
        UnknownName,
        Custom,
        Reactions,
        ReactionCount,
        ReactionSnapshot,
        ReactionsSummary,
        ContentBlock,
        TextBlock,
        FileBlock,
        FileSubtype,
        LocationBlock,
        TextNode,
        Action,
        UnknownFields,
        RawJson,
    );
}

#[test]
fn error_types_are_exported() {
    use talk_tokio::*;

    assert_named!(
        Error,
        CommandError,
        EmptyId,
        NoRuntimeError,
        RequestError,
        RetrySafety,
        ServerError,
        SessionError,
        TransportError,
    );
}

#[test]
fn transport_types_are_exported() {
    use talk_tokio::net::{
        MaybeTls, Native, NativeWebSocket, ProxyOptions, ProxyUrlError, TlsOptions, TlsOptionsError,
    };
    use talk_tokio::transport::{
        BoxFuture, BoxStream, ClockReading, CloseReason, ConnectError, HttpError, ProgressCounter,
        RequestBody, ResponseBody, UrlError, WebSocketError, WebSocketEvent,
    };
    use talk_tokio::{Runtime, TokioRuntime};

    assert_named!(
        Native<TokioRuntime>,
        NativeWebSocket<<TokioRuntime as Runtime>::TcpStream>,
        MaybeTls<<TokioRuntime as Runtime>::TcpStream>,
        ProxyOptions,
        ProxyUrlError,
        TlsOptions,
        TlsOptionsError,
        BoxFuture<'_, ()>,
        BoxStream<'_, ()>,
        ClockReading,
        CloseReason,
        ConnectError,
        HttpError,
        ProgressCounter,
        RequestBody,
        ResponseBody,
        UrlError,
        WebSocketError,
        WebSocketEvent,
    );
}

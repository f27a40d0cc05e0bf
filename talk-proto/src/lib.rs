//! The TalkJS chat protocol as a pure state machine.

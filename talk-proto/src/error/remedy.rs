//! Remedies for refusals of the server.

/// Returns the remedy for a known error code.
pub(super) fn remedy(error_code: &str) -> Option<&'static str> {
    Some(match error_code {
        "USER_NOT_FOUND" => {
            "create the user first: `set` or `create_if_not_exists` of its ref, \
             or `talk user set ID --name NAME`"
        }
        "CONVERSATION_NOT_FOUND" => {
            "create the conversation first: `create_if_not_exists` of its ref, \
             or `talk conversation create ID`"
        }
        "NOT_A_PARTICIPANT" => {
            "join the conversation first: `create_if_not_exists` of its ref, \
             or let a participant add this user"
        }
        "PARTICIPANT_NOT_FOUND" => {
            "add the user first: `create_if_not_exists` of the participant's ref, \
             or `talk participant add CONVERSATION USER`"
        }
        "MESSAGE_NOT_FOUND" => {
            "look up the id in the conversation's messages: the message was deleted, \
             or belongs to another conversation"
        }
        "APP_NOT_FOUND" => "check the app's id in the dashboard, and the host",
        "CLIENT_SIDE_SYNC_DISABLED"
        | "UNAUTHORIZED_TO_EDIT"
        | "UNAUTHORIZED_TO_EDIT_PARTICIPANT" => {
            "write this data on your back end, or allow clients to do so in the app's settings"
        }
        "FORBIDDEN_BY_ROLE" => "give the user a role with this permission",
        _ => return None,
    })
}

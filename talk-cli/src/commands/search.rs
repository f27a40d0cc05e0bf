//! `talk search`: finds messages and conversations.

use std::sync::Arc;

use serde::Serialize;
use talk_tokio::{ConversationFilter, Search};

use super::app::{App, run};
use crate::exit::{CliError, Outcome};
use crate::json;
use crate::session_plan::SessionPlan;
use crate::terminal::Show;

/// The maximum page size of the library.
const MAX_PAGE: usize = 50;

/// The arguments of `talk search`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    target: Target,
}

#[derive(Debug, clap::Subcommand)]
enum Target {
    /// Find messages by the words in them
    Messages(Query),
    /// Find conversations by the words in their subject
    Conversations(Query),
}

#[derive(Debug, clap::Args)]
struct Query {
    /// The words, or their beginnings
    #[arg(allow_hyphen_values = true)]
    text: String,
    /// The maximum number of results
    #[arg(long, default_value_t = 10)]
    limit: usize,
    /// Only in conversations that match this filter, in JSON: {"isUnread": true}
    #[arg(long, value_name = "JSON", value_parser = filter)]
    filter: Option<ConversationFilter>,
}

/// Prints the results, newest first.
pub(crate) fn run_search(options: Options, session: SessionPlan) -> Outcome {
    run(session, async |app| match options.target {
        Target::Messages(query) => find(app, app.session.search_messages(), query).await,
        Target::Conversations(query) => find(app, app.session.search_conversations(), query).await,
    })
}

async fn find<T>(app: &App, search: Search<T>, query: Query) -> Result<(), CliError>
where
    T: Serialize + Show + Send + Sync + 'static,
{
    let filter = query.filter.unwrap_or_default();
    let mut page = search.set_query(query.text, filter).await?;
    while page.results.len() < query.limit && !page.loaded_all {
        let missing = query.limit - page.results.len();
        page = search.load_more(missing.min(MAX_PAGE)).await?;
    }
    let results: Vec<Arc<T>> = page.results.into_iter().take(query.limit).collect();
    Ok(app.printer.print_list(&results)?)
}

/// Reads a filter in JSON.
pub(crate) fn filter(text: &str) -> Result<ConversationFilter, String> {
    json::from_str(text).map_err(|error| format!("{error}; {FILTER_FORM}"))
}

/// The forms of a filter, for error messages.
const FILTER_FORM: &str = r#"expected an object of conditions, or ["any", [OBJECT, …]]:
  {"isUnread": true}  {"hasMessages": false}
  {"access": ["==", "Read"]}  {"access": ["!=", "Read"]}
  {"subject": ["==", "Tea"]}  {"subject": ["oneOf", ["Tea", null]]}
  {"custom": {"team": ["==", "blue"], "archived": "!exists"}}
  {"lastActivityAt": [">", 1700000000000]}  {"createdAt": ["between", [FROM, TO]]}
  ["any", [{"isUnread": true}, {"subject": ["==", "Tea"]}]]"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filter_error_shows_accepted_forms() {
        assert!(filter("{").unwrap_err().contains(FILTER_FORM));
        let forms = FILTER_FORM
            .lines()
            .skip(1)
            .flat_map(|line| line.trim().split("  "));
        for form in forms {
            let form = form.replace("FROM", "1").replace("TO", "2");
            assert!(filter(&form).is_ok(), "{form}");
        }
    }

    #[test]
    fn filter_lone_surrogates_are_replaced() {
        let replaced = filter(r#"{"subject": ["==", "a\ud83d"]}"#).unwrap();
        assert_eq!(
            replaced,
            filter(r#"{"subject": ["==", "a\ufffd"]}"#).unwrap()
        );
    }
}

//! Lists and their pages.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use http::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;
use talk_proto::Timestamp;
use talk_proto::content::RawJson;
use talk_proto::filter::ConversationFilter;

use crate::call::{Call, Payload, to_json};
use crate::error::InvalidCall;
use crate::model::{Conversation, Message, Reactor, User};

/// An item of a list.
pub trait ListItem: DeserializeOwned + private::Sealed {
    /// The member with the ID after which the next page starts.
    #[doc(hidden)]
    const ID: &'static str;
    /// The maximum number of items of a page.
    #[doc(hidden)]
    const MAX: usize;
}

mod private {
    #[expect(unnameable_types, reason = "other crates cannot implement it")]
    pub trait Sealed {}
}

macro_rules! items {
    ($($item:ident $id:literal $max:literal)*) => {
        $(
            impl private::Sealed for $item {}

            impl ListItem for $item {
                const ID: &'static str = $id;
                const MAX: usize = $max;
            }
        )*
    };
}

items! {
    User "id" 100
    Conversation "id" 30
    Message "id" 100
    Reactor "userId" 100
}

/// A page of a list.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The items that cannot be read. They do not affect the others.
    pub unreadable: Vec<RawJson>,
    /// The ID of the last item, readable or not.
    last_id: Option<String>,
}

impl<T> Deref for Page<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> IntoIterator for Page<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<T: fmt::Debug> fmt::Debug for Page<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("items", &self.items)
            .field("unreadable", &self.unreadable.len())
            .finish_non_exhaustive()
    }
}

fn page<T: ListItem>(json: Value) -> Result<Page<T>, String> {
    let data = match json {
        Value::Object(mut members) => members.remove("data").unwrap_or_default(),
        other => other,
    };
    let Value::Array(data) = data else {
        return Err("the answer is not a list".to_owned());
    };
    let last_id = data.last().and_then(|item| item.get(T::ID)?.as_str());
    let last_id = last_id.map(str::to_owned);
    let mut page = Page {
        items: Vec::with_capacity(data.len()),
        unreadable: Vec::new(),
        last_id,
    };
    for item in data {
        match T::deserialize(&item) {
            Ok(item) => page.items.push(item),
            Err(_) => page.unreadable.push(item.into()),
        }
    }
    Ok(page)
}

/// The request for a list.
///
/// ```
/// use talk_rest::users;
///
/// let online = users().is_online().limit(100).call()?;
/// # Ok::<(), talk_rest::InvalidCall>(())
/// ```
#[must_use]
pub struct List<T> {
    path: String,
    limit: Option<usize>,
    starting_after: Option<String>,
    parameters: Vec<(String, String)>,
    item: PhantomData<fn() -> T>,
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        Self {
            path: self.path.clone(),
            limit: self.limit,
            starting_after: self.starting_after.clone(),
            parameters: self.parameters.clone(),
            item: PhantomData,
        }
    }
}

/// Shows no parameters.
impl<T> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List")
            .field("path", &self.path)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl<T: ListItem> List<T> {
    pub(crate) fn new(path: String) -> Self {
        Self {
            path,
            limit: None,
            starting_after: None,
            parameters: Vec::new(),
            item: PhantomData,
        }
    }

    /// Sets the maximum number of items: up to 30 for conversations, up to 100 for other lists. The
    /// default of [`call`](Self::call) is the service's, which is not documented. The default of
    /// [`pages`](Self::pages) is the maximum.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Starts after the item with this ID.
    pub fn starting_after(mut self, id: impl AsRef<str>) -> Self {
        self.starting_after = Some(id.as_ref().to_owned());
        self
    }

    /// Adds a parameter that this version does not know.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Returns the call for one page.
    ///
    /// # Errors
    /// [`InvalidCall::Limit`].
    pub fn call(self) -> Result<Call<Page<T>>, InvalidCall> {
        if let Some(limit) = self.limit
            && !(1..=T::MAX).contains(&limit)
        {
            return Err(InvalidCall::Limit { limit, max: T::MAX });
        }
        let mut call = Call::new(Method::GET, self.path, Payload::None, page);
        let limit = self
            .limit
            .map(|limit| ("limit".to_owned(), limit.to_string()));
        call.parts.query.extend(limit);
        let after = self.starting_after.map(|id| (AFTER.to_owned(), id));
        call.parts.query.extend(after);
        call.parts.query.extend(self.parameters);
        Ok(call)
    }

    /// Returns the calls for all pages.
    ///
    /// # Errors
    /// [`InvalidCall::Limit`].
    pub fn pages(self) -> Result<Pages<T>, InvalidCall> {
        let limit = self.limit.unwrap_or(T::MAX);
        let call = self.limit(limit).call()?;
        Ok(Pages {
            call: Some(call),
            limit,
        })
    }
}

const AFTER: &str = "startingAfter";

/// The calls for the pages of a list.
///
/// The iterator returns the same call until [`received`](Self::received) gets its answer, so that a
/// failed call can be made again.
///
/// ```
/// use talk_rest::{Call, Page, RestError, model::User, users};
///
/// /// Prints the names of all users. `send` sends a call and decodes its response.
/// fn print_names(
///     send: impl Fn(Call<Page<User>>) -> Result<Page<User>, RestError>,
/// ) -> Result<(), Box<dyn std::error::Error>> {
///     let mut pages = users().pages()?;
///     while let Some(call) = pages.next() {
///         let page = send(call)?;
///         pages.received(&page);
///         for user in page {
///             println!("{}", user.name);
///         }
///     }
///     Ok(())
/// }
/// ```
#[must_use]
pub struct Pages<T> {
    call: Option<Call<Page<T>>>,
    limit: usize,
}

impl<T> Pages<T> {
    /// Passes the answer of the latest call. A page with fewer items than the limit is the last.
    pub fn received(&mut self, page: &Page<T>) {
        let length = page.items.len() + page.unreadable.len();
        let Some(call) = &mut self.call else {
            return;
        };
        let query = &mut call.parts.query;
        let previous = query.iter().find(|(name, _)| name == AFTER);
        let previous = previous.map(|(_, id)| id);
        match &page.last_id {
            // A service that ignores `startingAfter` would answer with the same page forever.
            Some(last) if length >= self.limit && Some(last) != previous => {
                let after = (AFTER.to_owned(), last.clone());
                query.retain(|(name, _)| name != AFTER);
                query.push(after);
            }
            _ => self.call = None,
        }
    }
}

impl<T> Iterator for Pages<T> {
    type Item = Call<Page<T>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.call.clone()
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("call", &self.call)
            .field("limit", &self.limit)
            .finish()
    }
}

impl List<User> {
    /// Restricts the list to users that are online.
    pub fn is_online(self) -> Self {
        self.parameter("isOnline", "true")
    }
}

/// The order of a list of conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrderBy {
    /// The time of the last activity.
    LastActivity,
    /// The time of creation (our choice of the name on the wire).
    CreatedAt,
}

/// The direction of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Direction {
    /// Oldest first.
    Ascending,
    /// Newest first.
    Descending,
}

impl List<Conversation> {
    /// Sets the order (default: by last activity, newest first).
    pub fn order(self, by: OrderBy, direction: Direction) -> Self {
        let by = match by {
            OrderBy::LastActivity => "lastActivity",
            OrderBy::CreatedAt => "createdAt",
        };
        let direction = match direction {
            Direction::Ascending => "ASC",
            Direction::Descending => "DESC",
        };
        self.parameter("orderBy", by)
            .parameter("orderDirection", direction)
    }

    /// Starts after this time in the order of the list. The time itself is excluded (our choice).
    pub fn offset(self, time: Timestamp) -> Self {
        self.time("offsetTs", time)
    }

    /// Restricts the list to conversations with a last message after this time.
    pub fn last_message_after(self, time: Timestamp) -> Self {
        self.time("lastMessageAfter", time)
    }

    /// Restricts the list to conversations with a last message before this time.
    pub fn last_message_before(self, time: Timestamp) -> Self {
        self.time("lastMessageBefore", time)
    }

    /// Restricts the list to conversations that match a filter. Only conditions on `custom` are
    /// known to work on the service.
    ///
    /// ```
    /// use talk_rest::{CustomFilter, SimpleFilter, StringFilter, conversations};
    ///
    /// let open = CustomFilter::Value(StringFilter::NoneOf(vec!["done".to_owned()]));
    /// let open = SimpleFilter::new().custom("state", open);
    /// let list = conversations().filter(&open.into());
    /// ```
    pub fn filter(self, filter: &ConversationFilter) -> Self {
        self.parameter("filter", to_json(filter).to_string())
    }

    /// Restricts the list of a user to conversations with unread messages. For the list of the app,
    /// the service documents no such parameter.
    pub fn unread(self) -> Self {
        self.parameter("unreadsOnly", "true")
    }

    fn time(self, name: &str, time: Timestamp) -> Self {
        self.parameter(name, time.as_millis().to_string())
    }
}

//! The control API: settings and faults of a running emulator.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::{Map, Value, json};

use super::control_extract::ControlBody;
use super::refusal::Refusal;
use super::state::Shell;
use crate::server::{Fault, Settings, parse_query};

/// The replacement of the secret in responses. In a patch it leaves the secret unchanged.
const MASK: &str = "***";

/// Returns the current settings, with a masked secret.
pub(crate) async fn settings(State(shell): State<Shell>) -> Result<Json<Settings>, Refusal> {
    let settings = shell
        .engine
        .call(|core, _| core.server.settings().clone())
        .await?;
    Ok(Json(masked(settings)))
}

/// Applies a JSON merge patch (RFC 7396) to the settings: null resets a member.
pub(crate) async fn change_settings(
    State(shell): State<Shell>,
    ControlBody(body): ControlBody,
) -> Result<Json<Settings>, Refusal> {
    let mut patch: Map<String, Value> = parse(&body)?;
    unmask(&mut patch);
    if let Some(Value::Object(webhooks)) = patch.get_mut("webhooks") {
        unmask(webhooks);
    }
    let changed = shell
        .engine
        .call(move |core, now| {
            let mut settings = serde_json::to_value(core.server.settings()).map_err(invalid)?;
            merge(&mut settings, patch.into());
            let settings: Settings = at_path(settings)?;
            if let Some(url) = &settings.webhooks.url {
                let check = core.webhook_hosts().check(url);
                check.map_err(|error| bad_request(error.to_string()))?;
            }
            Ok::<_, Refusal>(core.set_settings(now, settings))
        })
        .await?;
    Ok(Json(masked(changed?)))
}

/// Removes a masked secret from a patch.
fn unmask(patch: &mut Map<String, Value>) {
    if patch.get("secret").is_some_and(|secret| secret == MASK) {
        patch.remove("secret");
    }
}

fn masked(mut settings: Settings) -> Settings {
    let secrets = [&mut settings.secret, &mut settings.webhooks.secret];
    for secret in secrets.into_iter().flatten() {
        MASK.clone_into(secret);
    }
    settings
}

/// Returns the injected faults, and those that have struck.
pub(crate) async fn faults(State(shell): State<Shell>) -> Result<Json<Value>, Refusal> {
    let list = shell.engine.call(|core, _| {
        let armed: Vec<_> = core.server.armed_faults().collect();
        let struck: Vec<_> = core.server.struck_faults().collect();
        json!({ "armed": armed, "struck": struck })
    });
    Ok(Json(list.await?))
}

/// Discards all injected faults.
pub(crate) async fn disarm_faults(State(shell): State<Shell>) -> Result<Json<Value>, Refusal> {
    shell
        .engine
        .call(|core, now| core.server.disarm_faults(now))
        .await?;
    Ok(Json(json!({})))
}

/// Injects a fault.
pub(crate) async fn inject_fault(
    State(shell): State<Shell>,
    ControlBody(body): ControlBody,
) -> Result<Json<Value>, Refusal> {
    let fault: Fault = parse(&body)?;
    let check = fault.check();
    check.map_err(|reason| bad_request(reason.to_owned()))?;
    shell
        .engine
        .call(move |core, now| core.server.inject(now, fault))
        .await?;
    Ok(Json(json!({})))
}

fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    if let Value::Object(target) = target {
        for (key, value) in patch {
            if value.is_null() {
                target.remove(&key);
            } else {
                merge(target.entry(key).or_insert(Value::Null), value);
            }
        }
    }
}

pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = at_path(&mut json)?;
    json.end().map_err(invalid)?;
    Ok(value)
}

/// Deserializes JSON. An error names the member with the invalid value.
fn at_path<'de, T, D>(json: D) -> Result<T, Refusal>
where
    T: DeserializeOwned,
    D: Deserializer<'de, Error = serde_json::Error>,
{
    serde_path_to_error::deserialize(json).map_err(|error| {
        let path = error.path().to_string();
        match &*path {
            "." => invalid(error.into_inner()),
            path => bad_request(format!("{path}: {}", error.into_inner())),
        }
    })
}

/// The parameters of a query.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query with these parameters.
    pub(super) fn read(query: Option<String>, known: &[&str]) -> Result<Self, Refusal> {
        let query = query.unwrap_or_default();
        let pairs = parse_query(&query).filter(|(name, _)| !name.is_empty());
        let pairs: Vec<_> = pairs
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        match pairs.iter().find(|(name, _)| !known.contains(&&**name)) {
            Some((name, _)) => Err(bad_request(format!("The parameter {name:?} is unknown."))),
            None => Ok(Self(pairs)),
        }
    }

    /// Returns a parameter that is a number.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let value = self.0.iter().find(|(it, _)| it == name);
        let number = value.map(|(_, value)| value.parse()).transpose();
        number.map_err(|_| bad_request(format!("The parameter {name:?} must be a number.")))
    }

    /// Returns a parameter that is `true` or `false`.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        let value = self.0.iter().find(|(it, _)| it == name);
        let flag = value.map(|(_, value)| value.parse()).transpose();
        flag.map_err(|_| bad_request(format!("The parameter {name:?} must be true or false.")))
    }

    /// Returns the maximum length of a list.
    pub(super) fn limit(&self, default: usize) -> Result<usize, Refusal> {
        let limit = self.number("limit")?;
        Ok(limit.map_or(default, |limit| {
            usize::try_from(limit).unwrap_or(usize::MAX)
        }))
    }
}

fn invalid(error: serde_json::Error) -> Refusal {
    bad_request(error.to_string())
}

pub(super) fn bad_request(reason: String) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "INVALID_REQUEST", reason)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::merge;

    fn merged(mut target: Value, patch: Value) -> Value {
        merge(&mut target, patch);
        target
    }

    #[test]
    fn merge_patch_changes_given_members() {
        let before = json!({ "secret": "s", "sync": { "users": true, "conversations": true } });
        assert_eq!(
            merged(before.clone(), json!({ "sync": { "users": false } })),
            json!({ "secret": "s", "sync": { "users": false, "conversations": true } })
        );
        assert_eq!(merged(before.clone(), json!({})), before);
    }

    #[test]
    fn merge_patch_null_removes_member() {
        let before = json!({ "secret": "s", "sync": 1 });
        assert_eq!(
            merged(
                before,
                json!({ "secret": null, "sync": { "a": null, "b": 2 } })
            ),
            json!({ "sync": { "b": 2 } })
        );
        assert_eq!(merged(json!({}), json!([1])), json!([1]));
    }
}

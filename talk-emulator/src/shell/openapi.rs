//! The description of the control API and the REST API.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;

/// An OpenAPI 3.1 document. A test compares its paths with the tables of requests.
const DOCUMENT: &str = include_str!("openapi.json");

pub(crate) async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::DOCUMENT;
    use crate::server::rest_routes;
    use crate::shell::control_routes::{control_routes, page_routes};

    const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

    fn operations() -> Vec<(String, String, Value)> {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let mut operations = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                if METHODS.contains(&method.as_str()) {
                    let method = method.to_uppercase();
                    operations.push((method, path.clone(), operation.clone()));
                }
            }
        }
        operations
    }

    #[test]
    fn document_has_every_route_and_no_other() {
        let control = control_routes().into_iter().chain(page_routes());
        let control = control.map(|it| {
            (
                it.method.to_owned(),
                format!("/_emulator{}", it.path.replace("{*", "{")),
            )
        });
        let rest = rest_routes().map(|(method, path)| {
            let path = path.trim_end_matches('/');
            (method.to_owned(), format!("/v1/{{app}}{path}"))
        });
        let routes: BTreeSet<_> = control.chain(rest).collect();
        let documented = operations().into_iter();
        let documented: BTreeSet<_> = documented.map(|(method, path, _)| (method, path)).collect();
        assert_eq!(documented, routes);
    }

    #[test]
    fn document_describes_every_operation() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let mut ids = BTreeSet::new();
        for (method, path, operation) in operations() {
            let name = format!("{method} {path}");
            assert!(operation["summary"].is_string(), "{name}");
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{name}: {id} is used twice");
            assert!(operation["responses"]["200"].is_object(), "{name}");
            // Every parameter of the path is described.
            let shared = document["paths"][&path]["parameters"].as_array();
            let own = operation["parameters"].as_array();
            let described: BTreeSet<_> = shared
                .into_iter()
                .chain(own)
                .flatten()
                .map(|it| resolve(&document, it))
                .filter(|it| it["in"] == "path")
                .map(|it| it["name"].as_str().unwrap().to_owned())
                .collect();
            let parts = path.split('{').skip(1);
            let parts = parts.map(|part| part.split('}').next().unwrap().to_owned());
            assert_eq!(described, parts.collect(), "{name}");
        }
    }

    #[test]
    fn document_references_resolve() {
        fn check(document: &Value, value: &Value) {
            match value {
                Value::Object(object) => {
                    if object.contains_key("$ref") {
                        assert!(!resolve(document, value).is_null(), "{value}");
                    }
                    object.values().for_each(|value| check(document, value));
                }
                Value::Array(list) => list.iter().for_each(|value| check(document, value)),
                _ => {}
            }
        }
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        check(&document, &document);
    }

    fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => document
                .pointer(reference.trim_start_matches('#'))
                .unwrap_or(&Value::Null),
            None => value,
        }
    }
}

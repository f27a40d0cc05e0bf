//! The table of HTTP requests.

use serde::Serialize;
use serde_json::json;
use talk_proto::Timestamp;

use super::auth;
use super::fault::HttpFault;
use super::fault_injection;
use super::file::FileMetadata;
use super::files;
use super::http::{
    self, Address, Base, Download, HttpRequest, HttpResponse, StoredFile, UploadPermit,
};
use super::machine::Server;
use super::refusal::Refusal;
use super::reply::{Reply, done, reply};
use super::request_cx::RequestCx;
use super::{rest, search};

#[derive(Serialize)]
struct AnonymousTokenReply {
    boken: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Uploaded<'a> {
    file_token: &'a str,
    /// The former name, for older back ends (our choice).
    attachment_token: &'a str,
}

impl Server {
    /// Answers an HTTP request on any of the three bases, except uploads and downloads.
    ///
    /// The caller adds CORS headers and answers preflights.
    pub fn http(&mut self, now: Timestamp, request: &HttpRequest) -> HttpResponse {
        self.advance(now);
        self.record_http(request);
        let response = match self.fault_for_http(request).transpose() {
            Ok(fault) => fault_injection::attach(self.answer_http(request), fault),
            Err(refusal) => http::refuse(&refusal),
        };
        self.record_http_sent(request, &response);
        response
    }

    fn record_http(&mut self, request: &HttpRequest) {
        self.record_http_received(request);
        let app = Address::parse(request).map(|address| address.app);
        let line = (request.method().as_str(), request.uri().path());
        let body = serde_json::from_slice(request.body()).ok();
        self.record(&app.unwrap_or_default(), None, line, body);
    }

    fn answer_http(&mut self, request: &HttpRequest) -> HttpResponse {
        let Some(address) = Address::parse(request) else {
            let path = request.uri().path();
            let is_rest = path.starts_with("/v1/") || path.starts_with("/public_api/v1/");
            return match is_rest {
                true => rest::no_route(),
                false => http::refuse(&Refusal::route_not_found()),
            };
        };
        let path = address.path();
        let is_for_users = matches!(path.as_slice(), ["realtime" | "files" | "me", ..]);
        if address.base == Base::Rest && !is_for_users {
            return self.rest(request, &address);
        }
        if self.settings.refused_apps.contains(&address.app) {
            return http::refuse(&Refusal::app_not_found());
        }
        match (request.method().as_str(), address.base, path.as_slice()) {
            ("GET", Base::Internal, [] | [""]) => http::respond(done()),
            ("GET", Base::Internal, ["", "app"]) => {
                http::respond(self.app_of_components(request, &address.app))
            }
            ("GET", Base::Internal, ["bokens", user]) => {
                http::respond(self.anonymous_token(request, &address.app, user))
            }
            ("GET", Base::Rest, ["me", "messages", "search"]) => {
                self.search(request, &address.app, search::messages)
            }
            ("GET", Base::Rest, ["me", "conversations", "search"]) => {
                self.search(request, &address.app, search::conversations)
            }
            // Pages read the refusal of a socket and of a download.
            (_, Base::Rest, ["realtime", ..])
            | ("GET", Base::Rest, ["files", _, _])
            | (_, Base::Internal, _) => http::refuse(&Refusal::route_not_found()),
            _ => rest::no_route(),
        }
    }

    fn search(
        &mut self,
        request: &HttpRequest,
        app: &str,
        search: fn(&RequestCx<'_>, &HttpRequest) -> Result<HttpResponse, Refusal>,
    ) -> HttpResponse {
        let found = self.user_of(request, app).and_then(|user| {
            let me = user.ok_or_else(|| Refusal::unauthorized("The token names no user."))?;
            self.with_cx(app, &me, |cx| search(cx, request))
        });
        found.unwrap_or_else(|refusal| http::refuse(&refusal))
    }

    /// Returns the app configuration for UI components.
    fn app_of_components(&self, request: &HttpRequest, app: &str) -> Reply {
        let role = http::query(request, "role_name");
        let role = self.settings.role(role.as_deref().unwrap_or("default"));
        let features = [
            ("file_sharing", role.file_sharing),
            ("location_sharing", role.location_sharing),
        ];
        let features: Vec<&str> = features
            .into_iter()
            .filter(|(_, allowed)| *allowed)
            .map(|(name, _)| name)
            .collect();
        reply(&json!({
            "configuration": {},
            "features": features,
            "appMetadata": { "id": app, "name": app, "defaultLocale": "en-US", "custom": {} },
        }))
    }

    /// Issues a token for a user without one. With a secret, the user's signature is required.
    fn anonymous_token(&self, request: &HttpRequest, app: &str, user: &str) -> Reply {
        let secret = self.settings.secret();
        if let Some(secret) = secret {
            let signature = http::query(request, "signature").unwrap_or_default();
            if signature.is_empty() {
                return Err(Refusal::unauthorized(
                    "The app requires authentication: the client needs a token.",
                ));
            }
            if !auth::is_signature_of(secret, user, &signature) {
                return Err(Refusal::unauthorized("The signature is not this user's."));
            }
        }
        reply(&AnonymousTokenReply {
            boken: auth::issue(secret, app, user)?.expose().to_owned(),
        })
    }

    /// Checks an upload before its body is read.
    ///
    /// # Errors
    ///
    /// The response to send instead, if the token is invalid, the role forbids uploads, or the app
    /// is unknown.
    pub fn begin_upload(
        &mut self,
        now: Timestamp,
        request: &HttpRequest,
    ) -> Result<UploadPermit, Box<HttpResponse>> {
        self.advance(now);
        self.record_http(request);
        let permit = match upload_address(request) {
            None => Err(rest::no_route()),
            Some(address) if self.settings.refused_apps.contains(&address.app) => {
                Err(rest::no_app())
            }
            Some(address) => self
                .permit(request, address)
                .map_err(|refusal| http::refuse(&refusal)),
        };
        permit.map_err(|response| {
            self.record_http_sent(request, &response);
            Box::new(response)
        })
    }

    fn permit(&mut self, request: &HttpRequest, address: Address) -> Result<UploadPermit, Refusal> {
        let fault = self.fault_for_upload(request).transpose()?;
        let is_back_end = self.is_back_end(request, &address.app);
        let user = if is_back_end {
            String::new()
        } else {
            self.user_of(request, &address.app)?.unwrap_or_default()
        };
        self.with_cx(&address.app, &user, |cx| {
            files::check_allowed(cx, is_back_end)
        })?;
        let max_size = self.settings.limits.max_file_size.unwrap_or(u64::MAX);
        Ok(UploadPermit {
            app: address.app,
            max_size,
            user,
            token: self.random.id(""),
            fault,
            is_back_end,
            uri: request.uri().clone(),
        })
    }

    /// Stores the metadata of a complete upload.
    ///
    /// # Errors
    ///
    /// The response to send instead, if the file is too large or not allowed. The caller discards
    /// the contents.
    pub fn finish_upload(
        &mut self,
        now: Timestamp,
        permit: &UploadPermit,
        file: FileMetadata,
    ) -> Result<StoredFile, Box<HttpResponse>> {
        self.advance(now);
        let checked = self.with_cx(&permit.app, &permit.user, |cx| {
            files::check_upload(cx, &file, permit.is_back_end)
        });
        if let Err(refusal) = checked {
            let response = http::refuse(&refusal);
            self.record_upload(permit, &response);
            return Err(Box::new(response));
        }
        let token = permit.token.clone();
        let response = http::respond(reply(&Uploaded {
            file_token: &token,
            attachment_token: &token,
        }));
        self.record_upload(permit, &response);
        self.app_mut(&permit.app)
            .store
            .files
            .insert(token.clone(), file);
        Ok(StoredFile { token, response })
    }

    /// Records the response to an upload that is refused while its body arrives.
    pub fn note_refused_upload(
        &mut self,
        now: Timestamp,
        permit: &UploadPermit,
        response: &HttpResponse,
    ) {
        self.advance(now);
        self.record_upload_sent(&permit.uri, response);
    }

    /// Records the response to a complete upload, unless a fault replaces it.
    fn record_upload(&mut self, permit: &UploadPermit, response: &HttpResponse) {
        match permit.fault.map(|it| it.fault) {
            None | Some(HttpFault::Slow(_)) => self.record_upload_sent(&permit.uri, response),
            Some(HttpFault::Refuse {
                status,
                code,
                reason,
            }) => {
                let refusal = Refusal::new(status, code, reason);
                self.record_upload_sent(&permit.uri, &http::refuse(&refusal));
            }
            Some(HttpFault::Drop | HttpFault::Stall) => {}
        }
    }

    /// Returns the file that a `GET` requests. Returns `None` if the request is not a download or
    /// the file is unknown; [`Server::http`] then answers 404.
    pub fn download(&self, request: &HttpRequest) -> Option<Download> {
        let address = Address::parse(request)?;
        let method = request.method().as_str();
        let token = match (method, address.base, address.path().as_slice()) {
            ("GET", Base::Rest, ["files", token, _]) => (*token).to_owned(),
            _ => return None,
        };
        let file = self
            .apps
            .get(&address.app)?
            .store
            .files
            .get(&token)?
            .clone();
        Some(Download { token, file })
    }

    /// Returns the user of a request's token. Without a secret the token may name no user.
    pub(super) fn user_of(
        &self,
        request: &HttpRequest,
        app: &str,
    ) -> Result<Option<String>, Refusal> {
        let token = http::token(request)
            .ok_or_else(|| Refusal::unauthorized("The request has no `Authorization: Bearer`."))?;
        let known = self
            .apps
            .get(app)
            .and_then(|app| app.seen_tokens.user(token));
        let identity = auth::verify(self.settings.secret(), app, token, self.now)?;
        Ok(match (self.settings.secret(), known) {
            (None, Some(user)) => Some(user.to_owned()),
            _ => identity.user,
        })
    }
}

/// Returns the address of an upload. One trailing slash is tolerated.
fn upload_address(request: &HttpRequest) -> Option<Address> {
    let address = Address::parse(request)?;
    let method = request.method().as_str();
    let is_upload = matches!(
        (method, address.base, address.path().as_slice()),
        ("POST", Base::Rest, ["files"] | ["files", ""])
    );
    is_upload.then_some(address)
}

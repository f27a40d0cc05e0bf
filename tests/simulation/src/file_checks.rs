//! The driver's checks of files of entries, and the check of their uploads.

use talk_proto::{HttpBody, Input, RequestId};

use super::broken::broken;
use super::entry_files::uploaded_name;
use super::mail::{Address, Mail};
use super::world::World;

impl World {
    /// Returns the answer to a check of a file.
    pub(super) fn check_file(&mut self, who: usize, request: RequestId, path: &str) {
        let (process, at) = (self.address(who), self.arrival(who));
        let Some(stores) = &mut self.stores else {
            return;
        };
        let has_changed = self.now < stores.files.changed_until;
        if has_changed {
            stores.files.note_unreadable(path.trim_start_matches('/'));
        }
        let mail = Mail::FileChecked(process, request, has_changed);
        self.mailbox.put(at, mail);
    }

    pub(super) fn deliver_file_checked(
        &mut self,
        process: Address,
        request: RequestId,
        has_changed: bool,
    ) {
        if self.at(process).is_none() {
            return;
        }
        let result = if has_changed {
            Err("it has changed".to_owned())
        } else {
            Ok(())
        };
        self.input(process.who, Input::FileChecked { request, result });
    }

    /// Checks the upload of a file of an entry: a file whose token is stored is uploaded again only
    /// after the server has refused its message.
    pub(super) fn check_upload(&mut self, who: usize, body: &HttpBody) {
        let Some(name) = uploaded_name(body) else {
            return;
        };
        let Some(stores) = &mut self.stores else {
            return;
        };
        let Some((entry, place_in_entry)) = stores.files.attempted(&name) else {
            return;
        };
        let stored = stores.disks[who].stored_tokens(&entry, place_in_entry);
        let refusals = stores.entries[who].refusals(&entry, &stores.posts);
        if stored > refusals {
            let detail = format!("{name}: {stored} tokens, {refusals} refusals");
            broken("a file is uploaded once", detail);
        }
    }
}

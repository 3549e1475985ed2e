//! Voice messages that wait: what the pool publishes for the user alone, and the summary for telephones that subscribe to it.

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use presence_pidf::category::{CategoryInstance, CategoryPublish, Content, ExpireType, MessageWaiting};
use sip_lync::body::mwi::MessageSummary;

use super::subscription::{MESSAGE_SUMMARY, Package};
use super::{Event, FrontEnd};

impl FrontEnd {
    /// The mail box of a user has so many new voice messages: the pool publishes that for the user alone.
    ///
    /// MS-PRES 2.2.2.7 (mwi)
    pub fn set_voice_messages(&mut self, now: Instant, user: &str, unread: u32) {
        self.set_mailbox(now, user, unread, 0);
    }

    /// The same with those that were heard; endpoints that subscribed to the summary hear of it, too.
    ///
    /// MS-PRES 2.2.2.7 (mwi), RFC 3842 5.1
    pub fn set_mailbox(&mut self, now: Instant, user: &str, unread: u32, read: u32) {
        self.clock = Some(now);
        let user = user.to_ascii_lowercase();
        self.voice_messages.insert(user.clone(), (unread, read));
        let notifier = self.notifier(now);
        let held = notifier.publications(&user).find(|held| held.name == "mwi");
        let version = held.map_or(0, |held| held.version);
        let messages = MessageWaiting { waiting: unread > 0, unread, read };
        let mut publication = CategoryInstance::new("mwi", 0, SELF, Content::MessageWaiting(messages));
        publication.version = version;
        publication.expire_type = ExpireType::Static;
        let mut body = BytesMut::new();
        CategoryPublish { uri: user.as_str().into(), publications: vec![publication] }.emit(&mut body);
        if notifier.publish(now, &user, "pool", &body).is_ok() {
            self.tell(now);
        }
        let summary = self.message_summary(&user);
        self.notify_package(now, Package::MessageSummary, &user, MESSAGE_SUMMARY, &summary);
        self.report(Event::Messages { user, new: unread, old: read });
    }

    /// What waits for a user.
    pub(super) fn message_summary(&self, user: &str) -> Bytes {
        let (unread, read) = self.voice_messages.get(user).copied().unwrap_or_default();
        let summary = MessageSummary {
            waiting: unread > 0,
            account: Some(format!("sip:{user}")),
            voice: Some((unread, read)),
            urgent: None,
        };
        summary.to_string().into()
    }
}

/// The container that the user alone reads.
const SELF: u16 = 1;

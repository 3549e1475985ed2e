//! Generated bodies are read as they were written, and arbitrary octets never do harm.

use std::borrow::Cow;

use bytes::BytesMut;
use presence_pidf::category::{
    CategoryInstance, CategoryPublish, CategoryReport, Content, DeviceCategory, ExpireType, Fault,
    PublishedActivity, StateCategory, StateKind, VersionConflict, parse_publish, parse_report,
};
use proptest::prelude::*;

fn word() -> impl Strategy<Value = Cow<'static, str>> {
    "[a-zA-Z<>&'\"\u{e4} ]{1,12}".prop_map(|text| Cow::Owned(format!("x{text}x")))
}

fn kind() -> impl Strategy<Value = StateKind<'static>> {
    prop_oneof![
        Just(StateKind::Machine),
        Just(StateKind::Phone),
        Just(StateKind::User),
        Just(StateKind::Calendar),
        Just(StateKind::Aggregate),
        "[a-z]{3,9}".prop_map(|kind| StateKind::Other(kind.into())),
    ]
}

fn content() -> impl Strategy<Value = Content<'static>> {
    let activity = (prop::option::of(word()), any::<u32>(), any::<Option<u32>>()).prop_map(
        |(token, least, greatest)| PublishedActivity {
            token,
            least,
            greatest,
            custom: least
                .checked_sub(7)
                .map(|language| (language, Cow::Borrowed("x & y")))
                .into_iter()
                .collect(),
        },
    );
    let state = (kind(), any::<bool>(), any::<Option<u32>>(), prop::collection::vec(activity, 0..3))
        .prop_map(|(kind, manual, availability, activities)| {
            Content::State(StateCategory {
                kind,
                manual,
                availability,
                activities,
                ..StateCategory::default()
            })
        });
    prop_oneof![
        Just(Content::Nothing),
        state,
        (word(), prop::option::of(word())).prop_map(|(endpoint_id, machine_name)| Content::Device(
            DeviceCategory { machine_name, ..DeviceCategory::telephone(endpoint_id) }
        )),
    ]
}

fn instance() -> impl Strategy<Value = CategoryInstance<'static>> {
    let expire_type = prop_oneof![
        Just(ExpireType::Endpoint),
        Just(ExpireType::User),
        Just(ExpireType::Static),
        Just(ExpireType::Time)
    ];
    (word(), any::<u32>(), 0..=32767_u16, any::<u32>(), expire_type, any::<Option<u32>>(), content())
        .prop_map(|(name, instance, container, version, expire_type, expires, content)| CategoryInstance {
            name,
            instance,
            container,
            version,
            expire_type,
            expires,
            publish_time: None,
            content,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_published_is_read_again(uri in word(), mut publications in prop::collection::vec(instance(), 0..6)) {
        publications.sort_by(|a, b| a.key().cmp(&b.key()));
        publications.dedup_by(|a, b| a.key() == b.key());
        let publish = CategoryPublish { uri, publications };
        let mut out = BytesMut::new();
        publish.emit(&mut out);
        prop_assert_eq!(parse_publish(&out), Ok(publish));
    }

    #[test]
    fn what_is_reported_is_read_again(
        uri in word(),
        categories in prop::collection::vec(instance(), 0..6),
        gone in prop::collection::vec((word(), prop::option::of(0..=32767_u16)), 0..4),
    ) {
        let report = CategoryReport { uri, categories, gone };
        let mut out = BytesMut::new();
        report.emit(&mut out);
        prop_assert_eq!(parse_report(&out), Ok(report));
    }

    #[test]
    fn what_is_at_fault_is_read_again(code in word(), rows in prop::collection::vec(any::<(usize, u32, u32)>(), 0..6)) {
        let conflicts =
            rows.into_iter().map(|(index, version, current)| VersionConflict { index, version, current }).collect();
        let fault = Fault { code: code.into_owned(), conflicts };
        let mut out = BytesMut::new();
        fault.emit(&mut out);
        prop_assert_eq!(Fault::parse(&out), Ok(fault));
    }

    #[test]
    fn arbitrary_octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = (parse_publish(&octets), parse_report(&octets), Fault::parse(&octets));
    }

    #[test]
    fn a_damaged_body_never_panics(at in 0..1500_usize, octet in any::<u8>(), cut in any::<bool>()) {
        let mut body = include_bytes!("vectors/lync-categories.xml").to_vec();
        if cut {
            body.truncate(at);
        } else if let Some(place) = body.get_mut(at) {
            *place = octet;
        }
        let _ = (parse_publish(&body), parse_report(&body), Fault::parse(&body));
    }
}

//! Bodies of another client and its test server, as recorded.

use bytes::BytesMut;
use presence_pidf::category::{Content, ExpireType, StateKind, parse_publish, parse_report};

#[test]
fn a_publication_of_another_client_is_read() {
    let publish = parse_publish(include_bytes!("vectors/sipe-publish.xml")).expect("a client's publication");
    assert_eq!(publish.uri, "sip:bob@lab.test");
    let rows: Vec<_> = publish
        .publications
        .iter()
        .map(|row| {
            let what = match &row.content {
                Content::Device(device) => device.endpoint_id.to_string(),
                Content::State(state) => {
                    format!("{:?} {:?} {}", state.kind, state.availability, state.manual)
                }
                other => panic!("{other:?}"),
            };
            (row.instance, row.container, row.version, row.expire_type, what)
        })
        .collect();
    assert_eq!(rows.len(), 5);
    assert_eq!(
        rows[0],
        (323_118_387, 2, 0, ExpireType::Endpoint, "3e55d169-e043-5369-8c3f-a03ab82336a6".to_owned())
    );
    assert_eq!(rows[1], (825_501_267, 2, 0, ExpireType::Endpoint, "Machine Some(3500) false".to_owned()));
    assert_eq!(rows[3], (0x2000_0000, 2, 0, ExpireType::Static, "User Some(3500) true".to_owned()));
    let mut out = BytesMut::new();
    publish.emit(&mut out);
    assert_eq!(parse_publish(&out), Ok(publish));
}

#[test]
fn a_report_names_deleted_publications_with_their_new_versions() {
    let report = parse_report(include_bytes!("vectors/sipe-report.xml")).expect("a server's report");
    assert_eq!(report.categories.len(), 7);
    let deleted: Vec<_> = report.categories.iter().filter(|row| row.expires == Some(0)).collect();
    assert_eq!(
        deleted.iter().map(|row| (row.instance, row.container, row.version)).collect::<Vec<_>>(),
        [(2_203_499_692, 2, 2), (2_203_499_692, 3, 2)]
    );
    assert!(deleted.iter().all(|row| row.content == Content::Nothing));
    let machine = report.categories.iter().find(|row| match &row.content {
        Content::State(state) => state.kind == StateKind::Machine && row.container == 3,
        _ => false,
    });
    assert_eq!(machine.map(|row| (row.instance, row.version)), Some((861_322_412, 1)));
}

#[test]
fn instances_in_hexadecimal_digits_are_read_as_numbers() {
    let publish = parse_publish(include_bytes!("vectors/lync-publish.xml")).expect("a publication");
    let instances: Vec<_> = publish.publications.iter().map(|row| row.instance).collect();
    assert_eq!(instances, [0xe8a3_5845, 0x0c6c_034e, 0x8c3b_1a77, 0xbd01_9680]);
}

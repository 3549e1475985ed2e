//! The store: what is written is there after a restart.

mod authority;

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use authority::Folder;
use ipdect_server::config::StoreUrl;
use ipdect_server::core::vocabulary::{CallRecord, Restored, StoreWrite, Subscription};
use ipdect_server::store::{SessionRow, Store, StoreHandle, TokenHash};

const JIM: &str = "05003 0070387";
const ANN: &str = "05003 0070388";

fn open(folder: &Folder) -> Store {
    Store::open(&StoreUrl::Sqlite(folder.file("data/ipdect.db"))).unwrap()
}

fn at(ms: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(ms)
}

fn subscription(ipei: &str, key: u8) -> Subscription {
    Subscription {
        ipei: ipei.to_owned(),
        ipui: vec![0, 1, 2, 3, 4],
        uak: [key; 16],
        dsaa2: key.is_multiple_of(2),
    }
}

fn call(ipei: &str, number: u64) -> CallRecord {
    CallRecord {
        ipei: ipei.to_owned(),
        direction: "lync-to-handset",
        peer: format!("sip:{number}@example.net"),
        peer_name: "Ann Müller".to_owned(),
        started: at(number * 10_000),
        answered: number.is_multiple_of(2).then(|| at(number * 10_000 + 3_000)),
        ended: at(number * 10_000 + 9_000),
        outcome: "answered",
        cause: "200 OK".to_owned(),
        srtp: Some("AES_CM_128_HMAC_SHA1_80".to_owned()),
    }
}

#[test]
fn what_was_kept_is_restored_after_a_restart() {
    let folder = Folder::new("store");
    let mut store = open(&folder);
    assert_eq!(store.restored().unwrap(), Restored::default());
    let writes = [
        StoreWrite::Subscription(subscription(JIM, 1)),
        StoreWrite::Subscription(subscription(ANN, 2)),
        StoreWrite::Subscription(subscription(JIM, 3)),
        StoreWrite::Location { ipei: JIM.to_owned(), tpui: Some(0x000e_1234) },
        StoreWrite::Location { ipei: ANN.to_owned(), tpui: None },
        StoreWrite::PresenceEnd { ipei: JIM.to_owned(), at: Some(at(1_700_000_000_123)) },
        StoreWrite::PresenceEnd { ipei: JIM.to_owned(), at: Some(at(1_700_000_300_456)) },
    ];
    store.write_all(&writes).unwrap();
    drop(store);
    let restored = open(&folder).restored().unwrap();
    assert_eq!(restored.subscriptions, [subscription(JIM, 3), subscription(ANN, 2)]);
    assert_eq!(restored.locations, [(JIM.to_owned(), Some(0x000e_1234)), (ANN.to_owned(), None)]);
    assert_eq!(restored.presence_ends, [(JIM.to_owned(), at(1_700_000_300_456))]);
    let mut store = open(&folder);
    store.write(&StoreWrite::Detached { ipei: JIM.to_owned() }).unwrap();
    store.write(&StoreWrite::PresenceEnd { ipei: JIM.to_owned(), at: None }).unwrap();
    let restored = store.restored().unwrap();
    assert_eq!(restored.locations, [(ANN.to_owned(), None)]);
    assert_eq!(restored.presence_ends, []);
}

#[test]
fn the_end_of_access_rights_removes_key_and_location() {
    let folder = Folder::new("store");
    let mut store = open(&folder);
    store.write(&StoreWrite::Subscription(subscription(JIM, 1))).unwrap();
    store.write(&StoreWrite::Location { ipei: JIM.to_owned(), tpui: Some(1) }).unwrap();
    store.write(&StoreWrite::Unsubscribed { ipei: JIM.to_owned() }).unwrap();
    let restored = store.restored().unwrap();
    assert!(restored.subscriptions.is_empty() && restored.locations.is_empty());
}

#[test]
fn the_call_log_gives_the_newest_first_and_keeps_a_thousand_a_handset() {
    let folder = Folder::new("store");
    let mut store = open(&folder);
    let writes: Vec<_> = (0..1_005).map(|number| StoreWrite::Call(call(JIM, number))).collect();
    store.write_all(&writes).unwrap();
    store.write(&StoreWrite::Call(call(ANN, 7))).unwrap();
    let all = store.calls(None, 2).unwrap();
    assert_eq!((all[0].ipei.as_str(), all[1].ipei.as_str()), (ANN, JIM));
    assert_eq!((all[0].answered, all[1].answered), (None, Some(at(10_043_000))));
    assert_eq!(all[1].peer, "sip:1004@example.net");
    assert_eq!(
        (all[1].peer_name.as_str(), all[1].started, all[1].ended),
        ("Ann Müller", at(10_040_000), at(10_049_000))
    );
    assert_eq!(store.calls(Some(JIM), 5_000).unwrap().len(), 1_000);
    assert_eq!(store.calls(Some(ANN), 5_000).unwrap().len(), 1);
}

#[test]
fn sessions_end_by_time_by_logout_and_by_a_new_password() {
    let folder = Folder::new("store");
    let mut store = open(&folder);
    assert!(!store.has_administrator().unwrap());
    store.put_administrator("admin", "hash-1").unwrap();
    assert!(store.has_administrator().unwrap());
    assert_eq!(store.password_hash("admin").unwrap().as_deref(), Some("hash-1"));
    assert_eq!(store.password_hash("root").unwrap(), None);
    let session = |byte, expires| SessionRow {
        token: TokenHash([byte; 32]),
        administrator: "admin".to_owned(),
        expires: at(expires),
    };
    store.put_session(&session(1, 10_000), at(0)).unwrap();
    store.put_session(&session(2, 20_000), at(0)).unwrap();
    assert_eq!(store.session(&TokenHash([1; 32]), at(9_999)).unwrap(), Some(session(1, 10_000)));
    assert_eq!(store.session(&TokenHash([1; 32]), at(10_000)).unwrap(), None);
    store.remove_session(&TokenHash([2; 32])).unwrap();
    assert_eq!(store.session(&TokenHash([2; 32]), at(0)).unwrap(), None);
    store.put_administrator("admin", "hash-2").unwrap();
    assert_eq!(store.session(&TokenHash([1; 32]), at(0)).unwrap(), None);
}

#[cfg(unix)]
#[test]
fn the_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("store");
    drop(open(&folder));
    let mode = std::fs::metadata(folder.file("data/ipdect.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_store_that_cannot_be_used_says_what_to_do() {
    let folder = Folder::new("store");
    std::fs::write(folder.file("file"), "in the way").unwrap();
    let error = Store::open(&StoreUrl::Sqlite(folder.file("file/ipdect.db"))).unwrap_err().to_string();
    assert!(error.contains("data folder cannot be written") && error.contains("store.url"), "{error}");
    let error = Store::open(&StoreUrl::Sqlite(Path::new("/proc/ipdect/ipdect.db").to_owned()))
        .unwrap_err()
        .to_string();
    assert!(error.contains("data folder cannot be written"), "{error}");
    std::fs::write(folder.file("junk.db"), "this is no database, whatever its name says".repeat(100))
        .unwrap();
    let error = Store::open(&StoreUrl::Sqlite(folder.file("junk.db"))).unwrap_err().to_string();
    assert!(error.contains("restore a copy"), "{error}");
}

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    let folder = Folder::new("store");
    drop(open(&folder));
    let file = folder.file("data/ipdect.db");
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let error = Store::open(&StoreUrl::Sqlite(file)).unwrap_err().to_string();
    assert!(error.contains("newer version (schema 99"), "{error}");
}

#[tokio::test]
async fn the_thread_answers_after_what_was_written_before() {
    let folder = Folder::new("store");
    let (handle, thread) = StoreHandle::start(open(&folder)).unwrap();
    for number in 0..2_000 {
        assert!(handle.write(StoreWrite::Call(call(JIM, number))));
    }
    let newest = handle.ask(|store| store.calls(Some(JIM), 1)).await.unwrap().unwrap();
    assert_eq!(newest[0].peer, "sip:1999@example.net");
    assert!(handle.write(StoreWrite::Subscription(subscription(JIM, 9))));
    drop(handle);
    thread.join().unwrap();
    assert_eq!(open(&folder).restored().unwrap().subscriptions, [subscription(JIM, 9)]);
}

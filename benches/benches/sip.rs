//! SIP messages: all header lines split and named, the fields of every transaction typed, and the message written again,
//! beside the parsers a user could pick and beside floors.
//!
//! The corpus is that of `sip-lync/tests/vectors/lync`: forty messages in the dialect of Lync. Timed are those that every
//! row accepts in every task; how many each accepts is printed first.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use benches::turns::Turns;
use bytes::{Bytes, BytesMut};
use sip_lync::headers::{Transport, Via};
use sip_lync::{Edit, HeaderName, Message, MessageView};

/// One parser: what it makes of a message, `None` if it does not accept it.
type Task = fn(&Bytes) -> Option<usize>;

struct Row {
    who: &'static str,
    split: Task,
    typed: Option<Task>,
    written: Option<Task>,
}

fn corpus() -> Vec<Bytes> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sip-lync/tests/vectors/lync");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("the corpus").flatten().map(|file| file.path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).expect("a message").into()).collect()
}

fn ours_split(wire: &Bytes) -> Option<usize> {
    MessageView::parse(wire).ok().map(|view| black_box(&view).len())
}

fn ours_typed(wire: &Bytes) -> Option<usize> {
    let view = MessageView::parse(wire).ok()?;
    let via = view.via().ok()??;
    let (from, to) = (view.from().ok()??, view.to().ok()??);
    let call_id = view.call_id().ok()??;
    let (number, method) = view.cseq().ok()??;
    let contact = view.contact().ok()?.map_or("", |contact| contact.uri);
    let route = view.route().ok()?.map_or("", |route| route.uri);
    black_box((via.host, via.port, via.branch(), from.uri, from.tag(), to.uri, to.tag()));
    black_box((call_id, method, contact, route));
    Some(number as usize)
}

thread_local! {
    static OUT: std::cell::RefCell<BytesMut> = std::cell::RefCell::new(BytesMut::with_capacity(1 << 16));
    static VIA: Via = Via::new(Transport::Tls, "proxy.example.net", Some(5061)).with_branch("z9hG4bK77aa12");
}

fn ours_written(wire: &Bytes) -> Option<usize> {
    let view = MessageView::parse(wire).ok()?;
    OUT.with_borrow_mut(|out| {
        out.clear();
        view.pass_on(&[], out);
        Some(black_box(&*out).len())
    })
}

fn ours_passed_on(wire: &Bytes) -> Option<usize> {
    let view = MessageView::parse(wire).ok()?;
    OUT.with_borrow_mut(|out| {
        out.clear();
        VIA.with(|via| {
            let edits = [Edit::Push(&HeaderName::Via, via), Edit::Pop(&HeaderName::Route)];
            view.pass_on(&edits, out);
        });
        Some(black_box(&*out).len())
    })
}

fn ours_value(wire: &Bytes) -> Option<usize> {
    let message = Message::parse(wire.clone()).ok()?;
    OUT.with_borrow_mut(|out| {
        out.clear();
        message.emit(out);
        Some(black_box(&*out).len())
    })
}

/// The table of header lines of a made-for-it kernel: every line end looked for, names taken by length and first bytes.
/// Nothing is checked.
#[cfg(feature = "sip-peers")]
fn prototype(wire: &Bytes) -> Option<usize> {
    let mut table = [(0_u8, 0_u32, 0_u32); 64];
    let (mut count, mut start) = (0, 0);
    for feed in memchr::memchr_iter(b'\n', wire) {
        let line = wire.get(start..feed)?;
        if line.len() <= 1 {
            break;
        }
        let first =
            line.first_chunk::<8>().map_or(0, |chunk| u64::from_le_bytes(*chunk) | 0x2020_2020_2020_2020);
        let colon = line.iter().take(40).position(|&b| b == b':').unwrap_or(0);
        let id = (first.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 57) as u8 ^ colon as u8;
        if let Some(slot) = table.get_mut(count) {
            *slot = (id, (start + colon + 2) as u32, feed as u32 - 1);
        }
        count += 1;
        start = feed + 1;
    }
    black_box(&table);
    Some(count)
}

#[cfg(feature = "sip-peers")]
mod peers {
    #![expect(unsafe_code, reason = "libraries written in C are called")]

    use std::hint::black_box;

    use bytes::Bytes;

    use super::Row;

    unsafe extern "C" {
        fn sofia_sip(data: *const u8, length: usize, what: i32) -> usize;
        fn osip_sip(data: *const u8, length: usize, what: i32) -> usize;
        fn re_sip(data: *const u8, length: usize, what: i32) -> usize;
    }

    macro_rules! c_peer {
        ($function:ident, $what:literal) => {
            |wire: &Bytes| {
                // SAFETY: the shim reads `length` octets at `data` and keeps nothing.
                let result = unsafe { $function(wire.as_ptr(), wire.len(), $what) };
                (result > 0).then_some(result)
            }
        };
    }

    pub(super) fn rows() -> Vec<Row> {
        vec![
            Row {
                who: "sofia-sip 1.12",
                split: c_peer!(sofia_sip, 0),
                typed: Some(c_peer!(sofia_sip, 1)),
                written: Some(c_peer!(sofia_sip, 2)),
            },
            Row {
                who: "libosip2 5.3",
                split: c_peer!(osip_sip, 0),
                typed: Some(c_peer!(osip_sip, 1)),
                written: Some(c_peer!(osip_sip, 2)),
            },
            Row {
                who: "libre 1.1",
                split: c_peer!(re_sip, 0),
                typed: Some(c_peer!(re_sip, 1)),
                written: None,
            },
            Row {
                who: "rsip 0.4",
                split: |wire| rsip_message(wire).map(|_| 1),
                typed: Some(rsip_typed),
                written: Some(|wire| rsip_message(wire).map(|message| Vec::<u8>::from(message).len())),
            },
            Row {
                who: "rsipstack 0.7",
                split: |wire| rsipstack_message(wire).map(|_| 1),
                typed: Some(rsipstack_typed),
                written: Some(|wire| rsipstack_message(wire).map(|message| Vec::<u8>::from(message).len())),
            },
            Row {
                who: "ezk-sip-types 0.6",
                split: |wire| ezk_message(wire).map(|(_, headers)| black_box(&headers).iter().count()),
                typed: Some(ezk_typed),
                written: Some(ezk_written),
            },
            Row {
                who: "sip-core 0.3",
                split: |wire| sip_core_message(wire).map(|_| 1),
                typed: None,
                written: Some(|wire| sip_core_message(wire).map(|message| message.to_bytes().len())),
            },
        ]
    }

    fn rsip_message(wire: &Bytes) -> Option<rsip::SipMessage> {
        rsip::SipMessage::try_from(&wire[..]).ok()
    }

    fn rsip_typed(wire: &Bytes) -> Option<usize> {
        use rsip::message::HeadersExt;
        use rsip::prelude::*;
        let message = rsip_message(wire)?;
        let via = message.via_header().ok()?.typed().ok()?;
        let from = message.from_header().ok()?.typed().ok()?;
        let to = message.to_header().ok()?.typed().ok()?;
        let cseq = message.cseq_header().ok()?.typed().ok()?;
        let call_id = message.call_id_header().ok()?;
        black_box((&via, &from, &to, call_id));
        if let Ok(contact) = message.contact_header() {
            black_box(contact.typed().ok()?);
        }
        if let Some(route) = message.route_header() {
            black_box(route.typed().ok()?);
        }
        Some(cseq.seq as usize)
    }

    fn rsipstack_message(wire: &Bytes) -> Option<rsipstack::sip::SipMessage> {
        rsipstack::sip::SipMessage::try_from(wire.clone()).ok()
    }

    fn rsipstack_typed(wire: &Bytes) -> Option<usize> {
        use rsipstack::sip::HeadersExt;
        use rsipstack::sip::prelude::*;
        let message = rsipstack_message(wire)?;
        let via = message.via_header().ok()?.typed().ok()?;
        let from = message.from_header().ok()?.typed().ok()?;
        let to = message.to_header().ok()?.typed().ok()?;
        let cseq = message.cseq_header().ok()?.typed().ok()?;
        let call_id = message.call_id_header().ok()?;
        black_box((&via, &from, &to, &cseq, call_id));
        if let Ok(contact) = message.contact_header() {
            black_box(contact.typed().ok()?);
        }
        if let Some(route) = message.route_header() {
            black_box(route.typed().ok()?);
        }
        Some(1)
    }

    type EzkMessage = (ezk_sip_types::msg::MessageLine, ezk_sip_types::Headers);

    fn ezk_message(wire: &Bytes) -> Option<EzkMessage> {
        use ezk_sip_types::msg::{Line, MessageLine, PullParser};
        use ezk_sip_types::parse::Parse;
        let mut lines = PullParser::new(wire, 0);
        let first = core::str::from_utf8(lines.next()?.ok()?).ok()?;
        let (_, start) = MessageLine::parse(wire)(first).ok()?;
        let mut headers = ezk_sip_types::Headers::new();
        for line in lines {
            let line = core::str::from_utf8(line.ok()?).ok()?;
            let (_, line) = Line::parse(wire, line).ok()?;
            headers.insert(line.name, line.value);
        }
        Some((start, headers))
    }

    fn ezk_typed(wire: &Bytes) -> Option<usize> {
        use ezk_sip_types::Name;
        use ezk_sip_types::header::typed::{CSeq, CallID, Contact, FromTo, Routing, Via};
        let (_, headers) = ezk_message(wire)?;
        let via: Vec<Via> = headers.get(Name::VIA).ok()?;
        let from: FromTo = headers.get(Name::FROM).ok()?;
        let to: FromTo = headers.get(Name::TO).ok()?;
        let call_id: CallID = headers.get_named().ok()?;
        let cseq: CSeq = headers.get_named().ok()?;
        black_box((&via, &from, &to, &call_id));
        if headers.contains(&Name::CONTACT) {
            let contact: Vec<Contact> = headers.get(Name::CONTACT).ok()?;
            black_box(&contact);
        }
        if headers.contains(&Name::ROUTE) {
            let route: Vec<Routing> = headers.get(Name::ROUTE).ok()?;
            black_box(&route);
        }
        Some(cseq.cseq as usize)
    }

    fn ezk_written(wire: &Bytes) -> Option<usize> {
        use ezk_sip_types::print::{AppendCtx, PrintCtx};
        let (start, headers) = ezk_message(wire)?;
        let text = format!("{}\r\n{}\r\n", start.print_ctx(PrintCtx::default()), headers);
        let body = wire.windows(4).position(|at| at == b"\r\n\r\n")? + 4;
        Some(black_box([text.as_bytes(), &wire[body..]].concat()).len())
    }

    fn sip_core_message(wire: &Bytes) -> Option<sip_core::SipMessage> {
        sip_core::SipMessage::parse(core::str::from_utf8(wire).ok()?).ok()
    }
}

/// The heads with an HTTP start line.
#[cfg(feature = "sip-peers")]
fn as_http(messages: &[Bytes]) -> Vec<Vec<u8>> {
    let dressed = |wire: &Bytes| {
        let start = wire.windows(2).position(|at| at == b"\r\n")?;
        let end = wire.windows(4).position(|at| at == b"\r\n\r\n")? + 4;
        Some([b"GET / HTTP/1.1", wire.get(start..end)?].concat())
    };
    messages.iter().filter_map(dressed).collect()
}

fn run<'a>(turns: Turns<'a>, who: &'a str, task: Task, messages: &'a [Bytes]) -> Turns<'a> {
    let mut at = 0;
    turns.each(who, move || {
        at = if at + 1 < messages.len() { at + 1 } else { 0 };
        black_box(task(black_box(&messages[at])));
    })
}

fn main() {
    let messages = corpus();
    #[cfg_attr(not(feature = "sip-peers"), expect(unused_mut, reason = "peers are added"))]
    let mut rows =
        vec![Row { who: "ours", split: ours_split, typed: Some(ours_typed), written: Some(ours_written) }];
    #[cfg(feature = "sip-peers")]
    rows.extend(peers::rows());

    let tasks = |row: &Row| [Some(row.split), row.typed, row.written];
    println!("accepted of {}: split, typed, written", messages.len());
    for row in &rows {
        let accepted = tasks(row).map(|task| {
            task.map_or_else(
                || "-".to_owned(),
                |task| messages.iter().filter(|wire| task(wire).is_some()).count().to_string(),
            )
        });
        println!("  {:<24} {}", row.who, accepted.join(" "));
    }
    let by_all = |wire: &&Bytes| rows.iter().flat_map(tasks).flatten().all(|task| task(wire).is_some());
    let common: Vec<Bytes> = messages.iter().filter(by_all).cloned().collect();
    let octets: usize = common.iter().map(Bytes::len).sum();
    println!("timed are {} messages of {} octets in the mean", common.len(), octets / common.len().max(1));

    let mut turns = Turns::new("SIP: all header lines split and named");
    for row in &rows {
        turns = run(turns, row.who, row.split, &common);
    }
    #[cfg(feature = "sip-peers")]
    {
        let http = as_http(&common);
        turns = run(
            turns,
            "floor: every CR looked for",
            |wire| Some(memchr::memchr_iter(b'\r', wire).count()),
            &common,
        );
        turns = run(turns, "floor: header table, unchecked", prototype, &common);
        let mut at = 0;
        turns = turns.each("floor: httparse, heads dressed as HTTP", move || {
            at = if at + 1 < http.len() { at + 1 } else { 0 };
            let mut lines = [httparse::EMPTY_HEADER; 64];
            black_box(httparse::Request::new(&mut lines).parse(black_box(&http[at])).is_ok());
        });
        turns.finish();
    }
    #[cfg(not(feature = "sip-peers"))]
    turns.finish();

    let mut turns = Turns::new("SIP: and Via, From, To, Call-ID, CSeq, Contact, Route typed");
    for row in &rows {
        if let Some(task) = row.typed {
            turns = run(turns, row.who, task, &common);
        }
    }
    turns.finish();

    let mut turns = Turns::new("SIP: parsed and written again");
    for row in &rows {
        if let Some(task) = row.written {
            turns = run(turns, row.who, task, &common);
        }
    }
    turns = run(turns, "ours, Via pushed and Route popped", ours_passed_on, &common);
    turns = run(turns, "ours, as an owned value", ours_value, &common);
    turns = run(
        turns,
        "floor: copy",
        |wire| {
            OUT.with_borrow_mut(|out| {
                out.clear();
                out.extend_from_slice(wire);
                Some(black_box(&*out).len())
            })
        },
        &common,
    );
    turns.finish();
}

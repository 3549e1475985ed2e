//! What the scan finds.

use proptest::prelude::*;

use super::*;
use crate::headers::HeaderName;

/// What the header lines are, read with and without masks.
fn both(head: &[u8]) -> [Result<(Vec<Line>, usize), ParseError>; 2] {
    let limits = Limits { head: 5000, line: 3000, headers: 40, ..Limits::DEFAULT };
    let mut lines = Vec::new();
    let masked = Head::new(0, LineEnds::Strict).lines(head, &limits, |line| lines.push(line));
    let masked = masked.map(|body| (lines, body));
    let mut lines = Vec::new();
    let (mut at, mut count) = (0, 0);
    let plain = loop {
        match header_line(head, at, LineEnds::Strict) {
            Err(error) => break Err(error),
            Ok(Step::End) => break Ok((lines, at)),
            Ok(Step::Body(body)) => break Ok((lines, body)),
            Ok(Step::Line(line)) => {
                let end = line.end as usize;
                if end - at > limits.line {
                    break Err(ParseError::new(at, Rule::LineTooLong));
                }
                if end > limits.head {
                    break Err(ParseError::new(at, Rule::HeadTooLong));
                }
                if count == limits.headers {
                    break Err(ParseError::new(at, Rule::TooManyHeaders));
                }
                count += 1;
                lines.push(line);
                at = end;
            }
        }
    };
    [masked, plain]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn masks_and_single_lines_give_the_same(pieces in prop::collection::vec(piece(), 0..60)) {
        let [masked, plain] = both(&pieces.concat());
        prop_assert_eq!(masked, plain);
    }
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let whole: &[&str] = &[
        "Via: SIP/2.0/TLS a\r\n",
        "v:\tx \t\r\n",
        "X-Other: y\r\n",
        "To:\r\n",
        "t:  \r\n",
        "CSeq : 1 A\r\n",
        "From: a\r\n b\r\n",
        "Subject:\r\n  folded\r\n",
        "Content-Length: 0\r\n",
        "Ms-Endpoint-Location-Data: 1\r\n",
    ];
    let part: &[&str] =
        &["\r\n", "\r", "\n", " ", ":", "a", "\r\n\r\n", "\r\n ", "Allow", "Call-ID", "\u{e9}"];
    prop_oneof![
        8 => prop::sample::select(whole).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::sample::select(part).prop_map(|text| text.as_bytes().to_vec()),
        1 => (1usize..2500).prop_map(|length| format!("Subject: {}\r\n", "s".repeat(length)).into_bytes()),
        1 => (50usize..140, prop::sample::select(&b":: \0"[..])).prop_map(|(length, end)| {
            format!("{}{}:\r\n", "n".repeat(length), char::from(end)).into_bytes()
        }),
    ]
}

fn line(head: &[u8]) -> Result<(String, String, u8, bool), Rule> {
    match header_line(head, 0, LineEnds::Strict).map_err(|e| e.rule)? {
        Step::Line(l) => {
            let text =
                |from: u32, to: u32| String::from_utf8_lossy(&head[from as usize..to as usize]).into_owned();
            Ok((text(0, u32::from(l.name)), text(l.value, l.value_end), l.number, l.folded))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn names_blanks_and_values_are_split() {
    let via = HeaderName::Via.number();
    assert_eq!(line(b"Via: x\r\n"), Ok(("Via".into(), "x".into(), via, false)));
    assert_eq!(line(b"v  :\tx y \t\r\n\r\n"), Ok(("v".into(), "x y".into(), via, false)));
    assert_eq!(
        line(b"s :\r\nA: b\r\n"),
        Ok(("s".into(), String::new(), HeaderName::Subject.number(), false))
    );
    assert_eq!(line(b"VIA:x"), Ok(("VIA".into(), "x".into(), via, false)));
}

#[test]
fn folds_belong_to_the_value() {
    assert_eq!(line(b"To :\r\n a\r\n").unwrap().1, "a");
    let (_, value, _, folded) = line(b"X: a\r\n\tb \r\n  \r\nY: z\r\n").unwrap();
    assert_eq!(value, "a\r\n\tb");
    assert!(folded);
}

#[test]
fn broken_lines_are_refused_where_they_break() {
    assert_eq!(line(b"Foobar roobar\r\n"), Err(Rule::Colon));
    assert_eq!(line(b": x\r\n"), Err(Rule::HeaderName));
    assert_eq!(line(b"A: b\nC: d\r\n"), Err(Rule::LineEnd));
    assert_eq!(line(b"A: b\rC: d\r\n"), Err(Rule::LineEnd));
    assert!(header_line(b"A: b\nC: d", 0, LineEnds::Lenient).is_ok());
}

#[test]
fn the_line_end_is_found_at_every_offset() {
    for length in 0..40 {
        let mut text = vec![b'\t'; length];
        text.extend_from_slice(b"\xff\x8d\r\nrest of it all");
        for from in 0..=length {
            assert_eq!(line_end(&text, from), length + 2);
        }
    }
    assert_eq!(line_end(b"abcdefghij", 0), 10);
    assert_eq!(line_end(b"", 5), 5);
}

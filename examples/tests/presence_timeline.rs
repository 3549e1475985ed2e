//! What `presence-timeline` prints.

#[expect(dead_code, reason = "`main` is not called here")]
#[path = "../examples/presence-timeline.rs"]
mod presence_timeline;

use std::time::Instant;

use clap::Parser;
use presence_timeline::{Options, run};

fn lines(options: &[&str], input: &str) -> Vec<String> {
    let options = Options::parse_from(["presence-timeline"].iter().chain(options));
    let mut output = Vec::new();
    run(options, Instant::now(), input.as_bytes(), &mut output).expect("memory can be written");
    String::from_utf8(output).expect("UTF-8").lines().map(str::to_owned).collect()
}

/// `t` and `phase` of each line.
fn phases(options: &[&str], input: &str) -> Vec<(u64, String)> {
    lines(options, input)
        .iter()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            (line["t"].as_u64().expect("a time"), line["phase"].as_str().expect("a phase").to_owned())
        })
        .collect()
}

fn expected(rows: &[(u64, &str)]) -> Vec<(u64, String)> {
    rows.iter().map(|(t, phase)| (*t, (*phase).to_owned())).collect()
}

#[test]
fn a_call_and_the_ten_minutes_after_it() {
    let input = r#"{"t":5000,"ev":"ringing","call":"a"}
{"t":9000,"ev":"answered","call":"a","conference":false}
{"t":60000,"ev":"ended","call":"a"}
{"t":9000000,"ev":"until"}"#;
    assert_eq!(
        lines(&[], input),
        [
            r#"{"t":0,"phase":"Away","machine":15500,"phone":null,"activity":null}"#,
            r#"{"t":9000,"phase":"InCall","machine":3500,"phone":6500,"activity":"on-the-phone"}"#,
            r#"{"t":60000,"phase":"Available","machine":3500,"phone":null,"activity":null}"#,
            r#"{"t":360000,"phase":"Inactive","machine":5000,"phone":null,"activity":null}"#,
            r#"{"t":660000,"phase":"Away","machine":15500,"phone":null,"activity":null}"#,
        ]
    );
}

#[test]
fn no_time_passes_at_the_end_and_until_is_inclusive() {
    let call = "{\"t\":0,\"ev\":\"answered\",\"call\":\"a\"}\n{\"t\":1,\"ev\":\"ended\",\"call\":\"a\"}\n";
    let start = [(0, "Away"), (0, "InCall"), (1, "Available")];
    assert_eq!(phases(&[], call), expected(&start));
    let until = |t| phases(&[], &format!("{call}{{\"t\":{t},\"ev\":\"until\"}}"));
    assert_eq!(until(300_000), expected(&start));
    assert_eq!(until(300_001), expected(&[&start[..], &[(300_001, "Inactive")]].concat()));
}

#[test]
fn a_call_of_no_length_is_not_shown_but_counts() {
    let input = "{\"t\":7,\"ev\":\"answered\",\"call\":\"a\"}\n{\"t\":7,\"ev\":\"ended\",\"call\":\"a\"}\n{\"t\":99,\"ev\":\"until\"}";
    assert_eq!(phases(&[], input), expected(&[(0, "Away"), (7, "Available")]));
}

#[test]
fn a_restart_always_prints_and_resumes_what_was_stored() {
    let input = "{\"t\":10,\"ev\":\"restart\"}\n{\"t\":20,\"ev\":\"restart\",\"stored_end_age_ms\":299000}\n{\"t\":400000,\"ev\":\"until\"}";
    let rows = [(0, "Away"), (10, "Away"), (20, "Available"), (1020, "Inactive"), (301_020, "Away")];
    assert_eq!(phases(&[], input), expected(&rows));
}

#[test]
fn options_do_what_they_say() {
    let day = r#"{"t":0,"ev":"answered","call":"a","conference":true}
{"t":1000,"ev":"handset_lost"}
{"t":2000,"ev":"dialling","call":"b"}
{"t":90000,"ev":"until"}"#;
    let rows = [(0, "Away"), (0, "InCall"), (1000, "Available")];
    assert_eq!(phases(&[], day), expected(&rows));
    let rows = [(0, "Away"), (0, "InConference"), (1000, "Away")];
    assert_eq!(phases(&["--show-conference", "--out-of-range", "away"], day), expected(&rows));
    let any = phases(&["--activity", "any-use", "--t1-ms", "1500", "--t2-ms", "100"], day);
    assert_eq!(any[3..], expected(&[(3500, "Inactive"), (3600, "Away")])[..]);
    assert_eq!(
        lines(&["--dnd", "publish"], "{\"t\":3,\"ev\":\"dnd_on\"}")[1],
        r#"{"t":3,"phase":"Away","machine":15500,"phone":null,"activity":null,"user":9500}"#
    );
}

#[test]
fn bad_lines_are_answered_and_the_next_is_read() {
    let input = r#"{"t":5,
{"t":-1,"ev":"until"}
{"t":5}
{"t":5,"ev":"explode"}
{"t":5,"ev":"answered"}
[]
{"t":5,"ev":"answered","call":"a"}
{"t":4,"ev":"ended","call":"a"}"#;
    let lines = lines(&[], input);
    let bad: Vec<_> = lines.iter().filter(|line| line.starts_with("{\"ok\":false,")).collect();
    assert_eq!(bad.len(), 7, "{lines:#?}");
    assert!(bad[3].ends_with("\"at\":7}"), "{}", bad[3]);
    assert!(lines.iter().any(|line| line.contains("InCall")), "{lines:#?}");
}

#[test]
fn documents_tell_the_same_story() {
    let input = "{\"t\":0,\"ev\":\"answered\",\"call\":\"a\"}\n{\"t\":60000,\"ev\":\"ended\",\"call\":\"a\"}\n\
                 {\"t\":60500,\"ev\":\"wallclock_step\",\"ms\":3600000}\n{\"t\":400000,\"ev\":\"disabled\"}";
    let document = |format, row: usize| {
        let line: serde_json::Value =
            serde_json::from_str(&lines(&["--format", format], input)[row]).expect("JSON");
        (line["t"].as_u64(), line["document"].as_str().expect("a document").to_owned())
    };
    let (t, pidf) = document("pidf", 3);
    assert_eq!(t, Some(360_000));
    assert!(pidf.contains("<timestamp>1970-01-01T01:06:00Z</timestamp>"), "{pidf}");
    assert!(pidf.contains("idle-threshold=\"300\" last-input=\"1970-01-01T01:01:00Z\">idle<"), "{pidf}");
    assert!(document("pidf", 4).1.contains("<basic>closed</basic>"));
    assert!(document("msrtc", 1).1.contains("<activity aggregate=\"500\"/>"));
}

//! XML of other hands.
#![expect(unsafe_code, reason = "C libraries")]

use std::hint::black_box;

use benches::turns::Turns;
use serde::{Deserialize, Serialize};

unsafe extern "C" {
    fn presence_c_expat(body: *const u8, length: i32) -> usize;
    fn presence_c_libxml2(body: *const u8, length: i32, write: i32) -> i32;
}

#[derive(Deserialize, Serialize)]
#[serde(rename = "presence")]
struct Presence {
    #[serde(rename = "@entity")]
    entity: String,
    #[serde(default)]
    tuple: Vec<Tuple>,
    #[serde(default, alias = "dm:person")]
    person: Vec<Person>,
}

#[derive(Deserialize, Serialize)]
struct Tuple {
    #[serde(rename = "@id")]
    id: String,
    status: Status,
    #[serde(alias = "dm:deviceID", rename = "deviceID")]
    device_id: Option<String>,
    #[serde(alias = "rpid:class")]
    class: Option<String>,
    contact: Option<Contact>,
    #[serde(default)]
    note: Vec<Note>,
    timestamp: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Status {
    basic: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Contact {
    #[serde(rename = "@priority")]
    priority: Option<String>,
    #[serde(rename = "$text")]
    uri: String,
}

#[derive(Deserialize, Serialize)]
struct Note {
    #[serde(rename = "@lang", alias = "@xml:lang")]
    lang: Option<String>,
    #[serde(rename = "$text")]
    text: String,
}

#[derive(Deserialize, Serialize)]
struct Person {
    #[serde(rename = "@id")]
    id: String,
    #[serde(rename = "user-input", alias = "rpid:user-input")]
    user_input: Option<String>,
    #[serde(default, alias = "dm:note")]
    note: Vec<Note>,
    #[serde(alias = "dm:timestamp")]
    timestamp: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename = "categories")]
struct Categories {
    #[serde(rename = "@uri")]
    uri: String,
    #[serde(default)]
    category: Vec<Category>,
}

#[derive(Deserialize, Serialize)]
struct Category {
    #[serde(rename = "@name")]
    name: String,
    #[serde(rename = "@instance")]
    instance: u32,
    #[serde(rename = "@container")]
    container: u16,
    #[serde(rename = "@version")]
    version: u32,
    state: Option<State>,
}

#[derive(Deserialize, Serialize)]
struct State {
    #[serde(rename = "@type", alias = "@xsi:type")]
    kind: Option<String>,
    availability: u32,
    #[serde(default)]
    activity: Vec<Activity>,
    device: Option<String>,
    #[serde(rename = "timeZoneBias")]
    time_zone_bias: Option<i32>,
    #[serde(rename = "timeZoneName")]
    time_zone_name: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Activity {
    #[serde(rename = "@token")]
    token: Option<String>,
    #[serde(rename = "@minAvailability")]
    least: Option<u32>,
    #[serde(rename = "@maxAvailability")]
    greatest: Option<u32>,
}

fn events(body: &str) -> usize {
    let mut reader = quick_xml::Reader::from_str(body);
    let mut seen = 0;
    loop {
        match reader.read_event().expect("good") {
            quick_xml::events::Event::Start(start) | quick_xml::events::Event::Empty(start) => {
                seen +=
                    start.attributes().map(|attribute| attribute.expect("good").value.len()).sum::<usize>();
            }
            quick_xml::events::Event::Eof => return seen,
            _ => seen += 1,
        }
    }
}

pub(crate) fn reading<'a>(turns: Turns<'a>, body: &'a str, pidf: bool) -> Turns<'a> {
    let length = i32::try_from(body.len()).expect("short");
    turns
        .each("quick-xml serde", move || {
            if pidf {
                drop(black_box(quick_xml::de::from_str::<Presence>(body).expect("good")));
            } else {
                drop(black_box(quick_xml::de::from_str::<Categories>(body).expect("good")));
            }
        })
        .each("quick-xml events", move || {
            black_box(events(body));
        })
        .each("roxmltree tree", move || drop(black_box(roxmltree::Document::parse(body).expect("good"))))
        .each("xmlparser tokens", move || {
            black_box(xmlparser::Tokenizer::from(body).flatten().count());
        })
        // SAFETY: the body outlives the call, and the length is its own.
        .each("expat", move || assert!(unsafe { presence_c_expat(body.as_ptr(), length) } > 0))
        // SAFETY: as above.
        .each("libxml2 tree", move || assert_eq!(unsafe { presence_c_libxml2(body.as_ptr(), length, 0) }, 1))
}

pub(crate) fn writing<'a>(turns: Turns<'a>, body: &'a str, pidf: bool) -> Turns<'a> {
    let presence = pidf.then(|| quick_xml::de::from_str::<Presence>(body).expect("good"));
    let categories = (!pidf).then(|| quick_xml::de::from_str::<Categories>(body).expect("good"));
    turns.each("quick-xml serde", move || {
        if let Some(presence) = &presence {
            drop(black_box(quick_xml::se::to_string(presence).expect("good")));
        }
        if let Some(categories) = &categories {
            drop(black_box(quick_xml::se::to_string(categories).expect("good")));
        }
    })
}

//! The configuration file: what is taken, what is refused, and in which words.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ipdect_server::config::{
    Configuration, MediaEncryption, OutOfRange, StoreUrl, Subscription, Transport, Values, template,
};

const SMALL: &str = r#"
[sip]
default_domain = "example.net"
proxies = [ { uri = "sip:pool.example.net:5061" } ]
[tls]
certificate = "host.pfx"
[network]
hostname = "dect.example.net"
[radio]
ari = "1f102f0e86"
system_access_code = "1234"
"#;

fn parse(text: &str) -> Result<Configuration, String> {
    Configuration::parse(text, Path::new("/etc/ipdect/ipdect.toml")).map_err(|problems| problems.to_string())
}

#[test]
fn the_smallest_configuration_gets_the_documented_defaults() {
    let configuration = parse(SMALL).unwrap();
    assert!(configuration.lync.enabled && configuration.sip.gruu && !configuration.sip.use_sips_uri);
    assert_eq!(configuration.sip.transport, Transport::Tls);
    assert_eq!(configuration.sip.listen.to_string(), "0.0.0.0:5061");
    assert_eq!((configuration.sip.proxies[0].priority, configuration.sip.proxies[0].weight), (1, 100));
    assert_eq!(configuration.media.srtp, MediaEncryption::Required);
    assert!(configuration.media.include_lifetime && configuration.media.include_mki);
    assert!(configuration.media.ignore_sdp_version && !configuration.media.rfc3489);
    assert_eq!(configuration.media.voice_channels, 32);
    assert_eq!(configuration.radio.subscription, Subscription::Listed);
    assert_eq!(configuration.radio.listen.to_string(), "127.0.0.1:4711");
    assert_eq!(configuration.web.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(configuration.presence.available.0, Duration::from_mins(5));
    assert_eq!(configuration.presence.out_of_range, OutOfRange::Keep);
}

/// So many handsets of one user.
fn handsets(number: usize, user: &str) -> String {
    (0..number).map(|number| user.replace("0070387", &format!("{:07}", 70_387 + number))).collect()
}

#[test]
fn a_user_may_have_several_handsets() {
    let user = "[[user]]\nipei = \"05003 0070387\"\nusername = \"jim\"\n";
    let configuration = parse(&format!("{SMALL}{}", handsets(8, user))).unwrap();
    assert_eq!(configuration.users.len(), 8);
    assert!(configuration.users.iter().all(|user| user.address("example.net") == "jim@example.net"));
}

#[test]
fn paths_are_relative_to_the_file() {
    let configuration = parse(SMALL).unwrap();
    assert_eq!(configuration.tls.certificate, Some(PathBuf::from("/etc/ipdect/host.pfx")));
    assert_eq!(configuration.store.url, StoreUrl::Sqlite(PathBuf::from("/etc/ipdect/data/ipdect.db")));
    let absolute = SMALL.replace("host.pfx", "/srv/host.pfx");
    assert_eq!(parse(&absolute).unwrap().tls.certificate, Some(PathBuf::from("/srv/host.pfx")));
}

/// The example of the manual, with every key it names.
#[test]
fn every_key_of_the_manual_is_known() {
    let text = r#"
[lync]
enabled = true
authentication = "trusted-server"
trusted_peers = ["fe1.example.net"]
[sip]
transport = "tls"
dns_method = "a-records"
default_domain = "example.net"
gruu = true
use_sips_uri = false
proxies = [ { uri = "sip:sba.example.net:5061", priority = 1, weight = 100 }, { uri = "sip:pool.example.net:5061", priority = 2, weight = 100 } ]
listen = "0.0.0.0:5061"
[media]
srtp = "enabled"
include_lifetime = true
include_mki = true
answer_preferred_codec_only = false
answer_single_codec = false
ignore_sdp_version = true
rfc3489 = false
address = "127.0.0.1"
voice_channels = 32
[tls]
ca = ["ca.pem"]
public_roots = true
certificate = "host.pem"
key = "host.key"
password_file = "host.pfx.password"
[network]
hostname = "dect.example.net"
[radio]
listen = "127.0.0.1:4711"
ari = "1f102f0e86"
subscription = "listed"
system_access_code = "1234"
[store]
url = "sqlite:data/ipdect.db"
[web]
listen = "127.0.0.1:8080"
[syslog]
[phonebook]
[presence]
[[user]]
ipei = "05003 0070387"
username = "jim.kander"
display_name = "Jim Kander"
standby_text = "Jim Kander"
access_code = ""
domain = ""
disabled = false
forward_unconditional = ""
auth_user = ""
auth_password = ""
"#;
    let configuration = parse(text).unwrap();
    assert_eq!(configuration.users[0].ipei.text(), "05003 0070387");
    assert_eq!(configuration.sip.proxies.len(), 2);
}

#[test]
fn the_commented_template_is_a_configuration_with_every_key() {
    let values = Values {
        hostname: "dect.example.net".to_owned(),
        domain: "example.net".to_owned(),
        ari: "1f102f0e86".to_owned(),
        access_code: "48151623".to_owned(),
    };
    let text = template(&values);
    assert!(!text.contains('@'), "a placeholder is left");
    let configuration = parse(&text).unwrap();
    assert_eq!(configuration.radio.system_access_code.reveal(), "48151623");
    assert!(configuration.users.is_empty());
    let head = text.find("# [[user]]").unwrap();
    let mut with_user = text[..head].to_owned();
    for line in text[head..].lines() {
        with_user.push_str(line.strip_prefix("# ").unwrap_or(line));
        with_user.push('\n');
    }
    let configuration = parse(&with_user).unwrap();
    assert_eq!(configuration.users[0].username, "jim.kander");
}

/// What to change in the smallest configuration, the line, and words of the finding.
#[test]
fn findings_name_the_line_and_what_to_do() {
    let user = "[[user]]\nipei = \"05003 0070387\"\nusername = \"jim\"\n";
    let cases: Vec<(String, &str, &[&str])> = vec![
        (
            SMALL.replace("[sip]", "[sip]\ngruuu = true"),
            "line 3",
            &["unknown field `gruuu`", "did you mean `gruu`"],
        ),
        (SMALL.replace("[sip]", "[sipp]"), "line 2", &["unknown field `sipp`", "did you mean `sip`"]),
        (SMALL.replace("[sip]", "[sip]\ngruu = \"yes\""), "line 3", &["invalid type", "expected a boolean"]),
        (SMALL.replace("[sip]", "[sip]\ntransport = \"udp\""), "line 3", &["unknown variant `udp`", "`tls`"]),
        (SMALL.replace("[sip]", "[sip"), "line 2", &["correct this line"]),
        (
            SMALL.replace("sip:pool.example.net:5061", "pool.example.net"),
            "line 4",
            &["does not start with sip:"],
        ),
        (
            SMALL.replace("proxies = [ { uri = \"sip:pool.example.net:5061\" } ]", ""),
            "line 2",
            &["no proxy is named", "proxies = ["],
        ),
        (
            SMALL.replace("default_domain = \"example.net\"", ""),
            "line 2",
            &["default_domain", "not the Active Directory domain"],
        ),
        (
            SMALL.replace("hostname = \"dect.example.net\"", "hostname = \"sip:dect\""),
            "line 8",
            &["is no DNS name", "trusted application pool"],
        ),
        (SMALL.replace("ari = \"1f102f0e86\"", ""), "line 9", &["access rights identity is missing", "init"]),
        (SMALL.replace("1f102f0e86", "1f902f0e86"), "line 10", &["no class B access rights identity"]),
        (SMALL.replace("1234", "12a4"), "line 11", &["not 1 to 8 digits"]),
        (SMALL.replace("certificate = \"host.pfx\"", ""), "line 5", &["TLS needs a certificate"]),
        (SMALL.replace("host.pfx", "host.pem"), "line 6", &["no key is named", "host.key"]),
        (SMALL.replace("\"host.pfx\"", "\"host.pfx\"\nkey = \"k\""), "line 7", &["holds its own key"]),
        (
            SMALL.replace("\"host.pfx\"", "\"host.pfx\"\npublic_roots = false"),
            "line 7",
            &["no authority is trusted"],
        ),
        (format!("{SMALL}[store]\nurl = \"postgres://db/x\"\n"), "line 13", &["PostgreSQL is not built"]),
        (
            format!("{SMALL}[lync]\nauthentication = \"ntlm\"\n"),
            "line 13",
            &["NTLM is not built into this version"],
        ),
        (format!("{SMALL}[web]\nlisten = \"0.0.0.0:8080\"\n"), "line 13", &["clear text", "tls = true"]),
        (format!("{SMALL}[media]\naddress = \"0.0.0.0\"\n"), "line 13", &["cannot send to 0.0.0.0"]),
        (format!("{SMALL}[media]\nvoice_channels = 0\n"), "line 13", &["1 to 1000"]),
        (format!("{SMALL}[presence]\navailable = -1\n"), "line 13", &["no time that makes sense"]),
        (
            format!("{SMALL}{}", user.replace("05003 0070387", "05003 0070387 1")),
            "line 13",
            &["check digit should be 8"],
        ),
        (
            format!("{SMALL}{}", user.replace("ipei = \"05003 0070387\"", "")),
            "line 12",
            &["IPEI is missing", "label"],
        ),
        (
            format!("{SMALL}{}", user.replace("\"jim\"", "\"jim@example.net\"")),
            "line 14",
            &["without domain"],
        ),
        (format!("{SMALL}{user}{}", user.replace("jim", "joe")), "line 16", &["already belongs to user 1"]),
        (
            format!("{SMALL}{}", handsets(9, user)),
            "line 38",
            &["sip:jim@example.net has more than 8 handsets", "eight at most"],
        ),
        (
            format!("{}{user}", SMALL.replace("1234", "")),
            "line 12",
            &["neither the user nor the system has an access code"],
        ),
        (format!("{SMALL}{user}domain = \"-x\"\n"), "line 15", &["is no domain"]),
        (format!("{SMALL}{user}colour = \"red\"\n"), "line 15", &["unknown field `colour`", "remove it"]),
    ];
    for (text, line, words) in cases {
        let error = parse(&text).expect_err(&text);
        assert!(error.starts_with(&format!("/etc/ipdect/ipdect.toml {line}: ")), "{error}\n{text}");
        for word in words {
            assert!(error.contains(word), "{word:?} is not in {error:?}");
        }
    }
}

#[test]
fn all_findings_come_at_once() {
    let text = SMALL.replace("1f102f0e86", "").replace("dect.example.net", "");
    let error = parse(&text).unwrap_err();
    assert_eq!(error.lines().count(), 2, "{error}");
}

#[test]
fn a_missing_file_says_what_to_do() {
    let error = Configuration::load(Path::new("/nonexistent/ipdect.toml")).unwrap_err().to_string();
    assert!(
        error.contains("/nonexistent/ipdect.toml") && error.contains("ipdect-server init DIR"),
        "{error}"
    );
}

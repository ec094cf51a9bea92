//! The table of questions.

use super::*;
use crate::records::RecordSpec;

/// Name, type, code, answers, and whether the SOA is there.
type Row<'a> = (&'a str, Option<RecordType>, ResponseCode, &'a [&'a str], bool);

#[test]
fn questions_have_the_answers_of_an_authoritative_server() {
    use RecordType::{A, Aaaa, Cname, Txt};
    let records = records();
    let table: &[Row<'_>] = &[
        ("two.a", Some(A), ResponseCode::NoError, &["two.a. 5 A 192.0.2.1", "two.a. 5 A 192.0.2.2"], false),
        ("TWO.a", Some(A), ResponseCode::NoError, &["two.a. 5 A 192.0.2.1", "two.a. 5 A 192.0.2.2"], false),
        ("two.a", Some(Aaaa), ResponseCode::NoError, &[], true),
        ("two.a", Some(Txt), ResponseCode::NoError, &["two.a. 7 TXT v=1"], false),
        ("two.a", None, ResponseCode::NoError, &[], true),
        ("out.a", Some(A), ResponseCode::NoError, &["out.a. 5 CNAME paris.net."], false),
        ("out.a", Some(Cname), ResponseCode::NoError, &["out.a. 5 CNAME paris.net."], false),
        (
            "in.a",
            Some(A),
            ResponseCode::NoError,
            &["in.a. 5 CNAME two.a.", "two.a. 5 A 192.0.2.1", "two.a. 5 A 192.0.2.2"],
            false,
        ),
        ("in.a", Some(Aaaa), ResponseCode::NoError, &["in.a. 5 CNAME two.a."], true),
        (
            "same.a",
            Some(A),
            ResponseCode::NoError,
            &["same.a. 5 A 192.0.2.1", "same.a. 5 A 192.0.2.2"],
            false,
        ),
        ("same.a", Some(Aaaa), ResponseCode::NoError, &[], true),
        ("far.a", Some(A), ResponseCode::NoError, &[], true),
        ("round.a", Some(A), ResponseCode::NoError, &[], true),
        ("lost.a", Some(A), ResponseCode::NXDomain, &["lost.a. 5 CNAME nowhere.a."], true),
        ("nowhere.a", Some(A), ResponseCode::NXDomain, &[], true),
        ("deep.a", Some(A), ResponseCode::NoError, &[], true),
        ("any.wild.a", Some(A), ResponseCode::NoError, &["any.wild.a. 5 A 192.0.2.9"], false),
        ("below.any.wild.a", Some(A), ResponseCode::NoError, &["below.any.wild.a. 5 A 192.0.2.9"], false),
        ("fixed.wild.a", Some(A), ResponseCode::NoError, &[], true),
        ("db.other", Some(A), ResponseCode::Refused, &[], false),
    ];
    for (name, kind, code, answers, has_soa) in table {
        let found = ask(&records, &mut Turns::default(), name, *kind);
        assert_eq!(found.code, *code, "{name} {kind:?}");
        assert_eq!(texts(&found.answers), *answers, "{name} {kind:?}");
        assert_eq!(found.authorities.len() == 1, *has_soa, "{name} {kind:?}");
    }
}

#[test]
fn a_loop_of_aliases_ends() {
    let mut records = records();
    records.put(set("x.a CNAME 5 y.a"));
    records.put(set("y.a CNAME 5 x.a"));
    assert_eq!(
        ask(&records, &mut Turns::default(), "x.a", Some(RecordType::A)).answers.len(),
        ALIASES_MAX + 1
    );
}

#[test]
fn weighted_sets_take_turns() {
    for (weights, expected) in [([3, 1], "1112"), ([0, 0], "1212"), ([0, 5], "2222"), ([255, 0], "1111")] {
        let mut records = Records::default();
        for (number, weight) in weights.into_iter().enumerate() {
            let spec: RecordSpec = format!("w.a A 5 192.0.2.{}", number + 1).parse().unwrap();
            records.put(spec.weighted(format!("set-{number}"), weight).to_set().unwrap());
        }
        let mut turns = Turns::default();
        let order: String = (0..4)
            .map(|_| texts(&ask(&records, &mut turns, "w.a", Some(RecordType::A)).answers)[0].clone())
            .filter_map(|text| text.chars().last())
            .collect();
        assert_eq!(order, expected, "{weights:?}");
    }
}

fn records() -> Records {
    let mut records = Records::default();
    for text in [
        "a SOA 900 ns.net. host.net. 1 2 3 4 5",
        "two.a A 5 192.0.2.1 192.0.2.2",
        "two.a TXT 7 \"v=1\"",
        "out.a CNAME 5 paris.net",
        "in.a CNAME 5 two.a",
        "same.a A alias Z1 two.a",
        "far.a A alias Z2 lb.net",
        "round.a A alias Z1 round.a",
        "lost.a CNAME 5 nowhere.a",
        "x.deep.a A 5 192.0.2.1",
        "*.wild.a A 5 192.0.2.9",
        "fixed.wild.a TXT 5 \"x\"",
    ] {
        records.put(set(text));
    }
    records
}

fn set(text: &str) -> RecordSet {
    let mut spec: RecordSpec = text.parse().unwrap();
    if spec.kind == "SOA" {
        spec.values = vec![spec.values.join(" ")];
    }
    spec.to_set().unwrap()
}

fn ask(records: &Records, turns: &mut Turns, name: &str, kind: Option<RecordType>) -> Lookup {
    let zone = DnsName::parse("a").unwrap();
    lookup(records, &zone, turns, &DnsName::parse(name).unwrap(), kind)
}

fn texts(records: &[Record]) -> Vec<String> {
    records
        .iter()
        .map(|record| format!("{} {} {} {}", record.name, record.ttl, record.record_type(), record.data))
        .collect()
}

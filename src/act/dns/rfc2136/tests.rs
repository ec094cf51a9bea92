use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::rdata::tsig::{TsigAlgorithm as WireAlgorithm, TsigError};
use hickory_proto::rr::{Name, RData, Record as WireRecord, TSigResponseContext, TSigner};
use tokio::io::AsyncReadExt as _;

use super::held::{self, Place};
use super::key::{Doubt, Key, Reply, Signed};
use super::session::{NoReply, Session};
use super::update::{self, Step};
use super::{outcome, servers};
use crate::act::dns::DnsError;
use crate::act::dns::ask;
use crate::act::dns::wire::{self, Kind};
use crate::config::{Rfc2136, Secret, Tsig, TsigAlgorithm};
use crate::types::{Clock, Moment, RecordName, RecordType, ResourceSet};

/// 32 bytes: 0, 1, 2 and so on.
const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NOW: u64 = 1_700_000_000;
const ID: u16 = 0x1234;

/// A claim: the record stays, the fence changes. Written down by hand from RFC 2136, section 2, and RFC 8945, section 4;
/// the MAC was computed from these bytes by another program.
/// Line by line: header, zone, two prerequisites, a deletion, an addition, and the signature in three.
const CLAIM: &str = "\
    1234 2800 0001 0002 0002 0001 \
    07 6578616d706c65 03 636f6d 00 0006 0001 \
    02 6462 c00c 0005 0001 00000000 000f 01 61 07 6578616d706c65 03 6e6574 00 \
    09 5f726564726f766572 c01d 0010 0001 00000000 0008 07 65706f63683d31 \
    c03b 0010 00fe 00000000 0008 07 65706f63683d31 \
    c03b 0010 0001 00000005 0008 07 65706f63683d32 \
    08 726564726f766572 00 00fa 00ff 00000000 003d \
    0b 686d61632d736861323536 00 00006553f100 012c 0020 \
    06b56d09e3664816d58af8f2ec526063a5f7e0f3db92cea3ff9c7ab4fb7b50bf 1234 0000 0000";

struct Fixed(u64);

impl Clock for Fixed {
    fn now(&self) -> Moment {
        Moment { mono: Duration::ZERO, wall: Duration::from_secs(self.0) }
    }
}

#[test]
fn a_signed_update_has_these_bytes() {
    let mut update = claim();
    update.metadata.id = ID;
    let signed = key(TsigAlgorithm::HmacSha256, SECRET).sign(update).unwrap();
    let wanted: String = CLAIM.split_whitespace().collect();
    let found: String = signed.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(found, wanted);
}

#[test]
fn a_change_names_all_that_it_replaces_and_a_trial_deletes_what_is_not_there() {
    let zone = name("example.com.");
    let places = [record(RecordType::A), fence()];
    let (old, new) = (set(5, &["192.0.2.1", "192.0.2.2"]), set(30, &["192.0.2.2"]));
    let held = spelled(&places[0], &old);
    let steps = [
        Step { place: &places[0], held: Some(&held), wanted: Some(&new) },
        Step { place: &places[1], held: None, wanted: Some(&set(5, &["epoch=1"])) },
    ];
    let update = update::change(&zone, &steps).unwrap();
    let lines = |records: &[WireRecord]| records.iter().map(shown).collect::<Vec<_>>();
    assert_eq!(
        lines(&update.answers),
        [
            "db.example.com. 0 IN A 192.0.2.1",
            "db.example.com. 0 IN A 192.0.2.2",
            "_redrover.db.example.com. 0 NONE TXT",
            "_redrover.db.example.com. 0 NONE CNAME",
        ]
    );
    assert_eq!(
        lines(&update.authorities),
        [
            "db.example.com. 0 NONE A 192.0.2.1",
            "db.example.com. 0 NONE A 192.0.2.2",
            "db.example.com. 30 IN A 192.0.2.2",
            "_redrover.db.example.com. 5 IN TXT epoch=1",
        ]
    );
    for (kind, absent) in [
        (RecordType::Cname, vec!["db.example.com. 0 NONE ANY"]),
        (RecordType::A, vec!["db.example.com. 0 NONE A", "db.example.com. 0 NONE CNAME"]),
        (RecordType::Aaaa, vec!["db.example.com. 0 NONE AAAA", "db.example.com. 0 NONE CNAME"]),
    ] {
        let place = record(kind);
        let step = Step { place: &place, held: None, wanted: None };
        let update = update::change(&zone, &[step]).unwrap();
        assert_eq!(lines(&update.answers), absent);
        assert_eq!(update.authorities, []);
    }
    for (values, tried) in [
        (&["192.0.2.9"][..], &["db.example.com. 0 NONE A 192.0.2.1"][..]),
        (&["192.0.2.1"], &["db.example.com. 0 NONE A 192.0.2.2"]),
        (&["192.0.2.1", "192.0.2.2"], &[]),
    ] {
        let held = spelled(&places[0], &set(5, values));
        let trial = update::trial(&zone, &places[0], Some(&held)).unwrap();
        assert_eq!(trial.answers.len(), values.len());
        assert_eq!(lines(&trial.authorities), tried);
    }
}

#[test]
fn every_signed_reply_has_its_meaning() {
    use ResponseCode::*;
    for (code, error, changed, read) in [
        (NoError, None, "Ok", "Ok"),
        (NXRRSet, None, "Conflict", "Unavailable"),
        (YXRRSet, None, "Conflict", "Unavailable"),
        (NXDomain, None, "Conflict", "Ok"),
        (YXDomain, None, "Conflict", "Unavailable"),
        (Refused, None, "Denied", "Denied"),
        (NotAuth, None, "Denied", "Denied"),
        (NotZone, None, "Misconfigured", "Misconfigured"),
        (FormErr, None, "Misconfigured", "Misconfigured"),
        (NotImp, None, "Misconfigured", "Misconfigured"),
        (ServFail, None, "Unknown", "Unavailable"),
        (Unknown(11), None, "Unknown", "Unavailable"),
        (NotAuth, Some(TsigError::BadTime), "Denied", "Denied"),
        (NotAuth, Some(TsigError::BadTrunc), "Denied", "Denied"),
        (NotAuth, Some(TsigError::Unknown(99)), "Unknown", "Unavailable"),
        // The server contradicts itself.
        (NoError, Some(TsigError::BadTime), "Unknown", "Unavailable"),
        (Refused, Some(TsigError::BadTime), "Unknown", "Unavailable"),
    ] {
        let said = reply(claim(), code, error);
        let found = outcome::changed(Ok(said.expect("the signature is right")));
        assert!(is(&found, changed), "{code:?} {error:?}: {found:?}");
        let place = record(RecordType::Cname);
        let question = ask::question(&place.name, place.kind).unwrap();
        let answered = outcome::answered(reply(question, code, error).map_err(NoReply::Doubted));
        let found = answered.and_then(|reply| held::set(&place, &reply.message));
        assert!(is(&found, read), "{code:?} {error:?}: {found:?}");
    }
}

#[test]
fn what_is_not_signed_right_proves_nothing() {
    let question = || claim();
    let good = |message: &Message, signed: &Signed| signature(message, signed, SECRET, NOW, None);
    let unsigned = |code| answer(question(), move |message, _| message.metadata.response_code = code);
    let told = |error| {
        answer(question(), move |message, _| {
            message.metadata.response_code = ResponseCode::NotAuth;
            let signer = signer(WireAlgorithm::HmacSha256, SECRET);
            let context = if error == TsigError::BadSig {
                TSigResponseContext::bad_signature(ID, NOW, signer)
            } else {
                TSigResponseContext::unknown_key(ID, NOW, signer.signer_name().clone())
            };
            let tsig = context.sign(&message.to_vec().unwrap()).unwrap();
            message.set_signature(tsig);
        })
    };
    let other = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHiA=";
    let cases: [(&str, Result<Reply, Doubt>); 10] = [
        ("no signature", unsigned(ResponseCode::NoError)),
        ("no signature", unsigned(ResponseCode::Refused)),
        ("BADSIG", told(TsigError::BadSig)),
        ("BADKEY", told(TsigError::BadKey)),
        ("another secret", answer(question(), |m, s| m.signature = signature(m, s, other, NOW, None))),
        ("another time", answer(question(), |m, s| m.signature = signature(m, s, SECRET, NOW - 301, None))),
        (
            "another id",
            answer(question(), |m, s| {
                m.metadata.id = ID + 1;
                m.signature = good(m, s);
            }),
        ),
        (
            "another operation",
            answer(question(), |m, s| {
                m.metadata.op_code = OpCode::Query;
                m.signature = good(m, s);
            }),
        ),
        (
            "changed after it was signed",
            answer(question(), |m, s| {
                m.metadata.response_code = ResponseCode::Refused;
                m.signature = good(m, s);
                m.metadata.response_code = ResponseCode::NoError;
            }),
        ),
        (
            "cut",
            answer(question(), |m, s| {
                m.metadata.truncation = true;
                m.signature = good(m, s);
            }),
        ),
    ];
    for (what, reply) in cases {
        let doubt = reply.expect_err(what);
        let is_rejected = matches!(doubt, Doubt::Rejected(_));
        assert_eq!(is_rejected, what.starts_with("BAD"), "{what}: {doubt}");
        let changed = outcome::changed(Err(NoReply::Doubted(doubt.clone())));
        assert!(is(&changed, "Unknown"), "{what}: {changed:?}");
        let read = outcome::answered(Err(NoReply::Doubted(doubt)));
        assert!(is(&read, if is_rejected { "Denied" } else { "Unavailable" }), "{what}: {read:?}");
    }
    for bytes in [&[][..], &[0; 11], b"no message at all, but longer than a header"] {
        let signed = key(TsigAlgorithm::HmacSha256, SECRET).sign(question()).unwrap();
        assert!(matches!(signed.reply(bytes), Err(Doubt::Unproven(_))));
    }
    let silent = || NoReply::Silent("reset".to_owned());
    assert!(is(&outcome::changed(Err(silent())), "Unknown"));
    assert!(is(&outcome::answered(Err(silent())), "Unavailable"));
}

proptest::proptest! {
    #[test]
    fn one_altered_bit_never_makes_another_reply(at in 0_usize..1200) {
        let mut question = claim();
        question.metadata.id = ID;
        let signed = key(TsigAlgorithm::HmacSha256, SECRET).sign(question).unwrap();
        let mut message = Message::response(ID, OpCode::Update);
        message.queries = claim().queries;
        message.metadata.response_code = ResponseCode::NXRRSet;
        message.signature = signature(&message, &signed, SECRET, NOW, None);
        let mut bytes = message.to_vec().unwrap();
        let at = at % (bytes.len() * 8);
        bytes[at / 8] ^= 1 << (at % 8);
        // What no signature covers, a reserved bit of the header or the TTL of the signature, says nothing.
        if let Ok(reply) = signed.reply(&bytes) {
            proptest::prop_assert_eq!(reply.message.metadata.response_code, ResponseCode::NXRRSet);
            proptest::prop_assert_eq!(reply.error, None);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let mut question = claim();
        question.metadata.id = ID;
        // A header that is right leads further in.
        let head = [0x12, 0x34, 0xa8, 0, 0, 0, 0, 0, 0, 0, 0, 2];
        for bytes in [bytes.clone(), [&head[..], &bytes].concat()] {
            let signed = key(TsigAlgorithm::HmacSha256, SECRET).sign(question.clone()).unwrap();
            proptest::prop_assert!(signed.reply(&bytes).is_err());
        }
    }
}

#[test]
fn both_algorithms_sign_and_check() {
    for (algorithm, wire) in [
        (TsigAlgorithm::HmacSha256, WireAlgorithm::HmacSha256),
        (TsigAlgorithm::HmacSha512, WireAlgorithm::HmacSha512),
    ] {
        let mut update = claim();
        update.metadata.id = ID;
        let signed = key(algorithm, SECRET).sign(update).unwrap();
        let message = Message::from_vec(&signed.bytes).unwrap();
        assert_eq!(message.signature().unwrap().data.algorithm, wire);
        let mac = message.signature().unwrap().data.mac.clone();
        let mut answer = Message::response(ID, OpCode::Update);
        answer.queries = message.queries.clone();
        let context = TSigResponseContext::new(ID, NOW, signer(wire, SECRET), mac, None);
        let tsig = context.sign(&answer.to_vec().unwrap()).unwrap();
        answer.set_signature(tsig);
        let reply = signed.reply(&answer.to_vec().unwrap()).unwrap();
        assert_eq!(reply.message.metadata.response_code, ResponseCode::NoError);
    }
}

#[test]
fn what_a_server_holds_is_read_in_normal_form_and_kept_in_its_own() {
    let place = record(RecordType::Cname);
    let held = |place: &Place, lines: &[(&str, RData)], code, is_authoritative| {
        let mut answer = Message::response(ID, OpCode::Query);
        answer.metadata.authoritative = is_authoritative;
        answer.metadata.response_code = code;
        answer.add_answers(
            lines.iter().map(|(owner, data)| WireRecord::from_rdata(name(owner), 5, data.clone())),
        );
        held::set(place, &answer)
    };
    let alias = |target: &str| RData::CNAME(hickory_proto::rr::rdata::CNAME(name(target)));
    let here = "DB.Example.com.";
    let found =
        held(&place, &[(here, alias("A.Example.NET."))], ResponseCode::NoError, true).unwrap().unwrap();
    assert_eq!(found.normal, set(5, &["a.example.net"]));
    assert_eq!(found.records[0].data, alias("A.Example.NET."));
    let nothing = Ok(None);
    for (lines, code, wanted) in [
        (vec![], ResponseCode::NoError, &nothing),
        (vec![], ResponseCode::NXDomain, &nothing),
        (vec![("db2.example.com.", alias("a."))], ResponseCode::NoError, &nothing),
    ] {
        assert_eq!(&held(&place, &lines, code, true).map_err(|error| error.to_string()), wanted);
    }
    let lame = held(&place, &[(here, alias("a."))], ResponseCode::NoError, false);
    assert!(is(&lame, "Misconfigured"), "{lame:?}");
    let address = record(RecordType::A);
    for code in [ResponseCode::NoError, ResponseCode::NXDomain] {
        let other = held(&address, &[(here, alias("a."))], code, true);
        assert!(is(&other, "Misconfigured"), "{other:?}");
    }
    let noise = hickory_proto::rr::rdata::TXT::from_bytes(vec![b"\xff"]);
    let noise =
        held(&fence(), &[("_redrover.db.example.com.", RData::TXT(noise))], ResponseCode::NoError, true);
    assert!(is(&noise, "Misconfigured"), "{noise:?}");
}

/// A change that is given up must not be sent later by the system.
#[tokio::test]
async fn a_connection_that_is_given_up_is_reset() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let secret = Tsig {
        name: RecordName::new("redrover").unwrap(),
        algorithm: TsigAlgorithm::HmacSha256,
        secret: Secret::new(SECRET),
    };
    let zone = RecordName::new("example.com").unwrap();
    let place = Rfc2136 { host: "127.0.0.1".to_owned(), port, zone, tsig: secret };
    let (session, accepted) = tokio::join!(Session::open(&place), listener.accept());
    let (mut session, (mut peer, _)) = (session.unwrap(), accepted.unwrap());
    let update = key(TsigAlgorithm::HmacSha256, SECRET).sign(claim()).unwrap();
    let reply = tokio::time::timeout(Duration::from_millis(200), session.send(update)).await;
    assert!(reply.is_err(), "nobody has replied");
    drop(session);
    let mut heard = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(20), peer.read_to_end(&mut heard)).await.unwrap();
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset, "{heard:?}");
}

#[test]
fn a_zone_names_its_servers() {
    let zone = name("example.com.");
    let mut answer = Message::response(ID, OpCode::Query);
    let ns = |host: &str| RData::NS(hickory_proto::rr::rdata::NS(name(host)));
    answer.add_answer(WireRecord::from_rdata(zone.clone(), 5, ns("ns1.example.com.")));
    answer.add_answer(WireRecord::from_rdata(name("sub.example.com."), 5, ns("ns.sub.example.com.")));
    answer.add_answer(WireRecord::from_rdata(zone.clone(), 5, ns("ns.example.net.")));
    assert_eq!(servers::hosts(&zone, &answer), [name("ns1.example.com."), name("ns.example.net.")]);
    assert!(is(&servers::check_zone(&zone, &answer), "Misconfigured"));
}

/// Whether a result is `Ok`, or an error of that variant.
fn is<T>(result: &Result<T, DnsError>, variant: &str) -> bool {
    match result {
        Ok(_) => variant == "Ok",
        Err(error) => format!("{error:?}").split(' ').next() == Some(variant),
    }
}

/// The reply to a question, written by `write` from an empty one.
fn answer(mut question: Message, write: impl FnOnce(&mut Message, &Signed)) -> Result<Reply, Doubt> {
    question.metadata.id = ID;
    let mut message = Message::response(ID, question.metadata.op_code);
    message.metadata.authoritative = true;
    message.queries = question.queries.clone();
    let signed = key(TsigAlgorithm::HmacSha256, SECRET).sign(question).unwrap();
    write(&mut message, &signed);
    let bytes = message.to_vec().unwrap();
    signed.reply(&bytes)
}

fn reply(question: Message, code: ResponseCode, error: Option<TsigError>) -> Result<Reply, Doubt> {
    answer(question, |message, signed| {
        message.metadata.response_code = code;
        message.signature = signature(message, signed, SECRET, NOW, error);
    })
}

type Signature = Option<Box<WireRecord<hickory_proto::rr::rdata::TSIG>>>;

fn signature(
    message: &Message,
    signed: &Signed,
    secret: &str,
    now: u64,
    error: Option<TsigError>,
) -> Signature {
    let question = Message::from_vec(&signed.bytes).unwrap();
    let mac = question.signature().unwrap().data.mac.clone();
    let context = TSigResponseContext::new(ID, now, signer(WireAlgorithm::HmacSha256, secret), mac, error);
    Some(context.sign(&message.to_vec().unwrap()).unwrap())
}

fn signer(algorithm: WireAlgorithm, secret: &str) -> TSigner {
    use base64::Engine as _;
    let key = base64::engine::general_purpose::STANDARD.decode(secret).unwrap();
    TSigner::new(key, algorithm, name("redrover."), 300).unwrap()
}

fn key(algorithm: TsigAlgorithm, secret: &str) -> Key {
    let tsig = Tsig { name: RecordName::new("redrover").unwrap(), algorithm, secret: Secret::new(secret) };
    Key::new(&tsig, Arc::new(Fixed(NOW))).unwrap()
}

fn claim() -> Message {
    let places = [record(RecordType::Cname), fence()];
    let (record, fence) = (set(5, &["a.example.net"]), set(5, &["epoch=1"]));
    let held = [spelled(&places[0], &record), spelled(&places[1], &fence)];
    let steps = [
        Step { place: &places[0], held: Some(&held[0]), wanted: Some(&record) },
        Step { place: &places[1], held: Some(&held[1]), wanted: Some(&set(5, &["epoch=2"])) },
    ];
    update::change(&name("example.com."), &steps).unwrap()
}

fn record(kind: RecordType) -> Place {
    Place::new(RecordName::new("db.example.com").unwrap(), Kind::Record(kind)).unwrap()
}

fn fence() -> Place {
    Place::new(RecordName::new("_redrover.db.example.com").unwrap(), Kind::Text).unwrap()
}

fn set(ttl_seconds: u32, values: &[&str]) -> ResourceSet {
    ResourceSet { ttl_seconds, values: values.iter().map(|value| (*value).to_owned()).collect() }
}

fn spelled(place: &Place, normal: &ResourceSet) -> held::Set {
    let records = wire::records(&place.name, place.kind, normal).unwrap();
    held::Set { records, normal: normal.clone() }
}

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn shown(record: &WireRecord) -> String {
    let value = wire::value_of(&record.data).unwrap_or_default();
    let kind = record.record_type();
    format!("{} {} {} {kind} {value}", record.name, record.ttl, record.dns_class).trim_end().to_owned()
}

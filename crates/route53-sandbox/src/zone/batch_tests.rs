//! The table of the batch rules.

use super::*;
use crate::records::RecordSpec;

#[test]
fn good_batches_are_applied() {
    let table: &[(&str, &[(Action, &str)])] = &[
        (
            "compare and swap",
            &[(Action::Delete, "db CNAME 5 paris.net"), (Action::Create, "db CNAME 5 tokyo.net")],
        ),
        ("delete, folded", &[(Action::Delete, "DB CNAME 5 Paris.net.")]),
        ("delete, values as a set", &[(Action::Delete, "two A 5 192.0.2.2 192.0.2.1")]),
        ("upsert of an existing set", &[(Action::Upsert, "db CNAME 9 tokyo.net")]),
        ("upsert of a new set", &[(Action::Upsert, "new A 9 192.0.2.1")]),
        ("a type change", &[(Action::Delete, "db CNAME 5 paris.net"), (Action::Create, "db A 5 192.0.2.1")]),
        ("text and address together", &[(Action::Create, "two TXT 5 \"x\"")]),
        (
            "flip of weights",
            &[(Action::Upsert, "w A 5 192.0.2.1 #paris=0"), (Action::Upsert, "w A 5 192.0.2.2 #tokyo=255")],
        ),
        (
            "a move of an alias",
            &[
                (Action::Delete, "alias A alias Z0TEST two.example.test"),
                (Action::Create, "alias A alias Z0TEST w.example.test."),
            ],
        ),
        ("an alias elsewhere", &[(Action::Create, "new A alias Z2 lb.example.net")]),
        ("an alias in a weighted group", &[(Action::Create, "w A alias Z0TEST two.example.test #oslo=0")]),
        (
            "the group's TTL in one batch",
            &[(Action::Upsert, "w A 9 192.0.2.1 #paris=1"), (Action::Upsert, "w A 9 192.0.2.2 #tokyo=1")],
        ),
    ];
    for (case, changes) in table {
        assert_eq!(run(changes).map(|(_, effects)| effects.len()), Ok(changes.len()), "{case}");
    }
}

/// A batch, and the complaints.
type Row<'a> = (&'a [(Action, &'a str)], &'a [&'a str]);

#[test]
fn bad_batches_are_refused_with_the_service_wording() {
    let delete_mismatch = "Tried to delete resource record set [name='db.example.test.', type='CNAME'] \
                           but the values provided do not match the current values";
    let exists =
        "Tried to create resource record set [name='db.example.test.', type='CNAME'] but it already exists";
    let gone = "Tried to delete resource record set [name='no.example.test.', type='A'] but it was not found";
    let table: &[Row<'_>] = &[
        (&[(Action::Delete, "db CNAME 5 tokyo.net")], &[delete_mismatch]),
        (&[(Action::Delete, "db CNAME 6 paris.net")], &[delete_mismatch]),
        (
            &[(Action::Delete, "db CNAME 5 tokyo.net"), (Action::Create, "db CNAME 5 oslo.net")],
            &[delete_mismatch, exists],
        ),
        (
            &[(Action::Create, "db CNAME 5 tokyo.net"), (Action::Delete, "db CNAME 5 paris.net")],
            &[
                exists,
                "The request contains an invalid set of changes for a resource record set 'CNAME db.example.test.'",
            ],
        ),
        (&[(Action::Delete, "no A 5 192.0.2.1")], &[gone]),
        (
            &[(Action::Delete, "w A 5 192.0.2.1 #paris=2")],
            &[
                "Tried to delete resource record set [name='w.example.test.', type='A', set identifier='paris'] \
             but the values provided do not match the current values",
            ],
        ),
        (
            &[(Action::Create, "db.example.org. A 5 192.0.2.1")],
            &["RRSet with DNS name db.example.org. is not permitted in zone example.test."],
        ),
        (
            &[(Action::Create, "example.test. CNAME 5 paris.net")],
            &[
                "RRSet of type CNAME with DNS name example.test. is not permitted at apex in zone example.test.",
            ],
        ),
        (
            &[(Action::Create, "two CNAME 5 paris.net")],
            &[
                "RRSet of type CNAME with DNS name two.example.test. is not permitted as it conflicts with other records \
             with the same DNS name in zone example.test.",
            ],
        ),
        (
            &[(Action::Create, "db TXT 5 \"x\"")],
            &[
                "RRSet of type TXT with DNS name db.example.test. is not permitted because a conflicting RRSet of type \
             CNAME with the same DNS name already exists in zone example.test.",
            ],
        ),
        (
            &[(Action::Create, "w A 5 192.0.2.3")],
            &[
                "RRSet with DNS name w.example.test., type A cannot be created as other RRSets exist with the same name \
             and type.",
            ],
        ),
        (
            &[(Action::Create, "two A 5 192.0.2.3 #oslo=1")],
            &[
                "RRSet with DNS name two.example.test., type A, SetIdentifier oslo cannot be created as a non-weighted \
             set exists with the same name and type.",
            ],
        ),
        (
            &[(Action::Create, "w A 6 192.0.2.3 #oslo=1")],
            &[
                "RRSet with DNS name w.example.test. and type A, SetIdentifier oslo cannot be created as weighted sets \
             must contain the same TTL.",
            ],
        ),
        (
            &[(Action::Delete, "alias A alias Z0TEST w.example.test")],
            &[
                "Tried to delete resource record set [name='alias.example.test.', type='A'] but the values provided do \
               not match the current values",
            ],
        ),
        (
            &[(Action::Create, "new A alias Z0TEST nowhere.example.test")],
            &[
                "Tried to create an alias that targets nowhere.example.test., type A in zone Z0TEST, but that target was \
               not found",
            ],
        ),
        (
            &[(Action::Create, "new AAAA alias Z0TEST two.example.test")],
            &[
                "Tried to create an alias that targets two.example.test., type AAAA in zone Z0TEST, but that target was \
               not found",
            ],
        ),
        (
            &[(Action::Create, "new A alias Z0TEST lb.example.net")],
            &[
                "Tried to create an alias that targets lb.example.net., type A in zone Z0TEST, but the alias target name \
               does not lie within the target zone",
            ],
        ),
        (
            &[(Action::Create, "new A 5 paris")],
            &[
                "Invalid Resource Record: FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) \
             encountered with 'paris'",
            ],
        ),
        (
            &[(Action::Create, "new TXT 5 bare")],
            &[
                "Invalid Resource Record: FATAL problem: InvalidCharacterString (Value should be enclosed in quotation \
             marks) encountered with 'bare'",
            ],
        ),
        (&[(Action::Create, "new A 5 192.0.2.1 192.0.2.1")], &["Duplicate Resource Record: '192.0.2.1'"]),
        (
            &[(Action::Create, "new CNAME 5 a.net b.net")],
            &["RRSet of type CNAME with DNS name new.example.test. contains more than one resource record"],
        ),
        (
            &[(Action::Upsert, "new A 5 192.0.2.1"), (Action::Upsert, "new A 5 192.0.2.2")],
            &[
                "The request contains an invalid set of changes for a resource record set 'A new.example.test.'",
            ],
        ),
        (
            &[(Action::Delete, "example.test. NS 172800 ns.net")],
            &["A HostedZone must contain at least one NS record for the zone itself."],
        ),
    ];
    for (changes, complaints) in table {
        let expected: Vec<_> = complaints.iter().map(|&text| text.to_owned()).collect();
        assert_eq!(run(changes).map(|_| ()), Err(expected), "{changes:?}");
    }
}

#[test]
fn a_batch_has_limits() {
    let names: Vec<_> = (0..1001).map(|number| format!("n{number} A 5 192.0.2.1")).collect();
    let changes = |count: usize, action| {
        names[..count].iter().map(move |name| (action, name.as_str())).collect::<Vec<_>>()
    };
    assert!(run(&changes(1000, Action::Create)).is_ok());
    let refused = |complaint: &str| Err(vec![complaint.to_owned()]);
    assert_eq!(
        run(&changes(1001, Action::Create)).map(|_| ()),
        refused("Number of changes limit of 1000 exceeded")
    );
    assert!(run(&changes(500, Action::Upsert)).is_ok());
    assert_eq!(
        run(&changes(501, Action::Upsert)).map(|_| ()),
        refused("Number of records limit of 1000 exceeded")
    );
}

fn run(changes: &[(Action, &str)]) -> Result<(Records, Vec<Effect>), Vec<String>> {
    let mut records = Records::default();
    for text in [
        "db CNAME 5 paris.net",
        "two A 5 192.0.2.1 192.0.2.2",
        "alias A alias Z0TEST two.example.test",
        "w A 5 192.0.2.1 #paris=1",
        "w A 5 192.0.2.2 #tokyo=1",
    ] {
        records.put(set(text));
    }
    let changes: Vec<_> =
        changes.iter().map(|(action, text)| Change { action: *action, set: set(text) }).collect();
    let name = DnsName::parse("example.test").unwrap();
    evaluate(Ground { name: &name, id: "Z0TEST" }, &records, &changes)
}

/// `name type ttl values [#identifier=weight]`, the name relative to the zone unless it ends in a dot.
fn set(text: &str) -> RecordSet {
    let mut spec: RecordSpec = text.parse().unwrap();
    if !spec.name.ends_with('.') {
        spec.name.push_str(".example.test");
    }
    spec.to_set().unwrap()
}

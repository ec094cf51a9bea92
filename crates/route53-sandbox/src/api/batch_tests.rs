//! The table of documents.

use super::*;

const SET: &str = "<Name>db.a</Name><Type>A</Type><TTL>5</TTL><ResourceRecords><ResourceRecord>\
                   <Value>192.0.2.1</Value></ResourceRecord></ResourceRecords>";

#[test]
fn a_document_becomes_changes() {
    let text = document(
        "CREATE",
        "<Name>W.a</Name><Type>TXT</Type><SetIdentifier>paris</SetIdentifier><Weight>7</Weight><TTL>5</TTL>\
         <ResourceRecords><ResourceRecord><Value>&quot;a &amp; b;  c&quot; &quot;d&quot;</Value></ResourceRecord>\
         <ResourceRecord><Value>\"e\"</Value></ResourceRecord></ResourceRecords>",
    );
    let batch = Batch::parse(text.as_bytes()).unwrap();
    let change = &batch.changes[0];
    assert_eq!(batch.comment.as_deref(), Some("why"));
    assert_eq!(change.action, Action::Create);
    assert_eq!(change.set.key.name.to_string(), "w.a.");
    assert_eq!(change.set.key.set_identifier.as_deref(), Some("paris"));
    assert_eq!((change.set.weight, change.set.ttl_seconds), (Some(7), 5));
    assert_eq!(change.set.values, ["\"a & b;  c\" \"d\"", "\"e\""]);
}

#[test]
fn other_documents_are_refused() {
    let with = |from: &str, to: &str| document("CREATE", &SET.replace(from, to));
    let table = [
        ("<", "MalformedInput"),
        ("<Other/>", "MalformedInput"),
        (&document("CREATE", SET).replace("2013-04-01", "2012-02-29"), "MalformedInput"),
        (&document("PATCH", SET), "InvalidInput"),
        (&with("<TTL>5</TTL>", ""), "InvalidInput"),
        (&with("<TTL>5</TTL>", "<TTL>-1</TTL>"), "InvalidInput"),
        (&with("<TTL>5</TTL>", "<TTL>2147483648</TTL>"), "InvalidInput"),
        (&with("<TTL>5</TTL>", "<Weight>1</Weight><TTL>5</TTL>"), "InvalidInput"),
        (&with("<TTL>5</TTL>", "<SetIdentifier>x</SetIdentifier><TTL>5</TTL>"), "InvalidInput"),
        (
            &with("<TTL>5</TTL>", "<SetIdentifier>x</SetIdentifier><Weight>256</Weight><TTL>5</TTL>"),
            "InvalidInput",
        ),
        (&with("<TTL>5</TTL>", "<HealthCheckId>x</HealthCheckId><TTL>5</TTL>"), "InvalidInput"),
        (&with("<TTL>5</TTL>", "<Unknown>x</Unknown><TTL>5</TTL>"), "InvalidInput"),
        (&with("<Type>A</Type>", "<Type>MX</Type>"), "InvalidInput"),
        (&with("db.a", "d..a"), "InvalidChangeBatch"),
    ];
    for (text, code) in table {
        assert_eq!(Batch::parse(text.as_bytes()).map(|_| ()).unwrap_err().code(), code, "{text}");
    }
    assert!(Batch::parse(document("CREATE", SET).as_bytes()).is_ok());
}

fn document(action: &str, set: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><{ROOT} xmlns=\"{NAMESPACE}\"><ChangeBatch><Comment>why</Comment><Changes><Change>\
         <Action>{action}</Action><ResourceRecordSet>{set}</ResourceRecordSet></Change></Changes></ChangeBatch></{ROOT}>"
    )
}

//! A path and its query.

/// The path without slashes at its end, and the decoded parameters in their order.
pub fn split(target: &str) -> (&str, Vec<(String, String)>) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    };
    (path.trim_end_matches('/'), pairs.map(pair).collect())
}

/// The last value of a parameter.
pub fn value<'a>(query: &'a [(String, String)], name: &str) -> Option<&'a str> {
    query.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = text.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        at += 1;
        decoded.push(match (byte, hex) {
            (b'%', Some(value)) => {
                at += 2;
                value
            }
            (b'+', _) => b' ',
            (byte, _) => *byte,
        });
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        let (path, query) = split("/v1/bdbs/?fields=uid%2Cname&x=a+b&y&z=%2&fields=c");
        assert_eq!((path, value(&query, "fields"), value(&query, "x")), ("/v1/bdbs", Some("c"), Some("a b")));
        assert_eq!(
            (query[0].1.as_str(), value(&query, "y"), value(&query, "z")),
            ("uid,name", Some(""), Some("%2"))
        );
    }
}

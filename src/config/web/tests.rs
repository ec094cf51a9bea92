//! The good and bad files in `tests/testdata/web`.

use std::path::{Path, PathBuf};

use super::*;
use crate::config::tests::{expect, files, lines};

#[test]
fn every_good_file_loads_with_its_warnings() {
    let check = |path: &PathBuf| match load_web(path) {
        Ok(loaded) => {
            let warnings = lines(&loaded.warnings);
            // Whether everybody can read the checked-out files is for the machine to say.
            let kept =
                warnings.split_inclusive('\n').filter(|line| !line.contains("every user of this machine"));
            expect(path, &kept.collect::<String>())
        }
        Err(problems) => Some(problems.to_string()),
    };
    let failures: Vec<_> = files("web/good").iter().filter_map(check).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_bad_file_fails_with_its_sentences() {
    let check = |path: &PathBuf| match load_web(path) {
        Ok(_) => Some(format!("{} loads", path.display())),
        Err(problems) => {
            let found = lines(problems.list());
            assert!(!found.contains("hunter2"), "{found}");
            expect(path, &found)
        }
    };
    let failures: Vec<_> = files("web/bad").iter().filter_map(check).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_full_file_is_read_whole_and_its_secrets_are_not_told() {
    let web = load_web(Path::new("tests/testdata/web/good/full.yml")).unwrap().web;
    let pem = std::fs::read_to_string("tests/testdata/web/pem.txt").unwrap();
    let tls = web.tls.as_ref().unwrap();
    assert_eq!((tls.certificates.as_str(), tls.key.expose()), (pem.as_str(), pem.as_str()));
    let names = ["prometheus.example.com", "10.9.0.1", "spiffe://example.com/prometheus"].map(str::to_owned);
    let clients = ClientCertificates::Verified { authorities: pem.clone(), names: names.to_vec() };
    assert_eq!(tls.clients, clients);
    assert_eq!((tls.min, tls.max, tls.prefers_own_ciphers), (TlsVersion::V12, TlsVersion::V13, false));
    assert_eq!(tls.ciphers, [WebCipher::RsaAes128]);
    assert_eq!(tls.curves, [WebCurve::P256, WebCurve::X25519]);
    let headers: Vec<_> = web.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        headers,
        [
            ("Content-Security-Policy", "frame-ancestors 'none'"),
            ("Strict-Transport-Security", "max-age=31536000"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
        ]
    );
    assert_eq!(web.users["prometheus"].cost(), 4);
    let told = format!("{web:?}");
    assert!(!told.contains("$2y$") && !told.contains("PRIVATE"), "{told}");
}

#[test]
fn only_a_bcrypt_hash_is_a_hash() {
    let letters = "pyVEWFMJ9iHRBxPO0VXBYO0KXpfeiNJ0wvpJLzi7zDs0/V29IrAYu";
    for (start, good) in [
        ("$2a$04$", true),
        ("$2b$10$", true),
        ("$2y$16$", true),
        ("$2y$03$", false),
        ("$2y$17$", false),
        ("$2y$99999999999$", false),
        ("$2y$1x$", false),
        ("$2z$10$", false),
        ("$5$10$", false),
        ("", false),
    ] {
        assert_eq!(PasswordHash::new(&format!("{start}{letters}")).is_ok(), good, "{start}");
        assert!(PasswordHash::new(&format!("{start}{letters}x")).is_err(), "too long");
        assert!(PasswordHash::new(&format!("{start}{}", &letters[1..])).is_err(), "too short");
        assert!(PasswordHash::new(&format!("{start}é{}", &letters[2..])).is_err(), "another alphabet");
    }
}

//! How connections are encrypted.

use super::rules::{ClientCertificates, TlsVersion, WebCipher, WebCurve, WebTls};
use crate::config::Secret;
use crate::config::read::{Item, Section, boolean, choice, is_world_readable, path, read_file, text, unread};

/// Largest accepted file of certificates or keys, in bytes.
const PEM_BYTES_MAX: u64 = 1024 * 1024;
const KNOWN: [&str; 13] = [
    "cert_file",
    "cert",
    "key_file",
    "key",
    "client_auth_type",
    "client_ca_file",
    "client_ca",
    "client_allowed_sans",
    "min_version",
    "max_version",
    "cipher_suites",
    "curve_preferences",
    "prefer_server_cipher_suites",
];
/// The ciphers of TLS 1.2 under the names that Go gives them.
const CIPHERS: [(&str, WebCipher); 8] = [
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", WebCipher::EcdsaAes128),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", WebCipher::EcdsaAes256),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", WebCipher::EcdsaChacha),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", WebCipher::EcdsaChacha),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", WebCipher::RsaAes128),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", WebCipher::RsaAes256),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", WebCipher::RsaChacha),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", WebCipher::RsaChacha),
];
/// The curves under the names that Go gives them.
const CURVES: [(&str, WebCurve); 3] =
    [("X25519", WebCurve::X25519), ("CurveP256", WebCurve::P256), ("CurveP384", WebCurve::P384)];

/// Reads `tls_server_config`.
pub(super) fn read(item: &Item<'_>) -> Option<WebTls> {
    let section = item.section(&KNOWN)?;
    let certificates = required_pem(&section, "cert");
    let key = required_pem(&section, "key").map(Secret::new);
    if key.is_some() {
        warn_open_key(&section);
    }
    let clients = clients(&section);
    let (min, max) = versions(&section);
    let ciphers = known(&section, "cipher_suites", &CIPHERS, |name| {
        // Those of TLS 1.3 cannot be chosen, in Go neither.
        ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"].contains(&name)
    });
    let curves = known(&section, "curve_preferences", &CURVES, |_| false);
    Some(WebTls {
        certificates: certificates?,
        key: key?,
        clients: clients?,
        min,
        max,
        ciphers,
        curves,
        prefers_own_ciphers: section.or("prefer_server_cipher_suites", true, boolean),
    })
}

/// The text of a PEM file that `<stem>_file` names, or of `<stem>` itself; absent when there is neither.
fn pem(section: &Section<'_>, stem: &str) -> Option<Option<String>> {
    let file = section.item(&format!("{stem}_file"));
    let inline = section.item(stem);
    if let (Some(file), Some(_)) = (&file, &inline) {
        let reason = format!("is given as well as {stem}");
        section.sheet.problem(&file.key, reason, "keep one of the two");
        return None;
    }
    let Some(file) = file else {
        let Some(inline) = inline else { return Some(None) };
        return inline.read(text).map(|text| Some(text.to_owned()));
    };
    let full = section.sheet.resolve(&file.read(path)?);
    let reason = match read_file(&full, PEM_BYTES_MAX) {
        Ok(bytes) if bytes.len() as u64 > PEM_BYTES_MAX => format!("has more than {PEM_BYTES_MAX} bytes"),
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => return Some(Some(text)),
            Err(_) => "is not text".to_owned(),
        },
        Err(error) => unread(&error),
    };
    let hint = "name a PEM file; a relative path starts at the folder of this file";
    section.sheet.problem(&file.key, format!("{} {reason}", full.display()), hint);
    None
}

fn required_pem(section: &Section<'_>, stem: &str) -> Option<String> {
    let found = pem(section, stem)?;
    if found.is_none() {
        let name = format!("{stem}_file");
        let hint = "name it, or remove tls_server_config to serve in clear text";
        section.sheet.problem(&section.key_of(&name), "is missing", hint);
    }
    found
}

fn warn_open_key(section: &Section<'_>) {
    let Some(name) = section.item("key_file").and_then(|item| item.read(path)) else { return };
    if is_world_readable(&section.sheet.resolve(&name)) {
        let reason = "names a file that every user of this machine can read";
        section.sheet.warning(&section.key_of("key_file"), reason, "chmod o-r the file");
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ClientAuth {
    Nothing,
    Request,
    Any,
    VerifyIfGiven,
    Verify,
}

const CLIENT_AUTH: [(&str, ClientAuth); 5] = [
    ("NoClientCert", ClientAuth::Nothing),
    ("RequestClientCert", ClientAuth::Request),
    ("RequireAnyClientCert", ClientAuth::Any),
    ("VerifyClientCertIfGiven", ClientAuth::VerifyIfGiven),
    ("RequireAndVerifyClientCert", ClientAuth::Verify),
];

fn clients(section: &Section<'_>) -> Option<ClientCertificates> {
    let sheet = section.sheet;
    let auth = match section.item("client_auth_type") {
        Some(item) => item.read(choice(&CLIENT_AUTH))?,
        None => ClientAuth::Nothing,
    };
    let key = section.key_of("client_auth_type");
    let names = names(section)?;
    let verify = |names| {
        let found = pem(section, "client_ca")?;
        if found.is_none() {
            let hint = "name the authorities of the clients' certificates";
            sheet.problem(&section.key_of("client_ca_file"), "is missing", hint);
        }
        Some((found?, names))
    };
    match auth {
        ClientAuth::VerifyIfGiven => {
            let (authorities, names) = verify(names)?;
            Some(ClientCertificates::VerifiedIfGiven { authorities, names })
        }
        ClientAuth::Verify => {
            let (authorities, names) = verify(names)?;
            Some(ClientCertificates::Verified { authorities, names })
        }
        ClientAuth::Nothing | ClientAuth::Request | ClientAuth::Any => {
            let stray = ["client_ca_file", "client_ca", "client_allowed_sans"];
            for stray in stray.iter().filter_map(|name| section.item(name)) {
                let hint = "write client_auth_type: RequireAndVerifyClientCert, or remove the key";
                sheet.problem(&stray.key, "is for a client_auth_type that verifies", hint);
            }
            if auth == ClientAuth::Request {
                sheet.warning(&key, "lets everybody in", "write RequireAndVerifyClientCert to verify");
                return Some(ClientCertificates::None);
            }
            if auth == ClientAuth::Any {
                let reason = "lets everybody in who has any certificate";
                sheet.warning(&key, reason, "write RequireAndVerifyClientCert to verify");
                return Some(ClientCertificates::Any);
            }
            Some(ClientCertificates::None)
        }
    }
}

fn names(section: &Section<'_>) -> Option<Vec<String>> {
    let Some(item) = section.item("client_allowed_sans") else { return Some(Vec::new()) };
    let items = item.items()?;
    if items.is_empty() {
        section.sheet.problem(&item.key, "is empty", "name who may connect, or remove the key");
    }
    let mut names = Vec::new();
    for item in items {
        let name = item.read(text)?;
        if name.contains('@') && !name.contains("://") {
            let hint = "name a DNS name, an IP address or a URI of the certificate";
            item.sheet.problem(&item.key, "is an address of mail, which is not looked for", hint);
        }
        names.push(name.to_owned());
    }
    Some(names)
}

fn versions(section: &Section<'_>) -> (TlsVersion, TlsVersion) {
    const VERSIONS: [(&str, Option<TlsVersion>); 4] = [
        ("TLS10", None),
        ("TLS11", None),
        ("TLS12", Some(TlsVersion::V12)),
        ("TLS13", Some(TlsVersion::V13)),
    ];
    let read = |name| Some((section.optional(name, choice(&VERSIONS))?, section.key_of(name)));
    let min = match read("min_version") {
        Some((Some(version), _)) => version,
        Some((None, key)) => {
            section.sheet.warning(&key, "is older than what is spoken here", "write TLS12 or TLS13");
            TlsVersion::V12
        }
        None => TlsVersion::V12,
    };
    let max = match read("max_version") {
        Some((Some(version), key)) => {
            if version < min {
                section.sheet.problem(&key, "is older than min_version", "write TLS13");
            }
            version
        }
        Some((None, key)) => {
            section.sheet.problem(&key, "is older than what is spoken here", "write TLS12 or TLS13");
            TlsVersion::V13
        }
        None => TlsVersion::V13,
    };
    (min, max)
}

/// Reads a list of names, of which some are not offered here: those are left out with a warning, but one must remain.
fn known<T: Copy>(
    section: &Section<'_>,
    key: &str,
    table: &[(&str, T)],
    is_fixed: impl Fn(&str) -> bool,
) -> Vec<T> {
    let Some(items) = section.item(key).and_then(|item| item.items()) else { return Vec::new() };
    let mut found = Vec::new();
    for item in &items {
        let Some(name) = item.read(text) else { continue };
        match table.iter().find(|(known, _)| *known == name) {
            Some((_, meaning)) => found.push(*meaning),
            None if is_fixed(name) => {}
            None => item.sheet.warning(&item.key, "is not offered here, and left out", ""),
        }
    }
    if found.is_empty() && !items.is_empty() {
        let all = table.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        section.sheet.problem(
            &section.key_of(key),
            "names nothing that is offered here",
            format!("known: {all}"),
        );
    }
    found
}

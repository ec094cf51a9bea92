//! The good and bad files in `tests/testdata/config`, and what no file may do.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;

const TSIG_SECRET: &str = "c2VjcmV0IG9mIHRoZSBjb25maWd1cmF0aW9uIHRlc3Q=";

/// The only variables that the files may name.
fn env(name: &str) -> Option<String> {
    match name {
        "REDIS_PASSWORD" => Some("hunter2".to_owned()),
        "TSIG_SECRET" => Some(TSIG_SECRET.to_owned()),
        "SLACK_URL" => Some("https://hooks.slack.example.com/services/T0/B0/hunter2".to_owned()),
        "GOOGLE_KEY" => Some("{\"private_key\": \"hunter2\"}".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

pub(super) fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new("tests/testdata").join(folder);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "yml"));
    files.sort();
    assert!(!files.is_empty());
    files
}

pub(super) fn lines<T: ToString>(problems: &[T]) -> String {
    problems.iter().map(|p| p.to_string() + "\n").collect()
}

/// Compares with the file beside it; `REDROVER_UPDATE=1` writes that file anew, for review as a diff.
pub(super) fn expect(path: &Path, found: &str) -> Option<String> {
    let beside = path.with_extension("txt");
    if std::env::var_os("REDROVER_UPDATE").is_some() {
        fs::write(&beside, found).unwrap();
    }
    let wanted = fs::read_to_string(&beside).unwrap_or_default();
    (wanted != found).then(|| format!("{}:\nwanted:\n{wanted}found:\n{found}", path.display()))
}

#[test]
fn every_good_file_loads_with_its_warnings() {
    let check = |path: &PathBuf| match load(path, &env) {
        Ok(loaded) => expect(path, &lines(&loaded.warnings)),
        Err(problems) => Some(problems.to_string()),
    };
    let failures: Vec<_> = files("config/good").iter().filter_map(check).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_bad_file_fails_with_its_sentences() {
    let check = |path: &PathBuf| match load(path, &env) {
        Ok(_) => Some(format!("{} loads", path.display())),
        Err(problems) => {
            let found = lines(problems.list());
            assert!(!found.contains("hunter2"), "{found}");
            assert!(found.lines().all(|line| line.starts_with(path.to_str().unwrap())));
            expect(path, &found)
        }
    };
    let failures: Vec<_> = files("config/bad").iter().filter_map(check).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_embedded_name_server_is_limited_unless_that_is_switched_off() {
    let with = |rules: &str| {
        let text = good("full").replace("{responses_per_second: 50, slip: 0, exempt: [10.0.0.0/8]}", rules);
        parsed(&text).unwrap().config.embedded_dns.unwrap().rate_limit
    };
    let usual = RateLimit { responses_per_second: 200, slip: 2, exempt: Vec::new() };
    assert_eq!(with("{}"), Some(usual.clone()));
    assert_eq!(with("{enabled: true}"), Some(usual));
    assert_eq!(with("{enabled: false}"), None);
}

fn good(name: &str) -> String {
    fs::read_to_string(format!("tests/testdata/config/good/{name}.yml")).unwrap()
}

fn parsed(text: &str) -> Result<Loaded, Problems> {
    parse(text, Path::new("redrover.yml"), &env, Rules::Agent)
}

#[test]
fn a_minimal_file_has_the_defaults() {
    let config = parsed(&good("minimal")).unwrap().config;
    assert_eq!(config.global.probe_interval, Duration::from_secs(5));
    assert_eq!(config.global.probe_timeout, Duration::from_secs(1));
    assert_eq!(config.agent.data_dir, Path::new("/var/lib/redrover"));
    assert_eq!(config.webhook.service_label, "redis_service");
    assert_eq!(config.webhook.body_bytes_max, 4_194_304);
    assert_eq!(config.webhook.auth, WebhookAuth::Open);
    let service = &config.services[0];
    assert_eq!(service.mode, Mode::Recommend);
    assert_eq!((&service.promote, &service.canary), (&None, &None));
    assert_eq!(service.policy, Policy::default());
    assert_eq!(service.record.read_interval, Duration::from_secs(30));
    let Provider::Route53(route53) = &service.record.provider else { panic!("route53") };
    assert_eq!((route53.region.as_str(), &route53.endpoint), ("us-east-1", &None));
}

#[test]
fn a_full_file_is_read_whole() {
    let config = parsed(&good("full")).unwrap().config;
    let secret = Secret::new("hunter2");
    let WebhookAuth::Basic { username, password } = &config.webhook.auth else { panic!("basic") };
    assert_eq!((username.as_str(), password), ("alertmanager", &secret));
    let day = Duration::from_secs(86_400);
    let metrics = MetricsHistory { resolution: day / 288, retention: 7 * day, bytes_max: 16 << 20 };
    assert_eq!(config.history, History { retention: 30 * day, entries_max: 5_000, metrics: Some(metrics) });
    let dns = config.embedded_dns.as_ref().unwrap();
    assert_eq!((dns.name_servers[0].addresses.len(), dns.name_servers[1].addresses.len()), (0, 2));
    let limit = dns.rate_limit.as_ref().unwrap();
    assert_eq!((limit.responses_per_second, limit.slip, limit.exempt.len()), (50, 0, 1));
    let service = &config.services[0];
    assert_eq!((service.topology, service.mode), (Topology::Replication, Mode::Automatic));
    assert_eq!(service.promote, Some(Promote::Replicaof { without_fencing: true }));
    assert_eq!(service.canary, Some(Canary { key_prefix: "redrover:canary:".to_owned() }));
    assert_eq!(service.policy.confirm_window, Duration::from_secs(40));
    assert_eq!(service.policy.weights.alert, 3.5);
    assert_eq!(service.policy.flap.reuse, 500.0);
    assert_eq!(service.record.ttl_seconds, 10);
    let (first, second) = (&service.sites[0].targets, &service.sites[1].targets);
    assert_eq!(first[0].name.as_str(), "redis://127.0.0.1:6379");
    assert_eq!(first[1].address, Address::Unix("/run/redis.sock".into()));
    assert_eq!((first[0].username.as_deref(), &first[0].password), (Some("probe"), &Some(secret)));
    assert_eq!((&first[0].tls, &second[0].username), (&None, &None));
    let tls = second[0].tls.as_ref().unwrap();
    assert_eq!(tls.server_name.as_deref(), Some("redis.example.com"));
    assert_eq!(service.sites[1].dns_target, "redis-b.example.com");
    assert_eq!(config.services[1].sites[0].dns_target, "fd00::1");
}

#[test]
fn a_primary_and_its_key_are_read_whole_and_the_key_is_not_told() {
    let path = Path::new("tests/testdata/config/good/rfc2136.yml");
    let config = load(path, &env).unwrap().config;
    let Provider::Rfc2136(place) = &config.services[0].record.provider else { panic!("rfc2136") };
    assert_eq!(
        (place.host.as_str(), place.port, place.zone.as_str()),
        ("ns1.example.com", 5353, "example.com")
    );
    assert_eq!(
        (place.tsig.name.as_str(), place.tsig.algorithm),
        ("redrover-sessions", TsigAlgorithm::HmacSha512)
    );
    assert_eq!(place.tsig.secret, Secret::new(TSIG_SECRET));
    assert!(!format!("{config:?}").contains(TSIG_SECRET));
}

#[test]
fn a_key_file_is_read_and_not_told() {
    let path = Path::new("tests/testdata/config/good/cloud_dns.yml");
    let config = load(path, &env).unwrap().config;
    let Provider::CloudDns(place) = &config.services[0].record.provider else { panic!("cloud-dns") };
    assert_eq!((place.project.as_str(), place.managed_zone.as_str()), ("my-project", "example-com"));
    assert!(place.key.is_some());
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn what_a_record_holds_for_each_site_is_written_in_lines() {
    let service = parsed(&good("route53")).unwrap().config.services.remove(0);
    let [a, b] = &service.sites[..] else { panic!("two sites") };
    let lines = |site| service.values_of(site).into_iter().collect::<Vec<_>>();
    assert_eq!(
        lines(a),
        [
            "at=cache.example.com/CNAME set=dc-a/100 redis.dc-a.example.net",
            "at=cache.example.com/CNAME set=dc-b/0 redis.dc-b.example.net",
            "at=sessions.example.com/AAAA set=dc-a/100 alias=Z26RNL4JYFTOTI lb-a.example.net",
            "at=sessions.example.com/AAAA set=dc-b/0 2001:db8::2",
            "set=dc-a/100 alias=Z26RNL4JYFTOTI lb-a.example.net",
            "set=dc-b/0 10.0.1.1",
        ]
    );
    for site in [a, b] {
        assert_eq!(service.site_of(&service.values_of(site)), Some(site));
    }
    let both = lines(a).into_iter().chain(lines(b)).collect();
    assert_eq!(service.site_of(&both), None);
    // Without weights only the active site's targets stand there.
    let simple = parsed(&good("route53").replace("weight: 100", "")).unwrap().config.services.remove(0);
    let lines = simple.values_of(&simple.sites[1]).into_iter().collect::<Vec<_>>();
    let b = [
        "10.0.1.1",
        "at=cache.example.com/CNAME redis.dc-b.example.net",
        "at=sessions.example.com/AAAA 2001:db8::2",
    ];
    assert_eq!(lines, b);
}

#[test]
fn what_stands_around_the_services_is_read_whole() {
    let config = parsed(&good("around")).unwrap().config;
    let secret = Secret::new("hunter2");
    let shown = |list: &[Reach]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let [b1, c1] = &config.agent.vantages[..] else { panic!("two vantages") };
    assert_eq!((b1.name.as_str(), b1.failure_domain.as_str()), ("b1", "dc-a"));
    assert_eq!(
        (b1.url.as_str(), &b1.token),
        ("https://redrover.dc-a.example.com:9911/", &Some(secret.clone()))
    );
    assert_eq!((c1.name.as_str(), &c1.token), ("c1", &None));
    assert_eq!(shown(&config.self_checks), ["10.9.0.1:53", "example.com"]);
    let [a, b] = &config.datacenters[..] else { panic!("two datacenters") };
    let checks = ["gateway.dc-a.example.com:443", "https://status.dc-a.example.com/", "ns.dc-a.example.com"];
    assert_eq!((a.name.as_str(), shown(&a.domain_checks)), ("dc-a", checks.map(str::to_owned).to_vec()));
    assert_eq!(b.domain_checks, [Reach::Tcp { host: "fd00::1".to_owned(), port: 443 }]);
    assert_eq!(shown(&b.domain_checks), ["[fd00::1]:443"]);
    let enterprise = a.enterprise.as_ref().unwrap();
    assert_eq!((enterprise.username.as_str(), &enterprise.password), ("redrover@example.com", &secret));
    let metrics_url = enterprise.metrics_url.as_ref().map(url::Url::as_str);
    assert_eq!(metrics_url, Some("https://cluster-a.example.com:8070/v2"));
    assert_eq!(enterprise.interval, Duration::from_secs(10));
    let prometheus = config.prometheus.as_ref().unwrap();
    let login = HttpLogin::Basic { username: "redrover".to_owned(), password: secret };
    assert_eq!(prometheus.login, Some(login));
    let service = &config.services[0];
    assert!(service.dry_run);
    assert_eq!([service.sites[0].database, service.sites[1].database], [Some(1), Some(7)]);
    assert!(service.client_errors.as_ref().unwrap().promql.starts_with("sum(rate("));
    let [one, all] = &service.maintenance[..] else { panic!("two windows") };
    assert_eq!((one.site.as_ref().map(|s| s.as_str()), &all.site), (Some("dc-b"), &None));
    assert_eq!((one.from_unix_ms, one.until_unix_ms), (1_796_162_400_000, 1_796_166_000_000));
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn automatic_asks_for_places_and_for_a_leader() {
    let rows: [(&str, Rules, &[&str]); 7] = [
        ("", Rules::Agent, &["this agent is the only one"]),
        ("{name: b1, failure_domain: dc-b, url: http://b}", Rules::Agent, &["stand in 2", "leader election"]),
        ("{name: b1, failure_domain: dc-b, url: http://b}", Rules::Simulator, &["stand in 2"]),
        (
            "{name: b1, failure_domain: dc-b, url: http://b}, {name: c1, failure_domain: dc-b, url: http://c}",
            Rules::Simulator,
            &["stand in 2"],
        ),
        (
            "{name: b1, failure_domain: dc-b, url: http://b}, {name: c1, failure_domain: dc-c, url: http://c}",
            Rules::Agent,
            &["leader election"],
        ),
        (
            "{name: b1, failure_domain: dc-b, url: http://b}, {name: c1, failure_domain: dc-c, url: http://c}",
            Rules::Simulator,
            &[],
        ),
        // The sentence about places is not asked for where the vantages themselves are wrong.
        ("{name: b1}", Rules::Simulator, &["is missing", "is missing"]),
    ];
    for (vantages, rules, wanted) in rows {
        let text = good("minimal")
            .replace("failure_domain: dc-a", &format!("failure_domain: dc-a, vantages: [{vantages}]"))
            .replace("topology:", "mode: automatic\n    canary: {enabled: true}\n    topology:");
        let found = match parse(&text, Path::new("redrover.yml"), &env, rules) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.list().iter().map(ToString::to_string).collect(),
        };
        assert_eq!(found.len(), wanted.len(), "{vantages} {rules:?}: {found:?}");
        assert!(
            found.iter().zip(wanted).all(|(found, wanted)| found.contains(wanted)),
            "{vantages}: {found:?}"
        );
    }
}

#[test]
fn secrets_come_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("redrover.yml");
    let token = folder.path().join("token");
    let text = good("minimal") + "webhook: {bearer_token_file: token}\n";
    for (content, want) in [
        (&b"hunter2\n"[..], Some("hunter2")),
        (b"hunter2\r\n", Some("hunter2")),
        (b" hunter2\n\n", Some(" hunter2\n")),
        (b"", None),
        (b"\n", None),
        (b"\xff", None),
        (&[b'x'; 70_000], None),
    ] {
        fs::write(&token, content).unwrap();
        let found = parse(&text, &path, &env, Rules::Agent).ok().map(|loaded| loaded.config.webhook.auth);
        assert_eq!(found, want.map(|text| WebhookAuth::Bearer(Secret::new(text))), "{content:?}");
    }
    fs::write(&token, "hunter2").unwrap();
    #[cfg(unix)]
    for (mode, warned) in [(0o644, true), (0o640, false)] {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&token, fs::Permissions::from_mode(mode)).unwrap();
        let warnings = parse(&text, &path, &env, Rules::Agent).unwrap().warnings;
        assert_eq!(lines(&warnings).contains("every user of this machine"), warned, "{mode:o}");
    }
    fs::remove_file(&token).unwrap();
    let problems = parse(&text, &path, &env, Rules::Agent).unwrap_err();
    assert!(problems.to_string().contains("webhook.bearer_token_file: names a file that does not exist"));
}

#[test]
fn what_is_no_text_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("redrover.yml");
    let sentence = |path: &Path| load(path, &env).unwrap_err().to_string();
    assert!(
        sentence(&path).contains("redrover.yml: does not exist (mend: name a YAML file with --config.file")
    );
    assert!(sentence(folder.path()).contains("cannot be read: is a directory"));
    assert!(sentence(Path::new("/dev/null")).contains("cannot be read"));
    fs::write(&path, b"a: 1\nb: \xff\n").unwrap();
    assert!(sentence(&path).contains("redrover.yml:2: is not UTF-8 text"));
    fs::write(&path, vec![b'#'; 1024 * 1024 + 1]).unwrap();
    assert!(sentence(&path).contains("has more than 1048576 bytes"));
}

/// A text in which one slice was replaced.
fn mutated(text: &str, at: usize, length: usize, with: &str) -> String {
    let start = text.floor_char_boundary(at % text.len());
    let end = text.floor_char_boundary((start + length).min(text.len()));
    format!("{}{with}{}", &text[..start], &text[end..])
}

proptest::proptest! {
    #[test]
    fn no_mutation_panics_or_shows_a_secret(
        changes in proptest::collection::vec((0..10_000_usize, 0..12_usize, "[-a-z0-9:{}\\[\\]&*!?\"'.,#\n ]{0,6}"), 1..6),
    ) {
        let mut text = good("full");
        for (at, length, with) in &changes {
            text = mutated(&text, *at, *length, with);
        }
        match parsed(&text) {
            Ok(loaded) => proptest::prop_assert!(!lines(&loaded.warnings).contains("hunter2")),
            Err(problems) => {
                proptest::prop_assert!(!problems.list().is_empty());
                proptest::prop_assert!(!problems.to_string().contains("hunter2"));
            }
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _ = parsed(&text);
    }
}

//! The provider for Route 53, at its stand-in: where credentials come from and what they must allow, and whole switches of
//! two agents that race on one record.

use aws_sdk_route53::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_route53::error::ProvideErrorMetadata as _;
use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
use redrover::act::dns::route53::Route53Dns;
use redrover::act::dns::{Dns as _, DnsError, RecordChange};
use redrover::config::{Provider, load};
use redrover::decide::fence_of;
use redrover::decide::saga::Outcome;
use redrover::types::{RecordState, ResourceSet};
use serde_json::{Value, json};

use super::suite;
use super::support::agent::{self, SERVICE, Setup, route53_record};
use super::support::dns::{RecordType, query};
use super::support::http;
use super::support::process::{Output, run};
use super::support::race::Races;
use super::support::racer::{Racer, Redis};
use super::support::sandbox::{PRIVATE_ID, Route53Sandbox, ZONE, ZONE_ID};
use super::support::scene::ROUNDS_LIMIT;

/// Races of the usual run; `REDROVER_ROUTE53_RACES` asks for another number.
const RACES: usize = 40;
const NAME: &str = "sessions.example.test";
const TARGETS: [&str; 2] = ["redis-a.example.test", "redis-b.example.test"];
/// The policy that people copy.
const EXAMPLE: &str = include_str!("../../deploy/aws/route53-policy.json");

fn sites() -> [Value; 2] {
    [("dc-a", TARGETS[0], "redis://127.0.0.1:1"), ("dc-b", TARGETS[1], "redis://127.0.0.1:2")]
        .map(|(name, target, redis)| json!({"datacenter": name, "dns_target": target, "targets": [redis]}))
}

async fn sandbox(flags: &[&str]) -> Route53Sandbox {
    Route53Sandbox::start_with(&[&format!("{NAME} CNAME 5 {}", TARGETS[0])], flags).await
}

fn setup(sandbox: &Route53Sandbox) -> Setup {
    Setup::new(route53_record(sandbox, NAME), &sites())
}

async fn policy(setup: &Setup) -> Value {
    let output = setup.redrover(&["check", "--iam-policy"]).await;
    assert_eq!(output.code, 0, "{}", output.stderr);
    serde_json::from_str(&output.stdout).expect("it prints the policy and nothing else")
}

#[tokio::test]
async fn the_policy_that_is_shown_is_the_one_that_is_made() {
    let record = json!({"provider": "route53", "zone_id": "Z0123456789EXAMPLE", "name": "sessions.example.com",
        "type": "CNAME", "ttl": "5s"});
    let example: Value = serde_json::from_str(EXAMPLE).expect("it is JSON");
    assert_eq!(policy(&Setup::new(record, &sites())).await, example);
    assert!(!EXAMPLE.contains("UPSERT"));
    let embedded = Setup::new(agent::embedded_record(NAME), &sites()).with(
        "/embedded_dns",
        json!({"listen": "127.0.0.1:0", "zone": ZONE, "name_servers": ["ns1.example.test"]}),
    );
    assert_eq!(embedded.redrover(&["check", "--iam-policy"]).await.code, 2);
}

#[tokio::test]
async fn the_policy_allows_all_that_redrover_does_and_nothing_else() {
    let sandbox = sandbox(&[]).await;
    let record = json!({"provider": "route53", "zone_id": ZONE_ID, "endpoint": sandbox.api(), "name": NAME,
        "type": "CNAME", "ttl": "5s", "name_servers": [sandbox.dns()], "more_records": [{"name": "cache.example.test",
        "type": "A", "sites": [{"datacenter": "dc-a", "dns_target": "192.0.2.1"}, {"datacenter": "dc-b", "dns_target": "192.0.2.2"}]}]});
    let setup = Setup::new(record, &sites());
    let policy = policy(&setup).await;
    sandbox.put_policy(&policy).await;

    let output = setup.redrover(&["check", "--connect"]).await;
    assert!(output.stdout.contains("lets this agent read and change record and fence"), "{}", output.stdout);
    sandbox.set_foreign("cache.example.test", "A", "192.0.2.1").await;
    let adopted = setup.redrover(&["adopt", SERVICE, "--yes"]).await;
    assert_eq!(adopted.code, 0, "{}", adopted.stderr);
    let racer = Racer::new(&setup, "agent-1", &Redis::new()).await;
    let plan = racer.plan("dc-a", "dc-b", true).await;
    assert_eq!(racer.run(plan).await, Outcome::Switched);

    // What a thief of the credentials would want as well.
    let now = racer.dns().read().await.expect("it can be read");
    let client = client(&sandbox).await;
    let set = |name: &str, kind: RrType, value: &str| {
        let value = ResourceRecord::builder().value(value).build().expect("a value");
        ResourceRecordSet::builder()
            .name(name)
            .r#type(kind)
            .ttl(5)
            .resource_records(value)
            .build()
            .expect("a set")
    };
    for (action, set) in [
        (ChangeAction::Upsert, set(NAME, RrType::Cname, "thief.example.net")),
        (ChangeAction::Create, set("other.example.test", RrType::Cname, "thief.example.net")),
        (ChangeAction::Create, set(NAME, RrType::Aaaa, "2001:db8::1")),
    ] {
        let change =
            Change::builder().action(action.clone()).resource_record_set(set).build().expect("a change");
        let batch = ChangeBatch::builder().changes(change).build().expect("a batch");
        let answer =
            client.change_resource_record_sets().hosted_zone_id(ZONE_ID).change_batch(batch).send().await;
        let error = answer.expect_err("it is denied");
        assert_eq!(error.code(), Some("AccessDenied"), "{action:?}");
    }
    assert_eq!(racer.dns().read().await.expect("it can be read"), now);

    // Without one of its names, before anything is to be moved.
    let narrow = policy.to_string().replace("\"_redrover.sessions.example.test\",", "");
    sandbox.put_policy(&serde_json::from_str(&narrow).expect("it is JSON")).await;
    let output = setup.redrover(&["check", "--connect"]).await;
    let told = |line: &str| line.contains("MISSING") && line.contains("ChangeResourceRecordSets");
    assert!(output.stdout.lines().any(told), "{}", output.stdout);
}

async fn client(sandbox: &Route53Sandbox) -> aws_sdk_route53::Client {
    let config = aws_sdk_route53::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("AKID", "secret", None, None, "test"))
        .endpoint_url(sandbox.api())
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    aws_sdk_route53::Client::from_conf(config.build())
}

#[tokio::test]
async fn credentials_come_from_where_the_environment_says() {
    let sandbox = sandbox(&["--access-key", "AKIDLASTING"]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let token = folder.path().join("token");
    std::fs::write(&token, "header.payload.signature").expect("the token can be written");
    let token = token.display().to_string();
    let shared = folder.path().join("credentials");
    let profile = "[ops]\naws_access_key_id = AKIDLASTING\naws_secret_access_key = s\n";
    std::fs::write(&shared, profile).expect("the profile can be written");
    let (shared, api) = (shared.display().to_string(), sandbox.api());
    let lasting = [("AWS_ACCESS_KEY_ID", "AKIDLASTING"), ("AWS_SECRET_ACCESS_KEY", "s")];
    let role = "arn:aws:iam::111122223333:role/redrover";
    let web = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.as_str()),
        ("AWS_ROLE_ARN", role),
        ("AWS_ROLE_SESSION_NAME", "pod"),
        ("AWS_ENDPOINT_URL_STS", api.as_str()),
    ];
    let instance =
        [("AWS_EC2_METADATA_SERVICE_ENDPOINT", api.as_str()), ("AWS_EC2_METADATA_DISABLED", "false")];
    let assume = json!({"arn": role, "external_id": "customer-7"});
    let from = |role: Option<&Value>| {
        let mut record = route53_record(&sandbox, NAME);
        if let Some(role) = role {
            record["assume_role"] = role.clone();
        }
        Setup::new(record, &sites())
    };

    for (what, environment, role, key) in [
        ("the environment", &lasting[..], None, None),
        (
            "a profile",
            &[("AWS_SHARED_CREDENTIALS_FILE", shared.as_str()), ("AWS_PROFILE", "ops")],
            None,
            None,
        ),
        (
            "a web identity",
            &web,
            None,
            Some(("AssumeRoleWithWebIdentity", "pod", Some("header.payload.signature"), None)),
        ),
        ("the instance", &instance, None, Some(("metadata", "i-0123456789", None, None))),
        (
            "a role on top",
            &[lasting[0], lasting[1], ("AWS_ENDPOINT_URL_STS", api.as_str())],
            Some(&assume),
            Some(("AssumeRole", "redrover", Some("customer-7"), Some("AKIDLASTING"))),
        ),
    ] {
        let before = keys(&sandbox).await.len();
        let output = check(&from(role), environment).await;
        let is_well = output.stdout.contains("lets this agent read and change record and fence");
        assert!(is_well, "{what}: {}{}", output.stdout, output.stderr);
        let issued = keys(&sandbox).await.split_off(before);
        let Some((how, session, proof, by)) = key else {
            assert!(issued.is_empty(), "{what}: {issued:?}");
            continue;
        };
        let last = issued.last().unwrap_or_else(|| panic!("{what}: no key was given out"));
        assert_eq!(last["how"], how, "{what}");
        assert_eq!(last["session"], session, "{what}");
        assert_eq!((last["proof"].as_str(), last["by"].as_str()), (proof, by), "{what}");
    }

    for (what, environment) in [
        (
            "a key that nobody knows",
            &[("AWS_ACCESS_KEY_ID", "AKIDOTHER"), ("AWS_SECRET_ACCESS_KEY", "s")][..],
        ),
        ("no credentials at all", &[]),
    ] {
        let output = check(&from(None), environment).await;
        let told = |line: &str| line.contains("MISSING") && line.contains("denies");
        assert!(output.stdout.lines().any(told), "{what}: {}{}", output.stdout, output.stderr);
    }
}

/// `check --connect` with these credentials only.
async fn check(setup: &Setup, environment: &[(&str, &str)]) -> Output {
    let mut command = agent::redrover();
    command.args(["check", "--connect", "--config.file"]).arg(setup.config_file());
    // A home without profiles.
    command.env("HOME", setup.data_dir());
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        command.env_remove(name);
    }
    command.envs(environment.iter().copied());
    run("check", &mut command, ROUNDS_LIMIT).await
}

async fn keys(sandbox: &Route53Sandbox) -> Vec<Value> {
    let keys = http::get_json(&format!("{}/_sandbox/keys", sandbox.api())).await;
    keys["keys"].as_array().expect("a list").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_agents_that_race_exactly_one_changes_the_record_and_epochs_rise() {
    let races = std::env::var("REDROVER_ROUTE53_RACES").ok().and_then(|n| n.parse().ok()).unwrap_or(RACES);
    let sandbox = sandbox(&["--sync-delay", "0ms"]).await;
    let mut all = Races::new(&setup(&sandbox)).await;
    for race in 0..races {
        let look = async || {
            // That nobody answers in time says something of the machine, and nothing of the record.
            let Ok(answer) = query(sandbox.dns(), NAME, RecordType::CNAME).await else { return false };
            assert_eq!(answer.records.len(), 1, "race {race}: the record is never empty");
            true
        };
        all.run(race, || {}, look).await;
        if race % 1000 == 999 || race + 1 == races {
            // The stand-in remembers the last 10,000 events: four for each race at most.
            let epochs = sandbox.history().await.epochs();
            assert!(epochs.windows(2).all(|pair| pair[0] < pair[1]), "{epochs:?}");
        }
    }
    println!(
        "{races} races, {} of them with a promotion: won {:?}; {} looks",
        all.promotions, all.wins, all.looks
    );
    assert!(all.looks > races / 2, "somebody looked meanwhile");
    assert_eq!(all.wins[0] + all.wins[1], races);
}

#[tokio::test]
async fn a_private_zone_moves_with_the_public_one_or_the_service_is_halted() {
    let record = format!("{NAME} CNAME 5 {}", TARGETS[0]);
    let private = [format!("{PRIVATE_ID} {ZONE}"), format!("{PRIVATE_ID} {record}")];
    for (fault, count, is_switched) in
        [("throttle", 2, true), ("lose_reply", 1, true), ("access_denied", 9, false)]
    {
        let flags = ["--private-zone", &private[0], "--private-record", &private[1], "--sync-delay", "50ms"];
        let sandbox = sandbox(&flags).await;
        let mut record = route53_record(&sandbox, NAME);
        record["private_zone_id"] = json!(PRIVATE_ID);
        let setup = Setup::new(record, &sites());
        let adopted = setup.redrover(&["adopt", SERVICE, "--yes"]).await;
        assert_eq!(adopted.code, 0, "{}", adopted.stderr);
        let redis = Redis::new();
        redis.begin("dc-b", true);
        let racer = Racer::new(&setup, "agent-1", &redis).await;
        let plan = racer.plan("dc-a", "dc-b", true).await;
        sandbox.put_faults(&[json!({"fault": fault, "count": count, "zone_id": PRIVATE_ID})]).await;
        let outcome = racer.run(plan).await;
        let state = racer.dns().read().await.expect("it can be read");
        let values = |state: &RecordState| state.record.clone().map(|set: ResourceSet| set.values);
        if is_switched {
            assert_eq!(outcome, Outcome::Switched, "{fault}");
            assert_eq!(state.parted(), None, "{fault}");
            assert_eq!(values(&state), Some([TARGETS[1].to_owned()].into()), "{fault}");
            let fence = fence_of(&state).expect("it is whole").expect("it is there");
            assert_eq!((fence.epoch, fence.active.as_str()), (3, "dc-b"), "{fault}");
            continue;
        }
        // It shows at the claim, before anything has moved or was promoted.
        assert!(matches!(outcome, Outcome::Foreign { .. }), "{fault}: {outcome:?}");
        assert_eq!(redis.promotions(), 0, "{fault}");
        let (public, private) = state.parted().expect("the zones are apart");
        assert_eq!(values(&public), Some([TARGETS[0].to_owned()].into()));
        assert_eq!(values(&private), Some([TARGETS[0].to_owned()].into()));
        // Once the right is there, a person adopts what stands in both.
        sandbox.put_faults(&[]).await;
        let adopted = setup.redrover(&["adopt", SERVICE, "--yes"]).await;
        assert_eq!(adopted.code, 0, "{}", adopted.stderr);
        let state = racer.dns().read().await.expect("it can be read");
        assert_eq!(state.parted(), None);
        // Records that differ are for a person to make the same.
        sandbox.set_foreign(NAME, "CNAME", TARGETS[1]).await;
        let adopted = setup.redrover(&["adopt", SERVICE, "--yes"]).await;
        assert_eq!(adopted.code, 2, "{}", adopted.stderr);
        assert!(adopted.stderr.contains("make them the same first"), "{}", adopted.stderr);
    }
}

/// A busy service is tried again, and the decision is looked at anew each time.
#[tokio::test]
async fn a_decision_that_has_expired_while_the_service_was_busy_is_dropped() {
    let sandbox = sandbox(&[]).await;
    let setup = setup(&sandbox);
    let adopted = setup.redrover(&["adopt", SERVICE, "--yes"]).await;
    assert_eq!(adopted.code, 0, "{}", adopted.stderr);
    let redis = Redis::new();
    redis.begin("dc-b", false);
    let racer = Racer::new(&setup, "agent-1", &redis).await;
    let mut plan = racer.plan("dc-a", "dc-b", false).await;
    plan.expires_unix_ms = plan.made_unix_ms + 1500;
    sandbox.put_faults(&[json!({"fault": "throttle", "count": 9})]).await;
    let outcome = racer.run(plan).await;
    assert!(matches!(&outcome, Outcome::Abandoned { why } if why.contains("expired")), "{outcome:?}");
    let tries = sandbox.history().await.refused().len();
    assert!((2..8).contains(&tries), "{tries} tries");
    sandbox
        .put_faults(&[
            json!({"fault": "throttle", "count": 2}),
            json!({"fault": "prior_request_not_complete"}),
        ])
        .await;
    let plan = racer.plan("dc-a", "dc-b", false).await;
    assert_eq!(racer.run(plan).await, Outcome::Switched);
}

#[tokio::test]
async fn the_configuration_makes_the_provider() {
    let sandbox = sandbox(&[]).await;
    let config = load(&setup(&sandbox).config_file(), &|_| None).expect("it loads").config;
    let record = &config.services[0].record;
    let Provider::Route53(place) = &record.provider else { panic!("route53") };
    let credentials = Credentials::new("id", "key", None, None, "test");
    let dns = Route53Dns::connect_with(record, place, credentials).await.expect("a provider");
    let bare = dns.read().await.expect("it can be read");
    let fenced = suite::state(TARGETS[0], 5, "v=1;epoch=1");
    suite::accepted(&dns, &bare, &fenced).await;
    let stale = RecordChange { expected: bare, wanted: suite::state(TARGETS[1], 5, "v=1;epoch=1") };
    let refused = dns.change(&stale, &suite::in_time()).await;
    assert!(matches!(refused, Err(DnsError::Conflict { .. })), "{refused:?}");
}

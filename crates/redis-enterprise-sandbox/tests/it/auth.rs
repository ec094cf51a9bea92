//! Who is let in.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use reqwest::Method;
use serde_json::json;

use crate::support::{MEMBER, Rig, VIEWER};

const BDBS: &str = "/v1/bdbs?fields=uid";
const WRONG: (&str, &str) = ("viewer@sandbox.test", "wrong");

async fn status(rig: &Rig, user: Option<(&str, &str)>) -> u16 {
    rig.ask("a", 2, Method::GET, BDBS, user, None).await.unwrap().status
}

#[tokio::test]
async fn five_wrong_logins_lock_a_user_for_half_an_hour() {
    let rig = Rig::standard().await;
    for _ in 0..4 {
        assert_eq!(status(&rig, Some(WRONG)).await, 401);
    }
    assert_eq!(status(&rig, Some(VIEWER)).await, 200, "four are not five, and a good one forgives");
    for _ in 0..5 {
        assert_eq!(status(&rig, Some(WRONG)).await, 401);
    }
    assert_eq!(status(&rig, Some(VIEWER)).await, 401);
    assert_eq!(status(&rig, Some(MEMBER)).await, 200, "others are not locked");
    rig.skip(1_780_000).await;
    assert_eq!(status(&rig, Some(VIEWER)).await, 401);
    rig.skip(20_000).await;
    assert_eq!(status(&rig, Some(VIEWER)).await, 200);

    // No login at all is refused, and locks nobody.
    for _ in 0..6 {
        assert_eq!(status(&rig, None).await, 401);
    }
    assert_eq!(status(&rig, Some(VIEWER)).await, 200);
}

#[tokio::test]
async fn users_may_do_what_their_role_says() {
    let rig = Rig::standard().await;
    let auditor = ("auditor@sandbox.test", "auditor-password");
    for (user, path, want) in [
        (VIEWER, "/v1/logs", 403),
        (auditor, "/v1/logs", 200),
        (VIEWER, "/v1/cluster", 200),
        (MEMBER, "/v1/cluster", 200),
    ] {
        assert_eq!(
            rig.ask("a", 2, Method::GET, path, Some(user), None).await.unwrap().status,
            want,
            "{path}"
        );
    }
    let wish = json!({"replica_sync": "disabled"});
    let refused = rig.ask("a", 2, Method::PUT, "/v1/bdbs/2", Some(VIEWER), Some(wish.clone())).await.unwrap();
    assert_eq!(refused.status, 403);
    assert_eq!(rig.write("a", Method::PUT, "/v1/bdbs/2", wish).await.status, 200);

    rig.change("a/user/viewer@sandbox.test", json!({"status": "password_expired"})).await;
    let got = rig.get("a", BDBS).await;
    assert_eq!((got.status, got.code().as_str()), (401, "password_expired"));
    rig.change("a/user/viewer@sandbox.test", json!({"status": "active"})).await;
    assert_eq!(rig.get("a", BDBS).await.status, 200);
}

#[tokio::test]
async fn tokens_live_for_a_while_and_die_with_their_secret() {
    let rig = Rig::with(json!({"clusters": [{"name": "a", "profile": "8.2", "plain": true}]})).await;
    let got =
        rig.ask("a", 2, Method::POST, "/v1/users/authorize", Some(VIEWER), Some(json!({"ttl": 60}))).await;
    let token = got.unwrap().json()["access_token"].as_str().unwrap().to_owned();
    let with_token = async || {
        let url = format!("{}{BDBS}", rig.node("a", 2));
        let request = reqwest_free(&url, &format!("Bearer {token}")).await;
        request.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(with_token().await, "200");
    rig.change("a", json!({"settings": {"basic_auth": false}})).await;
    assert_eq!(with_token().await, "200", "a token goes on where passwords are switched off");
    assert_eq!(rig.get("a", BDBS).await.status, 401);
    rig.change("a", json!({"settings": {"basic_auth": true}})).await;
    rig.skip(60_000).await;
    assert_eq!(with_token().await, "401");
}

/// One request with a header of one's own, in clear text.
async fn reqwest_free(url: &str, authorization: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let request = format!(
        "GET /{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: {authorization}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    tokio::time::timeout(crate::support::LIMIT, stream.read_to_string(&mut reply)).await.unwrap().unwrap();
    reply
}

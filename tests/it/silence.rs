//! A site that is silent as a whole, seen by one agent: a cut line would look the same.

use super::support::agent::SERVICE;
use super::support::scene::{Holder, Scene, labels};

#[tokio::test]
async fn a_silent_site_is_recommended_and_never_left() {
    let scene = Scene::ready(Holder::Route53, &[]).await;
    scene.primary.stop();
    scene.agent.post_alert(SERVICE, "firing").await;
    let decision = scene.wait_decision("recommend", "silent_site").await;
    assert_eq!(decision["level"], "page", "{decision}");
    assert!(labels(&decision["vetoes"]).contains("unfenceable"), "{decision}");
    assert!(decision["plan"].is_null(), "{decision}");
    // The replica gives its primary up after five seconds of silence; that makes no difference.
    let peer = [("redis_service", SERVICE), ("group", "peer")];
    scene.agent.wait_metric("redrover_evidence", &peer, 1.0, super::support::scene::ROUNDS_LIMIT).await;
    scene.wait_rounds(12).await;
    scene.wait_number("redrover_recommendation_pending", 1.0).await;
    scene.assert_unmoved(1).await;

    scene.primary.cont();
    scene.wait_decision("hold", "alert_contradicted").await;
    scene.assert_unmoved(1).await;
}

use std::cell::Cell;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::*;
use crate::cluster::policies::Store;
use crate::cluster::testing::{client, forbidden, list, not_found, review, until, version};
use crate::server::Lifecycle;
use crate::server::health::Readiness;
use crate::statefulset::annotations::INJECTED;

const CREATE: &str = "POST /api/v1/namespaces/shop/services?";
const LOOK: &str = "GET /api/v1/namespaces/shop/services/web-pods";
const LOOK_AT_SET: &str = "GET /apis/apps/v1/namespaces/shop/statefulsets/web";

fn linked() -> Value {
    let item =
        json!({"state": "injected", "value": "web-pods", "source": "policy", "version": "1"});
    let record = json!({"service-name": item}).to_string();
    json!({
        "metadata": {"name": "web", "namespace": "shop", "uid": "1", "annotations": {INJECTED: record}},
        "spec": {"serviceName": "web-pods", "selector": {"matchLabels": {"app": "web"}}, "template": {}},
    })
}

/// Starts with a cluster in which `web` is linked and its Service is not there, until `done` accepts what was asked.
/// `stored` is the set as it is by the time that it is looked at, `created` the answer to the create.
async fn run(stored: Value, created: Value, done: impl Fn(&[String]) -> bool) {
    let sets = list(&json!([linked()]));
    let (client, asked) = client(move |question| {
        let answers = [
            ("/version", version(36)),
            (CREATE, created.clone()),
            ("POST", review(true)),
            (LOOK, not_found()),
            (LOOK_AT_SET, stored.clone()),
            ("/statefulsets?", sets.clone()),
        ];
        if question.contains("watch=true") {
            return None;
        }
        let found = answers.iter().find(|(part, _)| question.contains(part));
        Some(found.map_or_else(|| list(&json!([])), |(_, answer)| answer.clone()))
    });
    let (cluster, metrics) = (
        Arc::new(Cluster::new(client, None)),
        Arc::new(Metrics::new()),
    );
    let (mut readiness, mut tasks) = (Readiness::new(Lifecycle::new()), JoinSet::new());
    let store = Store::new(Arc::clone(&metrics));
    cluster.start(&metrics, &mut readiness, &mut tasks, store.followed());
    until(|| done(&asked.lock().unwrap())).await;
}

fn count(asked: &[String], begin: &str) -> usize {
    asked
        .iter()
        .filter(|question| question.starts_with(begin))
        .count()
}

#[tokio::test]
async fn what_is_missing_at_the_start_is_created() {
    let service = json!({"metadata": {"name": "web-pods", "namespace": "shop"}});
    run(linked(), service, |asked| {
        let position = |begin: &str| {
            asked
                .iter()
                .position(|question| question.starts_with(begin))
        };
        position(CREATE).is_some_and(|create| {
            assert!(
                asked[create].contains("fieldManager=steadyset"),
                "{asked:?}"
            );
            assert!(
                position(LOOK) < Some(create),
                "it is looked at first: {asked:?}"
            );
            true
        })
    })
    .await;
}

#[tokio::test]
async fn a_refusal_asks_for_our_rights_again_and_is_tried_again() {
    run(linked(), forbidden(), |asked| {
        count(asked, CREATE) > 1 && count(asked, "POST /apis/authorization.k8s.io") > 1
    })
    .await;
}

#[tokio::test]
async fn a_set_that_has_begun_to_go_gets_no_service() {
    let mut going = linked();
    going["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    // what would follow the look follows within a few turns of the one thread
    let turns = Cell::new(0);
    run(going, json!({}), |asked| {
        assert_eq!(count(asked, CREATE), 0, "{asked:?}");
        turns.set(turns.get() + count(asked, LOOK_AT_SET));
        turns.get() > 100
    })
    .await;
}

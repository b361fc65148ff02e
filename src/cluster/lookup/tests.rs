use serde_json::{Value, from_str, json, value::to_raw_value};

use super::*;
use crate::cluster::cache::Objects;
use crate::cluster::testing::{Asked, client, forbidden, list, waiting_client};
use crate::cluster_view::Pod;
use crate::model::finding::Phase;
use crate::review::review;
use crate::strict::Source;

#[test]
fn a_selector_is_written_as_the_api_server_reads_it() {
    let selector = r#"{"matchLabels": {"app": "web", "tier": ""}, "matchExpressions": [
        {"key": "zone", "operator": "In", "values": ["a", "b"]}, {"key": "old", "operator": "NotIn", "values": ["yes"]},
        {"key": "team", "operator": "Exists"}, {"key": "gone", "operator": "DoesNotExist"}]}"#;
    let selector: Selector<'_> = from_str(selector).unwrap();
    let expected = "app=web,tier=,zone in (a,b),old notin (yes),team,!gone";
    assert_eq!(selector_text(&selector), expected);
}

/// A cluster that has heard of one Service, `known`.
fn cluster(
    answer: impl Fn(&str) -> Option<Value> + Clone + Send + Sync + 'static,
) -> (Cluster, Asked) {
    let (client, asked) = client(answer);
    let cluster = Cluster::new(client, None);
    cluster.services.replace(Objects::new());
    let known = Service {
        name: "known".to_owned(),
        ..Service::default()
    };
    cluster.services.set("shop", "known", Some(known));
    (cluster, asked)
}

fn set(service: &str) -> Value {
    json!({"metadata": {"name": "web"}, "spec": {"serviceName": service, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}})
}

async fn judge(cluster: &Cluster, object: &Value, old: Option<&Value>) -> Verdict {
    let (object, old) = (
        to_raw_value(object).unwrap(),
        old.map(|old| to_raw_value(old).unwrap()),
    );
    let source = Source {
        namespace: "shop",
        object: &object,
        old_object: old.as_deref(),
    };
    let deadline = Instant::now() + Duration::from_secs(8);
    let policies = Policies::default();
    let subject = Subject::decode(source).unwrap().unwrap();
    let mut view = cluster.look_up(&policies, &subject, None, deadline).await;
    let verdict = |view: &Overlay<'_>| {
        let now = jiff::Timestamp::now();
        review(&policies, subject.clone(), view, Phase::Mutate, now).unwrap()
    };
    let mut judged = verdict(&view);
    while cluster
        .look_further(&mut view, &subject, &judged, deadline)
        .await
    {
        judged = verdict(&view);
    }
    judged
}

const LIST: &str = "GET /api/v1/namespaces/shop/services?";

#[tokio::test]
async fn services_are_asked_for_where_a_new_set_may_need_a_younger_one() {
    for (service, questions) in [("known", 0), ("unknown", 1), ("", 1)] {
        let (cluster, asked) = cluster(|_| Some(list(&json!([]))));
        judge(&cluster, &set(service), None).await;
        let asked = asked.lock().unwrap().clone();
        let lists = asked
            .iter()
            .filter(|question| question.starts_with(LIST))
            .count();
        assert_eq!(lists, questions, "{service}: {asked:?}");
    }
}

#[tokio::test]
async fn services_are_not_asked_for_one_that_we_are_yet_to_create() {
    let (cluster, asked) = cluster(|_| Some(list(&json!([]))));
    let mut linked = set("web-pods");
    let item =
        json!({"state": "injected", "value": "web-pods", "source": "policy", "version": "1"});
    let record = json!({"service-name": item}).to_string();
    linked["metadata"]["annotations"] = json!({"steadyset.io/injected": record});
    judge(&cluster, &linked, None).await;
    let asked = asked.lock().unwrap().clone();
    assert!(
        !asked.iter().any(|question| question.starts_with(LIST)),
        "{asked:?}"
    );
}

#[tokio::test]
async fn orphans_are_asked_for_where_a_copied_record_only_takes_something_out() {
    let probe = json!({"tcpSocket": {"port": 80}, "periodSeconds": 10, "timeoutSeconds": 3, "successThreshold": 1,
        "failureThreshold": 3});
    let mut copied = set("known");
    let container = &mut copied["spec"]["template"]["spec"]["containers"][0];
    container["ports"] = json!([{"containerPort": 80}]);
    container["readinessProbe"] = probe.clone();
    let item = json!({"state": "injected", "value": probe, "source": "port", "version": "1"});
    copied["metadata"]["annotations"] = json!({"steadyset.io/inject": "none",
        "steadyset.io/injected": json!({"readiness-probe/c": item}).to_string()});
    for (orphans, patched) in [
        (json!([]), true),
        (
            json!([{"metadata": {"name": "web-0", "labels": {"app": "web"}}, "spec": {"containers": [
        {"name": "c", "image": "i", "ports": [{"containerPort": 80}], "readinessProbe": probe}]}}]),
            false,
        ),
    ] {
        let (cluster, asked) = cluster(move |_| Some(list(&orphans)));
        let verdict = judge(&cluster, &copied, None).await;
        assert!(!asked.lock().unwrap().is_empty());
        assert_eq!(verdict.patches(), patched);
        assert_eq!(verdict.injections, []);
    }
}

#[tokio::test]
async fn nothing_is_asked_for_a_set_that_exists() {
    let (cluster, asked) = cluster(|_| Some(list(&json!([]))));
    let mut changed = set("unknown");
    changed["spec"]["replicas"] = json!(3);
    judge(&cluster, &changed, Some(&set("unknown"))).await;
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_was_asked_is_laid_over_what_is_remembered() {
    let young = json!([{"metadata": {"name": "young", "namespace": "shop"}, "spec": {"clusterIP": "None"}}]);
    let (cluster, _) = cluster(move |_| Some(list(&young)));
    let deadline = Instant::now() + Duration::from_secs(8);
    let mut view = Overlay::new(&cluster);
    view.set_services(cluster.ask_for_services("shop", deadline).await);
    assert!(view.service("shop", "young").found().unwrap().headless);
    assert_eq!(
        view.service("shop", "known"),
        Lookup::Absent,
        "deleted since"
    );
}

#[tokio::test]
async fn no_answer_and_a_refusal_leave_the_answer_unknown_in_time() {
    for refused in [true, false] {
        let (cluster, _) = cluster(move |_| refused.then(forbidden));
        let deadline = Instant::now() + Duration::from_millis(400);
        let services = cluster.ask_for_services("shop", deadline).await;
        assert_eq!(services, Lookup::Unknown);
        let object = set("").to_string();
        let object: Set<'_> = from_str(&object).unwrap();
        let pods = orphaned_pods(cluster.client(), "shop", &object, deadline).await;
        assert_eq!(pods, Lookup::Unknown);
        assert!(Instant::now() < deadline, "time is left to judge");
    }
}

/// What is asked for the orphans of the set where the API server knows these pods, and which there are.
async fn orphans(pods: &Value) -> (Vec<String>, Lookup<Vec<String>>) {
    let pods = pods.clone();
    let (cluster, asked) = cluster(move |_| Some(list(&pods)));
    let deadline = Instant::now() + Duration::from_secs(8);
    let object = set("").to_string();
    let object: Set<'_> = from_str(&object).unwrap();
    let pods = orphaned_pods(cluster.client(), "shop", &object, deadline).await;
    let names = |pods: Vec<Pod>| pods.iter().map(|pod| pod.name().to_owned()).collect();
    let asked = asked.lock().unwrap().clone();
    (asked, pods.map(names))
}

#[tokio::test]
async fn orphans_are_asked_for_by_the_selector_of_the_set_in_the_cache_first() {
    let (asked, pods) = orphans(&json!([{"metadata": {"name": "other-0"}}])).await;
    assert_eq!(pods, Lookup::Absent);
    let [cached] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert!(cached.contains("labelSelector=app%3Dweb"), "{cached}");
    assert!(cached.contains("resourceVersion=0"), "{cached}");
    let owner =
        json!([{"apiVersion": "v1", "kind": "K", "name": "n", "uid": "u", "controller": true}]);
    let (asked, pods) = orphans(
        &json!([{"metadata": {"name": "web-0"}}, {"metadata": {"name": "other-0"}},
        {"metadata": {"name": "web-1", "ownerReferences": owner}}]),
    )
    .await;
    assert_eq!(pods, Lookup::Found(vec!["web-0".to_owned()]));
    let [_, stored] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert!(!stored.contains("resourceVersion"), "{stored}");
    let (asked, pods) =
        orphans(&json!([{"metadata": {"name": "web-0", "ownerReferences": owner}}])).await;
    assert_eq!((asked.len(), pods), (2, Lookup::Absent));
}

#[tokio::test]
async fn services_and_orphans_are_asked_for_at_the_same_time() {
    let both_asked = Arc::new(tokio::sync::Barrier::new(2));
    let client = waiting_client(both_asked, list(&json!([])));
    let cluster = Cluster::new(client, None);
    cluster.services.replace(Objects::new());
    let mut object = set("unknown");
    object["spec"]["template"]["spec"]["containers"][0]["ports"] = json!([{"containerPort": 80}]);
    object["metadata"]["annotations"] =
        json!({"steadyset.io/claim-data": "{\"mountPath\": \"/data\"}"});
    let verdict = judge(&cluster, &object, None).await;
    assert!(verdict.patches());
}

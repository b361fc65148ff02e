//! Every line of HTTP that the contract promises.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use serde_json::{Value, json};

use crate::client::{Answer, ask, begin, http1, post, probe, read, send, until_closed};
use crate::objects::{review, sound};
use crate::process::Process;

const UID: &str = "705ab4f5-6393-11e8-b7cc-42010a800002";

/// Deep enough to end a recursive reader on any stack.
fn deep() -> String {
    "[".repeat(10_000) + &"]".repeat(10_000)
}

fn assert_untouched(answer: &Answer, why: &str) {
    assert_eq!(
        answer.review(),
        json!({"uid": UID, "allowed": true}),
        "{why}"
    );
    assert_eq!(answer.header("content-type"), "application/json", "{why}");
}

#[tokio::test]
async fn a_body_that_is_no_review_is_400_and_says_why() {
    let process = Process::start(&[]);
    let without = |field: &str| {
        let mut body = review("CREATE", &sound());
        body["request"].as_object_mut().unwrap().remove(field);
        body.to_string()
    };
    let with = |pointer: &str, value: Value| {
        let mut body = review("CREATE", &sound());
        *body.pointer_mut(pointer).unwrap() = value;
        body.to_string()
    };
    for (body, reason) in [
        (
            String::new(),
            "the body is not an AdmissionReview: EOF while parsing",
        ),
        (
            "{".to_owned(),
            "the body is not an AdmissionReview: EOF while parsing",
        ),
        (
            "null".to_owned(),
            "the body is not an AdmissionReview: invalid type: null",
        ),
        (
            deep(),
            "the body is not an AdmissionReview: invalid type: sequence",
        ),
        (
            sound().to_string(),
            "the body is `apps/v1` `StatefulSet`; send",
        ),
        (
            with("/apiVersion", json!("admission.k8s.io/v1beta1")),
            "the body is `admission.k8s.io/v1beta1`",
        ),
        (
            with("/kind", json!("ConversionReview")),
            "the body is `admission.k8s.io/v1` `ConversionReview`",
        ),
        (
            with("/request", json!(null)),
            "the AdmissionReview has no request",
        ),
        (without("uid"), "the request has no uid"),
        (with("/request/uid", json!("")), "the request has no uid"),
        (with("/request/uid", json!(null)), "the request has no uid"),
        (
            with("/request/kind", json!("StatefulSet")),
            "the body is not an AdmissionReview: invalid type: string",
        ),
        (
            with("/request/uid", json!("DEEP")).replace("\"DEEP\"", &deep()),
            "the body is not an AdmissionReview: invalid type: sequence",
        ),
    ] {
        for path in ["/mutate", "/validate?timeout=10s"] {
            let answer = ask(&process, path, body.clone()).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
            assert!(
                answer.body.starts_with(&format!("steadyset: {reason}")),
                "{}",
                answer.body
            );
        }
    }
}

#[tokio::test]
async fn unknown_paths_methods_and_media_types_are_refused() {
    let process = Process::start(&[]);
    let body = Bytes::from(review("CREATE", &sound()).to_string());
    for path in ["/", "/mutate/", "/mutatee", "/metrics", "/readyz"] {
        assert_eq!(
            ask(&process, path, body.clone()).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let request = Request::builder()
            .method(method)
            .uri("/validate")
            .header("host", "localhost");
        let answer = send(&process, request.body(Full::new(body.clone())).unwrap()).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(answer.header("allow"), "POST", "{method}");
    }
    for media_type in ["", "text/plain", "application/yaml", "application/jsonp"] {
        let mut request = post("/mutate", body.clone());
        request
            .headers_mut()
            .insert("content-type", media_type.parse().unwrap());
        let answer = send(&process, request).await;
        assert_eq!(
            answer.status,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{media_type}"
        );
    }
    let mut request = post("/mutate", body);
    request.headers_mut().insert(
        "content-type",
        "application/json; charset=utf-8".parse().unwrap(),
    );
    assert_eq!(send(&process, request).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_slower_than_the_deadline_is_504() {
    let process = Process::start(&[]);
    let (mut stream, _) = begin(&process, "/mutate?timeout=200ms", "{}").await;
    let text = until_closed(&mut stream).await;
    assert!(text.starts_with("HTTP/1.1 504 "), "{text}");
    assert!(!text.contains("retry-after"), "{text}");
    assert!(
        text.ends_with("steadyset: not done within 180 ms\n"),
        "{text}"
    );
}

#[tokio::test]
async fn what_is_not_the_set_itself_is_allowed_untouched() {
    let process = Process::start(&[]);
    let request = |changes: Value| {
        let mut body = review(
            "CREATE",
            &json!({"spec": {"replicas": "none of our business"}}),
        );
        json_patch::merge(&mut body["request"], &changes);
        body.to_string()
    };
    for changes in [
        json!({"kind": {"kind": "Deployment"}}),
        json!({"kind": {"group": "apps.kruise.io"}}),
        json!({"kind": {"version": "v1beta2"}}),
        json!({"kind": null}),
        json!({"kind": {"group": "autoscaling", "kind": "Scale"}, "subResource": "scale", "operation": "UPDATE"}),
        json!({"subResource": "status", "operation": "UPDATE"}),
        json!({"operation": "DELETE", "object": null, "oldObject": sound()}),
        json!({"operation": "CONNECT"}),
        json!({"operation": "UPDATE", "oldObject": null}),
        json!({"operation": null}),
    ] {
        for path in ["/mutate?timeout=10s", "/validate"] {
            assert_untouched(
                &ask(&process, path, request(changes.clone())).await,
                &changes.to_string(),
            );
        }
    }
}

#[tokio::test]
async fn a_set_that_cannot_be_read_is_allowed_with_a_warning() {
    let process = Process::start(&[]);
    let mut object = sound();
    object["spec"]["replicas"] = json!("three");
    let body = review("CREATE", &object).to_string();
    for path in ["/mutate", "/validate"] {
        let response = ask(&process, path, body.clone()).await.review();
        assert_eq!(response["allowed"], true);
        assert_eq!(response["patch"], Value::Null);
        let warning = response["warnings"][0].as_str().unwrap();
        assert!(
            warning.starts_with("steadyset: not checked: the StatefulSet cannot be read: "),
            "{warning}"
        );
        assert!(warning.ends_with(" [undecodable]"), "{warning}");
    }
    let (_, text) = probe(process.probes, "/metrics").await;
    let line = r#"{endpoint="mutate",operation="create",verdict="undecodable",dry_run="false"} 1"#;
    assert!(text.contains(line), "{text}");
}

#[tokio::test]
async fn depth_matters_only_in_a_field_that_is_read() {
    let process = Process::start(&[]);
    for (pointer, read) in [
        ("/spec/updateStrategy", true),
        ("/spec/template/spec/containers", true),
        ("/status/replicas", false),
        ("/metadata/name", true),
        ("/metadata/managedFields", false),
        ("/request/options", false),
        ("/request/userInfo/groups", false),
    ] {
        let mut body = review("CREATE", &sound());
        let place = if pointer.starts_with("/request") {
            pointer.to_owned()
        } else {
            format!("/request/object{pointer}")
        };
        *body.pointer_mut(&place).unwrap() = json!("DEEP");
        let body = body.to_string().replace("\"DEEP\"", &deep());
        let response = ask(&process, "/validate", body).await.review();
        assert_eq!(response["allowed"], true, "{pointer}");
        assert_eq!(
            response.to_string().contains("[undecodable]"),
            read,
            "{pointer}: {response}"
        );
    }
}

#[tokio::test]
async fn of_a_repeated_key_inside_the_object_the_last_counts() {
    let process = Process::start(&[]);
    let body = review("CREATE", &sound()).to_string();
    for (repeated, read) in [
        ("\"replicas\":\"three\",\"replicas\":2", false),
        ("\"replicas\":2,\"replicas\":2", true),
    ] {
        let body = body.replace("\"replicas\":2", repeated);
        let response = ask(&process, "/validate", body).await.review();
        assert_eq!(
            !response.to_string().contains("[undecodable]"),
            read,
            "{repeated}: {response}"
        );
    }
}

#[tokio::test]
async fn a_repeated_key_of_the_envelope_counts_with_its_last_value() {
    let process = Process::start(&[]);
    let body = review("CREATE", &sound()).to_string().replace(
        "\"uid\":\"705ab4f5-6393-11e8-b7cc-42010a800002\"",
        "\"uid\":\"first\",\"uid\":\"last\"",
    );
    assert_eq!(
        ask(&process, "/validate", body).await.review()["uid"],
        "last"
    );
}

#[tokio::test]
async fn metrics_tell_endpoint_operation_verdict_and_dry_run() {
    let process = Process::start(&[]);
    let mut body = review("DELETE", &json!(null));
    body["request"]["dryRun"] = json!(true);
    let mut sender = http1(&process).await;
    for path in ["/mutate", "/validate", "/validate"] {
        let response = sender
            .send_request(post(path, body.to_string()))
            .await
            .unwrap();
        assert_untouched(&read(response).await.unwrap(), path);
    }
    ask(&process, "/mutate", "{}").await;
    let (_, text) = probe(process.probes, "/metrics").await;
    for line in [
        r#"admission_requests_total{endpoint="mutate",operation="delete",verdict="ignored",dry_run="true"} 1"#,
        r#"admission_requests_total{endpoint="validate",operation="delete",verdict="ignored",dry_run="true"} 2"#,
        r#"admission_requests_total{endpoint="mutate",operation="unknown",verdict="malformed",dry_run="false"} 1"#,
        r#"admission_duration_seconds_count{endpoint="validate"} 2"#,
        r#"admission_duration_seconds_bucket{le="+Inf",endpoint="validate"} 2"#,
        "in_flight 0",
        r#"build_info{version=""#,
        r#"certificate_expiry_timestamp_seconds{kind="serving"} 1"#,
    ] {
        assert!(
            text.contains(&format!("\nsteadyset_{line}")),
            "{line} is not in {text}"
        );
    }
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn probes_answer_and_name_what_they_look_at() {
    let process = Process::start(&[]);
    assert_eq!(
        probe(process.probes, "/livez").await,
        (StatusCode::OK, "ok\n".to_owned())
    );
    assert_eq!(
        probe(process.probes, "/readyz").await,
        (StatusCode::OK, "ok\n".to_owned())
    );
    let (status, text) = probe(process.probes, "/readyz?verbose").await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("[+]tls-listener ok\n"), "{text}");
}

use serde_json::json;

use super::*;
use crate::policy::{Profile, StartupMode};

fn says(spec: &Value) -> Vec<String> {
    let rejected = compile("shop", spec).err();
    let faults = rejected.into_iter().flat_map(|rejected| rejected.faults);
    faults.map(|fault| fault.to_string()).collect()
}

#[test]
fn an_empty_policy_is_the_default_with_a_name() {
    let expected = Policy {
        name: "shop".to_owned(),
        ..Policy::default()
    };
    assert_eq!(compile("shop", &json!({})), Ok(expected));
}

#[test]
fn a_fault_in_the_schema_hides_no_other() {
    let spec = json!({"profil": "Strict", "rules": {"service-mising": "Deny"}, "inject": {"volumeClaims": {"storage": "1 Gi"}}});
    assert_eq!(
        says(&spec),
        [
            "spec.profil: there is no such field; did you mean profile?",
            "spec.rules.service-mising: there is no rule \"service-mising\"; did you mean service-missing?",
            "spec.inject.volumeClaims.storage: \"1 Gi\" is no size; write one such as 1Gi",
        ]
    );
}

#[test]
fn every_fault_is_named_at_once() {
    let spec = json!({
        "match": {
            "namespaces": {"include": ["a[", "b"]},
            "objectSelector": {"matchExpressions": [
                {"key": "tier", "operator": "In", "values": []}, {"key": "tier", "operator": "Exists", "values": ["a"]},
            ]},
        },
        "rules": {"service-mising": "Deny", "immutable-field-change": "Deny", "frobnicate": "Warn"},
        "exemptions": {"forbidRules": ["claim-unmountd"]},
        "inject": {
            "volumeClaims": {"storage": "1 Gi", "storageClassName": "Fast Disk", "accessModes": ["ReadWriteOncePod", "ReadWriteMany"]},
            "imageProbes": [
                {"image": "a"},
                {"image": "b", "port": 70_000},
                {"image": "c", "readiness": {"httpGet": {"port": "http"}, "tcpSocket": {"port": 1}}},
                {"image": "d", "port": "http", "readiness": {"grpc": {}}},
                {"image": "e", "readiness": {"exec": {"command": []}}},
                {"image": "f", "readiness": {}},
                {"image": "registry.example/g:1", "port": 80},
            ],
        },
    });
    assert_eq!(
        says(&spec),
        [
            "spec.match.namespaces.include[0]: \"a[\" is no pattern: unclosed character class; missing ']'",
            "spec.match.objectSelector.matchExpressions[0].values: must be given with In and NotIn",
            "spec.match.objectSelector.matchExpressions[1].values: must not be given with Exists and DoesNotExist",
            "spec.rules.frobnicate: there is no rule \"frobnicate\"; steadyset explain lists them",
            "spec.rules.immutable-field-change: never denies: the API server's own answer is what tools act on; \
             write Warn, Audit or Ignore",
            "spec.rules.service-mising: there is no rule \"service-mising\"; did you mean service-missing?",
            "spec.exemptions.forbidRules[0]: there is no rule \"claim-unmountd\"; did you mean claim-unmounted?",
            "spec.inject.volumeClaims.storage: \"1 Gi\" is no size; write one such as 1Gi",
            "spec.inject.volumeClaims.storageClassName: \"Fast Disk\" is no name of a class: lower-case letters, digits, \"-\" and \".\"",
            "spec.inject.volumeClaims.accessModes: ReadWriteOncePod stands alone",
            "spec.inject.imageProbes[0].tcpSocket.port: is missing: a number, or the name of a port of the container",
            "spec.inject.imageProbes[1].port: 70000 is no port: write 1 to 65535, or a name of at most 15 characters",
            "spec.inject.imageProbes[2].readiness: must have exactly one of httpGet, tcpSocket, exec and grpc",
            "spec.inject.imageProbes[3].readiness.grpc.port: must be a number: gRPC probes take no name",
            "spec.inject.imageProbes[4].readiness.exec.command: is empty",
            "spec.inject.imageProbes[5].readiness: must have exactly one of httpGet, tcpSocket, exec and grpc",
            "spec.inject.imageProbes[6].image: \"registry.example/g:1\" would match nothing; write it without tag and digest",
        ]
    );
}

#[test]
fn everything_that_is_written_is_compiled() {
    let spec = json!({
        "priority": 7,
        "enforcement": "Warn",
        "profile": "Strict",
        "rules": {"service-missing": "Ignore"},
        "exemptions": {"allow": false, "forbidRules": ["claim-unmounted"], "requireVerb": true},
        "inject": {
            "readinessProbe": {"mode": "Always", "periodSeconds": 5},
            "livenessProbe": {"mode": "Safe", "failureThreshold": 9},
            "startupProbe": {"mode": "Never"},
            "serviceName": {"mode": "Link"},
            "volumeClaims": {"mode": "Never", "storageClassName": "fast", "accessModes": ["ReadWriteMany"], "storage": "2Gi"},
            "controllerOwned": "Inject",
            "imageProbes": [{"image": "*/shop-db", "port": "sql", "readiness": {"httpGet": {"path": "/up"}, "periodSeconds": 4}}],
        },
    });
    let policy = compile("shop", &spec).unwrap();
    assert_eq!(
        (policy.priority, policy.enforcement, policy.profile),
        (7, Enforcement::Warn, Profile::Strict)
    );
    assert_eq!(
        policy.rules,
        BTreeMap::from([("service-missing", RuleAction::Ignore)])
    );
    let exemptions = Exemptions {
        allow: false,
        forbid_rules: vec!["claim-unmounted"],
        require_verb: true,
    };
    assert_eq!(policy.exemptions, exemptions);
    let inject = &policy.inject;
    assert_eq!(
        (
            inject.readiness_probe.mode,
            inject.readiness_probe.period_seconds
        ),
        (ProbeMode::Always, 5)
    );
    assert_eq!(
        inject.readiness_probe.timeout_seconds, 3,
        "what is not written is the default"
    );
    assert_eq!(
        (
            inject.liveness_probe.mode,
            inject.liveness_probe.failure_threshold
        ),
        (ProbeMode::Safe, 9)
    );
    assert_eq!(inject.startup_probe.mode, StartupMode::Never);
    assert_eq!(inject.service_name.mode, ServiceNameMode::Link);
    assert_eq!(
        inject.volume_claims.storage_class_name.as_deref(),
        Some("fast")
    );
    let [image] = &inject.image_probes[..] else {
        panic!("{:?}", inject.image_probes);
    };
    assert!(image.image.matches("registry.example/team/shop-db"));
    let readiness =
        json!({"httpGet": {"path": "/up", "port": "sql", "scheme": "HTTP"}, "periodSeconds": 4});
    assert_eq!(serde_json::to_value(&image.readiness).unwrap(), readiness);
}

#[test]
fn what_stands_in_for_a_refused_policy_injects_nothing_and_never_denies() {
    let stand_in = |spec: &Value| *compile("shop", spec).unwrap_err().stand_in;
    let careful = stand_in(
        &json!({"priority": 3, "profile": "Strictest", "match": {"namespaces": {"include": ["shop"]}}}),
    );
    assert_eq!(
        (careful.priority, careful.enforcement),
        (3, Enforcement::Warn)
    );
    assert_eq!(careful.matches.include.len(), 1);
    let inject = &careful.inject;
    assert_eq!(inject.readiness_probe.mode, ProbeMode::Never);
    assert_eq!(inject.service_name.mode, ServiceNameMode::Never);
    assert_eq!(inject.volume_claims.mode, ClaimMode::Never);
    for unreadable in [
        json!({"namespaces": {"include": ["a["]}}),
        json!({"namespace": {}}),
        json!(1),
    ] {
        let everywhere = stand_in(&json!({"priority": "high", "match": unreadable}));
        assert_eq!(
            (everywhere.priority, &everywhere.matches),
            (i32::MAX, &Matcher::default()),
            "{unreadable}"
        );
    }
    assert_eq!(stand_in(&json!("nonsense")).matches, Matcher::default());
}

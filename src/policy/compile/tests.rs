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

#[test]
fn a_hostile_pattern_is_a_fault_and_no_panic() {
    let nested = |depth| format!("{}a{}", "{".repeat(depth), "}".repeat(depth));
    let include = |patterns: Value| says(&json!({"match": {"namespaces": {"include": patterns}}}));
    let path = "spec.match.namespaces.include";
    for depth in [2, 100, 126] {
        let faults = include(json!([nested(depth)]));
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(
            faults[0].ends_with(" is no pattern: braces within braces"),
            "{faults:?}"
        );
    }
    assert_eq!(
        include(json!([nested(200), "a"])),
        [format!("{path}[0]: has 401 characters, 253 at most")]
    );
    assert_eq!(
        include(json!(vec!["a*b?"; 10_000])),
        [format!("{path}: has 10000 items, 256 at most")]
    );
    assert!(include(json!(["\u{fc}".repeat(253)]))[0].contains("it has 506 bytes, 253 at most"));
    for pattern in [
        "{a,b}-*",
        &"*a".repeat(126),
        &"{a,*}".repeat(50),
        &"[!a]".repeat(63),
    ] {
        assert_eq!(include(json!([pattern])), [""; 0], "{pattern}");
    }
}

#[test]
fn a_pattern_is_matched_in_time() {
    let glob = Glob::new(&"*a".repeat(126)).unwrap();
    assert!(!glob.matches(&"a".repeat(125)));
    assert!(glob.matches(&"a".repeat(1 << 20)));
}

#[test]
fn no_list_and_no_number_is_without_end() {
    let words = |count: usize, length: usize| vec!["w".repeat(length); count];
    let exec = |command: Vec<String>| json!({"inject": {"imageProbes": [{"image": "a", "readiness": {"exec": {"command": command}}}]}});
    let labels: serde_json::Map<String, Value> =
        (0..65).map(|key| (format!("k{key}"), json!("v"))).collect();
    let ids: serde_json::Map<String, Value> = (0..100_000)
        .map(|id| (format!("id{id}"), json!("Warn")))
        .collect();
    let unknown: serde_json::Map<String, Value> = (0..100_000)
        .map(|id| (format!("field{id}"), json!(1)))
        .collect();
    for (spec, fault) in [
        (
            exec(words(65, 1)),
            "imageProbes[0].readiness.exec.command: has 65 items, 64 at most",
        ),
        (
            exec(words(1, 4_097)),
            "exec.command[0]: has 4097 characters, 4096 at most",
        ),
        (
            exec(words(3, 2_000)),
            "exec.command: has 6000 bytes, 4096 at most",
        ),
        (
            json!({"match": {"objectSelector": {"matchLabels": labels}}}),
            "matchLabels: has 65 entries, 64 at most",
        ),
        (
            json!({"rules": ids}),
            &*format!(
                "spec.rules: has 100000 entries, {} at most",
                crate::model::rules::RULES.len()
            ),
        ),
        (
            json!({"priority": 3_000_000_000_i64}),
            "spec.priority: is 3000000000, must be from -2147483648 to 2147483647",
        ),
        (
            json!({"priority": u64::MAX}),
            "spec.priority: must be a whole number, is 18446744073709551615",
        ),
        (
            json!({"inject": {"imageProbes": vec![json!({"image": "a"}); 129]}}),
            "imageProbes: has 129 items, 128 at most",
        ),
        (
            json!({"inject": {"volumeClaims": {"storage": "9".repeat(65)}}}),
            "volumeClaims.storage: has 65 characters, 64 at most",
        ),
    ] {
        let faults = says(&spec);
        assert!(
            faults.iter().any(|said| said.contains(fault)),
            "{fault}: {faults:?}"
        );
    }
    assert_eq!(says(&Value::Object(unknown)).len(), 100);
    let storage = json!({"inject": {"volumeClaims": {"storage": "1e999999999999999999"}}});
    assert_eq!(says(&storage).len(), 1);
}

use super::super::{Rule, named};
use crate::cluster_view::ServiceKeeping;
use crate::cluster_view::manifests::Manifests;
use crate::model::finding::Phase;
use crate::policy::Policies;
use crate::review::{Verdict, review};
use crate::strict::Authored;
use crate::yaml::read::documents;
use jiff::Timestamp;

const SET: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  serviceName: web
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
";

fn judged(text: &str) -> Verdict {
    let document = documents(text).next().unwrap().unwrap();
    let authored = Authored::read(&document.read().unwrap()).unwrap();
    let subject = authored.subject("shop", None).unwrap().unwrap();
    let cluster = Manifests::new(None, ServiceKeeping::Kept);
    let now = Timestamp::UNIX_EPOCH;
    review(&Policies::default(), subject, &cluster, Phase::File, now).unwrap()
}

/// What is said of the set with one text in place of another, as `Action rule: field: message; help`.
fn said(from: &str, to: &str) -> Vec<String> {
    assert!(SET.contains(from), "{from}");
    let findings = judged(&SET.replacen(from, to, 1)).findings;
    let lines = findings.iter().map(|finding| {
        let shown = finding.line();
        assert!(shown.chars().count() <= 256, "{shown}");
        let field = finding.field();
        format!(
            "{:?} {}: {field}: {}; {}",
            finding.action, finding.rule, finding.message, finding.help
        )
    });
    lines.collect()
}

#[test]
fn a_slip_reads_as_what_to_write_instead() {
    let container = "{name: web, image: web}";
    for (from, to, line) in [
        (
            "  serviceName",
            "  podmanagementpolicy: Parallel\n  serviceName",
            "Deny unknown-field: spec.podmanagementpolicy: there is no such field, and the API server drops it; write podManagementPolicy",
        ),
        (
            "    metadata: {l",
            "    serviceName: web\n    metadata: {l",
            "Deny unknown-field: spec.template.serviceName: there is no such field here, and the API server drops it; it belongs in spec; \
             remove it: spec.serviceName is there, too",
        ),
        (
            "    metadata: {l",
            "    minreadySeconds: 5\n    metadata: {l",
            "Deny unknown-field: spec.template.minreadySeconds: there is no such field here, and the API server drops it; it belongs in \
             spec; write it as spec.minReadySeconds",
        ),
        (
            "    metadata: {l",
            "    minReadySeconds: 5\n    metadata: {l",
            "Deny unknown-field: spec.template.minReadySeconds: there is no such field here, and the API server drops it; it belongs in \
             spec; move it to spec.minReadySeconds",
        ),
        (
            "apiVersion: apps/v1\n",
            "apiVersion: apps/v1\nlabels: {a: b}\n",
            "Deny unknown-field: labels: there is no such field here, and the API server drops it; it belongs in metadata; move it to \
             metadata.labels",
        ),
        (
            "  serviceName",
            "  paused: true\n  serviceName",
            "Warn unknown-field: spec.paused: the API server has no such field here and drops it, as far as is known; remove it: it is a \
             field of a Deployment",
        ),
        (
            "  serviceName",
            "  reconcileInterval: 5\n  serviceName",
            "Warn unknown-field: spec.reconcileInterval: the API server has no such field here and drops it, as far as is known; correct \
             or remove it, unless another version of Kubernetes than 1.37 has it",
        ),
        (
            container,
            "{name: web, image: web, env: [{name: PORT, value: 5432}]}",
            "Deny field-type-wrong: spec.template.spec.containers[0].env[0].value: this is a number, where a string is needed; write it \
             in quotes",
        ),
        (
            "  serviceName",
            "  replicas: \"3\"\n  serviceName",
            "Deny field-type-wrong: spec.replicas: \"3\" is a string, where a whole number is needed; write 3 without quotes",
        ),
        (
            "  serviceName",
            "  replicas: 4000000000\n  serviceName",
            "Deny field-type-wrong: spec.replicas: 4000000000 does not fit into 32 bits; write a number between -2147483648 and 2147483647",
        ),
        (
            container,
            "{name: web, image: web, tty: 'yes'}",
            "Deny field-type-wrong: spec.template.spec.containers[0].tty: \"yes\" is a string, where a boolean is needed; write true or \
             false, without quotes",
        ),
        (
            container,
            "{name: web, image: web, command: sleep}",
            "Deny field-type-wrong: spec.template.spec.containers[0].command: \"sleep\" is a string, where a list is needed; write a list \
             of it: [\"sleep\"]",
        ),
        (
            container,
            "{name: web, image: web, resources: {limits: {memory: 10GB}}}",
            "Deny field-type-wrong: spec.template.spec.containers[0].resources.limits[memory]: \"10GB\" is a string, where a quantity is \
             needed; write a number with a unit, such as 500m, 512Mi or 10Gi",
        ),
        (
            container,
            "{name: web, image: web, env: {A: b}}",
            "Deny field-type-wrong: spec.template.spec.containers[0].env: this is a mapping, where a list is needed; begin each item with \
             \"- \"",
        ),
        (
            container,
            "{name: web, image: web, securityContext: [1]}",
            "Deny field-type-wrong: spec.template.spec.containers[0].securityContext: this is a list, where a mapping is needed; write \
             \"key: value\" lines, without \"- \"",
        ),
        (
            "  serviceName: web\n",
            "  serviceName: web\n  minReadySeconds: 1\n  serviceName: web\n  minReadySeconds: 2\n",
            "Warn duplicate-key: spec.minReadySeconds: line 8 wins over the same key on line 6; so it is with serviceName; keep one of them, \
             with all that is meant",
        ),
    ] {
        assert_eq!(said(from, to), [line], "{to}");
    }
}

#[test]
fn what_cannot_be_read_is_said_once() {
    for (from, to) in [
        ("  selector: {matchLabels: {app: web}}", "  selector: web"),
        ("image: web}", "image: {repository: web}}"),
        (
            "  serviceName",
            "  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10GB}}}}]\n  serviceName",
        ),
    ] {
        let said = said(from, to);
        let told = said
            .iter()
            .filter(|line| line.contains("field-type-wrong"))
            .count();
        let allowed = ["claim-unmounted"];
        let others = said.iter().filter(|line| {
            !line.contains("field-type-wrong") && !allowed.iter().any(|rule| line.contains(rule))
        });
        assert_eq!((told, others.count()), (1, 0), "{said:?}");
    }
}

#[test]
fn a_wrong_type_hides_nothing_else_and_nothing_is_put_in_its_place() {
    let verdict = judged(&SET.replace(
        "image: web}",
        "image: web, ports: [{containerPort: 80}], readinessProbe: [{}], env: [{name: A, value: 1}]}",
    ).replace("  serviceName", "  podManagementPolicy: parallel\n  serviceName"));
    let rules: Vec<&str> = verdict
        .findings
        .iter()
        .map(|finding| finding.rule)
        .collect();
    assert_eq!(
        rules,
        [
            "pod-management-policy-unknown",
            "field-type-wrong",
            "field-type-wrong"
        ]
    );
    assert!(!verdict.patches(), "{:?}", verdict.changes);
}

#[test]
fn the_patch_begins_with_the_moves() {
    let verdict = judged(
        &SET.replace("  serviceName: web\n", "  podmanagementpolicy: Parallel\n")
            .replace("image: web}", "image: web, ports: [{containerPort: 80}]}"),
    );
    let paths: Vec<String> = verdict
        .operations()
        .iter()
        .map(|operation| {
            format!(
                "{} {}",
                serde_json::to_value(operation).unwrap()["op"]
                    .as_str()
                    .unwrap(),
                operation.path()
            )
        })
        .collect();
    assert_eq!(
        paths[..2],
        [
            "move /spec/podManagementPolicy",
            "add /spec/template/spec/containers/0/readinessProbe"
        ]
    );
}

#[test]
fn a_slip_can_be_exempted_and_decided_by_a_policy() {
    let exempt = "metadata:\n  name: web\n  annotations: {steadyset.io/exempt: 'unknown-field: our operator reads it'}\n";
    let text = SET.replace("metadata: {name: web}\n", exempt).replace(
        "  serviceName",
        "  podmanagementpolicy: Parallel\n  serviceName",
    );
    let verdict = judged(&text);
    assert_eq!(
        (verdict.findings, verdict.exempted),
        (Vec::new(), vec!["unknown-field"])
    );
}

#[test]
fn the_rules_know_that_they_are_of_the_file() {
    let ids = [
        "unknown-field",
        "field-type-wrong",
        "field-invalid",
        "duplicate-key",
        "kind-unknown",
        "patch-replaces-list",
        "api-version-removed",
    ];
    for id in ids {
        assert!(named(id).is_some_and(Rule::is_of_the_file), "{id}");
    }
    let all = crate::rules::all()
        .iter()
        .filter(|rule| rule.is_of_the_file())
        .count();
    assert_eq!(all, ids.len());
}

#[test]
fn a_mount_that_a_repeated_key_leaves_without_its_volume_is_one_finding() {
    let set = |first: &str, last: &str| {
        format!(
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: web}}\nspec:\n  serviceName: web\n  \
             selector: {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: {{app: web}}}}\n    spec:\n      \
             volumes: {first}\n      containers:\n        - name: web\n          image: registry.example/web:1\n          \
             volumeMounts: [{{name: data, mountPath: /data}}]\n      volumes: {last}\n"
        )
    };
    let volume = |name: &str| format!("{{name: {name}, emptyDir: {{}}}}");
    let list = |names: &[&str]| {
        let volumes: Vec<String> = names.iter().map(|name| volume(name)).collect();
        format!("[{}]", volumes.join(", "))
    };
    for (first, last, message, others) in [
        (
            vec!["data"],
            vec![],
            "line 15 wins over the same key on line 10, and \"data\" there is lost",
            vec![],
        ),
        (
            vec!["data", "a"],
            vec!["a"],
            "line 15 wins over the same key on line 10, and \"data\" there is lost",
            vec![],
        ),
        (
            vec!["a", "b", "data", "d", "e"],
            vec![],
            "line 15 wins over the same key on line 10, and \"a\", \"b\", \"data\" and 2 more there are lost",
            vec![],
        ),
        (
            vec!["other"],
            vec![],
            "line 15 wins over the same key on line 10, and \"other\" there is lost",
            vec!["mount-without-volume"],
        ),
        (
            vec!["a"],
            vec!["a", "data"],
            "line 15 wins over the same key on line 10",
            vec![],
        ),
    ] {
        let verdict = judged(&set(&list(&first), &list(&last)));
        let of = |rule: &str| verdict.findings.iter().find(|finding| finding.rule == rule);
        assert_eq!(of("duplicate-key").unwrap().message, message);
        let dangling = of("mount-without-volume").map(|finding| finding.rule);
        assert_eq!(
            dangling.into_iter().collect::<Vec<_>>(),
            others,
            "{first:?} {last:?}"
        );
        let claimed = verdict
            .injections
            .iter()
            .any(|injection| injection.key == "claim/data");
        assert!(!claimed, "what is lost may be meant: {first:?} {last:?}");
    }
}

//! What only the author's file shows, as a user of `steadyset audit` reads it.

use serde_json::{Value, json};

use super::program::{Run, with_stdin};

/// Every field of a real chart's mistakes, and nothing else wrong.
const MISPLACED: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: web
spec:
  serviceName: web
  podmanagementpolicy: Parallel   # never waits
  selector:
    matchlabels: {app: web}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          volumeMounts: [{name: data, mountPath: /data}]
    volumeClaimTemplates:
      - metadata: {name: data}
        spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
";

const MISTYPED: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, labels: {version: 1.10}}
spec:
  replicas: \"3\"
  serviceName: db
  podManagementPolicy: parallel
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers:
        - name: db
          image: registry.example/db:1
          env:
            - {name: PORT, value: 5432}
            - {name: DEBUG, value: yes}
          env:
            - {name: PORT, value: 0755}
";

fn audit(line: &str, text: &str) -> Run {
    let mut arguments = vec!["audit", "-"];
    arguments.extend(line.split_whitespace());
    with_stdin(&arguments, text)
}

#[test]
fn a_misplaced_field_is_shown_with_its_line_and_its_place() {
    let answer = audit("--mutations", MISPLACED);
    assert_eq!(answer.code, 1, "{}", answer.stderr);
    assert_eq!(
        answer.stdout,
        "-:1:1  default/web
  deny   line 7: spec.podmanagementpolicy: there is no such field, and the API server drops it [unknown-field]
         write podManagementPolicy
  deny   line 9: spec.selector.matchlabels: there is no such field, and the API server drops it [unknown-field]
         write matchLabels
  deny   line 17: spec.template.volumeClaimTemplates: there is no such field here, and the API server drops it; it belongs in spec [unknown-field]
         move it to spec.volumeClaimTemplates
  move    spec.podmanagementpolicy to spec.podManagementPolicy
  move    spec.selector.matchlabels to spec.selector.matchLabels
  move    spec.template.volumeClaimTemplates to spec.volumeClaimTemplates

1 StatefulSet: 3 deny, 0 warn, 0 audit; 0 injections
"
    );
}

#[test]
fn a_wrong_type_is_a_finding_and_the_rest_is_judged() {
    let answer = audit("", MISTYPED);
    assert_eq!(answer.code, 1, "{}", answer.stderr);
    assert_eq!(
        answer.stdout,
        "-:1:1  default/db
  deny   line 7: spec.podManagementPolicy: \"parallel\" is not a policy, only OrderedReady and Parallel are [pod-management-policy-unknown]
         write Parallel
  deny   line 3: metadata.labels[version]: 1.10 is a number, where a string is needed [field-type-wrong]
         write \"1.10\" in quotes
  deny   line 5: spec.replicas: \"3\" is a string, where a whole number is needed [field-type-wrong]
         write 3 without quotes
  deny   line 19: spec.template.spec.containers[0].env[0].value: this is a number, where a string is needed [field-type-wrong]
         write it in quotes
  warn   line 18: spec.template.spec.containers[0].env: line 18 wins over the same key on line 15, and \"DEBUG\" there is lost [duplicate-key]
         keep one of them, with all that is meant

1 StatefulSet: 4 deny, 1 warn, 0 audit; 0 injections
"
    );
}

#[test]
fn a_former_version_is_one_line() {
    let text = MISTYPED.replace("apps/v1", "apps/v1beta1");
    let answer = audit("", &text);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert_eq!(
        answer.stdout,
        "-:1:1  default/db
  warn   line 1: apiVersion: no server has apps/v1beta1 any more, since Kubernetes 1.16 [api-version-removed]
         write apps/v1

1 StatefulSet: 0 deny, 1 warn, 0 audit; 0 injections
"
    );
}

#[test]
fn another_kind_of_that_name_is_none_of_ours() {
    let text = MISTYPED.replace("apps/v1", "apps.kruise.io/v1beta1");
    let answer = audit("-o json", &text);
    assert_eq!(
        (answer.code, report(&answer)["results"].clone()),
        (0, json!([]))
    );
}

#[test]
fn a_finding_is_at_the_key_and_in_every_format() {
    let answer = audit("-o json", MISPLACED);
    let first = &report(&answer)["results"][0];
    let finding = &first["findings"][2];
    assert_eq!(
        (&finding["pointer"], &finding["line"], &finding["column"]),
        (
            &json!("/spec/template/volumeClaimTemplates"),
            &json!(17),
            &json!(5)
        )
    );
    assert_eq!(
        first["patch"][2],
        json!({"op": "move", "from": "/spec/template/volumeClaimTemplates", "path": "/spec/volumeClaimTemplates"})
    );
    let answer = audit("-o github", MISPLACED);
    assert!(
        answer.stdout.starts_with(
            "::error file=-,line=7,col=3,title=unknown-field::default/web: spec.podmanagementpolicy: there is no such field, and the API \
             server drops it; write podManagementPolicy\n"
        ),
        "{}",
        answer.stdout
    );
    let answer = audit("-o sarif", MISPLACED);
    let result = &report(&answer)["runs"][0]["results"][0];
    assert_eq!(
        (
            &result["ruleId"],
            &result["locations"][0]["physicalLocation"]["region"]["startLine"]
        ),
        (&json!("unknown-field"), &json!(7))
    );
}

/// A finding about a field that was moved points at where it stands.
#[test]
fn what_is_wrong_in_a_misplaced_field_is_found_at_its_line() {
    let text = MISPLACED.replace(
        "accessModes: [ReadWriteOnce], ",
        "volumeMode: Block, accessModes: [ReadWriteOnce], ",
    );
    let answer = audit("-o json --rule claim-mode-mismatch", &text);
    let found = report(&answer)["results"][0]["findings"][0].clone();
    assert_eq!(
        (&found["rule"], &found["line"]),
        (&json!("claim-mode-mismatch"), &json!(16)),
        "{found}"
    );
    let text = text.replace("name: data}\n        spec", "name: data_1}\n        spec");
    let answer = audit("-o json --rule claim-name-invalid", &text);
    let found = report(&answer)["results"][0]["findings"][0].clone();
    assert_eq!(
        (&found["pointer"], &found["line"]),
        (
            &json!("/spec/volumeClaimTemplates/0/metadata/name"),
            &json!(18)
        )
    );
}

#[test]
fn a_policy_an_exemption_and_a_rule_selection_decide() {
    let exempt = MISPLACED.replace(
        "  name: web\nspec",
        "  name: web\n  annotations: {steadyset.io/exempt: 'unknown-field: read by our own operator'}\nspec",
    );
    assert_eq!(audit("", &exempt).code, 0);
    assert_eq!(audit("--skip-rule unknown-field", MISPLACED).code, 0);
    assert_eq!(audit("--rule field-type-wrong", MISPLACED).code, 0);
    assert_eq!(audit("--rule field-type-wrong", MISTYPED).code, 1);
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.yaml");
    let text = "apiVersion: steadyset.io/v1alpha1\nkind: StatefulSetPolicy\nmetadata: {name: p}\nspec: {rules: {unknown-field: Warn, duplicate-key: Deny}}\n";
    std::fs::write(&policy, text).unwrap();
    let with = format!("--policy {}", policy.display());
    assert_eq!(audit(&with, MISPLACED).code, 0);
    let twice = MISPLACED.replace(
        "  serviceName: web\n",
        "  serviceName: web\n  serviceName: web\n",
    );
    assert_eq!(audit(&with, &twice).code, 1);
    let baseline = folder.path().join("known.json");
    assert_eq!(
        audit(
            &format!("--write-baseline {}", baseline.display()),
            MISPLACED
        )
        .code,
        0
    );
    let known = format!("--baseline {}", baseline.display());
    assert_eq!(audit(&known, &format!("# moved down\n{MISPLACED}")).code, 0);
    assert_eq!(audit(&known, MISTYPED).code, 1);
}

/// A patch of a set, as kustomize has them, is not held against the schema.
#[test]
fn a_patch_is_read_over_and_a_selector_of_the_wrong_type_is_none() {
    let patch = MISPLACED
        .replace("  selector:\n    matchlabels: {app: web}\n", "")
        .replace("          image: registry.example/web:1\n", "");
    let answer = audit("", &patch);
    assert_eq!(
        (answer.code, answer.stdout.as_str()),
        (0, "0 StatefulSets: 0 deny, 0 warn, 0 audit; 0 injections\n")
    );
    let answer = audit(
        "-o json",
        &MISTYPED.replace("{matchLabels: {app: db}}", "db"),
    );
    assert_eq!(report(&answer)["summary"]["statefulsets"], 1);
    let unreadable = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: web}\nspec: [1]\n";
    let answer = audit("", unreadable);
    assert_eq!(answer.code, 3);
    assert!(
        answer
            .stdout
            .starts_with("-:4:7  not read\n  spec must be a mapping\n"),
        "{}",
        answer.stdout
    );
}

fn report(answer: &Run) -> Value {
    serde_json::from_str(&answer.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", answer.stdout))
}

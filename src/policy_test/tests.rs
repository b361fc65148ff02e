//! Cases as they are written, and what comes of them.

use super::*;
use crate::policy::Policies;

const SET: &str = "
object:
  apiVersion: apps/v1
  kind: StatefulSet
  metadata: {name: web, namespace: shop, labels: {team: a}}
  spec:
    replicas: 3
    serviceName: web
    selector: {matchLabels: {app: web}}
    template:
      metadata: {labels: {app: web}}
      spec: {containers: [{name: web, image: web}]}
";

/// The set with something more in its spec.
fn with(spec: &str) -> String {
    format!("{SET}    {spec}\n")
}

/// What comes of a case under the built-in default.
fn run(rest: &str, object: &str) -> Result<Option<String>, String> {
    let cases = read(&format!("name: it\n{rest}{object}"))?;
    let [case] = &cases[..] else {
        return Err(format!("{} cases", cases.len()));
    };
    case.run(&Policies::default(), Timestamp::UNIX_EPOCH)
        .map_err(|error| error.to_string())
}

fn passes(rest: &str, object: &str) {
    assert_eq!(run(rest, object), Ok(None), "{rest}");
}

#[test]
fn a_set_that_nothing_is_wrong_with_has_no_findings() {
    passes("expect: {}\n", SET);
    passes(
        "expect: {findings: [], patch: [], exempted: [], judged: true}\n",
        SET,
    );
}

const PARTITION: &str = "updateStrategy: {rollingUpdate: {partition: 3}}";

#[test]
fn a_finding_is_compared_as_far_as_it_is_told() {
    let set = with(PARTITION);
    let rule = "rule: partition-exceeds-replicas";
    let pointer = "pointer: /spec/updateStrategy/rollingUpdate/partition";
    let message = "message: '3 with 3 replicas holds back every pod: none will get a new template'";
    let help = "help: write 2 to update one pod first, 0 to update all";
    for told in [
        format!("{rule}, action: warn"),
        format!("{rule}, action: Warn"),
        format!("{rule}, action: warn, {pointer}"),
    ] {
        passes(&format!("expect: {{findings: [{{{told}}}]}}\n"), &set);
    }
    let whole = [rule, "action: warn", pointer, message, help].join("\n    ");
    passes(&format!("expect:\n  findings:\n  - {whole}\n"), &set);
}

#[test]
fn the_difference_is_shown() {
    let set = with(PARTITION);
    let wanted = "rule: partition-exceeds-replicas, action: deny";
    assert_eq!(
        run(&format!("expect: {{findings: [{{{wanted}}}]}}\n"), &set),
        Ok(Some(
            "--- expected\n+++ found\n@@ -1,4 +1,4 @@\n judged: true\n findings:\n - rule: partition-exceeds-replicas\n\
             -  action: deny\n+  action: warn\n"
                .to_owned()
        ))
    );
    let unexpected = run("expect: {}\n", &set).unwrap().unwrap();
    assert!(
        unexpected.contains("\n+- rule: partition-exceeds-replicas\n+  action: warn\n+  pointer: "),
        "{unexpected}"
    );
    let missing = run(
        "expect: {findings: [{rule: service-missing, action: warn}]}\n",
        SET,
    );
    assert!(
        missing
            .unwrap()
            .unwrap()
            .contains("\n-- rule: service-missing\n")
    );
}

#[test]
fn the_order_of_findings_does_not_matter() {
    let set = with(
        "updateStrategy: {rollingUpdate: {partition: 3}}\n    persistentVolumeClaimRetentionPolicy: {whenDeleted: delete}",
    );
    let [partition, retention] = [
        "{rule: partition-exceeds-replicas, action: warn}",
        "{rule: retention-policy-unknown, action: deny}",
    ];
    for findings in [[partition, retention], [retention, partition]] {
        passes(
            &format!("expect: {{findings: [{}]}}\n", findings.join(", ")),
            &set,
        );
    }
}

#[test]
fn the_cluster_is_what_the_case_says() {
    let finding = |rule: &str| format!("expect: {{findings: [{{rule: {rule}, action: warn}}]}}\n");
    passes(
        &format!("services: []\n{}", finding("service-missing")),
        SET,
    );
    passes(
        "services: [{metadata: {name: web}, spec: {clusterIP: None}}]\nexpect: {}\n",
        SET,
    );
    passes(
        &format!(
            "services: [{{metadata: {{name: web}}, spec: {{}}}}]\n{}",
            finding("service-not-headless")
        ),
        SET,
    );
    passes(
        &format!(
            "services: [{{metadata: {{name: web, namespace: other}}}}]\n{}",
            finding("service-missing")
        ),
        SET,
    );
    let claim = "volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]";
    let mounted = with(claim).replace(
        "image: web}",
        "image: web, volumeMounts: [{name: data, mountPath: /data}]}",
    );
    passes("expect: {}\n", &mounted);
    passes(
        &format!("storageClasses: []\n{}", finding("storage-class-missing")),
        &mounted,
    );
    let budget = "podDisruptionBudgets: [{metadata: {name: web}, spec: {maxUnavailable: 0, selector: {}}}]\n";
    passes(
        &format!("{budget}{}", finding("disruption-budget-blocks")),
        SET,
    );
    let version = with(
        "podManagementPolicy: Parallel\n    updateStrategy: {rollingUpdate: {maxUnavailable: 2}}",
    );
    passes("expect: {}\n", &version);
    passes(
        &format!("kubeVersion: 1.36\n{}", finding("max-unavailable-ignored")),
        &version,
    );
}

#[test]
fn what_is_injected_is_compared_without_the_record() {
    let set = SET.replace("    serviceName: web\n", "");
    let patch = "patch: [{op: add, path: /spec/serviceName, value: web-pods}]";
    passes(&format!("services: []\nexpect: {{{patch}}}\n"), &set);
    let difference = run("services: []\nexpect: {patch: []}\n", &set)
        .unwrap()
        .unwrap();
    assert!(
        difference.contains("+  path: /spec/serviceName\n"),
        "{difference}"
    );
    passes("services: []\nexpect: {}\n", &set);
}

#[test]
fn a_version_is_no_number() {
    let cases = read(&format!("name: it\nkubeVersion: 1.30\nexpect: {{}}\n{SET}")).unwrap();
    assert_eq!(cases[0].kube_version.as_deref(), Some("1.30"));
}

#[test]
fn an_update_has_an_old_object() {
    let old = with("podManagementPolicy: OrderedReady").replacen("object:", "oldObject:", 1);
    let new = with("podManagementPolicy: Parallel");
    passes(
        &format!("{old}expect: {{findings: [{{rule: immutable-field-change, action: warn}}]}}\n"),
        &new,
    );
    passes(
        &format!("{old}expect: {{judged: false}}\n"),
        &with("podManagementPolicy: OrderedReady"),
    );
}

#[test]
fn a_policy_of_its_own_is_in_force() {
    let set = with(PARTITION);
    let finding = |action: &str| {
        format!("expect: {{findings: [{{rule: partition-exceeds-replicas, action: {action}}}]}}\n")
    };
    passes(
        &format!("policy: {{profile: Strict}}\n{}", finding("deny")),
        &set,
    );
    passes(
        &format!("policy: {{enforcement: Audit}}\n{}", finding("audit")),
        &set,
    );
    passes(
        "policy: {rules: {partition-exceeds-replicas: Ignore}}\nexpect: {}\n",
        &set,
    );
    passes(
        "policy: {match: {namespaces: {include: [other]}}}\nexpect: {judged: false}\n",
        &set,
    );
    let unjudged = run(
        "policy: {match: {namespaces: {include: [other]}}}\nexpect: {}\n",
        &set,
    );
    assert!(
        unjudged
            .unwrap()
            .unwrap()
            .contains("-judged: true\n+judged: false\n")
    );
    let selecting = "policy: {match: {namespaceSelector: {matchLabels: {tier: gold}}}}\n";
    let gold = "namespaces: [{metadata: {name: shop, labels: {tier: gold}}}]\n";
    passes(&format!("{selecting}{gold}{}", finding("warn")), &set);
    passes(&format!("{selecting}expect: {{judged: false}}\n"), &set);
}

#[test]
fn exemptions_have_their_time_and_their_user() {
    let exempt = "steadyset.io/exempt: 'partition-exceeds-replicas: frozen', steadyset.io/exempt-until: '2027-01-31T00:00:00Z'";
    let set = with(PARTITION).replace("labels: {team: a}", &format!("annotations: {{{exempt}}}"));
    let exempted = "expect: {exempted: [partition-exceeds-replicas]}\n";
    let found =
        "expect: {exempted: [], findings: [{rule: partition-exceeds-replicas, action: warn}]}\n";
    passes(&format!("now: 2027-01-30T23:59:59Z\n{exempted}"), &set);
    passes(&format!("now: 2027-01-31T00:00:00Z\n{found}"), &set);
    let verb = "now: 2026-11-21T00:00:00Z\npolicy: {exemptions: {requireVerb: true}}\n";
    passes(&format!("{verb}mayExempt: true\n{exempted}"), &set);
    passes(&format!("{verb}mayExempt: false\n{found}"), &set);
    passes(&format!("{verb}{found}"), &set);
}

#[test]
fn what_cannot_be_run_says_why() {
    for (rest, object, reason) in [
        (
            "expect: {}\npolicy: {profil: Strict}\n",
            SET,
            "policy: spec.profil: there is no such field; did you mean profile?",
        ),
        (
            "expect: {}\nkubeVersion: new\n",
            SET,
            "kubeVersion: `new` is not a Kubernetes version; write it as 1.36 or 1.36.3",
        ),
        (
            "expect: {}\nservices: [{metadata: {name: a}, spec: 1}]\n",
            SET,
            "Service `a`: invalid type: integer `1`, expected ServiceSpec",
        ),
        (
            "expect: {}\n",
            "object: {kind: Deployment}\n",
            "object is no StatefulSet of apps/v1",
        ),
    ] {
        assert_eq!(run(rest, object), Err(reason.to_owned()));
    }
    for expected in [
        "findings: [{rule: service-mising, action: warn}]",
        "exempted: [service-mising]",
    ] {
        let reason = "expect: there is no rule \"service-mising\"; did you mean service-missing?";
        assert_eq!(
            run(&format!("expect: {{{expected}}}\n"), SET),
            Err(reason.to_owned())
        );
    }
    let misspelt = run("expects: {}\n", SET).unwrap_err();
    assert!(
        misspelt.contains("expects") && misspelt.contains("line 2"),
        "{misspelt}"
    );
    let stored = SET.replace("object:", "oldObject:");
    let broken = stored.replace("replicas: 3", "replicas: three");
    let broken = run("expect: {}\n", &(broken + SET)).unwrap_err();
    assert!(
        broken.starts_with("the StatefulSet cannot be read: "),
        "{broken}"
    );
    let nothing = "object: {apiVersion: apps/v1, kind: StatefulSet, spec: 1}\n";
    let nothing = run("expect: {}\n", nothing).unwrap_err();
    assert!(nothing.starts_with("object: "), "{nothing}");
}

#[test]
fn a_set_is_read_as_strictly_as_a_file() {
    let mistyped = SET.replace("replicas: 3", "replicas: three");
    passes(
        "expect: {findings: [{rule: field-type-wrong, action: deny, pointer: /spec/replicas}], patch: []}\n",
        &mistyped,
    );
    let moved =
        "op: move, from: /spec/template/podManagementPolicy, path: /spec/podManagementPolicy";
    let pointer = "pointer: /spec/template/podManagementPolicy";
    passes(
        &format!(
            "expect: {{findings: [{{rule: unknown-field, action: deny, {pointer}}}], patch: [{{{moved}}}]}}\n"
        ),
        &SET.replace(
            "    template:\n",
            "    template:\n      podManagementPolicy: Parallel\n",
        ),
    );
}

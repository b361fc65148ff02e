//! What the rules' pages say of the API server and of the webhook, asked of both.

use anyhow::{Context, Result, ensure};
use steadyset::explain::example;
use steadyset::model::finding::Action;
use steadyset::rules::{self, Builtin, Rule};

use crate::Test;
use crate::api::{Answer, Api};
use crate::support::{Cluster, Namespace};

/// The examples of the pages, on a server of 1.36.
pub const TESTS: &[Test] = &[
    (
        "the_server_answers_as_the_pages_say",
        the_server_answers_as_the_pages_say,
    ),
    (
        "the_webhook_says_what_the_pages_show",
        the_webhook_says_what_the_pages_show,
    ),
];

/// A version that is gone, a kind that never was and a patch have no path to write them to; Recreate is of a later server.
const NOT_SERVED: [&str; 4] = [
    "api-version-removed",
    "kind-unknown",
    "patch-replaces-list",
    "recreate-takes-all-down",
];

fn the_server_answers_as_the_pages_say(cluster: &Cluster) -> Result<()> {
    let mut api = Api::new(cluster)?;
    let served = |rule: &&&Rule| !NOT_SERVED.contains(&rule.id);
    for rule in rules::all().iter().filter(served) {
        let namespace = cluster.namespace()?;
        let mut code = |changes: &str| anyhow::Ok(write(&mut api, &namespace, rule, changes)?.code);
        let example = code(rule.docs.example)?;
        // what it cannot even read it refuses in another way
        let refused = matches!(example, 400 | 422);
        ensure!(
            refused == is_refused(rule) && (refused || example / 100 == 2),
            "{}: the server answers its example with {example}",
            rule.id
        );
        if !rule.docs.fixed.is_empty() {
            let fixed = code(rule.docs.fixed)?;
            ensure!(
                fixed / 100 == 2,
                "{}: put right, the server answers with {fixed}",
                rule.id
            );
        }
    }
    Ok(())
}

/// Whether the page says that a server of 1.36 refuses its example.
fn is_refused(rule: &Rule) -> bool {
    const MINOR: u32 = 36;
    match rule.builtin {
        // The one rule that leaves a refusal to the server on purpose.
        Builtin::Never => rule.id == "immutable-field-change",
        Builtin::Always => true,
        Builtin::Since(minor) | Builtin::OnCreateSince(minor) => minor <= MINOR,
        // `maxUnavailable`, on which 1.36 does not act.
        Builtin::Where(_) => rule.id == "field-invalid",
    }
}

fn the_webhook_says_what_the_pages_show(cluster: &Cluster) -> Result<()> {
    let mut api = Api::new(cluster)?;
    let mut compared = 0;
    for rule in rules::all().iter().filter(|rule| needs_nothing(rule)) {
        let namespace = cluster.guarded_namespace()?;
        let answer = write(&mut api, &namespace, rule, rule.docs.example)?;
        let message = answer.body["message"].as_str().unwrap_or_default();
        let said = format!("{message}\n{}", answer.warnings.join("\n"));
        for finding in example::found(&rule.docs)? {
            if finding.action == Action::Audit {
                continue; // the user is not told
            }
            let line = finding.line();
            let line = line.replace("-n default", &format!("-n {}", namespace.name()));
            ensure!(said.contains(&line), "{line}\nis not in\n{said}");
        }
        compared += 1;
    }
    ensure!(compared > 25, "only {compared} rules need nothing");
    Ok(())
}

/// Whether the example can be asked as it stands: it is not about how a manifest is written, nothing else has to be in the cluster, no status has to be that of a stored
/// set, and 1.36 acts on the field.
fn needs_nothing(rule: &Rule) -> bool {
    const GATED: [&str; 3] = [
        "max-unavailable-ordered-ready",
        "max-unavailable-all-replicas",
        "max-unavailable-quorum",
    ];
    let docs = &rule.docs;
    let has_status = docs.stored.contains("status:");
    !rule.is_of_the_file()
        && docs.cluster.is_empty()
        && docs.version.is_empty()
        && !has_status
        && !GATED.contains(&rule.id)
}

/// Writes a set, over the stored one where the page has one, and changes nothing.
fn write(api: &mut Api, namespace: &Namespace<'_>, rule: &Rule, changes: &str) -> Result<Answer> {
    let sets = format!("/apis/apps/v1/namespaces/{}/statefulsets", namespace.name());
    let set = example::set(changes).context(rule.id)?;
    if rule.docs.stored.is_empty() {
        return api.create(&format!("{sets}?dryRun=All"), &set);
    }
    let stored = api.create(&sets, &example::set(rule.docs.stored)?)?;
    ensure!(
        matches!(stored.code, 201 | 409),
        "{}: the stored set: {}",
        rule.id,
        stored.body
    );
    api.replace(&format!("{sets}/web?dryRun=All"), &set)
}

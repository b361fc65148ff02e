//! What the rules' pages say of the API server, asked of one.

use anyhow::{Context, Result, ensure};
use steadyset::explain::example;
use steadyset::rules::{self, Builtin, Docs, Rule};

use crate::Test;
use crate::api::Api;
use crate::support::Cluster;

/// The examples of the pages, where no webhook is in force.
pub const TESTS: &[Test] = &[(
    "the_server_answers_as_the_pages_say",
    the_server_answers_as_the_pages_say,
)];

fn the_server_answers_as_the_pages_say(cluster: &Cluster) -> Result<()> {
    let mut api = Api::new(cluster)?;
    for rule in rules::all() {
        let namespace = cluster.namespace()?;
        let mut write =
            |changes: &str| write(&mut api, namespace.name(), &rule.docs, changes).context(rule.id);
        let code = write(rule.docs.example)?;
        let refused = code == 422;
        ensure!(
            refused == is_refused(rule) && (refused || code / 100 == 2),
            "{}: the server answers its example with {code}",
            rule.id
        );
        if !rule.docs.fixed.is_empty() {
            let code = write(rule.docs.fixed)?;
            ensure!(
                code / 100 == 2,
                "{}: put right, the server answers with {code}",
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
        Builtin::Where(_) => false,
    }
}

/// Writes a set, over the stored one where the page has one, and changes nothing; the HTTP status.
fn write(api: &mut Api, namespace: &str, docs: &Docs, changes: &str) -> Result<u16> {
    let path = format!("/apis/apps/v1/namespaces/{namespace}/statefulsets");
    let set = example::set(changes)?;
    if docs.stored.is_empty() {
        return Ok(api.create(&format!("{path}?dryRun=All"), &set)?.code);
    }
    let stored = api.create(&path, &example::set(docs.stored)?)?.code;
    ensure!(matches!(stored, 201 | 409), "the stored set: {stored}");
    Ok(api.replace(&format!("{path}/web?dryRun=All"), &set)?.code)
}

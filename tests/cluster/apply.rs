//! One file, written again and again by each of kubectl's ways: filled in once, and never touched after that.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::Test;
use crate::support::{Cluster, Output};
use crate::web::{self, CLAIMS, MOUNTS, PROBE, PROBE_KEY, Tool, Web};

/// What a user who never changes his file sees.
pub const TESTS: &[Test] = &[
    (
        "the_first_apply_fills_in_and_says_so",
        the_first_apply_fills_in_and_says_so,
    ),
    (
        "the_same_apply_changes_nothing",
        the_same_apply_changes_nothing,
    ),
    (
        "another_way_to_apply_has_no_conflict",
        another_way_to_apply_has_no_conflict,
    ),
    (
        "diff_shows_injections_before_and_nothing_after",
        diff_shows_injections_before_and_nothing_after,
    ),
    (
        "a_dry_run_shows_injections_and_creates_nothing",
        a_dry_run_shows_injections_and_creates_nothing,
    ),
    (
        "replace_with_the_same_file_keeps_injections",
        replace_with_the_same_file_keeps_injections,
    ),
    (
        "what_the_file_leaves_empty_stays_filled_in",
        what_the_file_leaves_empty_stays_filled_in,
    ),
    (
        "another_service_name_is_the_servers_to_refuse",
        another_service_name_is_the_servers_to_refuse,
    ),
    (
        "an_update_injects_nothing_that_is_new",
        an_update_injects_nothing_that_is_new,
    ),
];

fn the_first_apply_fills_in_and_says_so(cluster: &Cluster) -> Result<()> {
    let web = Web::absent(cluster)?;
    let output = web.write(Tool::Apply, &web::dangling())?;
    web.expect(PROBE, &web::our_probe())?;
    web.expect("/spec/serviceName", &json!("web-pods"))?;
    web.expect("/spec/volumeClaimTemplates/0/metadata/name", &json!("data"))?;
    for key in [PROBE_KEY, "service-name", "claim/data"] {
        web.expect_state(key, "injected")?;
    }
    for field in ["readinessProbe", "serviceName", "volumeClaimTemplates"] {
        ensure!(warned(&output, field, "[injected]"), "{field}: {output}");
    }
    Ok(())
}

/// Whether a line of warning names the field and ends with the tag.
fn warned(output: &Output, field: &str, tag: &str) -> bool {
    let mut warnings = output
        .stderr
        .lines()
        .filter(|line| line.starts_with("Warning: "));
    warnings.any(|line| line.contains(field) && line.ends_with(tag))
}

fn the_same_apply_changes_nothing(cluster: &Cluster) -> Result<()> {
    for tool in Tool::APPLIES {
        let web = Web::running(cluster, tool, &web::dangling())?;
        let before = web.footprint()?;
        web.settled(tool, &web::dangling())?;
        web.expect(PROBE, &web::our_probe())?;
        web.untouched_since(&before)?;
    }
    Ok(())
}

fn another_way_to_apply_has_no_conflict(cluster: &Cluster) -> Result<()> {
    for (first, second) in [
        (Tool::Apply, Tool::ServerSide),
        (Tool::ServerSide, Tool::Apply),
    ] {
        let web = Web::running(cluster, first, &web::plain())?;
        let before = web.footprint()?;
        web.write(second, &web::plain())?;
        web.settled(second, &web::plain())?;
        web.expect(PROBE, &web::our_probe())?;
        web.untouched_since(&before)?;
    }
    Ok(())
}

fn diff_shows_injections_before_and_nothing_after(cluster: &Cluster) -> Result<()> {
    let web = Web::absent(cluster)?;
    let diff = || {
        web.ns
            .kubectl("diff -f -")?
            .stdin(web::plain().to_string())
            .run()
    };
    let before = diff()?;
    ensure!(before.status == 1, "{before}");
    for line in [
        "+  serviceName: web-pods",
        "+        readinessProbe:",
        "+          tcpSocket:",
    ] {
        ensure!(before.stdout.contains(line), "no `{line}` in {before}");
    }
    web.write(Tool::Apply, &web::plain())?;
    let after = diff()?;
    ensure!(after.status == 0 && after.stdout.is_empty(), "{after}");
    Ok(())
}

fn a_dry_run_shows_injections_and_creates_nothing(cluster: &Cluster) -> Result<()> {
    let web = Web::absent(cluster)?;
    let run = web.ns.kubectl("apply --dry-run=server -o json -f -")?;
    let shown = run.stdin(web::plain().to_string()).json()?;
    ensure!(shown.pointer(PROBE) == Some(&web::our_probe()), "{shown:#}");
    ensure!(shown["spec"]["serviceName"] == "web-pods", "{shown:#}");
    // once the Service of a set written later is there, the controller has had its chance with the first
    let mut later = web::plain();
    later["metadata"]["name"] = json!("later");
    web.write(Tool::Apply, &later)?;
    web.ns
        .await_object("service/later-pods", Duration::from_secs(30), |_| Ok(()))?;
    for absent in ["sts/web", "service/web-pods"] {
        let output = web.ns.kubectl(&format!("get {absent}"))?.refused()?;
        ensure!(output.stderr.contains("NotFound"), "{output}");
    }
    Ok(())
}

fn replace_with_the_same_file_keeps_injections(cluster: &Cluster) -> Result<()> {
    let web = Web::running(cluster, Tool::Apply, &web::dangling())?;
    let (before, injected) = (web.footprint()?, injected(&web.set()?));
    for _ in 0..2 {
        web.write(Tool::Replace, &web::dangling())?;
        let now = self::injected(&web.set()?);
        ensure!(now == injected, "{injected:#} became {now:#}");
        web.untouched_since(&before)?;
    }
    // and afterwards the file still does what it says
    let next = web::with(web::dangling(), web::IMAGE, json!("registry.example/web:2"));
    web.roll_out(Tool::Replace, &next)?;
    web.expect(PROBE, &web::our_probe())?;
    web.expect_state(PROBE_KEY, "injected")?;
    web.expect(web::IMAGE, &json!("registry.example/web:2"))
}

/// All that we had put into the set, and the record of it.
fn injected(set: &Value) -> Value {
    let at = |pointer| set.pointer(pointer).cloned().unwrap_or_default();
    let record = web::record(set).unwrap_or_default();
    json!([
        at("/spec/serviceName"),
        at(CLAIMS),
        at(MOUNTS),
        at(PROBE),
        record
    ])
}

fn what_the_file_leaves_empty_stays_filled_in(cluster: &Cluster) -> Result<()> {
    for tool in Tool::APPLIES {
        for (pointer, empty) in [
            ("/spec/serviceName", json!("")),
            ("/spec/serviceName", json!(null)),
            (CLAIMS, json!([])),
            (CLAIMS, json!(null)),
        ] {
            let file = web::with(web::dangling(), pointer, empty.clone());
            let web = Web::running(cluster, tool, &file)?;
            let (before, filled_in) = (web.footprint()?, injected(&web.set()?));
            web.write(tool, &file)?;
            web.write(Tool::Replace, &file)?;
            let now = injected(&web.set()?);
            ensure!(
                now == filled_in,
                "{pointer}: {empty}: {filled_in:#} became {now:#}"
            );
            web.untouched_since(&before)?;
        }
    }
    Ok(())
}

fn another_service_name_is_the_servers_to_refuse(cluster: &Cluster) -> Result<()> {
    let web = Web::running(cluster, Tool::Apply, &web::plain())?;
    web.expect("/spec/serviceName", &json!("web-pods"))?;
    let other = web::with(web::plain(), "/spec/serviceName", json!("other"));
    for tool in Tool::ALL {
        let run = web.ns.kubectl(&format!("{tool} -f -"))?;
        let refused = run.stdin(other.to_string()).refused()?;
        let whose = "updates to statefulset spec for fields other than";
        ensure!(refused.stderr.contains(whose), "{refused}");
        ensure!(
            refused.stderr.contains("[immutable-field-change]"),
            "{refused}"
        );
    }
    Ok(())
}

fn an_update_injects_nothing_that_is_new(cluster: &Cluster) -> Result<()> {
    let own = web::with(web::plain(), web::PORTS, json!([]));
    let web = Web::running(cluster, Tool::Apply, &own)?;
    web.expect("/spec/serviceName", &json!("web-pods"))?;
    web.expect(PROBE, &Value::Null)?;
    web.roll_out(Tool::Apply, &web::plain())?;
    web.expect(PROBE, &Value::Null)?;
    web.settled(Tool::Apply, &web::plain())
}

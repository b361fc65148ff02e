//! The user's own word about a probe always wins over what we injected, and the write that says it succeeds.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::Test;
use crate::support::Cluster;
use crate::web::{self, IMAGE, PROBE, PROBE_KEY, Tool, Web};

/// What happens to an injected probe once the user speaks of it.
pub const TESTS: &[Test] = &[
    (
        "our_probe_yields_to_the_users_own",
        our_probe_yields_to_the_users_own,
    ),
    (
        "a_diff_shows_what_will_make_way",
        a_diff_shows_what_will_make_way,
    ),
    (
        "a_patch_that_merges_a_probe_works_too",
        a_patch_that_merges_a_probe_works_too,
    ),
    (
        "timings_that_the_user_wrote_stay",
        timings_that_the_user_wrote_stay,
    ),
    (
        "a_probe_that_was_removed_stays_removed",
        a_probe_that_was_removed_stays_removed,
    ),
    (
        "a_probe_that_the_file_nulls_goes",
        a_probe_that_the_file_nulls_goes,
    ),
    (
        "the_same_probe_written_by_the_user_is_his",
        the_same_probe_written_by_the_user_is_his,
    ),
    (
        "an_edit_inside_our_probe_is_left_alone",
        an_edit_inside_our_probe_is_left_alone,
    ),
    (
        "a_full_replace_brings_the_users_probe",
        a_full_replace_brings_the_users_probe,
    ),
];

fn our_probe_yields_to_the_users_own(cluster: &Cluster) -> Result<()> {
    for tool in Tool::APPLIES {
        let web = Web::running(cluster, tool, &web::plain())?;
        web.expect(PROBE, &web::our_probe())?;
        let output = web.roll_out(tool, &web::with_own_probe())?;
        ensure!(output.stderr.contains("[yielded]"), "{output}");
        web.expect(PROBE, &web::own_probe())?;
        web.expect_state(PROBE_KEY, "yielded")?;
        let before = web.footprint()?;
        web.settled(tool, &web::with_own_probe())?;
        web.untouched_since(&before)?;
    }
    Ok(())
}

fn a_diff_shows_what_will_make_way(cluster: &Cluster) -> Result<()> {
    let web = Web::running(cluster, Tool::Apply, &web::plain())?;
    let file = web::with_own_probe().to_string();
    let diff = web.ns.kubectl("diff -f -")?.stdin(file).run()?;
    ensure!(diff.status == 1, "{diff}");
    for line in ["-          tcpSocket:", "+          httpGet:"] {
        ensure!(diff.stdout.contains(line), "no `{line}` in {diff}");
    }
    web.expect(PROBE, &web::our_probe())?;
    web.expect_state(PROBE_KEY, "injected")
}

fn a_patch_that_merges_a_probe_works_too(cluster: &Cluster) -> Result<()> {
    let web = Web::running(cluster, Tool::Apply, &web::plain())?;
    let probe = json!({"httpGet": {"path": "/ready", "port": "http"}});
    let container = json!({"name": "web", "readinessProbe": probe});
    let patch = json!({"spec": {"template": {"spec": {"containers": [container]}}}});
    let run = web.ns.kubectl("patch sts web -p")?;
    run.arg(patch.to_string()).ok()?;
    web.expect(PROBE, &web::own_probe())?;
    web.expect_state(PROBE_KEY, "yielded")
}

fn timings_that_the_user_wrote_stay(cluster: &Cluster) -> Result<()> {
    for tool in Tool::APPLIES {
        // the second is what ours says too
        for timeout in [2, 3] {
            let web = Web::running(cluster, tool, &web::plain())?;
            web.expect(PROBE, &web::our_probe())?;
            let mut probe = web::own_probe();
            probe["periodSeconds"] = json!(5);
            probe["timeoutSeconds"] = json!(timeout);
            let file = web::with(web::plain(), PROBE, probe.clone());
            web.write(tool, &file)?;
            web.expect(PROBE, &probe)?;
            web.settled(tool, &file)?;
        }
    }
    Ok(())
}

fn a_probe_that_was_removed_stays_removed(cluster: &Cluster) -> Result<()> {
    let web = Web::running(cluster, Tool::Apply, &web::plain())?;
    web.patch(&json!({"op": "remove", "path": PROBE}))?;
    web.expect(PROBE, &Value::Null)?;
    web.expect_state(PROBE_KEY, "removed")?;
    let before = web.footprint()?;
    web.settled(Tool::Apply, &web::plain())?;
    // a replace drops the record too, and what the old object's record says still holds
    web.write(Tool::Replace, &web::plain())?;
    web.untouched_since(&before)?;
    let next = web::with(web::plain(), IMAGE, json!("registry.example/web:2"));
    for tool in [Tool::Replace, Tool::Apply] {
        web.roll_out(tool, &next)?;
        web.expect(PROBE, &Value::Null)?;
    }
    Ok(())
}

fn a_probe_that_the_file_nulls_goes(cluster: &Cluster) -> Result<()> {
    let web = Web::running(cluster, Tool::Apply, &web::plain())?;
    web.expect(PROBE, &web::our_probe())?;
    let file = web::with(web::plain(), PROBE, Value::Null);
    web.roll_out(Tool::Apply, &file)?;
    web.expect(PROBE, &Value::Null)?;
    web.expect_state(PROBE_KEY, "removed")?;
    let before = web.footprint()?;
    web.write(Tool::Apply, &file)?;
    web.write(Tool::Apply, &web::plain())?;
    web.expect(PROBE, &Value::Null)?;
    web.untouched_since(&before)
}

fn the_same_probe_written_by_the_user_is_his(cluster: &Cluster) -> Result<()> {
    for tool in Tool::APPLIES {
        let web = Web::running(cluster, tool, &web::plain())?;
        web.expect(PROBE, &web::our_probe())?;
        let before = web.footprint()?;
        let file = web::with(web::plain(), PROBE, web::our_probe());
        web.write(tool, &file)?;
        web.settled(tool, &file)?;
        web.untouched_since(&before)?;
        // his to take away again, for good
        web.roll_out(tool, &web::plain())?;
        web.expect(PROBE, &Value::Null)?;
        web.settled(tool, &web::plain())?;
    }
    Ok(())
}

fn an_edit_inside_our_probe_is_left_alone(cluster: &Cluster) -> Result<()> {
    for (field, value) in [("periodSeconds", json!(5)), ("tcpSocket/port", json!(8080))] {
        let web = Web::running(cluster, Tool::Apply, &web::plain())?;
        let path = format!("{PROBE}/{field}");
        web.patch(&json!({"op": "replace", "path": path, "value": value}))?;
        let before = web.footprint()?;
        web.settled(Tool::Apply, &web::plain())?;
        web.untouched_since(&before)?;
        let next = web::with(web::plain(), IMAGE, json!("registry.example/web:2"));
        web.roll_out(Tool::Apply, &next)?;
        web.expect(&path, &value)?;
        web.expect(&format!("{PROBE}/timeoutSeconds"), &json!(3))?;
    }
    Ok(())
}

fn a_full_replace_brings_the_users_probe(cluster: &Cluster) -> Result<()> {
    let web = Web::running(cluster, Tool::Apply, &web::plain())?;
    web.roll_out(Tool::Replace, &web::with_own_probe())?;
    web.expect(PROBE, &web::own_probe())?;
    web.expect("/spec/serviceName", &json!("web-pods"))?;
    let before = web.footprint()?;
    web.write(Tool::Replace, &web::with_own_probe())?;
    web.expect(PROBE, &web::own_probe())?;
    web.untouched_since(&before)
}

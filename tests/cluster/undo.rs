//! The way back: an old template comes back as the revision that it was, so pods that never left it are not restarted.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::Test;
use crate::support::Cluster;
use crate::web::{self, Footprint, IMAGE, PORTS, PROBE, STRATEGY, Tool, Web};

/// `rollout undo`, and the apply of an older file.
pub const TESTS: &[Test] = &[
    (
        "undo_brings_our_probe_back_as_it_was",
        undo_brings_our_probe_back_as_it_was,
    ),
    (
        "undo_restarts_no_pod_that_had_not_moved",
        undo_restarts_no_pod_that_had_not_moved,
    ),
    (
        "after_an_undo_apply_works_again_and_again",
        after_an_undo_apply_works_again_and_again,
    ),
    (
        "an_older_file_brings_its_revision_back",
        an_older_file_brings_its_revision_back,
    ),
    (
        "an_image_is_undone_to_its_old_revision",
        an_image_is_undone_to_its_old_revision,
    ),
    (
        "undo_of_a_removal_brings_our_probe_back",
        undo_of_a_removal_brings_our_probe_back,
    ),
];

/// The file, held so that an update moves pod 1 and never pod 0.
fn held(file: Value) -> Value {
    let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}});
    web::with(file, STRATEGY, strategy)
}

fn undo_brings_our_probe_back_as_it_was(cluster: &Cluster) -> Result<()> {
    for tool in Tool::APPLIES {
        let web = Web::running(cluster, tool, &web::plain())?;
        web.roll_out(tool, &web::with_own_probe())?;
        let before = web.footprint()?;
        ensure!(before.revisions.len() == 2, "{before:#?}");
        web.undo()?;
        web.expect(PROBE, &web::our_probe())?;
        same_revisions(&web, &before)?;
    }
    Ok(())
}

fn same_revisions(web: &Web<'_>, before: &Footprint) -> Result<()> {
    let after = web.footprint()?.revisions;
    ensure!(after == before.revisions, "{before:#?} became {after:#?}");
    Ok(())
}

fn undo_restarts_no_pod_that_had_not_moved(cluster: &Cluster) -> Result<()> {
    let web = Web::running(cluster, Tool::Apply, &held(web::plain()))?;
    let first = web.footprint()?;
    web.roll_out(Tool::Apply, &held(web::with_own_probe()))?;
    web.undo()?;
    web.expect(PROBE, &web::our_probe())?;
    pod_0_never_moved(&web, &first)?;
    // not even once nothing holds it any longer
    web.patch(&json!({"op": "remove", "path": "/spec/updateStrategy"}))?;
    pod_0_never_moved(&web, &first)
}

/// Pod 0 is the one of `first`, and runs what the set would give it today.
fn pod_0_never_moved(web: &Web<'_>, first: &Footprint) -> Result<()> {
    let (now, set, pod) = (web.footprint()?, web.set()?, web.ns.get("pod/web-0")?);
    ensure!(now.pods["web-0"] == first.pods["web-0"], "{now:#?}");
    let revision = &pod["metadata"]["labels"]["controller-revision-hash"];
    let newest = &set["status"]["updateRevision"];
    ensure!(
        revision == newest,
        "pod 0 runs {revision}, the set wants {newest}"
    );
    Ok(())
}

fn after_an_undo_apply_works_again_and_again(cluster: &Cluster) -> Result<()> {
    for tool in Tool::APPLIES {
        let web = Web::running(cluster, tool, &held(web::plain()))?;
        web.expect(PROBE, &web::our_probe())?;
        let first = web.footprint()?;
        let file = held(web::with_own_probe());
        web.roll_out(tool, &file)?;
        let both = web.footprint()?;
        for _ in 0..2 {
            web.undo()?;
            web.roll_out(tool, &file)?;
            web.expect(PROBE, &web::own_probe())?;
            web.settled(tool, &file)?;
            same_revisions(&web, &both)?;
        }
        web.undo()?;
        web.undo()?;
        web.expect(PROBE, &web::own_probe())?;
        web.settled(tool, &file)?;
        same_revisions(&web, &both)?;
        web.undo()?;
        pod_0_never_moved(&web, &first)?;
    }
    Ok(())
}

/// Files that take the plain one's place, each of which does something to our probe.
fn later_files() -> [(&'static str, Value); 5] {
    let port = |name: &str| json!([{"name": name, "containerPort": 8080}]);
    let image = web::with(web::plain(), IMAGE, json!("registry.example/web:2"));
    [
        ("another image", image.clone()),
        ("a probe of the user's own", web::with_own_probe()),
        (
            "a renamed port",
            web::with(web::plain(), PORTS, port("web")),
        ),
        ("no port", web::without(web::plain(), PORTS)),
        (
            "nothing injected any longer",
            web::annotated(image, "steadyset.io/inject", "none"),
        ),
    ]
}

fn an_older_file_brings_its_revision_back(cluster: &Cluster) -> Result<()> {
    for tool in Tool::ALL {
        for (what, later) in later_files() {
            there_and_back(cluster, tool, &later).with_context(|| format!("{tool}: {what}"))?;
        }
    }
    Ok(())
}

fn there_and_back(cluster: &Cluster, tool: Tool, later: &Value) -> Result<()> {
    let web = Web::running(cluster, tool.first(), &held(web::plain()))?;
    web.expect(PROBE, &web::our_probe())?;
    let first = web.footprint()?;
    web.roll_out(tool, &held(later.clone()))?;
    let both = web.footprint()?;
    for file in [web::plain(), later.clone(), web::plain()] {
        web.roll_out(tool, &held(file.clone()))?;
        same_revisions(&web, &both)?;
        web.settled(tool, &held(file))?;
    }
    web.expect(PROBE, &web::our_probe())?;
    pod_0_never_moved(&web, &first)
}

fn an_image_is_undone_to_its_old_revision(cluster: &Cluster) -> Result<()> {
    let next = web::with(web::plain(), IMAGE, json!("registry.example/web:2"));
    let web = Web::running(cluster, Tool::Apply, &held(web::plain()))?;
    let first = web.footprint()?;
    web.roll_out(Tool::Apply, &held(next))?;
    let both = web.footprint()?;
    for _ in 0..3 {
        web.undo()?;
        web.expect(PROBE, &web::our_probe())?;
    }
    pod_0_never_moved(&web, &first)?;
    same_revisions(&web, &both)
}

fn undo_of_a_removal_brings_our_probe_back(cluster: &Cluster) -> Result<()> {
    let web = Web::running(cluster, Tool::Apply, &held(web::plain()))?;
    let first = web.footprint()?;
    web.patch(&json!({"op": "remove", "path": PROBE}))?;
    let both = web.footprint()?;
    web.undo()?;
    web.expect(PROBE, &web::our_probe())?;
    pod_0_never_moved(&web, &first)?;
    // the other way round: to the template without a probe, which stays without
    web.undo()?;
    web.expect(PROBE, &Value::Null)?;
    same_revisions(&web, &both)?;
    web.undo()?;
    web.roll_out(Tool::Apply, &held(web::with_own_probe()))?;
    web.expect(PROBE, &web::own_probe())?;
    web.settled(Tool::Apply, &held(web::with_own_probe()))
}

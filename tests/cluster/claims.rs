//! Claims that we add: where they come from, that they stay through every write of the file, and where none is added.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::Test;
use crate::support::Cluster;
use crate::web::{self, CLAIMS, MOUNTS, Tool, Web};

/// Claims and their mounts.
pub const TESTS: &[Test] = &[
    (
        "a_dangling_mount_gets_its_claim",
        a_dangling_mount_gets_its_claim,
    ),
    (
        "an_annotation_asks_for_claim_and_mount",
        an_annotation_asks_for_claim_and_mount,
    ),
    (
        "an_appended_claim_survives_the_same_apply",
        an_appended_claim_survives_the_same_apply,
    ),
    (
        "an_appended_claim_survives_every_way_to_write",
        an_appended_claim_survives_every_way_to_write,
    ),
    (
        "an_appended_claim_survives_the_move_to_server_side_apply",
        an_appended_claim_survives_the_move_to_server_side_apply,
    ),
    (
        "a_claim_can_be_spelled_out_later",
        a_claim_can_be_spelled_out_later,
    ),
    (
        "an_incomplete_claim_is_completed_and_stays_so",
        an_incomplete_claim_is_completed_and_stays_so,
    ),
    (
        "a_claim_stays_when_its_mount_goes",
        a_claim_stays_when_its_mount_goes,
    ),
    (
        "the_users_own_claim_is_the_servers_to_hold",
        the_users_own_claim_is_the_servers_to_hold,
    ),
    (
        "our_mount_yields_to_another_mount_of_its_claim",
        our_mount_yields_to_another_mount_of_its_claim,
    ),
    (
        "another_volume_at_our_path_wins",
        another_volume_at_our_path_wins,
    ),
    (
        "a_volume_of_the_name_of_our_claim_is_warned_of",
        a_volume_of_the_name_of_our_claim_is_warned_of,
    ),
];

const BOUND: Duration = Duration::from_mins(1);

fn claim(name: &str, storage: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}}}})
}

/// A set with a claim of its own, and one that it asks for.
fn half_declared() -> Value {
    let mounts = json!([{"name": "cache", "mountPath": "/cache"}]);
    let file = web::with(asking(&json!({"mountPath": "/data"})), MOUNTS, mounts);
    web::with(file, CLAIMS, json!([claim("cache", "1Mi")]))
}

fn asking(request: &Value) -> Value {
    web::annotated(
        web::plain(),
        "steadyset.io/claim-data",
        &request.to_string(),
    )
}

/// Names and sizes of the claims, in order.
fn expect_claims(web: &Web<'_>, wanted: &[(&str, &str)]) -> Result<()> {
    let claims = web.at(CLAIMS)?;
    let claims = claims.as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let found = claims.iter().map(|claim| {
        let size = &claim["spec"]["resources"]["requests"]["storage"];
        (text(&claim["metadata"]["name"]), text(size))
    });
    let found: Vec<_> = found.collect();
    let wanted: Vec<_> = wanted
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect();
    ensure!(found == wanted, "claims are {found:?}, wanted {wanted:?}");
    Ok(())
}

fn bound(web: &Web<'_>, claim: &str) -> Result<()> {
    let look = |found: &Value| {
        ensure!(
            found["status"]["phase"] == "Bound",
            "{claim}: {}",
            found["status"]
        );
        Ok(())
    };
    web.ns
        .await_object(&format!("pvc/{claim}"), BOUND, look)
        .map(drop)
}

fn a_dangling_mount_gets_its_claim(cluster: &Cluster) -> Result<()> {
    let web = Web::running(cluster, Tool::Apply, &web::dangling())?;
    expect_claims(&web, &[("data", "1Gi")])?;
    web.expect_state("claim/data", "injected")?;
    bound(&web, "data-web-0")?;
    bound(&web, "data-web-1")
}

fn an_annotation_asks_for_claim_and_mount(cluster: &Cluster) -> Result<()> {
    let file = asking(&json!({"mountPath": "/data", "storage": "2Mi"}));
    for tool in Tool::APPLIES {
        let web = Web::running(cluster, tool, &file)?;
        expect_claims(&web, &[("data", "2Mi")])?;
        web.expect(MOUNTS, &json!([{"name": "data", "mountPath": "/data"}]))?;
        bound(&web, "data-web-0")?;
        let before = web.footprint()?;
        web.settled(tool, &file)?;
        web.untouched_since(&before)?;
        web.expect_state("mount/web/data", "injected")?;
    }
    Ok(())
}

fn an_appended_claim_survives_the_same_apply(cluster: &Cluster) -> Result<()> {
    let next = web::with(half_declared(), web::IMAGE, json!("registry.example/web:2"));
    for tool in Tool::APPLIES {
        let web = Web::running(cluster, tool, &half_declared())?;
        expect_claims(&web, &[("cache", "1Mi"), ("data", "1Gi")])?;
        let before = web.footprint()?;
        web.write(tool, &half_declared())?;
        expect_claims(&web, &[("cache", "1Mi"), ("data", "1Gi")])?;
        web.settled(tool, &half_declared())?;
        web.untouched_since(&before)?;
        web.roll_out(tool, &next)?;
        expect_claims(&web, &[("cache", "1Mi"), ("data", "1Gi")])?;
    }
    Ok(())
}

fn an_appended_claim_survives_every_way_to_write(cluster: &Cluster) -> Result<()> {
    let ways = [
        [Tool::ServerSide, Tool::Apply],
        [Tool::Apply, Tool::Replace],
        [Tool::Replace, Tool::Apply],
    ];
    for [first, second] in ways {
        let web = Web::running(cluster, first.first(), &half_declared())?;
        let before = web.footprint()?;
        for tool in [first, second] {
            web.write(tool, &half_declared())?;
            expect_claims(&web, &[("cache", "1Mi"), ("data", "1Gi")])?;
        }
        web.untouched_since(&before)?;
    }
    Ok(())
}

/// Once, the owner of the list has to be overruled: the file's list is not the stored one, and the server asks before any
/// webhook is called.
fn an_appended_claim_survives_the_move_to_server_side_apply(cluster: &Cluster) -> Result<()> {
    let web = Web::running(cluster, Tool::Apply, &half_declared())?;
    let before = web.footprint()?;
    let force = web
        .ns
        .kubectl("apply --server-side --force-conflicts -f -")?;
    force.stdin(half_declared().to_string()).ok()?;
    for _ in 0..2 {
        web.settled(Tool::ServerSide, &half_declared())?;
        expect_claims(&web, &[("cache", "1Mi"), ("data", "1Gi")])?;
    }
    web.untouched_since(&before)
}

fn a_claim_can_be_spelled_out_later(cluster: &Cluster) -> Result<()> {
    let spelled = web::with(web::dangling(), CLAIMS, json!([claim("data", "1024Mi")]));
    let spelled = web::with(spelled, "/spec/serviceName", json!("web-pods"));
    for tool in Tool::ALL {
        let web = Web::running(cluster, tool.first(), &web::dangling())?;
        expect_claims(&web, &[("data", "1Gi")])?;
        let before = web.footprint()?;
        web.write(tool, &spelled)?;
        web.write(tool, &spelled)?;
        web.expect("/metadata/generation", &json!(1))?;
        web.untouched_since(&before)?;
    }
    Ok(())
}

fn an_incomplete_claim_is_completed_and_stays_so(cluster: &Cluster) -> Result<()> {
    let empty = json!([{"metadata": {"name": "data"}, "spec": {}}]);
    let file = web::with(web::dangling(), CLAIMS, empty);
    for tool in Tool::APPLIES {
        let web = Web::running(cluster, tool, &file)?;
        expect_claims(&web, &[("data", "1Gi")])?;
        bound(&web, "data-web-0")?;
        let before = web.footprint()?;
        web.settled(tool, &file)?;
        web.write(Tool::Replace, &file)?;
        expect_claims(&web, &[("data", "1Gi")])?;
        web.untouched_since(&before)?;
    }
    Ok(())
}

fn a_claim_stays_when_its_mount_goes(cluster: &Cluster) -> Result<()> {
    for tool in Tool::ALL {
        let web = Web::running(cluster, tool.first(), &web::dangling())?;
        web.roll_out(tool, &web::plain())?;
        web.expect(MOUNTS, &Value::Null)?;
        expect_claims(&web, &[("data", "1Gi")])?;
        web.roll_out(tool, &web::dangling())?;
        expect_claims(&web, &[("data", "1Gi")])?;
    }
    Ok(())
}

fn the_users_own_claim_is_the_servers_to_hold(cluster: &Cluster) -> Result<()> {
    let larger = web::with(half_declared(), CLAIMS, json!([claim("cache", "2Mi")]));
    for tool in Tool::ALL {
        let web = Web::running(cluster, tool.first(), &half_declared())?;
        let run = web.ns.kubectl(&format!("{tool} -f -"))?;
        let refused = run.stdin(larger.to_string()).refused()?;
        let whose = "updates to statefulset spec for fields other than";
        ensure!(refused.stderr.contains(whose), "{refused}");
        // ours is not among what is refused
        ensure!(!refused.stderr.contains("Not found"), "{refused}");
        expect_claims(&web, &[("cache", "1Mi"), ("data", "1Gi")])?;
    }
    Ok(())
}

fn our_mount_yields_to_another_mount_of_its_claim(cluster: &Cluster) -> Result<()> {
    let file = asking(&json!({"mountPath": "/data"}));
    for path in ["/var/lib/data", "/data/"] {
        for tool in Tool::APPLIES {
            let web = Web::running(cluster, tool, &file)?;
            let mounts = json!([{"name": "data", "mountPath": path}]);
            let own = web::with(file.clone(), MOUNTS, mounts.clone());
            web.roll_out(tool, &own)?;
            web.expect(MOUNTS, &mounts)?;
            web.settled(tool, &own)?;
            expect_claims(&web, &[("data", "1Gi")])?;
        }
    }
    Ok(())
}

fn another_volume_at_our_path_wins(cluster: &Cluster) -> Result<()> {
    let file = asking(&json!({"mountPath": "/data"}));
    let mounts = json!([{"name": "scratch", "mountPath": "/data"}]);
    let own = web::with(file.clone(), MOUNTS, mounts.clone());
    let own = web::with(
        own,
        "/spec/template/spec/volumes",
        json!([{"name": "scratch", "emptyDir": {}}]),
    );
    for tool in Tool::APPLIES {
        let web = Web::running(cluster, tool, &file)?;
        let output = web.roll_out(tool, &own)?;
        ensure!(
            output.stderr.contains("Warning: ") && output.stderr.contains("data"),
            "{output}"
        );
        web.expect(MOUNTS, &mounts)?;
        web.settled(tool, &own)?;
        expect_claims(&web, &[("data", "1Gi")])?;
    }
    Ok(())
}

fn a_volume_of_the_name_of_our_claim_is_warned_of(cluster: &Cluster) -> Result<()> {
    let web = Web::running(cluster, Tool::Apply, &web::dangling())?;
    let volumes = json!([{"name": "data", "emptyDir": {}}]);
    let file = web::with(web::dangling(), "/spec/template/spec/volumes", volumes);
    let output = web.roll_out(Tool::Apply, &file)?;
    ensure!(output.stderr.contains("[claim-shadows-volume]"), "{output}");
    expect_claims(&web, &[("data", "1Gi")])
}

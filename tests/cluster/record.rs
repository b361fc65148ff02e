//! What the record may do, and what `steadyset.io/inject` does.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::Test;
use crate::support::Cluster;
use crate::web::{self, CLAIMS, IMAGE, MOUNTS, PROBE, PROBE_KEY, Tool, Web};

/// The annotations of ours on a set.
pub const TESTS: &[Test] = &[
    (
        "a_forged_record_puts_nothing_in",
        a_forged_record_puts_nothing_in,
    ),
    (
        "a_record_in_a_new_file_puts_nothing_in",
        a_record_in_a_new_file_puts_nothing_in,
    ),
    (
        "dropping_the_record_changes_nothing",
        dropping_the_record_changes_nothing,
    ),
    (
        "inject_none_at_create_injects_nothing",
        inject_none_at_create_injects_nothing,
    ),
    (
        "inject_none_later_goes_with_the_next_template",
        inject_none_later_goes_with_the_next_template,
    ),
    (
        "inject_narrows_to_what_it_names",
        inject_narrows_to_what_it_names,
    ),
];

const RECORD: &str = "steadyset.io/injected";
const INJECT: &str = "steadyset.io/inject";

/// A file that needs nothing of us, and gets nothing.
fn refusing() -> Value {
    web::annotated(web::plain(), INJECT, "none")
}

fn next_image(file: Value) -> Value {
    web::with(file, IMAGE, json!("registry.example/web:2"))
}

/// The record that another set got, as text.
fn stolen_record(cluster: &Cluster) -> Result<String> {
    let web = Web::absent(cluster)?;
    web.write(Tool::Apply, &web::dangling())?;
    Ok(web::record(&web.set()?)?.to_string())
}

fn a_forged_record_puts_nothing_in(cluster: &Cluster) -> Result<()> {
    let stolen = stolen_record(cluster)?;
    for tool in Tool::ALL {
        let web = Web::running(cluster, tool.first(), &refusing())?;
        for record in [
            stolen.clone(),
            stolen.replace("10", "77"),
            "{}".to_owned(),
            "{".to_owned(),
        ] {
            let forged = web::annotated(web::plain(), RECORD, &record);
            for file in [next_image(forged.clone()), forged, web::plain()] {
                // the last one drops the record, and what the stored one says counts no more than a new one
                web.roll_out(tool, &file)?;
                untouched(&web)?;
            }
        }
    }
    Ok(())
}

/// Nothing of ours is in the set.
fn untouched(web: &Web<'_>) -> Result<()> {
    for pointer in [PROBE, CLAIMS, MOUNTS] {
        web.expect(pointer, &Value::Null)?;
    }
    let name = web.at("/spec/serviceName")?;
    ensure!(
        name.as_str().unwrap_or_default().is_empty(),
        "serviceName is {name}"
    );
    Ok(())
}

fn a_record_in_a_new_file_puts_nothing_in(cluster: &Cluster) -> Result<()> {
    let stolen = stolen_record(cluster)?;
    let web = Web::absent(cluster)?;
    let forged = web::annotated(web::plain(), RECORD, &stolen);
    for file in [forged.clone(), next_image(forged)] {
        web.roll_out(Tool::Apply, &file)?;
        for pointer in [CLAIMS, MOUNTS] {
            web.expect(pointer, &Value::Null)?;
        }
    }
    Ok(())
}

fn dropping_the_record_changes_nothing(cluster: &Cluster) -> Result<()> {
    let web = Web::running(cluster, Tool::Apply, &web::dangling())?;
    web.expect(PROBE, &web::our_probe())?;
    let (before, spec) = (web.footprint()?, web.at("/spec")?);
    web.ns
        .kubectl("annotate sts web steadyset.io/injected-")?
        .ok()?;
    web.expect("/spec", &spec)?;
    web.expect("/metadata/generation", &json!(1))?;
    web.write(Tool::Apply, &web::dangling())?;
    web.expect("/spec", &spec)?;
    web.untouched_since(&before)
}

fn inject_none_at_create_injects_nothing(cluster: &Cluster) -> Result<()> {
    let injected = Web::running(cluster, Tool::Apply, &web::plain())?;
    injected.expect(PROBE, &web::our_probe())?;
    let web = Web::running(cluster, Tool::Apply, &refusing())?;
    untouched(&web)?;
    web.expect("/metadata/annotations/steadyset.io~1injected", &Value::Null)?;
    // taking the annotation away later injects nothing either: that would restart the pods
    let before = web.footprint()?;
    web.write(Tool::Apply, &web::plain())?;
    untouched(&web)?;
    web.untouched_since(&before)?;
    web.roll_out(Tool::Apply, &next_image(web::plain()))?;
    untouched(&web)
}

fn inject_none_later_goes_with_the_next_template(cluster: &Cluster) -> Result<()> {
    for tool in Tool::APPLIES {
        let web = Web::running(cluster, tool, &web::plain())?;
        let before = web.footprint()?;
        web.write(tool, &refusing())?;
        web.expect(PROBE, &web::our_probe())?;
        web.untouched_since(&before)?;
        web.roll_out(tool, &next_image(refusing()))?;
        web.expect(PROBE, &Value::Null)?;
        web.expect_state(PROBE_KEY, "yielded")?;
        // what cannot change stays
        web.expect("/spec/serviceName", &json!("web-pods"))?;
        web.settled(tool, &next_image(refusing()))?;
    }
    Ok(())
}

fn inject_narrows_to_what_it_names(cluster: &Cluster) -> Result<()> {
    let cases = [
        ("service-name", [true, false]),
        ("readiness-probe", [false, true]),
        ("readiness-probe, service-name", [true, true]),
        ("readiness-probes", [false, false]),
    ];
    for (word, wanted) in cases {
        let web = Web::absent(cluster)?;
        web.write(Tool::Apply, &web::annotated(web::plain(), INJECT, word))?;
        let found = [
            web.at("/spec/serviceName")? == "web-pods",
            !web.at(PROBE)?.is_null(),
        ];
        ensure!(found == wanted, "{word}: service and probe are {found:?}");
    }
    Ok(())
}

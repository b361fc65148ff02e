//! A pod must never wait on a port that is gone because of us: our probe follows what it rested on, or goes.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::Test;
use crate::support::Cluster;
use crate::web::{self, IMAGE, PORTS, PROBE, PROBE_KEY, Tool, Web};

/// What becomes of our probe when its port or its image changes.
pub const TESTS: &[Test] = &[
    (
        "the_probe_follows_a_renamed_port",
        the_probe_follows_a_renamed_port,
    ),
    ("the_probe_goes_with_its_port", the_probe_goes_with_its_port),
    (
        "another_number_under_the_same_name_is_nothing_to_follow",
        another_number_under_the_same_name_is_nothing_to_follow,
    ),
    (
        "the_probe_of_another_image_follows_the_port",
        the_probe_of_another_image_follows_the_port,
    ),
    (
        "a_newer_tag_keeps_the_probe_of_its_image",
        a_newer_tag_keeps_the_probe_of_its_image,
    ),
    (
        "a_renamed_container_gets_no_probe",
        a_renamed_container_gets_no_probe,
    ),
    (
        "an_edited_port_is_followed_nowhere",
        an_edited_port_is_followed_nowhere,
    ),
];

fn on_port(port: &Value) -> Value {
    let mut probe = web::our_probe();
    probe["tcpSocket"]["port"] = port.clone();
    probe
}

fn ports(name: &str, number: u16) -> Value {
    web::with(
        web::plain(),
        PORTS,
        json!([{"name": name, "containerPort": number}]),
    )
}

fn the_probe_follows_a_renamed_port(cluster: &Cluster) -> Result<()> {
    for tool in Tool::ALL {
        let web = Web::running(cluster, tool.first(), &web::plain())?;
        web.expect(PROBE, &web::our_probe())?;
        web.roll_out(tool, &ports("web", 8080))?;
        web.expect(PROBE, &on_port(&json!("web")))?;
        web.settled(tool, &ports("web", 8080))?;
        web.undo()?;
        web.expect(PROBE, &web::our_probe())?;
    }
    Ok(())
}

fn the_probe_goes_with_its_port(cluster: &Cluster) -> Result<()> {
    for tool in Tool::APPLIES {
        let web = Web::running(cluster, tool, &web::plain())?;
        web.expect(PROBE, &web::our_probe())?;
        let file = web::without(web::plain(), PORTS);
        web.roll_out(tool, &file)?;
        web.expect(PROBE, &Value::Null)?;
        web.settled(tool, &file)?;
    }
    Ok(())
}

fn another_number_under_the_same_name_is_nothing_to_follow(cluster: &Cluster) -> Result<()> {
    for tool in Tool::APPLIES {
        let web = Web::running(cluster, tool, &web::plain())?;
        web.roll_out(tool, &ports("http", 9090))?;
        web.expect(PROBE, &web::our_probe())?;
        web.expect_state(PROBE_KEY, "injected")?;
        web.settled(tool, &ports("http", 9090))?;
    }
    Ok(())
}

fn redis() -> Value {
    let redis = web::with(web::plain(), IMAGE, json!("redis:7.2"));
    web::with(
        redis,
        PORTS,
        json!([{"name": "redis", "containerPort": 6379}]),
    )
}

fn the_probe_of_another_image_follows_the_port(cluster: &Cluster) -> Result<()> {
    let web = Web::running(cluster, Tool::Apply, &redis())?;
    let probe = web.at(PROBE)?;
    ensure!(probe["exec"].is_object(), "{probe}");
    let file = web::with(redis(), IMAGE, json!("registry.example/web:1"));
    web.roll_out(Tool::Apply, &file)?;
    web.expect(PROBE, &on_port(&json!("redis")))?;
    web.settled(Tool::Apply, &file)?;
    web.undo()?;
    web.expect(PROBE, &probe)
}

fn a_newer_tag_keeps_the_probe_of_its_image(cluster: &Cluster) -> Result<()> {
    let web = Web::running(cluster, Tool::Apply, &redis())?;
    let probe = web.at(PROBE)?;
    ensure!(probe["exec"].is_object(), "{probe}");
    let file = web::with(redis(), IMAGE, json!("mirror.example/library/redis:8.0"));
    web.roll_out(Tool::Apply, &file)?;
    web.expect(PROBE, &probe)
}

fn an_edited_port_is_followed_nowhere(cluster: &Cluster) -> Result<()> {
    let web = Web::running(cluster, Tool::Apply, &web::plain())?;
    let path = format!("{PROBE}/tcpSocket/port");
    web.patch(&json!({"op": "replace", "path": path, "value": 8080}))?;
    web.roll_out(Tool::Apply, &ports("web", 8080))?;
    web.expect(PROBE, &on_port(&json!(8080)))?;
    web.roll_out(Tool::Apply, &ports("web", 9090))?;
    web.expect(PROBE, &on_port(&json!(8080)))
}

fn a_renamed_container_gets_no_probe(cluster: &Cluster) -> Result<()> {
    let renamed = web::with(
        web::plain(),
        &format!("{}/name", web::CONTAINER),
        json!("app"),
    );
    for tool in Tool::ALL {
        let web = Web::running(cluster, tool.first(), &web::plain())?;
        web.expect(PROBE, &web::our_probe())?;
        web.roll_out(tool, &renamed)?;
        web.expect(PROBE, &Value::Null)?;
        web.settled(tool, &renamed)?;
    }
    Ok(())
}

//! What our probe rests on goes, and comes back.

use super::*;

#[test]
fn it_follows_a_renamed_port_and_back() {
    let stored = stored();
    let ports = |name: &str| json!([{"name": name, "containerPort": 8080}]);
    let renamed = update(&stored, &with(&stored, "ports", ports("web")), &world());
    assert_eq!(renamed.probe()["tcpSocket"], json!({"port": "web"}));
    assert_eq!(
        renamed.record(KEY)["earlier"][0]["value"]["tcpSocket"]["port"],
        "http"
    );

    let reverted = update(
        &renamed.set,
        &with(&renamed.set, "ports", ports("http")),
        &world(),
    );
    assert_eq!(template(&reverted), &stored["spec"]["template"]);

    let mut undone = renamed.set.clone();
    undone["spec"]["template"] = stored["spec"]["template"].clone();
    let undone = update(&renamed.set, &undone, &world());
    assert_eq!(undone.operations, 0);
    let yielded = update(&undone.set, &applied(&undone.set, &own()), &world());
    assert_eq!(yielded.probe(), own(), "an earlier value is ours too");
}

#[test]
fn where_nothing_fits_any_more_it_goes_and_comes_back_with_a_revert() {
    let stored = stored();
    let without = update(&stored, &with(&stored, "ports", json!([])), &world());
    assert_eq!(without.probe(), Value::Null);
    let ports = container(&mut stored.clone())["ports"].clone();
    let reverted = update(&without.set, &with(&without.set, "ports", ports), &world());
    assert_eq!(template(&reverted), &stored["spec"]["template"]);
}

#[test]
fn a_container_put_to_sleep_is_asked_nothing_until_it_wakes() {
    let stored = stored();
    let asleep = with(&stored, "command", json!(["sleep", "infinity"]));
    let written = update(&stored, &asleep, &world());
    assert_eq!(written.probe(), Value::Null, "it would wait for ever");
    let mut awake = written.set.clone();
    container(&mut awake)
        .as_object_mut()
        .unwrap()
        .remove("command");
    let written = update(&written.set, &awake, &world());
    assert_eq!(template(&written), &stored["spec"]["template"]);
}

#[test]
fn it_follows_the_image() {
    let redis = json!({"spec": {"template": {"spec": {"containers": [
        {"name": "web", "image": "redis:7", "ports": [{"name": "redis", "containerPort": 6379}]}]}}}});
    let stored = create(&web(&redis), &world()).set;
    assert!(container(&mut stored.clone())["readinessProbe"]["exec"].is_object());
    let newer = update(&stored, &with(&stored, "image", json!("redis:8")), &world());
    assert_eq!(
        newer.set,
        with(&stored, "image", json!("redis:8")),
        "it is still founded"
    );
    let other = update(
        &stored,
        &with(&stored, "image", json!("corp/cache:1")),
        &world(),
    );
    assert_eq!(other.probe()["tcpSocket"], json!({"port": "redis"}));
    let reverted = update(
        &other.set,
        &with(&other.set, "image", json!("redis:7")),
        &world(),
    );
    assert_eq!(template(&reverted), &stored["spec"]["template"]);
    let moved = json!([{"name": "redis", "containerPort": 6380}]);
    let moved = update(&stored, &with(&stored, "ports", moved), &world());
    let script = moved.probe()["exec"]["command"][2]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(script.contains("-p 6380 "), "{script}");
}

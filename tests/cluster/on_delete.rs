//! Switching a running set to `OnDelete`: the server's own default is in the way, and only that is taken away.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::Test;
use crate::given::{error_text, no_warning_of_ours, template, warning, web};
use crate::support::{App, Cluster, Helm, Namespace, Output};

/// Every way to the switch, with the product and without it.
pub const TESTS: &[Test] = &[
    ("kubectl_apply_switches", |cluster| {
        switches(cluster, kubectl_apply)
    }),
    ("server_side_apply_switches", |cluster| {
        switches(cluster, server_side_apply)
    }),
    ("helm_3_switches", |cluster| switches(cluster, helm_3)),
    ("helm_4_switches", |cluster| switches(cluster, helm_4)),
    (
        "the_server_alone_refuses_every_way",
        the_server_alone_refuses_every_way,
    ),
    (
        "back_to_the_default_works_too",
        back_to_the_default_works_too,
    ),
    (
        "a_partition_of_the_users_own_is_refused",
        a_partition_of_the_users_own_is_refused,
    ),
    ("a_new_set_must_not_bring_one", a_new_set_must_not_bring_one),
    (
        "a_new_template_waits_for_deletions",
        a_new_template_waits_for_deletions,
    ),
];

/// What the API server says where nobody has taken the defaulted `rollingUpdate` away.
const LEFT_OVER: &str = "only allowed for updateStrategy 'RollingUpdate'";

const RULE: &str = "rolling-update-with-on-delete";

const SHOP: App = App {
    chart: "webapp",
    values: None,
    release: "web",
    set: "web-webapp",
};

/// A way to bring a set into being, or to where it should be.
type Write = fn(&Namespace<'_>, strategy: Option<&str>) -> Result<Output>;

fn manifest(strategy: Option<&str>) -> Value {
    let mut set = web(&json!({"updateStrategy": strategy.map(|kind| json!({"type": kind}))}));
    set["metadata"]["name"] = json!(SHOP.set);
    set
}

fn kubectl_apply(ns: &Namespace<'_>, strategy: Option<&str>) -> Result<Output> {
    ns.apply(manifest(strategy).to_string())
}

fn server_side_apply(ns: &Namespace<'_>, strategy: Option<&str>) -> Result<Output> {
    let apply = ns.kubectl("apply --server-side -f -")?;
    apply.stdin(manifest(strategy).to_string()).run()
}

fn helm_3(ns: &Namespace<'_>, strategy: Option<&str>) -> Result<Output> {
    helm_upgrade(ns, Helm::V3, strategy)
}

fn helm_4(ns: &Namespace<'_>, strategy: Option<&str>) -> Result<Output> {
    helm_upgrade(ns, Helm::V4, strategy)
}

fn helm_upgrade(ns: &Namespace<'_>, helm: Helm, strategy: Option<&str>) -> Result<Output> {
    let value = strategy.map(|kind| format!("--set updateStrategy.type={kind}"));
    SHOP.upgrade(
        ns,
        helm,
        &format!("--install {}", value.unwrap_or_default()),
    )?
    .run()
}

fn succeeded(output: Output) -> Result<Output> {
    ensure!(output.status == 0, "{output}");
    Ok(output)
}

fn strategy_of(ns: &Namespace<'_>) -> Result<Value> {
    Ok(ns.get(&format!("sts/{}", SHOP.set))?["spec"]["updateStrategy"].take())
}

fn switches(cluster: &Cluster, write: Write) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    succeeded(write(&ns, None)?)?;
    ns.ready(SHOP.set)?;
    let switched = succeeded(write(&ns, Some("OnDelete"))?)?;
    warning(&switched, RULE)?;
    ensure!(
        strategy_of(&ns)? == json!({"type": "OnDelete"}),
        "{}",
        strategy_of(&ns)?
    );
    let again = succeeded(write(&ns, Some("OnDelete"))?)?;
    no_warning_of_ours(&again)?;
    ensure!(
        strategy_of(&ns)? == json!({"type": "OnDelete"}),
        "{}",
        strategy_of(&ns)?
    );
    Ok(())
}

/// If a server ever takes the switch by itself, nothing has to be taken away any more.
fn the_server_alone_refuses_every_way(cluster: &Cluster) -> Result<()> {
    for write in [kubectl_apply as Write, server_side_apply, helm_3, helm_4] {
        let ns = cluster.namespace()?;
        succeeded(write(&ns, None)?)?;
        let refused = write(&ns, Some("OnDelete"))?;
        ensure!(
            refused.status != 0 && refused.stderr.contains(LEFT_OVER),
            "{refused}"
        );
    }
    Ok(())
}

fn back_to_the_default_works_too(cluster: &Cluster) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    for strategy in [
        None,
        Some("OnDelete"),
        Some("RollingUpdate"),
        Some("OnDelete"),
    ] {
        succeeded(kubectl_apply(&ns, strategy)?)?;
    }
    ensure!(
        strategy_of(&ns)? == json!({"type": "OnDelete"}),
        "{}",
        strategy_of(&ns)?
    );
    Ok(())
}

fn a_partition_of_the_users_own_is_refused(cluster: &Cluster) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    let held =
        json!({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}});
    succeeded(ns.apply(web(&held).to_string())?)?;
    let before = ns.get("sts/web")?;
    let refused = ns
        .kubectl("patch sts web --type=merge -p")?
        .arg(json!({"spec": {"updateStrategy": {"type": "OnDelete"}}}).to_string())
        .refused()?;
    let says = "denied the request: steadyset: spec.updateStrategy.rollingUpdate: ";
    ensure!(refused.stderr.contains(says), "{refused}");
    ensure!(refused.stderr.contains("partition"), "{refused}");
    ensure!(
        refused.stderr.trim_end().ends_with(&format!("[{RULE}]")),
        "{refused}"
    );
    ensure!(
        ns.get("sts/web")?["spec"] == before["spec"],
        "the set was changed"
    );
    // a manifest that takes its partition away says what it wants
    let clean = json!({"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}});
    succeeded(ns.apply(web(&clean).to_string())?)?;
    Ok(())
}

fn a_new_set_must_not_bring_one(cluster: &Cluster) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    let create = |rolling_update: Value| {
        let strategy = json!({"updateStrategy": {"type": "OnDelete"}});
        let mut set = web(&strategy);
        set["spec"]["updateStrategy"]["rollingUpdate"] = rolling_update;
        ns.kubectl("create --dry-run=server -f -")?
            .stdin(set.to_string())
            .run()
    };
    for rolling_update in [
        json!({}),
        json!({"partition": 0}),
        json!({"partition": 1}),
        json!({"maxUnavailable": 1}),
    ] {
        let refused = create(rolling_update)?;
        ensure!(refused.status == 1, "{refused}");
        ensure!(
            error_text(&refused).starts_with("Error from server (Forbidden): "),
            "{refused}"
        );
        ensure!(refused.stderr.contains(&format!(" [{RULE}]")), "{refused}");
    }
    succeeded(create(Value::Null)?)?;
    Ok(())
}

fn a_new_template_waits_for_deletions(cluster: &Cluster) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    let strategy = json!({"updateStrategy": {"type": "OnDelete"}});
    succeeded(ns.apply(web(&strategy).to_string())?)?;
    ns.ready("web")?;
    let mut newer = web(&strategy);
    newer["spec"]["template"] = template(&json!({"image": "registry.example/web:2"}));
    let output = succeeded(ns.apply(newer.to_string())?)?;
    let text = warning(&output, "on-delete-template-change")?;
    ensure!(text.contains("kubectl delete pod"), "{text}");
    let pod = ns.get("pod/web-1")?;
    ensure!(
        pod["spec"]["containers"][0]["image"] == "registry.example/web:1",
        "{pod}"
    );
    Ok(())
}

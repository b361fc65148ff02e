//! `ValidatePodTemplateSpec` and `ValidatePodSpec`: what a pod has beside its containers.

use super::at::At;
use super::formats::{dns_name, one_of, required, unsupported};
use super::metadata::labels;
use super::{Cause, Found, container, scheduling, security, volumes};
use crate::model::text::quoted;

const DNS_POLICIES: [&str; 4] = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];

/// How many nameservers a pod may have.
const NAMESERVERS: usize = 3;

pub(super) fn check(pods: &At<'_>, found: &mut Found) {
    volumes::check(&pods.field("volumes"), found);
    let containers = pods.field("containers");
    if containers.items().next().is_none() {
        found.add(
            &containers,
            Cause::Required,
            "a pod has at least one container",
            "write a container",
        );
    }
    container::check_all(pods, found);
    dns(pods, found);
    labels(&pods.field("nodeSelector"), found);
    dns_name(&pods.field("nodeName"), found);
    dns_name(&pods.field("serviceAccountName"), found);
    dns_name(&pods.field("priorityClassName"), found);
    dns_name(&pods.field("runtimeClassName"), found);
    one_of(
        &pods.field("preemptionPolicy"),
        &["PreemptLowerPriority", "Never"],
        found,
    );
    host_aliases(&pods.field("hostAliases"), found);
    let shared = pods.field("shareProcessNamespace");
    if shared.is_true() && pods.field("hostPID").is_true() {
        let message = "the containers cannot share the processes of the pod and those of the node";
        found.add(
            &shared,
            Cause::Invalid,
            message,
            "remove shareProcessNamespace or hostPID",
        );
    }
    security::pod(&pods.field("securityContext"), found);
    scheduling::check(pods, found);
}

fn dns(pods: &At<'_>, found: &mut Found) {
    let (policy, config) = (pods.field("dnsPolicy"), pods.field("dnsConfig"));
    if policy.is_set() && !policy.text().is_empty() && !DNS_POLICIES.contains(&policy.text()) {
        unsupported(&policy, &DNS_POLICIES, found);
    }
    let servers = config.field("nameservers");
    let count = servers.items().count();
    if policy.text() == "None" && count == 0 {
        let message = "with dnsPolicy None a pod needs a nameserver of its own";
        found.add(
            &servers,
            Cause::Required,
            message,
            "write dnsConfig.nameservers, or another dnsPolicy",
        );
    }
    if count > NAMESERVERS {
        let message = format!("{count} nameservers, and at most {NAMESERVERS} are allowed");
        found.add(&servers, Cause::Invalid, message, "keep the first three");
    }
    for server in servers
        .items()
        .filter(|server| server.text().parse::<std::net::IpAddr>().is_err())
    {
        let message = format!("{} is not an IP address", quoted(server.text()));
        found.add(&server, Cause::Invalid, message, "write an IP address");
    }
    for option in config.field("options").items() {
        required(&option.field("name"), "write the name of the option", found);
    }
}

fn host_aliases(aliases: &At<'_>, found: &mut Found) {
    for alias in aliases.items() {
        let address = alias.field("ip");
        if address.text().parse::<std::net::IpAddr>().is_err() {
            let message = format!("{} is not an IP address", quoted(address.text()));
            found.add(&address, Cause::Invalid, message, "write an IP address");
        }
        for name in alias.field("hostnames").items() {
            dns_name(&name, found);
        }
    }
}

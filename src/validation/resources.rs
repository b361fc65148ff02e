//! Requests and limits (`ValidateContainerResourceRequirements`).

use super::at::At;
use super::formats::{amount, is_qualified_name};
use super::{Cause, Found};
use crate::model::text::quoted;

pub(super) fn check(resources: &At<'_>, found: &mut Found) {
    let (requests, limits) = (resources.field("requests"), resources.field("limits"));
    for list in [&limits, &requests] {
        for (name, quantity) in list.members() {
            if !is_resource(name) {
                let message = format!("{} is not a resource of a container", quoted(name));
                found.add(&quantity, Cause::Invalid, message, "write cpu, memory, ephemeral-storage, hugepages-2Mi, or the name that a device plugin has, such as example.com/gpu");
            }
            if amount(&quantity).is_some_and(|amount| amount < 0) {
                found.add(
                    &quantity,
                    Cause::Invalid,
                    "an amount must not be below 0",
                    "write 0 or more",
                );
            }
        }
    }
    for (name, quantity) in requests.members() {
        let limit = limits.field(name);
        let (Some(request), Some(most)) = (amount(&quantity), amount(&limit)) else {
            continue;
        };
        if request > most {
            let message = format!(
                "the request of {name} is above its limit of {}",
                shown(&limit)
            );
            found.add(
                &quantity,
                Cause::Invalid,
                message,
                format!("write at most {}, or raise the limit", shown(&limit)),
            );
        } else if request != most && !may_be_less(name) {
            let message = format!("the request of {name} must be its limit");
            found.add(
                &quantity,
                Cause::Invalid,
                message,
                format!("write {}", shown(&limit)),
            );
        }
    }
}

fn shown(at: &At<'_>) -> String {
    at.value().map_or_else(String::new, |value| {
        value.to_string().trim_matches('"').to_owned()
    })
}

/// What Kubernetes counts itself, or a name with a domain that a device plugin brings.
fn is_resource(name: &str) -> bool {
    let own = ["cpu", "memory", "ephemeral-storage"];
    own.contains(&name)
        || name.starts_with("hugepages-")
        || (name.contains('/') && is_qualified_name(name) && !name.starts_with("requests."))
}

/// Whether more may be promised than there is: not of huge pages and of what a device plugin brings.
fn may_be_less(name: &str) -> bool {
    !name.contains('/') && !name.starts_with("hugepages-")
}

//! Which of the server's causes each builtin rule stands for.

use super::server::Cause;

/// A builtin rule, and where the server says the same.
pub struct Kind {
    /// The rule's id.
    pub id: &'static str,
    /// The server's fields, without indices.
    fields: &'static [&'static str],
    /// The server's reasons.
    reasons: &'static [&'static str],
    /// A part of the server's text, where a field has several causes of one reason.
    says: &'static str,
}

const INVALID: &str = "FieldValueInvalid";
const REQUIRED: &str = "FieldValueRequired";
const NOT_FOUND: &str = "FieldValueNotFound";
const NOT_SUPPORTED: &str = "FieldValueNotSupported";

const fn kind(
    id: &'static str,
    fields: &'static [&'static str],
    reasons: &'static [&'static str],
) -> Kind {
    Kind {
        id,
        fields,
        reasons,
        says: "",
    }
}

/// The rules that a server of 1.36 with its default gates agrees with on CREATE. `max-unavailable-invalid` is not one of
/// them: the server drops the field.
pub const RULES: &[Kind] = &[
    kind(
        "pod-management-policy-unknown",
        &["spec.podManagementPolicy"],
        &[INVALID],
    ),
    kind(
        "update-strategy-unknown",
        &["spec.updateStrategy"],
        &[INVALID],
    ),
    kind(
        "rolling-update-with-on-delete",
        &["spec.updateStrategy.rollingUpdate"],
        &[INVALID],
    ),
    kind(
        "partition-negative",
        &["spec.updateStrategy.rollingUpdate.partition"],
        &[INVALID],
    ),
    kind("service-name-invalid", &["spec.serviceName"], &[INVALID]),
    kind(
        "mount-without-volume",
        &[
            "spec.template.spec.containers.volumeMounts.name",
            "spec.template.spec.containers.volumeDevices.name",
            "spec.template.spec.initContainers.volumeMounts.name",
            "spec.template.spec.initContainers.volumeDevices.name",
        ],
        &[NOT_FOUND],
    ),
    // the server reports claims as volumes
    kind(
        "claim-name-invalid",
        &["spec.template.spec.volumes.name"],
        &[INVALID, REQUIRED],
    ),
    kind(
        "volume-name-invalid",
        &["spec.template.spec.volumes.name"],
        &[INVALID, REQUIRED],
    ),
    kind(
        "claim-incomplete",
        &[
            "spec.volumeClaimTemplates.spec.accessModes",
            "spec.volumeClaimTemplates.spec.resources",
        ],
        &[REQUIRED],
    ),
    kind(
        "mount-path-missing",
        &[
            "spec.template.spec.containers.volumeMounts.mountPath",
            "spec.template.spec.initContainers.volumeMounts.mountPath",
        ],
        &[REQUIRED],
    ),
    kind(
        "retention-policy-unknown",
        &[
            "spec.persistentVolumeClaimRetentionPolicy.whenScaled",
            "spec.persistentVolumeClaimRetentionPolicy.whenDeleted",
        ],
        &[NOT_SUPPORTED],
    ),
    kind(
        "probe-success-threshold",
        &[
            "spec.template.spec.containers.livenessProbe.successThreshold",
            "spec.template.spec.containers.startupProbe.successThreshold",
            "spec.template.spec.initContainers.livenessProbe.successThreshold",
            "spec.template.spec.initContainers.startupProbe.successThreshold",
        ],
        &[INVALID],
    ),
    Kind {
        id: "selector-mismatch",
        fields: &["spec.template.metadata.labels"],
        reasons: &[INVALID],
        says: "`selector` does not match",
    },
    kind("selector-mismatch", &["spec.selector"], &[REQUIRED]),
    Kind {
        id: "selector-mismatch",
        fields: &["spec.selector"],
        reasons: &[INVALID],
        says: "empty selector is invalid",
    },
];

/// The rules that stand for a cause, one of which must fire; none where nobody claims it.
pub fn rules_of(cause: &Cause) -> Vec<&'static str> {
    let field = without_indices(&cause.field);
    let matching = RULES.iter().filter(|kind| {
        kind.fields.contains(&&*field)
            && kind.reasons.contains(&&*cause.reason)
            && cause.message.contains(kind.says)
    });
    let mut rules: Vec<_> = matching.map(|kind| kind.id).collect();
    if rules == ["mount-without-volume"] && !names_a_label(&cause.message) {
        // the server does not find what it has already refused for its name: one cause, one finding
        rules.extend(["claim-name-invalid", "volume-name-invalid"]);
    }
    rules
}

/// Whether the name between the quotes is one that a volume can have.
fn names_a_label(message: &str) -> bool {
    let name = message.split('"').nth(1).unwrap_or_default();
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// A field as the server writes it, less its indices and keys: `containers[0].ports` is `containers.ports`.
pub fn without_indices(field: &str) -> String {
    let mut plain = String::new();
    let mut inside = false;
    for c in field.chars() {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            c if !inside => plain.push(c),
            _ => {}
        }
    }
    plain
}

/// The rules that a denial names, each at the end of its line.
pub fn named_in(message: &str) -> Vec<&str> {
    message
        .lines()
        .filter_map(|line| line.strip_suffix(']')?.rsplit_once('['))
        .map(|(_, rule)| rule)
        .collect()
}

//! What the schema of a policy says beyond the types: ids that there are, sizes, ports, conditions.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;

use super::super::Glob;
use crate::model::rules;

/// The modes of a claim, for the schema.
#[derive(JsonSchema)]
#[expect(
    dead_code,
    reason = "only its schema is used: claims are written as text"
)]
#[expect(
    clippy::enum_variant_names,
    reason = "the names are those of Kubernetes"
)]
pub(in crate::policy) enum AccessMode {
    ReadWriteOnce,
    ReadOnlyMany,
    ReadWriteMany,
    ReadWriteOncePod,
}

/// The most patterns in a list.
pub(in crate::policy) const MAX_GLOBS: usize = 256;

/// A pattern: not long, and no alternatives within alternatives, of which a few hundred would take a compiler's whole stack.
pub(in crate::policy) fn glob(schema: &mut Schema) {
    schema.insert("maxLength".to_owned(), json!(Glob::LONGEST));
    schema.insert("pattern".to_owned(), json!(r"^[^{}]*(\{[^{}]*\}[^{}]*)*$"));
}

/// A list of them.
pub(in crate::policy) fn globs(schema: &mut Schema) {
    schema.insert("maxItems".to_owned(), json!(MAX_GLOBS));
    if let Some(items) = schema.get_mut("items")
        && let Ok(items) = items.try_into()
    {
        glob(items);
    }
}

/// A port by number or name (`intstr.IntOrString`).
pub(in crate::policy) fn port_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"x-kubernetes-int-or-string": true, "nullable": true})
}

/// `metav1.Condition`, for which k8s-openapi has no schema without building those of all Kubernetes.
pub(in crate::policy) fn conditions_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["type", "status", "lastTransitionTime", "reason", "message"],
            "properties": {
                "type": {"type": "string"},
                "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
                "reason": {"type": "string"},
                "message": {"type": "string"},
                "observedGeneration": {"type": "integer", "format": "int64"},
                "lastTransitionTime": {"type": "string", "format": "date-time"},
            },
        },
    })
}

/// Has the API server refuse ids that no rule has, and actions that a rule never takes. It would drop a property that it does
/// not know without a word, so the ids are no properties.
pub(in crate::policy) fn known_rules(schema: &mut Schema) {
    let never: Vec<String> = rules::RULES
        .iter()
        .filter(|rule| !rule.may_deny)
        .map(|rule| format!("'{}'", rule.id))
        .collect();
    schema.insert("maxProperties".to_owned(), json!(rules::RULES.len()));
    schema.insert(
        "x-kubernetes-validations".to_owned(),
        json!([
            {
                "rule": format!("self.all(id, id in [{}])", ids()),
                "message": "there is no rule of such an id; steadyset explain lists them",
            },
            {
                "rule": format!("self.all(id, self[id] != 'Deny' || !(id in [{}]))", never.join(", ")),
                "message": format!("{} never deny: the API server's own answer is what tools act on", never.join(" and ")),
            },
        ]),
    );
}

/// The same for a list of ids.
pub(in crate::policy) fn known_rule_names(schema: &mut Schema) {
    schema.insert("maxItems".to_owned(), json!(rules::RULES.len()));
    schema.insert(
        "x-kubernetes-validations".to_owned(),
        json!([{
            "rule": format!("self.all(id, id in [{}])", ids()),
            "message": "there is no rule of such an id; steadyset explain lists them",
        }]),
    );
}

/// The ids of all rules, as CEL writes a list.
fn ids() -> String {
    let ids: Vec<String> = rules::RULES
        .iter()
        .map(|rule| format!("'{}'", rule.id))
        .collect();
    ids.join(", ")
}

/// Has the API server refuse what is no size.
pub(in crate::policy) fn a_size(schema: &mut Schema) {
    schema.insert("maxLength".to_owned(), json!(64));
    schema.insert(
        "x-kubernetes-validations".to_owned(),
        json!([{
            "rule": "isQuantity(self) && quantity(self).isGreaterThan(quantity('0'))",
            "message": "must be a size such as 1Gi",
        }]),
    );
}

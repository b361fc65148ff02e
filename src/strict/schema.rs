//! Which fields a `StatefulSet` of `apps/v1` has, and what each may hold: the API's own schema, as the crate
//! `k8s-openapi` carries it, compiled once so that a walk over a set need not allocate.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use k8s_openapi::api::apps::v1::StatefulSet;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

/// The minor version of Kubernetes 1 whose fields are known: what the feature `latest` of `k8s-openapi` stands for.
pub const MINOR: u32 = 37;

/// What a field may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Whatever there is: what the schema does not say is not held against anybody.
    Any,
    Boolean,
    String,
    Int32,
    Int64,
    IntOrString,
    Quantity,
    /// Fields of these names; the number of an [`Object`].
    Object(usize),
    /// Any keys, and values of the shape of this number.
    Map(usize),
    /// Items of the shape of this number.
    List(usize),
}

/// A field.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) shape: Shape,
}

/// One of the API's types.
#[derive(Debug, Default)]
pub(super) struct Object {
    /// What the API calls it, such as `PersistentVolumeClaimSpec`.
    pub(super) kind: String,
    /// Its fields, by name.
    fields: Vec<Field>,
}

/// All types of a `StatefulSet`.
#[derive(Debug)]
pub(super) struct Schema {
    objects: Vec<Object>,
    /// What lists and maps hold.
    held: Vec<Shape>,
    root: Shape,
    /// How many types have a field of that name.
    uses: BTreeMap<String, usize>,
}

impl Object {
    pub(super) fn get(&self, name: &str) -> Option<&Field> {
        let found = self
            .fields
            .binary_search_by(|field| field.name.as_str().cmp(name));
        self.fields.get(found.ok()?)
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter()
    }

    /// The field of that name but for upper and lower case, `-` and `_`.
    pub(super) fn alike(&self, name: &str) -> Option<&Field> {
        self.fields().find(|field| are_alike(&field.name, name))
    }
}

/// Whether two names are one but for upper and lower case, `-` and `_`.
pub(super) fn are_alike(one: &str, other: &str) -> bool {
    let plain = |name: &'_ str| {
        let letters = name.bytes().filter(|byte| !matches!(byte, b'-' | b'_'));
        letters
            .map(|byte| byte.to_ascii_lowercase())
            .collect::<Vec<_>>()
    };
    plain(one) == plain(other)
}

/// The schema of a set; made when it is first asked for.
pub(super) fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
        let settings = SchemaSettings::draft2020_12();
        let root = settings
            .into_generator()
            .into_root_schema_for::<StatefulSet>();
        Compiler::compile(&root.to_value())
    });
    &SCHEMA
}

impl Schema {
    /// The set itself.
    pub(super) fn root(&self) -> Shape {
        self.root
    }

    /// The fields of a shape; `None` for one without fields of its own.
    pub(super) fn object(&self, shape: Shape) -> Option<&Object> {
        match shape {
            Shape::Object(number) => self.objects.get(number),
            _ => None,
        }
    }

    /// What a list or a map of that number holds.
    pub(super) fn held(&self, number: usize) -> Shape {
        self.held.get(number).copied().unwrap_or(Shape::Any)
    }

    /// What stands below a key or an index.
    pub(super) fn below(&self, shape: Shape, token: &str) -> Option<Shape> {
        match shape {
            Shape::Object(_) => Some(self.object(shape)?.get(token)?.shape),
            Shape::Map(held) | Shape::List(held) => Some(self.held(held)),
            _ => None,
        }
    }

    /// How many of the API's types have a field of that name, upper and lower case aside.
    pub(super) fn uses(&self, name: &str) -> usize {
        let alike = self.uses.iter().filter(|(other, _)| are_alike(other, name));
        alike.map(|(_, uses)| uses).sum()
    }
}

struct Compiler<'v> {
    definitions: &'v Map<String, Value>,
    numbers: BTreeMap<&'v str, usize>,
    schema: Schema,
}

impl<'v> Compiler<'v> {
    fn compile(root: &'v Value) -> Schema {
        let nothing = Map::new();
        let definitions = root.get("$defs").and_then(Value::as_object);
        let mut compiler = Compiler {
            definitions: definitions.unwrap_or(&nothing),
            numbers: BTreeMap::new(),
            schema: Schema {
                objects: Vec::new(),
                held: Vec::new(),
                root: Shape::Any,
                uses: BTreeMap::new(),
            },
        };
        compiler.schema.root = compiler.shape(root);
        compiler.schema
    }

    fn shape(&mut self, schema: &'v Value) -> Shape {
        if let Some(name) = reference(schema) {
            return self.named(name);
        }
        let part = |name: &str| schema.get(name);
        let text = |name: &str| part(name).and_then(Value::as_str);
        match (text("type"), text("format")) {
            (Some("string"), _) => Shape::String,
            (Some("boolean"), _) => Shape::Boolean,
            (Some("integer"), Some("int32")) => Shape::Int32,
            (Some("integer"), _) => Shape::Int64,
            (Some("array"), _) => Shape::List(self.hold(part("items"))),
            (Some("object"), _) => match (part("properties"), part("additionalProperties")) {
                (Some(fields), _) => self.object("", fields),
                (None, Some(values)) => Shape::Map(self.hold(Some(values))),
                (None, None) => Shape::Any,
            },
            _ => Shape::Any,
        }
    }

    fn hold(&mut self, schema: Option<&'v Value>) -> usize {
        let shape = schema.map_or(Shape::Any, |schema| self.shape(schema));
        self.schema.held.push(shape);
        self.schema.held.len() - 1
    }

    fn named(&mut self, name: &'v str) -> Shape {
        if name.ends_with(".Quantity") {
            return Shape::Quantity;
        }
        if name.ends_with(".IntOrString") {
            return Shape::IntOrString;
        }
        if let Some(number) = self.numbers.get(name) {
            return Shape::Object(*number);
        }
        let definitions = self.definitions;
        let Some(schema) = definitions.get(name) else {
            return Shape::Any;
        };
        let Some(fields) = schema.get("properties") else {
            return self.shape(schema);
        };
        // its number is known before its fields are: a type may hold itself
        self.numbers.insert(name, self.schema.objects.len());
        self.object(name.rsplit('.').next().unwrap_or_default(), fields)
    }

    fn object(&mut self, kind: &str, fields: &'v Value) -> Shape {
        let number = self.schema.objects.len();
        self.schema.objects.push(Object::default());
        let fields = fields.as_object().into_iter().flatten();
        let mut own: Vec<Field> = fields
            .map(|(name, schema)| Field {
                name: name.clone(),
                shape: self.shape(schema),
            })
            .collect();
        own.sort_by(|one, other| one.name.cmp(&other.name));
        for field in &own {
            *self.schema.uses.entry(field.name.clone()).or_default() += 1;
        }
        if let Some(object) = self.schema.objects.get_mut(number) {
            *object = Object {
                kind: kind.to_owned(),
                fields: own,
            };
        }
        Shape::Object(number)
    }
}

/// The name of the type that a schema stands for.
fn reference(schema: &Value) -> Option<&str> {
    let path = schema.get("$ref").and_then(Value::as_str)?;
    path.rsplit('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> Option<Shape> {
        let schema = schema();
        path.split('.')
            .try_fold(schema.root(), |shape, token| schema.below(shape, token))
    }

    #[test]
    fn every_kind_of_field_is_told_apart() {
        let container = "spec.template.spec.containers.0";
        let field = |name: &str| at(&format!("{container}.{name}"));
        assert_eq!(at("spec.replicas"), Some(Shape::Int32));
        assert_eq!(
            at("spec.template.spec.activeDeadlineSeconds"),
            Some(Shape::Int64)
        );
        assert_eq!(at("metadata.creationTimestamp"), Some(Shape::String));
        assert_eq!(at("metadata.labels.app"), Some(Shape::String));
        assert_eq!(at("metadata.managedFields.0.fieldsV1"), Some(Shape::Any));
        assert_eq!(field("stdin"), Some(Shape::Boolean));
        assert_eq!(
            field("livenessProbe.tcpSocket.port"),
            Some(Shape::IntOrString)
        );
        assert_eq!(field("resources.limits.cpu"), Some(Shape::Quantity));
        assert_eq!(field("command.0"), Some(Shape::String));
        assert_eq!(field("comand"), None);
        // of Kubernetes 1.36 and 1.37
        assert_eq!(
            at("spec.updateStrategy.rollingUpdate.maxUnavailable"),
            Some(Shape::IntOrString)
        );
    }

    #[test]
    fn nothing_that_a_schema_does_not_say_is_taken_for_known() {
        let odd = serde_json::json!({"type": "object", "properties": {
            "a": {"type": "tuple"}, "b": {"$ref": "#/$defs/gone"}, "c": {"type": "object"}, "d": true}});
        let schema = Compiler::compile(&odd);
        for name in ["a", "b", "c", "d"] {
            assert_eq!(
                schema.below(schema.root(), name),
                Some(Shape::Any),
                "{name}"
            );
        }
    }

    #[test]
    fn names_are_alike_but_for_case_and_separators() {
        assert!(are_alike("volumeClaimTemplates", "volume_claim-templates"));
        assert!(!are_alike("volumeClaimTemplates", "volumeClaimTemplate"));
    }
}

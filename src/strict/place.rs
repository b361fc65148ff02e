//! Where a field that nobody knows was probably meant to stand: the same name in other letters, or the same name elsewhere.

use std::cmp::Ordering;

use serde_json::Value;

use super::schema::{Object, Schema, Shape, are_alike};
use super::walk::is_sound;
use super::{pointer, tokens};

/// A name that one of the API's types does not have, and the field below it that is meant: what other kinds and other tools call it.
const KNOWN_AS: [(&str, &str, &[&str]); 6] = [
    ("StatefulSetSpec", STRATEGY, &["updateStrategy"]),
    (
        "PersistentVolumeClaimSpec",
        "storageClass",
        &["storageClassName"],
    ),
    (
        "PersistentVolumeClaimSpec",
        "storage",
        &["resources", "requests", "storage"],
    ),
    (
        "PersistentVolumeClaimSpec",
        "size",
        &["resources", "requests", "storage"],
    ),
    (
        "VolumeResourceRequirements",
        "storage",
        &["requests", "storage"],
    ),
    (
        "VolumeResourceRequirements",
        "size",
        &["requests", "storage"],
    ),
];

/// What a Deployment calls `updateStrategy`.
pub(super) const STRATEGY: &str = "strategy";

/// Mappings that nothing is moved into: what stands there is written by a server, or is a volume of another kind than the author had.
const CLOSED: [&str; 3] = ["status", "ephemeral", "ephemeralContainers"];

/// Fields that say what a container runs. Out of a mapping of their own they are never a container's: of a probe they would replace
/// the program of the pod.
const OF_A_PROGRAM: [&str; 3] = ["command", "args", "image"];

/// A name that more types than this have says nothing of where it belongs: `name`, `path`, `readOnly`.
const TELLING: usize = 6;

/// How far away a field is looked for, in steps up and down.
const FAR: usize = 4;

/// The pointer to where the field at `unknown` belongs; `None` where nothing is near, or two places are as near.
pub(super) fn right_place(schema: &Schema, set: &Value, unknown: &str) -> Option<String> {
    let mut path = tokens(unknown);
    let name = path.pop()?;
    let search = Search {
        schema,
        set,
        name: &name,
        value: set.pointer(unknown)?,
    };
    let own = search.shape(&path)?;
    let found = search
        .known_as(own)
        .or_else(|| Some(vec![search.respelt(own)?]))
        .map(|below| [path.clone(), below].concat())
        .or_else(|| search.elsewhere(&path))
        .or_else(|| Some([path.clone(), vec![search.misspelt(own, &path)?]].concat()))?;
    Some(pointer(&found))
}

struct Search<'a> {
    schema: &'a Schema,
    set: &'a Value,
    name: &'a str,
    value: &'a Value,
}

/// A place where a field of that name is known.
struct Place {
    path: Vec<String>,
    up: usize,
    down: usize,
}

impl Place {
    /// The nearer first; of two as near, the one that is only further up: that is how indentation goes wrong.
    fn nearness(&self) -> (usize, bool) {
        (self.up + self.down, self.down > 0)
    }
}

impl Search<'_> {
    fn shape(&self, path: &[String]) -> Option<Shape> {
        let root = self.schema.root();
        let mut tokens = path.iter();
        tokens.try_fold(root, |shape, token| self.schema.below(shape, token))
    }

    /// The field of the same mapping that has the same letters.
    fn respelt(&self, own: Shape) -> Option<String> {
        let object = self.schema.object(own)?;
        self.fitting(object.alike(self.name))
    }

    /// The field that others call by this name, as the path below the mapping.
    fn known_as(&self, own: Shape) -> Option<Vec<String>> {
        let kind = &*self.schema.object(own)?.kind;
        let mut all = KNOWN_AS.iter();
        let (_, _, below) = all.find(|(of, name, _)| *of == kind && *name == self.name)?;
        let mut tokens = below.iter();
        let shape = tokens.try_fold(own, |shape, token| self.schema.below(shape, token))?;
        let below = below.iter().map(|&token| token.to_owned());
        is_sound(self.schema, shape, self.value).then(|| below.collect())
    }

    fn fitting(&self, field: Option<&super::schema::Field>) -> Option<String> {
        let field = field.filter(|field| is_sound(self.schema, field.shape, self.value))?;
        Some(field.name.clone())
    }

    /// A field of the same mapping that is a letter or two away. A field that is new to us is often an old one's name with more to
    /// it, so a longer name is no misspelling; nor is one whose right form stands beside it.
    fn misspelt(&self, own: Shape, path: &[String]) -> Option<String> {
        let allowed = match self.name.len() {
            0..=3 => return None,
            4..=7 => 1,
            _ => 2,
        };
        let there = self.set.pointer(&pointer(path))?;
        let lower = self.name.to_lowercase();
        let distance = |name: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &lower);
        let near = self.schema.object(own)?.fields().filter(|field| {
            distance(&field.name) <= allowed && there.get(&field.name).is_none_or(Value::is_null)
        });
        let nearest = near.min_by_key(|field| distance(&field.name));
        self.fitting(nearest)
    }

    /// The nearest other mapping that knows the field.
    fn elsewhere(&self, path: &[String]) -> Option<Vec<String>> {
        if self.schema.uses(self.name) > TELLING {
            return None;
        }
        let mut places = Vec::new();
        let mut up = 0;
        for length in (0..=path.len()).rev() {
            let from = path.get(..length)?;
            if self
                .shape(from)
                .and_then(|shape| self.schema.object(shape))
                .is_some()
            {
                self.below(from, up, 0, &mut places);
                up += 1;
            }
        }
        places.sort_by_key(Place::nearness);
        let mut places = places.into_iter();
        let nearest = places.next()?;
        let next = places.find(|place| place.path != nearest.path);
        let alone =
            next.is_none_or(|next| nearest.nearness().cmp(&next.nearness()) == Ordering::Less);
        alone.then_some(nearest.path)
    }

    /// Collects the places at a mapping and below it.
    fn below(&self, path: &[String], up: usize, down: usize, places: &mut Vec<Place>) {
        let shape = self.shape(path);
        let Some(object) = shape.and_then(|shape| self.schema.object(shape)) else {
            return;
        };
        if up + down > 0
            && let Some(name) = self.known(object)
        {
            let path = [path, &[name]].concat();
            places.push(Place { path, up, down });
        }
        for field in object
            .fields()
            .filter(|field| !CLOSED.contains(&&*field.name))
        {
            let next = [path, std::slice::from_ref(&field.name)].concat();
            if up + down < FAR && matches!(field.shape, Shape::Object(_)) {
                self.below(&next, up, down + 1, places);
            }
            if up + down + 1 < FAR && self.is_only_container(&next) {
                let container = [next, vec!["0".to_owned()]].concat();
                self.below(&container, up, down + 2, places);
            }
        }
    }

    fn known(&self, object: &Object) -> Option<String> {
        if object.kind == "Container" && OF_A_PROGRAM.contains(&self.name) {
            return None;
        }
        let field = object.get(self.name).or_else(|| object.alike(self.name));
        self.fitting(field)
    }

    /// Whether a list has one container, so that a field of a container can be meant for no other.
    fn is_only_container(&self, list: &[String]) -> bool {
        let there = self.set.pointer(&pointer(list)).and_then(Value::as_array);
        list.last().is_some_and(|name| name == "containers")
            && there.is_some_and(|containers| containers.len() == 1)
    }
}

/// The member of a union that is there already, where a field is to move into another member of it: a volume has one source, a
/// probe and a hook one handler, and the server refuses a second.
pub(super) fn other_member(schema: &Schema, set: &Value, to: &str) -> Option<String> {
    let path = tokens(to);
    let mut shape = schema.root();
    for (depth, member) in path.iter().enumerate() {
        if let Some(object) = schema.object(shape)
            && is_member(object, member)
            && let Some(Value::Object(there)) = set.pointer(&pointer(path.get(..depth)?))
        {
            let mut others = there.iter().filter(|(_, value)| !value.is_null());
            let other = others.find(|(name, _)| *name != member && is_member(object, name));
            if let Some((other, _)) = other {
                return Some(other.clone());
            }
        }
        shape = schema.below(shape, member)?;
    }
    None
}

/// Whether a field is one of those of which an object may have one only.
fn is_member(object: &Object, name: &str) -> bool {
    const HANDLERS: [&str; 4] = ["exec", "httpGet", "tcpSocket", "grpc"];
    object.get(name).is_some()
        && match &*object.kind {
            "Volume" => name != "name",
            "Probe" => HANDLERS.contains(&name),
            "LifecycleHandler" | "EnvVarSource" | "VolumeProjection" => true,
            _ => false,
        }
}

/// What has a field of that name where a set has none: another kind of the API, or a claim where a volume stands.
pub(super) fn other_kind(unknown: &str) -> Option<&'static str> {
    const OTHERS: [(&str, &str); 4] = [
        ("progressDeadlineSeconds", "Deployment"),
        ("paused", "Deployment"),
        ("maxSurge", "Deployment"),
        ("clusterIP", "Service"),
    ];
    const OF_CLAIMS: [&str; 7] = [
        "accessModes",
        "accessMode",
        "storageClassName",
        "storageClass",
        "resources",
        "volumeMode",
        "storage",
    ];
    let path = tokens(unknown);
    let name = path.last()?;
    let mut above = path.iter().rev().skip(1);
    let is_of_a_volume = above.any(|token| token == "volumes");
    if is_of_a_volume && OF_CLAIMS.contains(&&**name) {
        return Some("claim, which belongs in spec.volumeClaimTemplates");
    }
    let other = OTHERS.iter().find(|(other, _)| are_alike(other, name));
    other.map(|(_, kind)| *kind)
}

//! Where a field that nobody knows was probably meant to stand: the same name in other letters, or the same name elsewhere.

use std::cmp::Ordering;

use serde_json::Value;

use super::schema::{Object, Schema, Shape, are_alike};
use super::walk::fits;
use super::{pointer, tokens};

/// What a field of another kind, whose manifests look alike, is called in a `StatefulSet`.
const OTHER_KINDS: [(&str, &str); 1] = [("strategy", "updateStrategy")];

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
        .respelt(own)
        .map(|field| [path.clone(), vec![field]].concat())
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
        let another = OTHER_KINDS.iter().find(|(other, _)| *other == self.name);
        let named = another.and_then(|(_, ours)| object.get(ours));
        self.fitting(named.or_else(|| object.alike(self.name)))
    }

    fn fitting(&self, field: Option<&super::schema::Field>) -> Option<String> {
        let field = field.filter(|field| fits(self.schema, field.shape, self.value))?;
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
        for field in object.fields().filter(|field| field.name != "status") {
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

/// What the name is of a field that another kind of the API has and a set has not.
pub(super) fn other_kind(name: &str) -> Option<&'static str> {
    const OTHERS: [(&str, &str); 4] = [
        ("progressDeadlineSeconds", "Deployment"),
        ("paused", "Deployment"),
        ("maxSurge", "Deployment"),
        ("clusterIP", "Service"),
    ];
    let other = OTHERS.iter().find(|(other, _)| are_alike(other, name));
    other.map(|(_, kind)| *kind)
}

//! One walk over a set's JSON, beside the schema: what does not fit is noted, and what fits costs no allocation.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::schema::{Object, Schema, Shape};
use super::unfilled::is_unfilled;
use crate::model::pointer::escape;
use crate::model::quantity::is_quantity;
use crate::statefulset::view::Text;

/// What does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Where, as a JSON Pointer.
    pub(super) pointer: String,
    /// What is wrong there.
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// No field of this name is known there.
    Unknown,
    /// It should be of this shape.
    Shape(Shape),
    /// A whole number that is written as a fraction: kubectl reads `1.0` as 1.
    Fraction,
    /// Null where a list or a map holds values of this shape: the API server reads the empty one.
    Hole(Shape),
    /// A text that a later tool fills in.
    Unfilled,
}

/// What does not fit into a set, in the order of the text.
///
/// # Errors
///
/// If it is no JSON, or holds a number that no program can.
pub(super) fn faults(schema: &Schema, json: &str) -> serde_json::Result<Vec<Fault>> {
    let mut faults = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let walk = Walk {
        schema,
        shape: schema.root(),
        is_held: false,
        path: Path {
            parent: None,
            token: Token::Root,
        },
        faults: &mut faults,
    };
    walk.deserialize(&mut deserializer)?;
    Ok(faults)
}

/// Whether a value may stand where that shape is asked for, whatever it holds.
pub(super) fn fits(schema: &Schema, shape: Shape, value: &serde_json::Value) -> bool {
    may_stand(schema, shape, value, |fault| fault.pointer.is_empty())
}

/// Whether a value may stand where that shape is asked for, with all that it holds: what is of the wrong type in it would be refused
/// there, and a field that is not known is dropped there as it was before.
pub(super) fn is_sound(schema: &Schema, shape: Shape, value: &serde_json::Value) -> bool {
    may_stand(schema, shape, value, |fault| {
        matches!(fault.kind, Kind::Shape(_))
    })
}

/// Whether a value has no fault that counts, and is no mapping of another kind.
fn may_stand(
    schema: &Schema,
    shape: Shape,
    value: &serde_json::Value,
    counts: impl Fn(&Fault) -> bool,
) -> bool {
    let mut faults = Vec::new();
    let walk = Walk {
        schema,
        shape,
        is_held: false,
        path: Path {
            parent: None,
            token: Token::Root,
        },
        faults: &mut faults,
    };
    // never fails: a `Value` is JSON
    walk.deserialize(value).is_ok()
        && !faults.iter().any(counts)
        && !is_another_object(schema, shape, value, &faults)
}

/// Whether a mapping has no field in common with the one that is asked for.
fn is_another_object(
    schema: &Schema,
    shape: Shape,
    value: &serde_json::Value,
    faults: &[Fault],
) -> bool {
    let (Some(object), Some(members)) = (schema.object(shape), value.as_object()) else {
        return false;
    };
    !faults.is_empty()
        && !members
            .keys()
            .any(|name| object.get(name).is_some() || object.alike(name).is_some())
}

/// Whether a text is asked for at a pointer.
pub(super) fn wants_text(schema: &Schema, pointer: &str) -> bool {
    let mut tokens = pointer.split('/').skip(1);
    let shape = tokens.try_fold(schema.root(), |shape, token| schema.below(shape, token));
    matches!(shape, Some(Shape::String | Shape::IntOrString))
}

#[derive(Clone, Copy)]
enum Token<'p> {
    Root,
    Key(&'p str),
    Index(usize),
}

#[derive(Clone, Copy)]
struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    token: Token<'p>,
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(formatter)?;
        }
        match self.token {
            Token::Root => Ok(()),
            Token::Key(key) => write!(formatter, "/{}", escape(key)),
            Token::Index(index) => write!(formatter, "/{index}"),
        }
    }
}

struct Walk<'a, 'p> {
    schema: &'a Schema,
    shape: Shape,
    /// Whether it stands in a list or a map.
    is_held: bool,
    path: Path<'p>,
    faults: &'a mut Vec<Fault>,
}

impl Walk<'_, '_> {
    fn note(&mut self, kind: Kind) {
        self.faults.push(Fault {
            pointer: self.path.to_string(),
            kind,
        });
    }

    fn allow(&mut self, shapes: &[Shape]) {
        if self.shape != Shape::Any && !shapes.contains(&self.shape) {
            self.note(Kind::Shape(self.shape));
        }
    }

    fn whole(&mut self, number: i128) {
        let fits = match self.shape {
            Shape::Int32 | Shape::IntOrString => i32::try_from(number).is_ok(),
            Shape::Int64 => i64::try_from(number).is_ok(),
            shape => matches!(shape, Shape::Any | Shape::Quantity),
        };
        if !fits {
            self.note(Kind::Shape(self.shape));
        }
    }

    fn object<'de, M: MapAccess<'de>>(
        mut self,
        object: &Object,
        mut map: M,
    ) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<Text<'_>>()? {
            if let Some(field) = object.get(&key) {
                map.next_value_seed(self.below(field.shape, false, Token::Key(&field.name)))?;
            } else {
                self.below(Shape::Any, false, Token::Key(&key))
                    .note(Kind::Unknown);
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn below<'s>(&'s mut self, shape: Shape, is_held: bool, token: Token<'s>) -> Walk<'s, 's> {
        Walk {
            schema: self.schema,
            shape,
            is_held,
            path: Path {
                parent: Some(&self.path),
                token,
            },
            faults: self.faults,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.shape == Shape::Any {
            return deserializer.deserialize_ignored_any(IgnoredAny).map(drop);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    /// In a field null is as good as nothing.
    fn visit_unit<E: Error>(mut self) -> Result<(), E> {
        if self.is_held {
            self.note(Kind::Hole(self.shape));
        }
        Ok(())
    }

    fn visit_bool<E: Error>(mut self, _: bool) -> Result<(), E> {
        self.allow(&[Shape::Boolean]);
        Ok(())
    }

    fn visit_i64<E: Error>(mut self, number: i64) -> Result<(), E> {
        self.whole(number.into());
        Ok(())
    }

    fn visit_u64<E: Error>(mut self, number: u64) -> Result<(), E> {
        self.whole(number.into());
        Ok(())
    }

    fn visit_f64<E: Error>(mut self, number: f64) -> Result<(), E> {
        let is_number = matches!(self.shape, Shape::Int32 | Shape::Int64 | Shape::IntOrString);
        match exact(number) {
            Some(whole) if is_number => {
                let before = self.faults.len();
                self.whole(whole.into());
                if self.faults.len() == before {
                    self.note(Kind::Fraction);
                }
            }
            _ => self.allow(&[Shape::Quantity]),
        }
        Ok(())
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        if self.shape == Shape::Quantity && is_quantity(text) {
            return Ok(());
        }
        if text.contains(['$', '{', '<']) && is_unfilled(text) {
            self.note(Kind::Unfilled);
            return Ok(());
        }
        self.allow(&[Shape::String, Shape::IntOrString]);
        Ok(())
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> Result<(), M::Error> {
        let schema = self.schema;
        if let Some(object) = schema.object(self.shape) {
            return self.object(object, map);
        }
        if let Shape::Map(held) = self.shape {
            while let Some(key) = map.next_key::<Text<'_>>()? {
                map.next_value_seed(self.below(schema.held(held), true, Token::Key(&key)))?;
            }
            return Ok(());
        }
        self.note(Kind::Shape(self.shape));
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(mut self, mut seq: S) -> Result<(), S::Error> {
        let schema = self.schema;
        if let Shape::List(held) = self.shape {
            let mut index = 0;
            while seq
                .next_element_seed(self.below(schema.held(held), true, Token::Index(index)))?
                .is_some()
            {
                index += 1;
            }
            return Ok(());
        }
        self.note(Kind::Shape(self.shape));
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// The whole number that a float is, where it is one that a float can hold exactly.
pub(super) fn exact(number: f64) -> Option<i64> {
    /// 2^53
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() != 0.0 || number.abs() > EXACT {
        return None;
    }
    format!("{number:.0}").parse().ok()
}

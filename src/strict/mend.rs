//! The set as it was meant: moved where it belongs, read as what it must be.

use json_patch::{AddOperation, MoveOperation, PatchOperation, RemoveOperation};
use jsonptr::resolve::Error as Unresolved;
use jsonptr::{Pointer, PointerBuf};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::place::{STRATEGY, other_kind, other_member, right_place};
use super::schema::{Schema, Shape, schema};
use super::slip::{Obstacle, Right};
use super::unfilled::is_free;
use super::walk::{self, Fault, Kind, exact, fits};
use super::{Authored, Given, Slip, Slips, Wanted, tokens};
use crate::yaml::read::{Body, Broken};

/// How often a set is walked: what has been moved is looked at again, with all that stands in it.
const WALKS: usize = 8;

/// How many fields are moved where they belong: each move reads the set once more.
const MOVES: usize = 256;

/// How many slips of a kind are told. Each is looked up in the whole text, so that a file full of them would take time that grows
/// with its square; nobody reads more.
const SLIPS: usize = 1_000;

pub(super) struct Mending<'b, 't> {
    body: &'b Body<'t>,
    schema: &'static Schema,
    slips: Slips,
    /// The set as it is written, moves alone carried out: what they are applied to.
    moved: Value,
}

impl<'b, 't> Mending<'b, 't> {
    pub(super) fn new(body: &'b Body<'t>) -> Self {
        Self {
            body,
            schema: schema(),
            slips: Slips::default(),
            moved: Value::Null,
        }
    }

    pub(super) fn mend(
        mut self,
        json: Box<RawValue>,
        faults: Vec<Fault>,
    ) -> Result<Authored, Broken> {
        // what stands too deep for a tree is left to those who read the fields that they need
        let Ok(mut set) = serde_json::from_str::<Value>(json.get()) else {
            return Ok(Authored {
                json,
                slips: self.slips,
            });
        };
        self.moved = set.clone();
        let mut faults = faults;
        for _ in 0..WALKS {
            let mut changed = false;
            let mut unknown = 0;
            for fault in &faults {
                unknown += usize::from(fault.kind == Kind::Unknown);
                changed |= match fault.kind {
                    Kind::Unknown if unknown > SLIPS || self.slips.moves.len() >= MOVES => false,
                    Kind::Unknown => self.move_home(&mut set, &fault.pointer),
                    Kind::Shape(shape) => self.retype(&mut set, &fault.pointer, shape)?,
                    Kind::Fraction => make_whole(&mut set, &fault.pointer),
                    Kind::Hole(shape) => fill(&mut set, &fault.pointer, shape),
                    Kind::Unfilled => self.leave_open(&mut set, &fault.pointer),
                };
            }
            faults = walk::faults(self.schema, &set.to_string()).unwrap_or_default();
            if !changed {
                break;
            }
        }
        let unknown = faults.iter().filter(|fault| fault.kind == Kind::Unknown);
        for fault in unknown.take(SLIPS) {
            self.note_unknown(&set, &fault.pointer);
        }
        Ok(Authored {
            json: to_raw_value(&set).unwrap_or(json),
            slips: self.slips,
        })
    }

    /// Moves an unknown field to where it belongs, if nothing is in the way. Mappings that it is to stand in are added where there are
    /// none.
    fn move_home(&mut self, set: &mut Value, unknown: &str) -> bool {
        let Some(right) = right_place(self.schema, set, unknown) else {
            return false;
        };
        if self.obstacle(set, unknown, &right).is_some() {
            return false;
        }
        let Some(mut patch) = self.moving(set, unknown, &right) else {
            return false;
        };
        let surge = surge(set, unknown);
        patch.splice(..0, surge.iter().filter_map(|at| removal(at)));
        let applies = |set: &mut Value| json_patch::patch(set, &patch).is_ok();
        if !applies(&mut self.moved) || !applies(set) {
            return false;
        }
        self.slips.all.push(Slip::Unknown {
            pointer: self.slips.written(unknown).into_owned(),
            right: Some(Right {
                pointer: right,
                obstacle: None,
            }),
            kind: None,
        });
        self.slips.all.extend(surge.map(|pointer| Slip::Unknown {
            kind: other_kind(&pointer),
            pointer,
            right: None,
        }));
        self.slips.moves.extend(patch);
        true
    }

    /// The operations that move a field, if nothing is in its place and it can have a mapping to stand in.
    fn moving(&self, set: &Value, from: &str, to: &str) -> Option<Vec<PatchOperation>> {
        if is_there(set, to) {
            return None;
        }
        let mut patch = self.homes(set, to)?;
        patch.push(PatchOperation::Move(MoveOperation {
            from: PointerBuf::parse(from.to_owned()).ok()?,
            path: PointerBuf::parse(to.to_owned()).ok()?,
        }));
        Some(patch)
    }

    /// The additions of the mappings above a field that are not there; `None` where something else stands in the place of one.
    fn homes(&self, set: &Value, to: &str) -> Option<Vec<PatchOperation>> {
        let mut missing = Vec::new();
        let mut home = Pointer::parse(to).ok()?.parent()?;
        while !home.resolve(set).is_ok_and(Value::is_object) {
            let is_free = match home.resolve(set) {
                // an item cannot be added in the place of another
                Ok(there) => {
                    let stands_in = home.parent().and_then(|list| list.resolve(set).ok());
                    there.is_null()
                        && !self.slips.is_lost(home.as_str())
                        && !stands_in.is_some_and(Value::is_array)
                }
                Err(error) => matches!(
                    error,
                    Unresolved::NotFound { .. } | Unresolved::Unreachable { .. }
                ),
            };
            if !is_free {
                return None;
            }
            missing.push(PatchOperation::Add(AddOperation {
                path: home.to_buf(),
                value: json!({}),
            }));
            home = home.parent()?;
        }
        missing.reverse();
        Some(missing)
    }

    /// Why a field cannot move where it belongs, beside what `moving` finds in its place.
    fn obstacle(&self, set: &Value, unknown: &str, right: &str) -> Option<Obstacle> {
        if is_there(set, right) {
            return Some(Obstacle::Taken);
        }
        if let Some(member) = other_member(self.schema, set, right) {
            return Some(Obstacle::Union(member));
        }
        of_deployment(set, unknown).map(Obstacle::OfDeployment)
    }

    /// Takes a value for unknown that a later tool fills in. A text stays, for others to name it.
    fn leave_open(&mut self, set: &mut Value, at: &str) -> bool {
        let written = self.slips.written(at).into_owned();
        if is_free(at)
            || self.slips.unfilled.contains(&written)
            || self.slips.unfilled.len() >= SLIPS
        {
            return false;
        }
        self.slips.unfilled.push(written);
        let is_text = walk::wants_text(self.schema, at);
        let Some(value) = set.pointer_mut(at).filter(|_| !is_text) else {
            return false;
        };
        *value = Value::Null;
        self.slips.lost.push(at.to_owned());
        true
    }

    fn note_unknown(&mut self, set: &Value, unknown: &str) {
        let right = right_place(self.schema, set, unknown).map(|pointer| Right {
            obstacle: Some(
                self.obstacle(set, unknown, &pointer)
                    .unwrap_or(Obstacle::Taken),
            ),
            pointer,
        });
        self.slips.all.push(Slip::Unknown {
            pointer: self.slips.written(unknown).into_owned(),
            right,
            kind: other_kind(unknown),
        });
    }

    /// Puts in place of a value what was meant by it, and nothing where that is not plain.
    fn retype(&mut self, set: &mut Value, at: &str, shape: Shape) -> Result<bool, Broken> {
        let (Some(value), Some(wanted)) = (set.pointer_mut(at), wanted(shape)) else {
            return Ok(false);
        };
        if self.slips.all.len() >= SLIPS {
            *value = Value::Null;
            return Ok(true);
        }
        let written = self.slips.written(at).into_owned();
        let given = given(value);
        let text = match given {
            Given::List | Given::Mapping => String::new(),
            _ => self.body.text(&written).to_owned(),
        };
        let slip = Slip::Type {
            pointer: written,
            written: text.clone(),
            given,
            wanted,
        };
        if matches!(at, "/spec" | "/metadata") {
            return Err(self.unreadable(&slip, at));
        }
        *value = self.meant(value, &text, shape);
        if value.is_null() {
            self.slips.lost.push(at.to_owned());
        } else if value.is_array() {
            self.slips.wrapped.push(at.to_owned());
        }
        self.slips.all.push(slip);
        Ok(true)
    }

    fn unreadable(&self, slip: &Slip, at: &str) -> Broken {
        let place = self.body.position(slip.pointer());
        Broken {
            line: place.line,
            column: place.column,
            message: format!("{} must be a mapping", at.trim_start_matches('/')),
        }
    }

    fn meant(&self, value: &Value, text: &str, shape: Shape) -> Value {
        let number = |text: &str| text.trim().parse::<i64>().ok().map(Value::from);
        let meant = match (shape, value) {
            (Shape::String, Value::Bool(_) | Value::Number(_)) => Some(json!(text)),
            (Shape::Int32 | Shape::Int64, Value::String(text)) => number(text),
            (Shape::Boolean, Value::String(text)) => match text.to_lowercase().as_str() {
                "true" => Some(json!(true)),
                "false" => Some(json!(false)),
                _ => None,
            },
            (Shape::List(held), value) if !value.is_array() => {
                let held = self.schema.held(held);
                fits(self.schema, held, value).then(|| json!([value]))
            }
            (Shape::Object(_) | Shape::Map(_), Value::Array(items)) => match &items[..] {
                [only] if only.is_object() => Some(only.clone()),
                _ => None,
            },
            _ => None,
        };
        meant
            .filter(|meant| fits(self.schema, shape, meant))
            .unwrap_or_default()
    }
}

/// What a Deployment's strategy says that no `StatefulSet` may: moved as it is, every server would refuse what it has only dropped.
fn of_deployment(set: &Value, unknown: &str) -> Option<&'static str> {
    let strategy = strategy(set, unknown)?;
    let is_zero = |value: &Value| value == 0 || value == "0%" || value == "0";
    if strategy.get("type").is_some_and(|kind| kind == "Recreate") {
        return Some("Recreate");
    }
    let unavailable = strategy.pointer("/rollingUpdate/maxUnavailable")?;
    is_zero(unavailable).then_some("maxUnavailable: 0")
}

/// The pointer to `maxSurge`, where a strategy that moves has it: a pod of a set is replaced in place, so nothing surges.
fn surge(set: &Value, unknown: &str) -> Option<String> {
    strategy(set, unknown)?.pointer("/rollingUpdate/maxSurge")?;
    Some(format!("{unknown}/rollingUpdate/maxSurge"))
}

fn strategy<'v>(set: &'v Value, unknown: &str) -> Option<&'v Value> {
    let is_strategy = tokens(unknown).last().is_some_and(|name| name == STRATEGY);
    is_strategy.then(|| set.pointer(unknown)).flatten()
}

fn removal(pointer: &str) -> Option<PatchOperation> {
    let path = PointerBuf::parse(pointer.to_owned()).ok()?;
    Some(PatchOperation::Remove(RemoveOperation { path }))
}

/// Whether there is anything at a pointer; null is as good as nothing.
fn is_there(set: &Value, pointer: &str) -> bool {
    set.pointer(pointer).is_some_and(|value| !value.is_null())
}

fn make_whole(set: &mut Value, pointer: &str) -> bool {
    let Some(value) = set.pointer_mut(pointer) else {
        return false;
    };
    let whole = value.as_f64().and_then(exact);
    if let Some(whole) = whole {
        *value = json!(whole);
    }
    whole.is_some()
}

/// Puts the empty value of a shape in place of null.
fn fill(set: &mut Value, pointer: &str, shape: Shape) -> bool {
    let Some(value) = set.pointer_mut(pointer) else {
        return false;
    };
    *value = match shape {
        Shape::Any => return false,
        Shape::Boolean => json!(false),
        Shape::String => json!(""),
        Shape::Int32 | Shape::Int64 | Shape::IntOrString => json!(0),
        Shape::Quantity => json!("0"),
        Shape::Object(_) | Shape::Map(_) => json!({}),
        Shape::List(_) => json!([]),
    };
    true
}

fn given(value: &Value) -> Given {
    match value {
        Value::Bool(_) => Given::Boolean,
        Value::Number(_) => Given::Number,
        Value::Null | Value::String(_) => Given::String,
        Value::Array(_) => Given::List,
        Value::Object(_) => Given::Mapping,
    }
}

fn wanted(shape: Shape) -> Option<Wanted> {
    Some(match shape {
        Shape::Any => return None,
        Shape::Boolean => Wanted::Boolean,
        Shape::String => Wanted::String,
        Shape::Int32 => Wanted::Int { bits: 32 },
        Shape::Int64 => Wanted::Int { bits: 64 },
        Shape::IntOrString => Wanted::IntOrString,
        Shape::Quantity => Wanted::Quantity,
        Shape::Object(_) | Shape::Map(_) => Wanted::Mapping,
        Shape::List(_) => Wanted::List,
    })
}

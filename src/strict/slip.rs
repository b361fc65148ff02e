//! What can be wrong with how a set is written.

use std::borrow::Cow;
use std::sync::Arc;

use json_patch::PatchOperation;
use serde_json::Value;

use crate::yaml::read::{Body, Position};

/// What is wrong with how a set is written, and what was done about it before it was judged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slips {
    /// Each slip, in the order of the file.
    pub all: Vec<Slip>,
    /// The operations that put what is misplaced where it belongs, in this order.
    pub moves: Vec<PatchOperation>,
    /// What the repeated keys take the place of.
    pub(super) overridden: Vec<Overridden>,
    /// Values that nobody can read, as pointers into the set as it was meant, where nothing stands in their place.
    pub(super) lost: Vec<String>,
    /// Values that were put into a list, because a list is needed, as pointers to the list.
    pub(super) wrapped: Vec<String>,
    /// Values that a later tool fills in, as pointers: what they will be nobody can tell.
    pub unfilled: Vec<String>,
    /// The set as it was meant, where it comes from its author's file.
    pub document: Option<Arc<Value>>,
    /// The stored set that it replaces.
    pub stored: Option<Arc<Value>>,
}

/// What stands in the former values of a repeated key, and not in the one that wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Overridden {
    /// The member.
    pointer: String,
    /// Keys of a mapping, or names of the items of a list.
    names: Vec<String>,
}

/// Something wrong with how a set is written. Pointers are those of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slip {
    /// A version that no server knows any more.
    Removed {
        /// The `apiVersion`.
        version: String,
    },
    /// A field that the API does not have there.
    Unknown {
        /// The field.
        pointer: String,
        /// Where it was probably meant to stand.
        right: Option<Right>,
        /// A kind of object that has such a field.
        kind: Option<&'static str>,
    },
    /// A value of another type than the API asks for.
    Type {
        /// The value.
        pointer: String,
        /// The value as it is written, where it is a scalar.
        written: String,
        /// What it is.
        given: Given,
        /// What it must be.
        wanted: Wanted,
    },
    /// A kind, or a version of it, that no server has.
    Kind {
        /// `apiVersion`
        api_version: String,
        /// `kind`
        kind: String,
    },
    /// A patch of a set with a part of a claim.
    PartOfClaims,
    /// A key that stands in its mapping more than once.
    Repeated {
        /// The member.
        pointer: String,
        /// The lines of the key, in order.
        lines: Vec<usize>,
        /// The other keys of the mapping that stand in it more than once.
        others: Vec<String>,
        /// Whether every value is the same, so that nothing is lost.
        is_equal: bool,
    },
}

/// Where a field belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// The pointer, in the set as it was meant.
    pub pointer: String,
    /// Why it is not moved there; `None` where it is.
    pub obstacle: Option<Obstacle>,
}

/// What keeps a field from moving where it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The field is there already, or something else stands in the place of a mapping above it.
    Taken,
    /// This member of a union is there already, and the field belongs into another one.
    Union(String),
    /// A value that a Deployment may have there and a `StatefulSet` may not.
    OfDeployment(&'static str),
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// `true` or `false`, or what YAML reads as one of them.
    Boolean,
    /// A number.
    Number,
    /// Text.
    String,
    /// A list.
    List,
    /// A mapping.
    Mapping,
}

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// `true` or `false`.
    Boolean,
    /// Text.
    String,
    /// A whole number that so many bits hold.
    Int {
        /// 32 or 64.
        bits: u32,
    },
    /// A whole number of 32 bits, or text.
    IntOrString,
    /// An amount, such as `500m` or `10Gi`.
    Quantity,
    /// A list.
    List,
    /// A mapping.
    Mapping,
}

impl Slip {
    /// The field or value, as a pointer into the file.
    #[must_use]
    pub fn pointer(&self) -> &str {
        match self {
            Self::Removed { .. } => "/apiVersion",
            Self::Kind { kind, .. } if kind == "StatefulSet" => "/apiVersion",
            Self::Kind { .. } => "/kind",
            Self::PartOfClaims => "/spec/volumeClaimTemplates",
            Self::Unknown { pointer, .. }
            | Self::Type { pointer, .. }
            | Self::Repeated { pointer, .. } => pointer,
        }
    }

    /// Whether it is the key that is wrong, rather than the value.
    fn is_of_the_key(&self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::Repeated { .. })
    }
}

impl Slips {
    /// Nothing is wrong, or nothing is known.
    pub const NONE: Self = Self {
        all: Vec::new(),
        moves: Vec::new(),
        overridden: Vec::new(),
        lost: Vec::new(),
        wrapped: Vec::new(),
        unfilled: Vec::new(),
        document: None,
        stored: None,
    };

    /// The slips of a set of a version that no server knows any more: nothing else is said of it.
    #[must_use]
    pub fn removed(version: &str) -> Self {
        let version = version.to_owned();
        Self::one(Slip::Removed { version })
    }

    /// One slip, and nothing else is known.
    pub(super) fn one(slip: Slip) -> Self {
        Self {
            all: vec![slip],
            ..Self::default()
        }
    }

    /// Whether nothing else is to be said of the document, or done to it: it is no set that a server would take.
    #[must_use]
    pub fn is_final(&self) -> bool {
        let is_final = |slip: &Slip| {
            matches!(
                slip,
                Slip::Removed { .. } | Slip::Kind { .. } | Slip::PartOfClaims
            )
        };
        self.all.iter().any(is_final)
    }

    /// Whether anything may be filled in: not where it might take the place of a value that cannot be read.
    #[must_use]
    pub fn may_be_filled_in(&self) -> bool {
        !self.is_final() && self.lost.is_empty() && self.wrapped.is_empty()
    }

    /// Whether a volume or a claim may stand in the file where nobody reads it: in the other half of a repeated key, or in a field that
    /// has no place in the pods.
    #[must_use]
    pub fn may_hide_volumes(&self) -> bool {
        const PODS: &str = "/spec/template/spec";
        self.all.iter().any(|slip| {
            let pointer = slip.pointer();
            let others = match slip {
                Slip::Repeated { others, .. } => others.as_slice(),
                Slip::Unknown { .. } => &[],
                _ => return false,
            };
            let (mapping, _) = pointer.rsplit_once('/').unwrap_or_default();
            let mut others = others.iter().map(|key| format!("{mapping}/{key}"));
            hides_volumes(pointer, PODS) || others.any(|other| hides_volumes(&other, PODS))
        })
    }

    /// Whether a size, a class or a mode of the claim template at that index stands where nobody reads it.
    #[must_use]
    pub fn may_hide_parts_of_claim(&self, index: usize) -> bool {
        let claim = format!("/spec/volumeClaimTemplates/{index}");
        let is_moved =
            |right: &Option<Right>| right.as_ref().is_some_and(|right| right.obstacle.is_none());
        self.all.iter().any(|slip| {
            let stays = match slip {
                Slip::Unknown { right, .. } => !is_moved(right),
                Slip::Repeated { .. } => true,
                _ => false,
            };
            stays && is_below(slip.pointer(), &claim)
        })
    }

    /// Whether what stands at a pointer cannot be told because a value there, above or below cannot be read.
    #[must_use]
    pub fn hide(&self, pointer: &str) -> bool {
        let mut lost = self.lost.iter();
        lost.any(|lost| is_below(pointer, lost) || is_below(lost, pointer))
            || self.unfilled.iter().any(|value| is_below(pointer, value))
    }

    /// Whether a value is there in the file but cannot be read.
    #[must_use]
    pub fn is_lost(&self, pointer: &str) -> bool {
        self.lost.iter().any(|lost| lost == pointer)
    }

    /// Where in the file stands what a pointer means in the set as it was meant.
    #[must_use]
    pub fn written<'p>(&self, pointer: &'p str) -> Cow<'p, str> {
        let mut pointer = Cow::Borrowed(pointer);
        for wrapped in &self.wrapped {
            if let Some(rest) = below(&pointer, &format!("{wrapped}/0")) {
                pointer = Cow::Owned(format!("{wrapped}{rest}"));
            }
        }
        for operation in self.moves.iter().rev() {
            let PatchOperation::Move(moved) = operation else {
                continue;
            };
            if let Some(rest) = below(&pointer, moved.path.as_str()) {
                pointer = Cow::Owned(format!("{}{rest}", moved.from));
            }
        }
        pointer
    }

    /// Where in the file a finding points: at the key, where that is what is wrong.
    #[must_use]
    pub fn position(&self, body: &Body<'_>, pointer: &str) -> Position {
        let written = self.written(pointer);
        let mut own = self.all.iter().filter(|slip| slip.pointer() == written);
        let key = own
            .any(Slip::is_of_the_key)
            .then(|| body.key(&written))
            .flatten();
        key.unwrap_or_else(|| body.position(&written))
    }

    /// The keys, or the names of items, that a repeated key at a pointer takes the place of.
    pub fn overridden(&self, pointer: &str) -> impl Iterator<Item = &str> {
        let there = self
            .overridden
            .iter()
            .filter(move |overridden| overridden.pointer == pointer);
        there.flat_map(|overridden| overridden.names.iter().map(String::as_str))
    }

    /// Whether the volume or claim of that name is declared where a repeated key takes its place.
    #[must_use]
    pub fn overrides_volume(&self, name: &str) -> bool {
        const LISTS: [&str; 2] = ["/spec/template/spec/volumes", "/spec/volumeClaimTemplates"];
        self.overridden.iter().any(|overridden| {
            let is_there = |list: &&str| match below(list, &overridden.pointer) {
                Some("") => overridden.names.iter().any(|other| other == name),
                Some(rest) => {
                    let next = rest.split('/').nth(1).unwrap_or_default();
                    overridden.names.iter().any(|other| other == next)
                }
                None => false,
            };
            LISTS.iter().any(is_there)
        })
    }

    /// Adds the repeated keys of a document.
    pub(super) fn repeated(&mut self, body: &Body<'_>) {
        for duplicate in body.duplicates() {
            let pointer = duplicate.pointer.to_string();
            if !duplicate.lost.is_empty() {
                self.overridden.push(Overridden {
                    pointer: pointer.clone(),
                    names: duplicate.lost,
                });
            }
            let again = duplicate.position.line;
            let (mapping, key) = pointer.rsplit_once('/').unwrap_or_default();
            let known = self.all.iter_mut().find_map(|slip| match slip {
                Slip::Repeated {
                    pointer,
                    lines,
                    others,
                    is_equal,
                } => {
                    let (other, own) = pointer.rsplit_once('/')?;
                    let is_here = other == mapping;
                    *is_equal &= !is_here || duplicate.is_equal;
                    is_here.then_some((own == key, lines, others))
                }
                _ => None,
            });
            match known {
                Some((true, lines, _)) => lines.push(again),
                Some((false, _, others)) => others.push(unescape(key)),
                None => self.all.push(Slip::Repeated {
                    pointer,
                    lines: vec![duplicate.first_line, again],
                    others: Vec::new(),
                    is_equal: duplicate.is_equal,
                }),
            }
        }
        self.all.sort_by_cached_key(|slip| match slip {
            Slip::Repeated { .. } => body.key(slip.pointer()).map(|key| key.range.start),
            _ => Some(body.position(slip.pointer()).range.start),
        });
    }
}

/// A reference token of a JSON Pointer as it is meant (RFC 6901).
fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// What a pointer has below another one.
fn below<'p>(pointer: &'p str, above: &str) -> Option<&'p str> {
    let rest = pointer.strip_prefix(above)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Whether what stands at a pointer may be or hold volumes of the pods, or claims.
fn hides_volumes(pointer: &str, pods: &str) -> bool {
    let key = pointer
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let is_of_volumes = key.contains("volume") || key.contains("claim");
    is_below(pointer, pods) || is_below(pods, pointer) || is_of_volumes
}

fn is_below(pointer: &str, above: &str) -> bool {
    below(pointer, above).is_some()
}

//! A document as the JSON that kubectl sends.

use super::members::{Budget, members};
use super::scalar::Scalar;
use super::tree::{Content, Index, Tree};
use super::{Fault, MAX_DEPTH, MAX_DOCUMENT};

/// The JSON of a node.
///
/// # Errors
///
/// What is no JSON: a key that is a mapping, `.nan`, an alias bomb.
pub(in crate::yaml) fn json(tree: &Tree<'_>, root: Index) -> Result<String, Fault> {
    let mut writer = Writer {
        tree,
        out: String::new(),
        budget: Budget::default(),
    };
    writer.value(root, false, 0)?;
    Ok(writer.out)
}

struct Writer<'a, 't> {
    tree: &'a Tree<'t>,
    out: String,
    budget: Budget,
}

impl Writer<'_, '_> {
    fn value(&mut self, at: Index, aliased: bool, depth: usize) -> Result<(), Fault> {
        self.budget.take(self.tree, at, aliased)?;
        let target = self.tree.target(at);
        let aliased = aliased || target != at;
        if depth > MAX_DEPTH {
            let message = "mappings and lists stand too deep in one another";
            return Err(self.tree.fault(at, message));
        }
        if self.out.len() > 4 * MAX_DOCUMENT {
            return Err(self.tree.fault(at, "the aliases stand for too much text"));
        }
        match self.tree.content(target) {
            Content::Mapping => self.mapping(target, aliased, depth),
            Content::Sequence => self.sequence(target, aliased, depth),
            _ => self.scalar(target),
        }
    }

    fn mapping(&mut self, at: Index, aliased: bool, depth: usize) -> Result<(), Fault> {
        let mut next = '{';
        for member in members(self.tree, at, aliased, &mut self.budget)? {
            self.out.push(next);
            next = ',';
            self.text(&member.key);
            self.out.push(':');
            self.value(member.value, member.aliased, depth + 1)?;
        }
        self.out.push_str(if next == '{' { "{}" } else { "}" });
        Ok(())
    }

    fn sequence(&mut self, at: Index, aliased: bool, depth: usize) -> Result<(), Fault> {
        let mut next = '[';
        for child in self.tree.children(at) {
            self.out.push(next);
            next = ',';
            self.value(child, aliased, depth + 1)?;
        }
        self.out.push_str(if next == '[' { "[]" } else { "]" });
        Ok(())
    }

    fn scalar(&mut self, at: Index) -> Result<(), Fault> {
        match self.tree.scalar(at)? {
            None | Some(Scalar::Null) => self.out.push_str("null"),
            Some(Scalar::Bool(value)) => self.out.push_str(if value { "true" } else { "false" }),
            Some(Scalar::Int(value)) => self.out.push_str(&value.to_string()),
            Some(Scalar::Uint(value)) => self.out.push_str(&value.to_string()),
            Some(Scalar::Float(value)) if value.is_finite() => self.out.push_str(&float(value)),
            Some(Scalar::Float(_)) => {
                return Err(self.tree.fault(at, "JSON has no such number"));
            }
            Some(Scalar::Text(text)) => self.text(&text),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        let escaped = |byte: u8| byte < b' ' || matches!(byte, b'"' | b'\\');
        if text.bytes().any(escaped) {
            self.out
                .push_str(&serde_json::Value::from(text).to_string());
        } else {
            self.out.push('"');
            self.out.push_str(text);
            self.out.push('"');
        }
    }
}

/// A float as Go's `encoding/json` writes it: `3.0` is 3, and so an integer for whoever reads it.
fn float(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

//! A place in a document: its value, if there is one, and the way to it.

use std::fmt::Write as _;

use serde_json::Value;

use crate::model::pointer::escape;

#[derive(Clone, Copy)]
enum Token<'v> {
    Root,
    Key(&'v str),
    Index(usize),
}

/// A field, there or not. Its pointer is written only when something is wrong with it.
#[derive(Clone, Copy)]
pub(super) struct At<'v> {
    value: Option<&'v Value>,
    token: Token<'v>,
    parent: Option<&'v At<'v>>,
}

impl<'v> At<'v> {
    pub(super) fn root(value: &'v Value) -> Self {
        Self {
            value: Some(value),
            token: Token::Root,
            parent: None,
        }
    }

    /// A field of a mapping. One that is null is as good as absent.
    pub(super) fn field(&'v self, name: &'v str) -> At<'v> {
        let value = self.value.and_then(|value| value.get(name));
        At {
            value: value.filter(|value| !value.is_null()),
            token: Token::Key(name),
            parent: Some(self),
        }
    }

    /// The items of a list; none where it is something else.
    pub(super) fn items(&'v self) -> impl Iterator<Item = At<'v>> {
        let items = self.value.and_then(Value::as_array).into_iter().flatten();
        items.enumerate().map(move |(index, value)| At {
            value: Some(value),
            token: Token::Index(index),
            parent: Some(self),
        })
    }

    /// The members of a mapping; none where it is something else.
    pub(super) fn members(&'v self) -> impl Iterator<Item = (&'v str, At<'v>)> {
        let members = self.value.and_then(Value::as_object).into_iter().flatten();
        members.map(move |(key, value)| {
            let at = At {
                value: Some(value),
                token: Token::Key(key),
                parent: Some(self),
            };
            (key.as_str(), at)
        })
    }

    pub(super) fn is_set(&self) -> bool {
        self.value.is_some()
    }

    pub(super) fn value(&self) -> Option<&'v Value> {
        self.value
    }

    /// The text; empty where it is absent or something else.
    pub(super) fn text(&self) -> &'v str {
        self.value.and_then(Value::as_str).unwrap_or_default()
    }

    /// The number, where it is a whole one.
    pub(super) fn int(&self) -> Option<i64> {
        self.value.and_then(Value::as_i64)
    }

    pub(super) fn is_true(&self) -> bool {
        self.value == Some(&Value::Bool(true))
    }

    pub(super) fn pointer(&self) -> String {
        let mut text = self.parent.map_or_else(String::new, At::pointer);
        match self.token {
            Token::Root => {}
            Token::Key(key) => {
                text.push('/');
                text.push_str(&escape(key));
            }
            Token::Index(index) => {
                let _ = write!(text, "/{index}");
            }
        }
        text
    }
}

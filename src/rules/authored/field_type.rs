//! A value of another type than the API asks for.

use super::each;
use crate::model::finding::Action;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::strict::{Given, Slip, Wanted};

/// A number where a string is needed, and its like.
pub static WRONG: Rule = Rule {
    id: "field-type-wrong",
    action: Action::Deny,
    builtin: Builtin::Always,
    early: false,
    may_deny: true,
    about: About::File,
    docs: Docs {
        file: file!(),
        what: "A value has another type than its field asks for, as a number where a string is needed.",
        why: "YAML reads a plain `5432` as a number and a plain `yes` as a boolean, while the values of `env`, labels and annotations are \
              strings; and a number in quotes is a string. The API server cannot read such a set at all. Whatever else is wrong with the \
              set is reported beside it, with the value as it was meant where that is plain.",
        server: "refuses to read it, whatever its version, before any webhook is called: `cannot unmarshal number into Go struct field`",
        at: &["spec.template.spec.containers[N].env[N].value"],
        example: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          env:
            - name: PORT
              value: 5432
",
        fix: "Put quotes around what is to be a string, and none around a number, `true` or `false`.",
        fixed: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          env:
            - name: PORT
              value: \"5432\"
",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    each(context, violations, |slip| {
        let Slip::Type {
            pointer,
            written,
            given,
            wanted,
        } = slip
        else {
            return None;
        };
        let (message, help) = out_of_range(written, *given, *wanted).unwrap_or_else(|| {
            let (what, help) = if is_of_environment(pointer) {
                unread(*given, *wanted)
            } else {
                (what(written, *given), help(written, *given, *wanted))
            };
            (format!("{what}, where {} is needed", needed(*wanted)), help)
        });
        let help = port_number(context, pointer, written).unwrap_or(help);
        Some(Violation::new(pointer, message, help))
    });
}

/// A gRPC probe takes the number of a port: that of the port of this name.
fn port_number(context: &Context<'_>, pointer: &str, name: &str) -> Option<String> {
    let rest = pointer.strip_suffix("/grpc/port")?;
    let index = rest
        .strip_prefix("/spec/template/spec/containers/")?
        .split('/')
        .next()?;
    let container = context.set.container(index.parse().ok()?)?;
    let port = container.ports.iter().find(|port| port.name == *name)?;
    Some(format!(
        "write {} (port {}): a gRPC probe takes no name",
        port.container_port,
        quoted(name)
    ))
}

/// Whether it is a value of the environment, which may be a password: findings go to logs and reports.
fn is_of_environment(pointer: &str) -> bool {
    let rest = pointer.strip_suffix("/value");
    let list = rest.and_then(|rest| rest.rsplit_once('/'));
    list.is_some_and(|(list, _)| list.ends_with("/env"))
}

/// What is said of a value without saying it.
fn unread(given: Given, wanted: Wanted) -> (String, String) {
    let what = match given {
        Given::Boolean => "this is a boolean",
        Given::Number => "this is a number",
        Given::String => "this is a string",
        Given::List | Given::Mapping => return (what("", given), help("", given, wanted)),
    };
    (what.to_owned(), "write it in quotes".to_owned())
}

/// A whole number that is too large for its field.
fn out_of_range(written: &str, given: Given, wanted: Wanted) -> Option<(String, String)> {
    let bits = match (given, wanted) {
        (Given::Number, Wanted::Int { bits }) => bits,
        (Given::Number, Wanted::IntOrString) => 32,
        _ => return None,
    };
    written.parse::<i128>().ok()?;
    let (least, largest) = if bits == 32 {
        (i64::from(i32::MIN), i64::from(i32::MAX))
    } else {
        (i64::MIN, i64::MAX)
    };
    Some((
        format!("{} does not fit into {bits} bits", short(written)),
        format!("write a number between {least} and {largest}"),
    ))
}

fn what(written: &str, given: Given) -> String {
    match given {
        Given::Boolean => format!("{} is a boolean", short(written)),
        Given::Number => format!("{} is a number", short(written)),
        Given::String => format!("{} is a string", quoted(written)),
        Given::List => "this is a list".to_owned(),
        Given::Mapping => "this is a mapping".to_owned(),
    }
}

/// A number or a word as it is written; both are short, unless somebody means harm.
fn short(written: &str) -> String {
    let quoted = quoted(written);
    quoted.trim_matches('"').to_owned()
}

fn needed(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Boolean => "a boolean",
        Wanted::String => "a string",
        Wanted::Int { .. } => "a whole number",
        Wanted::IntOrString => "a whole number or a string",
        Wanted::Quantity => "a quantity",
        Wanted::List => "a list",
        Wanted::Mapping => "a mapping",
    }
}

fn help(written: &str, given: Given, wanted: Wanted) -> String {
    let is_scalar = !matches!(given, Given::List | Given::Mapping);
    match wanted {
        Wanted::String if is_scalar => format!("write {} in quotes", quoted(written)),
        Wanted::String => "write one string".to_owned(),
        Wanted::Boolean => match written.to_lowercase().as_str() {
            word @ ("true" | "false") => format!("write {word} without quotes"),
            _ => "write true or false, without quotes".to_owned(),
        },
        Wanted::Int { .. } if written.parse::<i32>().is_ok() => {
            format!("write {written} without quotes")
        }
        Wanted::Int { .. } => "write a whole number, without quotes".to_owned(),
        Wanted::IntOrString => "write a whole number, or a string in quotes".to_owned(),
        Wanted::Quantity => "write a number with a unit, such as 500m, 512Mi or 10Gi".to_owned(),
        Wanted::List if is_scalar => format!("write a list of it: [{}]", item(written, given)),
        Wanted::List => "begin each item with \"- \"".to_owned(),
        Wanted::Mapping if given == Given::List => {
            "write \"key: value\" lines, without \"- \"".to_owned()
        }
        Wanted::Mapping => "write \"key: value\" lines, or {} for none".to_owned(),
    }
}

fn item(written: &str, given: Given) -> String {
    match given {
        Given::String => quoted(written),
        _ => short(written),
    }
}

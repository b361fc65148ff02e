use serde_json::{Value, json};

use super::*;

const HEAD: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n";

/// What a stream holds, one line a document.
fn told(text: &str) -> Vec<String> {
    let told = documents(text).map(|document| match document {
        Ok(found) => format!(
            "{}:{} {} {} {}/{}",
            found.line, found.column, found.api_version, found.kind, found.namespace, found.name
        ),
        Err(broken) => broken.to_string(),
    });
    told.collect()
}

fn body(text: &str) -> Body<'_> {
    documents(text).next().unwrap().unwrap().read().unwrap()
}

/// The member `a` of an object, or what is wrong.
fn member(yaml: &str) -> Result<Value, String> {
    let text = format!("{HEAD}{yaml}");
    let document = documents(&text).next().unwrap().unwrap();
    let json = document.read().and_then(|body| body.json());
    let json = json.map_err(|broken| broken.to_string())?;
    let value: Value = serde_json::from_str(json.get()).unwrap();
    Ok(value["a"].clone())
}

#[test]
fn a_stream_is_cut_into_its_objects() {
    let web = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n";
    let one = ["1:1 v1 Service /web"];
    let rows: &[(&str, &str, &[&str])] = &[
        ("nothing", "", &[]),
        ("one object", web, &one),
        ("a byte order mark", &format!("\u{feff}{web}"), &one),
        ("carriage returns", &web.replace('\n', "\r\n"), &one),
        (
            "no line end",
            "apiVersion: v1\nkind: Service",
            &["1:1 v1 Service /"],
        ),
        (
            "a directive",
            &format!("%YAML 1.1\n---\n{web}"),
            &["3:1 v1 Service /web"],
        ),
        (
            "content beside the marker",
            "--- {apiVersion: v1, kind: Service}\n",
            &["1:5 v1 Service /"],
        ),
        (
            "comments before and after, empty documents",
            &format!("# a\n---\n# b\n---\n---\n{web}# c\n---\n# d\n---\n"),
            &["6:1 v1 Service /web"],
        ),
        (
            "the end of a document",
            &format!("{web}...\n# a\n{web}"),
            &["1:1 v1 Service /web", "6:1 v1 Service /web"],
        ),
        (
            "two files, one after the other",
            &format!("{web}\u{feff}---\n{web}"),
            &["1:1 v1 Service /web", "5:1 v1 Service /web"],
        ),
        (
            "a marker inside of a text",
            &format!("{web}data: |\n  ---\n  a\n ---x\n"),
            &one,
        ),
        (
            "no objects",
            "a: 1\n---\n- kind: Service\n---\ntext\n---\nkind: Service\n---\n{apiVersion: v1}\n---\napiVersion: 1\nkind: 2\n",
            &[],
        ),
        (
            "JSON that is no YAML",
            "{\"kind\": \"Service\", \"apiVersion\": \"v1\", \"metadata\": {\"name\": \"\\ud83d\\ude00\u{7f}\u{2028}\"}}",
            &["1:1 v1 Service /😀\u{7f}\u{2028}"],
        ),
        (
            "JSON",
            "{\n\t\"kind\": \"Service\",\n\t\"apiVersion\": \"v1\",\n\t\"metadata\": {\"namespace\": \"shop\"}\n}\n",
            &["1:1 v1 Service shop/"],
        ),
        (
            "the fields last, a name of a container between",
            "spec: {name: a}\nmetadata:\n  labels: {name: b}\n  namespace: shop\n  name: web\nkind: Service\napiVersion: v1\n",
            &["1:1 v1 Service shop/web"],
        ),
        (
            "a field that comes again",
            &format!("{web}spec: {{}}\nmetadata:\n  name: other\n"),
            &["1:1 v1 Service /other"],
        ),
        (
            "aliases and merges",
            "x: &n {name: web}\ny: &s Service\napiVersion: v1\nkind: *s\nmetadata:\n  <<: *n\n",
            &["1:1 v1 Service /web"],
        ),
        (
            "other kinds, broken after their name",
            &format!("{web}spec: [\n"),
            &one,
        ),
    ];
    for (what, text, expected) in rows {
        assert_eq!(told(text), *expected, "{what}");
    }
}

#[test]
fn lists_are_unfolded() {
    let list = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: &m\n    name: web\n\
        -   apiVersion: apps/v1\n    kind: StatefulSet\n    metadata: *m\n    spec:\n      replicas: 2\n- text\n";
    assert_eq!(
        told(list),
        ["4:3 v1 Service /web", "8:5 apps/v1 StatefulSet /web"]
    );
    let set = documents(list).nth(1).unwrap().unwrap();
    assert!(list[set.range.clone()].starts_with("apiVersion: apps/v1\n"));
    assert!(list[set.range.clone()].ends_with("replicas: 2"));
    let body = set.read().unwrap();
    let expected = r#"{"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"web"},"spec":{"replicas":2}}"#;
    assert_eq!(body.json().unwrap().get(), expected);
    let place = body.position("/spec/replicas");
    assert_eq!(
        (place.line, place.column, &list[place.range]),
        (12, 17, "2")
    );

    let typed = r#"{"kind": "StatefulSetList", "apiVersion": "apps/v1", "items": [{"metadata": {"name": "a"}}]}"#;
    assert_eq!(told(typed), ["1:64 apps/v1 StatefulSet /a"]);
    let own = "apiVersion: example.com/v1\nkind: AllowList\nmetadata: {name: a}\nspec: {}\n";
    assert_eq!(told(own), ["1:1 example.com/v1 AllowList /a"]);
}

#[test]
fn lists_of_lists_cannot_blow_up() {
    let mut list =
        "apiVersion: v1\nkind: List\nx0: &x0 {apiVersion: v1, kind: Service}\n".to_owned();
    for level in 1..12 {
        let items = vec![format!("*x{}", level - 1); 10].join(", ");
        let below =
            format!("x{level}: &x{level} {{apiVersion: v1, kind: List, items: [{items}]}}\n");
        list.push_str(&below);
    }
    list.push_str("items: [*x11]\n");
    let error = told(&list).pop().unwrap();
    assert!(error.ends_with("the aliases stand for too much"), "{error}");
}

#[test]
fn a_broken_document_leaves_the_others() {
    let rows = [
        (
            "a: [1\nb: 2\n",
            "line 6, column 2: did not find expected ',' or ']' while parsing a flow sequence",
        ),
        (
            "a: 'x\n",
            "line 5, column 6: found unexpected end of stream while scanning a quoted scalar",
        ),
        (
            "a:\n\tb: 1\n",
            "line 6, column 1: a tab cannot indent YAML; write spaces",
        ),
        (
            "é: b: c\n",
            "line 5, column 5: mapping values are not allowed in this context",
        ),
        (
            "{{- if .Values.a }}\na: b\n",
            "line 5, column 3: did not find expected node content while parsing a flow node; a Helm template has to be rendered \
             first (`helm template`)",
        ),
        (
            "a: \"\u{1}\"\n",
            "line 5, column 5: the control character '\\u{1}' is not allowed in YAML",
        ),
        ("a: *b\n", "line 5, column 4: there is no anchor `&b` above"),
    ];
    for (broken, message) in rows {
        let text = format!("{HEAD}---\n{broken}---\n{HEAD}");
        let told = told(&text);
        assert_eq!(
            told.len(),
            3 - usize::from(message.contains("anchor")),
            "{told:?}"
        );
        if told.len() == 3 {
            assert_eq!(told[1], message);
        }
    }
}

#[test]
fn what_is_wrong_after_the_name_is_told_on_reading() {
    let deep = "[".repeat(MAX_DEPTH);
    let rows = [
        (
            "a: [1\n",
            "line 4, column 6: did not find expected ',' or ']' while parsing a flow sequence",
        ),
        ("a: *b\n", "line 4, column 4: there is no anchor `&b` above"),
        (
            "a: &a [*a]\n",
            "line 4, column 8: the anchor `&a` stands in itself",
        ),
        ("a: .nan\n", "line 4, column 4: JSON has no such number"),
        ("a: !!int x\n", "line 4, column 4: `x` is no !!int"),
        (
            "a:\n  ? [b]\n  : c\n",
            "line 5, column 5: a key must be a string",
        ),
        (
            "a:\n  <<: 1\n",
            "line 5, column 7: `<<` merges a mapping or a list of mappings",
        ),
        (
            &format!("a: {deep}\n"),
            "line 4, column 131: more than 128 mappings and lists stand in one another",
        ),
    ];
    for (yaml, message) in rows {
        assert_eq!(member(yaml), Err(message.to_owned()), "{yaml}");
    }
}

#[test]
fn bombs_are_refused() {
    let level = |of: usize, values: &str| format!("x{of}: &x{of} {values}\n");
    let chain = |first: String, next: &dyn Fn(usize) -> String| {
        (1..12).fold(first, |text, of| text + &level(of, &next(of - 1)))
    };
    let lists = chain(level(0, "[a]"), &|below| {
        format!("[{}]", vec![format!("*x{below}"); 10].join(", "))
    });
    let merges = chain(level(0, "{a: 1}"), &|below| {
        format!("{{<<: [{}]}}", vec![format!("*x{below}"); 10].join(", "))
    });
    let long = format!(
        "x: &x {}\na: [{}]\n",
        "a".repeat(1 << 20),
        vec!["*x"; 100].join(", ")
    );
    let nested = (1..1000).fold(level(0, "a"), |text, of| {
        text + &level(of, &format!("[*x{}]", of - 1))
    });
    let rows = [
        (lists, "the aliases stand for too much"),
        (merges, "the aliases stand for too much"),
        (long, "the aliases stand for too much text"),
        (nested, "mappings and lists stand too deep in one another"),
    ];
    for (text, message) in rows {
        let error = member(&text).unwrap_err();
        assert!(error.ends_with(message), "{error}");
    }
    let large = format!("{HEAD}a: {}\n", "a".repeat(MAX_DOCUMENT));
    assert_eq!(
        told(&format!("{large}---\n{HEAD}")),
        [
            "line 1, column 1: the document has 16777271 bytes and at most 16777216 (16 MiB) are read; split it with `---`",
            "6:1 v1 Service /web"
        ]
    );
}

#[test]
fn a_large_config_map_is_passed_over() {
    let data = "a".repeat(MAX_DOCUMENT);
    for kind in ["ConfigMap", "Secret"] {
        let large =
            format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: a}}\ndata: {{a: {data}}}\n");
        assert_eq!(
            told(&format!("{large}---\n{HEAD}")),
            ["6:1 v1 Service /web"]
        );
    }
}

#[test]
fn members_are_merged_as_kubectl_merges_them() {
    let rows = [
        (
            "x: &x {b: 1, c: 2}\na: {<<: *x, c: 3}\n",
            json!({"b": 1, "c": 3}),
        ),
        (
            "x: &x {b: 1, c: 2}\na: {c: 3, <<: *x}\n",
            json!({"b": 1, "c": 2}),
        ),
        (
            "x: &x {b: 1}\ny: &y {b: 2, c: 3}\na: {<<: [*x, *y]}\n",
            json!({"b": 1, "c": 3}),
        ),
        ("a: {'<<': {b: 1}}\n", json!({"<<": {"b": 1}})),
        ("x: &x [1]\na: {b: *x}\n", json!({"b": [1]})),
        ("a: 1\na: 2\n", json!(2)),
        (
            "a: {1: x, 1.50: w, yes: z}\n",
            json!({"1": "x", "1.5": "w", "true": "z"}),
        ),
        ("a: |\n  b\n  c\n", json!("b\nc\n")),
        ("a: |-\n  b", json!("b")),
        ("a: >\n  b\n  c", json!("b c\n")),
        ("a: \"b\n  c\\td\"\n", json!("b c\td")),
        ("a:\n- {}\n- []\n-\n", json!([{}, [], null])),
    ];
    for (yaml, expected) in rows {
        assert_eq!(member(yaml), Ok(expected), "{yaml}");
    }
}

#[test]
fn a_value_is_found_where_it_stands() {
    let text = "# a set\napiVersion: apps/v1\nkind: StatefulSet\nmetadata:\n  labels: &l {app: web}\nspec:\n  \"replicas\": 3   # three\n  \
        selector:\n    matchLabels: *l\n  é: [ü, {b: c}]\n  empty:\n  text: |\n    one\n    two\n  last:\n    - a\n# the end\n";
    let body = body(text);
    let rows = [
        ("", 2, 1, text[8..].strip_suffix("\n# the end\n").unwrap()),
        ("/kind", 3, 7, "StatefulSet"),
        ("/spec/replicas", 7, 15, "3"),
        ("/spec/selector/matchLabels", 9, 18, "*l"),
        ("/spec/selector/matchLabels/app", 5, 20, "web"),
        ("/spec/é/1/b", 10, 14, "c"),
        ("/spec/é/1", 10, 10, "{b: c}"),
        ("/spec/empty", 11, 9, ""),
        ("/spec/empty/none", 11, 9, ""),
        ("/spec/text", 12, 9, "|\n    one\n    two\n"),
        ("/spec/last", 16, 5, "- a"),
        ("/spec/last/7", 16, 5, "- a"),
        ("/spec/last/0", 16, 7, "a"),
        ("/metadata/name", 5, 3, "labels: &l {app: web}"),
    ];
    for (pointer, line, column, stands) in rows {
        let place = body.position(pointer);
        assert_eq!(
            (place.line, place.column, &text[place.range]),
            (line, column, stands),
            "{pointer}"
        );
    }
    let key = body.key("/spec/replicas").unwrap();
    assert_eq!(
        (key.line, key.column, &text[key.range]),
        (7, 3, "\"replicas\"")
    );
    assert_eq!(
        (body.key("/spec/last/0"), body.key("/spec/none")),
        (None, None)
    );
}

#[test]
fn repeated_keys_are_told() {
    let text = format!(
        "{HEAD}---\n{HEAD}spec:\n  a: 1\n  b:\n  - c: 1\n    \"c\": 2\n    c: 3\n  a/b: &x {{d: 1}}\n  e: {{<<: *x, d: 2}}\nspec:\n  a: 1\n"
    );
    let all: Vec<_> = documents(&text).map(Result::unwrap).collect();
    assert_eq!(all[0].read().unwrap().duplicates(), []);
    let told: Vec<_> = all[1]
        .read()
        .unwrap()
        .duplicates()
        .into_iter()
        .map(|again| {
            (
                again.pointer.to_string(),
                again.position.line,
                again.position.column,
                again.first_line,
            )
        })
        .collect();
    let expected = [
        ("/spec", 16, 1, 8),
        ("/spec/b/0/c", 12, 5, 11),
        ("/spec/b/0/c", 13, 5, 11),
    ];
    assert_eq!(
        told,
        expected.map(|(pointer, line, column, first)| (pointer.to_owned(), line, column, first))
    );
}

#[test]
fn objects_in_json_may_follow_each_other_and_flow_style_may_not() {
    let one = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}}"#;
    let two = one.replace("one", "two");
    for between in ["\n", "\n\n", "", "\n---\n"] {
        let text = format!("{one}{between}{two}\n");
        let names: Vec<_> = documents(&text)
            .map(|document| document.unwrap().name)
            .collect();
        assert_eq!(names, ["one", "two"], "{between:?}");
    }
    let text = format!("{one}\n{two}\n");
    let second = documents(&text).nth(1).unwrap().unwrap();
    assert_eq!((second.line, second.column), (2, 1));
    for rest in ["{kind: Two}", "garbage: here", "- x"] {
        let text = format!("{{apiVersion: v1, kind: ConfigMap}}\n{rest}\n");
        let broken = documents(&text).next().unwrap().unwrap_err();
        assert_eq!(broken.line, 2, "{rest}: {broken}");
    }
}

#[test]
fn a_tag_with_a_comma_right_after_it_is_an_error_and_no_panic() {
    for tag in ["!", "!!str", "!a"] {
        let text =
            format!("apiVersion: v1\nkind: Service\nmetadata:\n  labels: {{a: {tag}, b: c}}\n");
        let document = documents(&text).next().unwrap().and_then(|it| it.read());
        let broken = document.unwrap_err();
        assert_eq!((broken.line, broken.column), (4, 15), "{tag}: {broken}");
    }
}

//! What a rule's page is made of.

/// The set over which every example is merged (RFC 7396): nothing is wrong with it.
pub const BASE: &str = "\
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: web
spec:
  replicas: 3
  serviceName: web
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: registry.example/web:1
";

/// A rule's page: prose in Markdown, a paragraph on one line, and examples in YAML.
///
/// The examples are run, to show on the page what a user reads, and by a test that holds each to its rule: `example` is
/// found by this rule and by no other, and `fixed` by none.
#[derive(Clone, Copy, Debug)]
pub struct Docs {
    /// The source file that the rule lives in.
    pub file: &'static str,
    /// What is wrong, in one line: the list of all rules shows nothing else.
    pub what: &'static str,
    /// What the field is for, and what happens in a cluster, for somebody who has never read of it.
    pub why: &'static str,
    /// What the API server does about it, where [`super::Builtin`] does not say it.
    pub server: &'static str,
    /// The fields that a finding points at, in the server's dotted form; `[N]` stands for an index, `[KEY]` for a key,
    /// and `containers` for `initContainers` too.
    pub at: &'static [&'static str],
    /// The API server's version, where the rule asks for it.
    pub version: &'static str,
    /// How the stored set differs from [`BASE`]; empty where the set is new.
    pub stored: &'static str,
    /// What else is in the cluster, a document each; empty where nothing is looked up.
    pub cluster: &'static str,
    /// How a set that the rule finds differs from [`BASE`].
    pub example: &'static str,
    /// What to do about it.
    pub fix: &'static str,
    /// The example put right; empty where the manifest may stay as it is.
    pub fixed: &'static str,
    /// What else is in the cluster then, where that has changed.
    pub fixed_cluster: &'static str,
}

impl Docs {
    /// A page that says nothing, to be filled in by a rule.
    pub const BLANK: Self = Self {
        file: "",
        what: "",
        why: "",
        server: "",
        at: &[],
        version: "",
        stored: "",
        cluster: "",
        example: "",
        fix: "",
        fixed: "",
        fixed_cluster: "",
    };
}

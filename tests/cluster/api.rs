//! The API server without kubectl: whole answers with codes, causes and warnings, and a lot faster.

use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use crate::support::{Client, Cluster, Connection, Response};

/// A connection with a token of an account that may do everything.
pub struct Api {
    connection: Connection,
    authorization: String,
}

/// What the API server said.
pub struct Answer {
    /// The HTTP status.
    pub code: u16,
    /// The object, or the Status of a refusal.
    pub body: Value,
    /// The text of each warning.
    pub warnings: Vec<String>,
}

impl Api {
    /// A connection to this cluster's API server.
    pub fn new(cluster: &Cluster) -> Result<Self> {
        static TOKEN: OnceLock<Result<String, String>> = OnceLock::new();
        let token = TOKEN.get_or_init(|| token(cluster).map_err(|error| format!("{error:#}")));
        let token = token
            .as_ref()
            .map_err(|error| anyhow!("no token: {error}"))?;
        let server = cluster.plane().server();
        let (_, port) = server.rsplit_once(':').context("no port")?;
        Ok(Self {
            connection: Client::tls(port.parse()?, cluster.plane().ca_pem())?.open()?,
            authorization: format!("Bearer {token}"),
        })
    }

    /// Creates an object: `path` is the collection's, with the query.
    pub fn create(&mut self, path: &str, object: &Value) -> Result<Answer> {
        self.request("POST", path, object.to_string().as_bytes())
    }

    /// Replaces an object: `path` is its own, with the query.
    pub fn replace(&mut self, path: &str, object: &Value) -> Result<Answer> {
        self.request("PUT", path, object.to_string().as_bytes())
    }

    /// An object, or a list of them.
    pub fn get(&mut self, path: &str) -> Result<Answer> {
        self.request("GET", path, &[])
    }

    fn request(&mut self, method: &str, path: &str, body: &[u8]) -> Result<Answer> {
        let headers = [
            ("content-type", "application/json"),
            ("authorization", self.authorization.as_str()),
        ];
        answer(&self.connection.request(method, path, &headers, body)?)
    }
}

fn token(cluster: &Cluster) -> Result<String> {
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "test-admin"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "namespace": "default", "name": "test-admin"}],
    });
    cluster
        .kubectl("create serviceaccount test-admin -n default")?
        .ok()?;
    cluster
        .kubectl("create -f -")?
        .stdin(binding.to_string())
        .ok()?;
    let output = cluster
        .kubectl("create token test-admin -n default")?
        .ok()?;
    Ok(output.stdout.trim().to_owned())
}

fn answer(response: &Response) -> Result<Answer> {
    let headers = response
        .headers
        .iter()
        .filter(|(name, _)| name == "warning");
    Ok(Answer {
        code: response.status,
        body: serde_json::from_slice(&response.body).with_context(|| response.text())?,
        warnings: headers.map(|(_, value)| warning_text(value)).collect(),
    })
}

/// `299 - "text"`, in which quotes and backslashes carry a backslash.
fn warning_text(header: &str) -> String {
    let quoted = header.split_once('"').map_or(header, |(_, rest)| rest);
    let quoted = quoted.strip_suffix('"').unwrap_or(quoted);
    let mut text = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        let escaped = (character == '\\').then(|| characters.next()).flatten();
        text.push(escaped.unwrap_or(character));
    }
    text
}

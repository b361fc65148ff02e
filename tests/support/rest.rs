//! The API server without kubectl: fast enough to measure by.

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::cluster::Cluster;
use super::https::{Client, Response};

/// A client with a token of an account that may do everything.
#[derive(Debug, Clone)]
pub struct Rest {
    /// The client.
    pub client: Client,
    /// The header that says who asks.
    pub authorization: String,
}

impl Rest {
    /// A client of this cluster; the account is made where it is not there.
    ///
    /// # Errors
    /// When the API server refuses.
    pub fn new(cluster: &Cluster) -> Result<Self> {
        let account = json!({"kind": "ServiceAccount", "namespace": "default", "name": "rest"});
        let objects = json!({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "rest", "namespace": "default"}},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "rest"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
                "subjects": [account]},
        ]});
        let apply = cluster.kubectl("apply -f -")?;
        apply.stdin(objects.to_string()).ok()?;
        let token = cluster.kubectl("create token rest -n default")?.ok()?;
        let server = cluster.plane().server();
        let (_, port) = server.rsplit_once(':').context("no port")?;
        Ok(Self {
            client: Client::tls(port.parse()?, cluster.plane().ca_pem())?,
            authorization: format!("Bearer {}", token.stdout.trim()),
        })
    }

    /// What is at a path.
    ///
    /// # Errors
    /// When it is not there.
    pub fn get(&self, path: &str) -> Result<Response> {
        self.request("GET", path, "application/json", "")
    }

    /// Applies a JSON Patch.
    ///
    /// # Errors
    /// When it is refused.
    pub fn patch(&self, path: &str, operations: &serde_json::Value) -> Result<Response> {
        let media = "application/json-patch+json";
        self.request("PATCH", path, media, &operations.to_string())
    }

    fn request(&self, method: &str, path: &str, media: &str, body: &str) -> Result<Response> {
        let headers = [
            ("authorization", self.authorization.as_str()),
            ("content-type", media),
        ];
        let response = self
            .client
            .request(method, path, &headers, body.as_bytes())?;
        ensure!(
            response.status < 300,
            "{method} {path}: {}",
            response.text()
        );
        Ok(response)
    }
}

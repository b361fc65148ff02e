//! The API server, asked by dry run.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::support::{Client, Cluster, Connection};

/// The API server, a namespace without and one with the webhook, and who asks.
pub struct Server {
    client: Client,
    authorization: String,
    plain: String,
    guarded: String,
}

/// A connection, and the one who asks over it.
pub struct Asked<'s> {
    server: &'s Server,
    connection: Connection,
}

/// What the server answered.
#[derive(Debug)]
pub struct Answer {
    status: u16,
    message: String,
    causes: Vec<Cause>,
}

/// One thing that the server finds wrong.
#[derive(Debug)]
pub struct Cause {
    /// Where, in the server's dotted form.
    pub field: String,
    /// Which kind of error: `FieldValueInvalid`, `FieldValueRequired`, ...
    pub reason: String,
    /// Its text.
    pub message: String,
}

impl Server {
    /// Makes an account that may create StatefulSets in both namespaces.
    pub fn new(cluster: &Cluster, plain: &str, guarded: &str) -> Result<Self> {
        cluster
            .kubectl(&format!("create serviceaccount asker -n {plain}"))?
            .ok()?;
        for namespace in [plain, guarded] {
            let account = format!("--clusterrole=admin --serviceaccount={plain}:asker");
            cluster
                .kubectl(&format!(
                    "create rolebinding asker {account} -n {namespace}"
                ))?
                .ok()?;
        }
        let token = cluster
            .kubectl(&format!("create token asker -n {plain} --duration=1h"))?
            .ok()?;
        let plane = cluster.plane();
        let port = plane
            .server()
            .rsplit_once(':')
            .context("a server has a port")?
            .1;
        Ok(Self {
            client: Client::tls(port.parse()?, plane.ca_pem())?,
            authorization: format!("Bearer {}", token.stdout.trim()),
            plain: plain.to_owned(),
            guarded: guarded.to_owned(),
        })
    }

    /// A connection of its own.
    pub fn open(&self) -> Result<Asked<'_>> {
        Ok(Asked {
            server: self,
            connection: self.client.open()?,
        })
    }
}

impl Asked<'_> {
    /// Creates a set by dry run where no webhook is in force.
    pub fn create(&mut self, set: &Value) -> Result<Answer> {
        self.create_in(&self.server.plain, set)
    }

    /// Creates a set by dry run where the webhook is in force.
    pub fn create_guarded(&mut self, set: &Value) -> Result<Answer> {
        self.create_in(&self.server.guarded, set)
    }

    fn create_in(&mut self, namespace: &str, set: &Value) -> Result<Answer> {
        let path = format!("/apis/apps/v1/namespaces/{namespace}/statefulsets?dryRun=All");
        let headers = [
            ("content-type", "application/json"),
            ("authorization", &*self.server.authorization),
        ];
        let response =
            self.connection
                .request("POST", &path, &headers, set.to_string().as_bytes())?;
        let body = response.json()?;
        let answer = Answer::new(response.status, &body);
        ensure!(
            matches!(answer.status, 201 | 403 | 422),
            "the server answers {body}"
        );
        Ok(answer)
    }
}

impl Answer {
    fn new(status: u16, body: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let causes = body["details"]["causes"].as_array();
        let causes = causes.into_iter().flatten().map(|cause| Cause {
            field: text(&cause["field"]),
            reason: text(&cause["reason"]),
            message: text(&cause["message"]),
        });
        Self {
            status,
            message: text(&body["message"]),
            causes: causes.collect(),
        }
    }

    /// Whether the set was created.
    pub fn is_accepted(&self) -> bool {
        self.status == 201
    }

    /// What the server itself finds wrong.
    pub fn causes(&self) -> &[Cause] {
        if self.status == 422 {
            &self.causes
        } else {
            &[]
        }
    }

    /// What the webhook says, where it is the one that refuses.
    pub fn webhooks_message(&self) -> Option<&str> {
        (self.status == 403).then_some(&*self.message)
    }
}

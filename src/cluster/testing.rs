//! An API server for unit tests: a function from a path to an answer, and a list of what was asked.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::Barrier;

/// What was asked, as `GET /path?query`, in order.
pub(super) type Asked = Arc<Mutex<Vec<String>>>;

/// A client of a server that answers every question by `answer`; `None` is never answered.
pub(super) fn client(
    answer: impl Fn(&str) -> Option<Value> + Clone + Send + Sync + 'static,
) -> (Client, Asked) {
    let asked = Asked::default();
    let noted = Arc::clone(&asked);
    let service = tower::service_fn(move |request: Request<Body>| {
        let question = format!("{} {}", request.method(), request.uri());
        let answer = answer(&question);
        noted.lock().unwrap().push(question);
        async move {
            let Some(answer) = answer else {
                return std::future::pending().await;
            };
            let code = answer["code"]
                .as_u64()
                .map_or(200, |code| u16::try_from(code).unwrap());
            let response = Response::builder().status(code);
            Ok::<_, Infallible>(
                response
                    .body(Body::from(answer.to_string().into_bytes()))
                    .unwrap(),
            )
        }
    });
    (Client::new(service, "default"), asked)
}

/// A client of a server that answers everything alike, and nobody before all of the barrier wait.
pub(super) fn waiting_client(barrier: Arc<Barrier>, answer: Value) -> Client {
    let service = tower::service_fn(move |_: Request<Body>| {
        let (barrier, answer) = (Arc::clone(&barrier), answer.to_string());
        async move {
            barrier.wait().await;
            Ok::<_, Infallible>(Response::new(Body::from(answer.into_bytes())))
        }
    });
    Client::new(service, "default")
}

/// A list as the API server answers it.
pub(super) fn list(items: &Value) -> Value {
    json!({"metadata": {"resourceVersion": "1"}, "items": items})
}

/// A refusal as the API server answers it.
pub(super) fn forbidden() -> Value {
    json!({"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "no"})
}

/// That something is not there, as the API server answers it.
pub(super) fn not_found() -> Value {
    json!({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404, "message": "no such thing"})
}

/// The API server's version, 1.`minor`.2 of some vendor.
pub(super) fn version(minor: u32) -> Value {
    json!({"major": "1", "minor": minor.to_string(), "gitVersion": format!("v1.{minor}.2+vendor"), "buildDate": "",
        "compiler": "", "gitCommit": "", "gitTreeState": "", "goVersion": "", "platform": ""})
}

/// The answer to a question for rights.
pub(super) fn review(allowed: bool) -> Value {
    json!({"spec": {}, "status": {"allowed": allowed}})
}

/// Waits until something is so.
pub(super) async fn until(holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waiting)
        .await
        .unwrap();
}

use serde_json::{Value, json};

use super::*;

fn container(value: &Value) -> Container<'static> {
    serde_json::from_str(Box::leak(value.to_string().into_boxed_str())).unwrap()
}

#[test]
fn a_server_may_be_for_its_own_pod_alone() {
    for (more, port, expected) in [
        (json!({"args": ["--bind", "127.0.0.1:8000"]}), 8000, true),
        (json!({"args": ["--bind", "127.0.0.1:8000"]}), 9000, false),
        (
            json!({"args": ["--http-address=127.0.0.1:8000"]}),
            8000,
            true,
        ),
        (json!({"args": ["--host", "127.0.0.1"]}), 8000, true),
        (json!({"args": ["--host=localhost"]}), 8000, true),
        (json!({"args": ["--host=::1"]}), 8000, true),
        (json!({"args": ["--listen=[::1]:8000"]}), 8000, true),
        (
            json!({"args": ["--listen-client-urls", "http://127.0.0.1:8000"]}),
            8000,
            true,
        ),
        (json!({"args": ["-b", "127.0.0.1:8000"]}), 8000, true),
        (json!({"args": ["runserver", "localhost:8000"]}), 8000, true),
        (
            json!({"command": ["redis-server", "--bind", "127.0.0.1"]}),
            6379,
            true,
        ),
        (
            json!({"command": ["redis-server", "--bind", "127.0.0.1", "-::1"]}),
            6379,
            true,
        ),
        (
            json!({"command": ["redis-server", "--bind", "127.0.0.1", "$(POD_IP)"]}),
            6379,
            false,
        ),
        (
            json!({"command": ["mongod", "--bind_ip", "localhost,0.0.0.0"]}),
            27017,
            false,
        ),
        (
            json!({"command": ["sh", "-c", "HOST=127.0.0.1 exec app"]}),
            80,
            true,
        ),
        (
            json!({"command": ["java", "-Dserver.address=127.0.0.1"]}),
            80,
            true,
        ),
        (json!({"args": ["-Ehttp.host=127.0.0.1"]}), 9200, true),
        (
            json!({"args": ["-c", "listen_addresses=localhost"]}),
            5432,
            true,
        ),
    ] {
        assert_eq!(
            Loopback::of(&container(&more)).holds(port),
            expected,
            "{more} {port}"
        );
    }
}

#[test]
fn an_address_of_another_server_is_not_its_own() {
    for (more, port, expected) in [
        (
            json!({"env": [{"name": "HOST", "value": "127.0.0.1"}]}),
            80,
            true,
        ),
        (
            json!({"env": [{"name": "LISTEN_ADDR", "value": "localhost:80"}]}),
            80,
            true,
        ),
        (
            json!({"env": [{"name": "JAVA_OPTS", "value": "-Xmx1g -Dserver.address=127.0.0.1"}]}),
            80,
            true,
        ),
        (
            json!({"env": [{"name": "DB_HOST", "value": "localhost"}]}),
            80,
            false,
        ),
        (
            json!({"env": [{"name": "REDIS_ADDRESS", "value": "localhost:80"}]}),
            80,
            false,
        ),
        (json!({"args": ["--db-host", "localhost"]}), 80, false),
        (
            json!({"args": ["--upstream=http://127.0.0.1:80"]}),
            80,
            false,
        ),
        (
            json!({"args": ["--metrics-bind-address=127.0.0.1"]}),
            80,
            false,
        ),
        (
            json!({"args": ["--metrics-bind-address=127.0.0.1:9000"]}),
            9000,
            true,
        ),
        (
            json!({"args": ["--admin-listen", "127.0.0.1:9000"]}),
            80,
            false,
        ),
        (json!({"args": ["--host", "0.0.0.0"]}), 80, false),
        (
            json!({"command": ["sh", "-c", "until curl http://localhost:80/; do sleep 1; done"]}),
            80,
            false,
        ),
        (json!({}), 80, false),
    ] {
        assert_eq!(
            Loopback::of(&container(&more)).holds(port),
            expected,
            "{more} {port}"
        );
    }
}

#[test]
fn a_certificate_of_its_own_puts_the_plain_port_off() {
    for (more, expected) in [
        (
            json!({"args": ["start", "--https-certificate-file=/c"]}),
            true,
        ),
        (
            json!({"args": ["start", "--https-certificate-file=/c", "--http-enabled=true"]}),
            false,
        ),
        (json!({"args": ["--tls-cert-file", "/c"]}), true),
        (json!({"args": ["--ssl-certfile=/c"]}), true),
        (
            json!({"env": [{"name": "KC_HTTPS_CERTIFICATE_FILE", "value": "/c"}]}),
            true,
        ),
        (
            json!({"env": [{"name": "SERVER_SSL_KEY_STORE", "value": "/c"}]}),
            true,
        ),
        (
            json!({"env": [{"name": "SERVER_SSL_KEY_STORE", "value": ""}]}),
            false,
        ),
        (
            json!({"env": [{"name": "DB_SSL_CERT", "value": "/c"}]}),
            false,
        ),
        (json!({"args": ["--tls-ca-cert=/c"]}), false),
        (json!({"args": ["--client-tls-cert=/c"]}), false),
        (json!({"args": ["--key=a"]}), false),
        (json!({}), false),
    ] {
        assert_eq!(serves_tls(&container(&more)), expected, "{more}");
    }
}

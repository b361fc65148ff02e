//! A plain HTTP/1.1 client, with or without TLS, for readiness, metrics and for requests that no library would send.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// How long a connection may stay silent.
const SILENCE: Duration = Duration::from_secs(30);

/// Asks one server on loopback, with a new connection for every request.
#[derive(Debug, Clone)]
pub struct Client {
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names in lower case, in the order received.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// An open connection that takes one request after the other.
pub struct Connection {
    host: SocketAddr,
    stream: Box<dyn Stream>,
}

/// Something to read from and write to: a TCP or a TLS stream.
pub trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

impl Client {
    /// Plain HTTP to a port on loopback.
    pub fn plain(port: u16) -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            tls: None,
        }
    }

    /// HTTPS to a port on loopback, trusting the authority in `ca_pem` alone.
    ///
    /// # Errors
    /// When `ca_pem` holds no certificate.
    pub fn tls(port: u16, ca_pem: &str) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
            roots.add(certificate.context("not a PEM certificate")?)?;
        }
        ensure!(!roots.is_empty(), "no certificate in {ca_pem:?}");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls: Some(Arc::new(config)),
            ..Self::plain(port)
        })
    }

    /// The same, offering these application protocols (`h2`, `http/1.1`) in the handshake.
    pub fn with_alpn(mut self, protocols: &[&str]) -> Self {
        if let Some(config) = self.tls.as_mut() {
            Arc::make_mut(config).alpn_protocols = protocols
                .iter()
                .map(|name| name.as_bytes().to_vec())
                .collect();
        }
        self
    }

    /// A connection without TLS and without a byte sent: a silent peer.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn connect_tcp(&self) -> Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&self.address, SILENCE)?;
        stream.set_read_timeout(Some(SILENCE))?;
        stream.set_write_timeout(Some(SILENCE))?;
        // a head and a body are two writes: without this the second waits for the peer's delayed acknowledgement
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// A connection with the TLS handshake done, if there is TLS.
    ///
    /// # Errors
    /// When nobody listens, or the handshake fails.
    pub fn connect(&self) -> Result<Box<dyn Stream>> {
        let mut tcp = self.connect_tcp()?;
        let Some(config) = &self.tls else {
            return Ok(Box::new(tcp));
        };
        let name = ServerName::IpAddress(self.address.ip().into());
        let mut tls = ClientConnection::new(Arc::clone(config), name)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp).context("TLS handshake")?;
        }
        Ok(Box::new(StreamOwned::new(tls, tcp)))
    }

    /// `GET path`.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub fn get(&self, path: &str) -> Result<Response> {
        self.request("GET", path, &[], &[])
    }

    /// `POST path` with a JSON body.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub fn post_json(&self, path: &str, body: impl AsRef<[u8]>) -> Result<Response> {
        self.request(
            "POST",
            path,
            &[("content-type", "application/json")],
            body.as_ref(),
        )
    }

    /// One request, one answer, one connection.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Response> {
        let close = [headers, &[("connection", "close")]].concat();
        self.open()?.request(method, path, &close, body)
    }

    /// A connection for several requests.
    ///
    /// # Errors
    /// When nobody listens, or the handshake fails.
    pub fn open(&self) -> Result<Connection> {
        Ok(Connection {
            host: self.address,
            stream: self.connect()?,
        })
    }
}

impl Connection {
    /// One request, one answer; the next may follow.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Response> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.host);
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.extend(["content-length: ", &body.len().to_string(), "\r\n\r\n"]);
        self.stream.write_all(head.as_bytes())?;
        // a server may answer 413 and close before it has read everything
        let sent = self
            .stream
            .write_all(body)
            .and_then(|()| self.stream.flush());
        read_response(&mut self.stream)
            .with_context(|| format!("{method} {path}: no answer (sent: {sent:?})"))
    }
}

impl Response {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("not JSON: {}", self.text()))
    }
}

/// Reads one answer: by its `content-length` or its chunks, else to the end of the stream.
///
/// # Errors
/// When the stream ends early or is not HTTP.
pub fn read_response(stream: &mut dyn Stream) -> Result<Response> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        ensure!(
            read_some(stream, &mut bytes)? > 0,
            "closed after {:?}",
            String::from_utf8_lossy(&bytes)
        );
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut response = parse_head(&head)?;
    response.body = bytes.split_off(end + 4);
    let length = response
        .header("content-length")
        .map(str::parse::<usize>)
        .transpose()?;
    let chunked = response.header("transfer-encoding") == Some("chunked");
    let mut whole = None;
    while whole.is_none() {
        whole = match length {
            _ if chunked => unchunked(&response.body)?,
            Some(length) => (response.body.len() >= length).then(|| response.body.clone()),
            None => None,
        };
        if whole.is_none() && read_some(stream, &mut response.body)? == 0 {
            ensure!(length.is_none() && !chunked, "the body ended early");
            return Ok(response);
        }
    }
    response.body = whole.unwrap_or_default();
    Ok(response)
}

/// The bytes of a chunked body, once its last chunk is there.
fn unchunked(mut body: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    while let Some(end) = body.windows(2).position(|window| window == b"\r\n") {
        let (head, rest) = body.split_at(end);
        let size = usize::from_str_radix(str::from_utf8(head)?, 16)?;
        let (Some(chunk), Some(next)) = (rest.get(2..size + 2), rest.get(size + 4..)) else {
            return Ok(None);
        };
        if size == 0 {
            return Ok(Some(bytes));
        }
        bytes.extend_from_slice(chunk);
        body = next;
    }
    Ok(None)
}

fn parse_head(head: &str) -> Result<Response> {
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .context("no status line")?;
    let headers = lines.filter_map(|line| line.split_once(':'));
    Ok(Response {
        status: status
            .parse()
            .with_context(|| format!("status {status:?}"))?,
        headers: headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect(),
        body: Vec::new(),
    })
}

/// A stream that ends without TLS's own goodbye has ended all the same.
fn read_some(stream: &mut dyn Stream, bytes: &mut Vec<u8>) -> Result<usize> {
    let mut chunk = [0; 16 * 1024];
    match stream.read(&mut chunk) {
        Ok(count) => {
            bytes.extend_from_slice(&chunk[..count]);
            Ok(count)
        }
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset
            ) =>
        {
            Ok(0)
        }
        Err(error) => Err(error.into()),
    }
}

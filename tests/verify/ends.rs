//! Ends of a test's own, which note what they receive.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// One request.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// By lower-case name.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub fn authorization(&self) -> Option<&str> {
        self.header("authorization")
    }
}

/// What an end does with a request.
pub enum Reply {
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Bytes as they are.
    Raw(Vec<u8>),
    /// Nothing, for longer than any test waits.
    Hang,
    /// These bytes, one every 100 ms.
    Drip(Vec<u8>),
    /// A header, and then bytes without end, as fast as they are taken.
    Endless(String),
}

impl Reply {
    pub fn ok(body: impl Into<String>) -> Self {
        Self::Answer(200, Vec::new(), body.into())
    }

    pub fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), String::new())
    }

    pub fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        match self {
            Self::Answer(status, mut headers, body) => {
                headers.push((name, value.into()));
                Self::Answer(status, headers, body)
            }
            other => other,
        }
    }

    /// The answer of a registry to nobody in particular.
    pub fn challenge(challenge: impl Into<String>) -> Self {
        Self::status(401).with("WWW-Authenticate", challenge)
    }
}

/// A server on an address of this machine that knows no TLS.
pub struct End {
    pub host: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl End {
    pub fn start(handle: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1", |_| handle)
    }

    /// Starts on an address; what handles requests learns its own name first.
    pub fn start_at<H>(address: &str, make: impl FnOnce(&str) -> H) -> Self
    where
        H: Fn(&Seen) -> Reply + Send + Sync + 'static,
    {
        let listener = TcpListener::bind((address, 0)).expect("a port");
        let host = listener.local_addr().expect("an address").to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let handle = Arc::new(make(&host));
        let noted = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (handle, noted) = (Arc::clone(&handle), Arc::clone(&noted));
                thread::spawn(move || serve(stream, &*handle, &noted));
            }
        });
        Self { host, seen }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }

    /// Each request as a line, with the header that says who asks.
    pub fn lines(&self) -> Vec<String> {
        let line = |seen: &Seen| {
            format!("{} {} {}", seen.method, seen.path, seen.authorization().unwrap_or("-"))
        };
        self.seen().iter().map(line).collect()
    }
}

fn serve(mut stream: TcpStream, handle: &dyn Fn(&Seen) -> Reply, noted: &Mutex<Vec<Seen>>) {
    let Some(seen) = read(&mut stream) else { return };
    noted.lock().expect("no panic").push(seen.clone());
    // A client that has heard enough is no failure of its end.
    drop(answer(&mut stream, &seen, handle(&seen)));
}

fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
        if bytes[0] == 0x16 {
            // The first byte of TLS.
            return None;
        }
    }
    let text = String::from_utf8(bytes).expect("headers are ASCII");
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Seen { method, path, headers, body: String::from_utf8(body).expect("a form") })
}

fn answer(stream: &mut TcpStream, seen: &Seen, reply: Reply) -> std::io::Result<()> {
    match reply {
        Reply::Answer(status, headers, body) => {
            let mut text = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
            for (name, value) in headers {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
            text.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
            if seen.method != "HEAD" {
                text.push_str(&body);
            }
            stream.write_all(text.as_bytes())
        }
        Reply::Raw(bytes) => stream.write_all(&bytes),
        Reply::Hang => {
            thread::sleep(Duration::from_secs(600));
            Ok(())
        }
        Reply::Drip(bytes) => {
            for byte in bytes {
                stream.write_all(&[byte])?;
                thread::sleep(Duration::from_millis(100));
            }
            Ok(())
        }
        Reply::Endless(header) => {
            stream.write_all(header.as_bytes())?;
            loop {
                stream.write_all(&[b'x'; 8192])?;
            }
        }
    }
}

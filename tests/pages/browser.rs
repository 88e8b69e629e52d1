//! A browser without a window, told what to do by the protocol of its developers' tools (Chrome DevTools Protocol). Knows nothing of
//! the pages.

use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tungstenite::{Message, WebSocket};

use crate::support::wait_until;

/// A page in a browser.
pub(crate) struct Browser {
    process: Child,
    _profile: TempDir,
    socket: WebSocket<TcpStream>,
    session: Option<String>,
    number: u64,
    /// Addresses that were asked for since the start.
    pub(crate) fetched: Vec<String>,
}

impl Browser {
    /// Starts the browser: `HYBRID_TEST_BROWSER`, else chromium.
    pub(crate) fn start() -> Self {
        let program = std::env::var("HYBRID_TEST_BROWSER").unwrap_or_else(|_| "chromium".to_owned());
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new(&program);
        // As root, as in a container, it starts without its sandbox alone.
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]);
        command.args(["--disable-background-networking", "--remote-debugging-port=0", "about:blank"]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().unwrap_or_else(|error| panic!("{program}: {error}: run `make test-pages`"));
        let told = profile.path().join("DevToolsActivePort");
        let address = || {
            let text = fs::read_to_string(&told).ok()?;
            let (port, path) = text.split_once('\n')?;
            Some((port.to_owned(), path.trim().to_owned())).filter(|(_, path)| !path.is_empty())
        };
        wait_until("the browser", || address().is_some());
        let (port, path) = address().unwrap();
        let stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        let (socket, _) = tungstenite::client(format!("ws://127.0.0.1:{port}{path}"), stream).unwrap();
        let mut browser = Self { process, _profile: profile, socket, session: None, number: 0, fetched: Vec::new() };
        let target = browser.call("Target.createTarget", &json!({"url": "about:blank"}));
        let attached = browser.call("Target.attachToTarget", &json!({"targetId": target["targetId"], "flatten": true}));
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        browser.call("Network.enable", &json!({}));
        browser.call("Page.enable", &json!({}));
        browser
    }

    /// Sends a command and waits for its answer.
    pub(crate) fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.number += 1;
        let mut message = json!({"id": self.number, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        self.socket.send(Message::text(message.to_string())).unwrap();
        loop {
            let answer = self.read();
            if answer["id"] == self.number {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    fn read(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.socket.read().unwrap() {
                let message: Value = serde_json::from_str(&text).unwrap();
                if message["method"] == "Network.requestWillBeSent" {
                    self.fetched.push(message["params"]["request"]["url"].as_str().unwrap().to_owned());
                }
                return message;
            }
        }
    }

    /// Shows a file on a screen so many pixels wide, with this scheme of colors.
    pub(crate) fn show(&mut self, file: &Path, width: u32, scheme: &str) {
        let screen = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", &screen);
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", &features);
        self.call("Page.navigate", &json!({"url": format!("file://{}", file.display())}));
        loop {
            if self.evaluate("document.readyState + ' ' + location.protocol") == "complete file:" {
                break;
            }
        }
    }

    /// What an expression comes to in the page, where it is a promise what that comes to.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let answer = self
            .call("Runtime.evaluate", &json!({"expression": expression, "returnByValue": true, "awaitPromise": true}));
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// The whole page as a PNG in base 64.
    pub(crate) fn picture(&mut self) -> String {
        let whole = json!({"format": "png", "captureBeyondViewport": true});
        self.call("Page.captureScreenshot", &whole)["data"].as_str().unwrap().to_owned()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

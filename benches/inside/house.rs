//! The embedded vendors over a store in memory, without any socket.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bootcamp::sandbox::store::{Place, Store};
use bootcamp::sandbox::wire::{Request, Response};
use bootcamp::sandbox::{Keys, Shared, TABLES};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use tokio::runtime::Runtime;

/// The vendors, and a runtime to ask them on.
pub struct House {
    pub shared: Shared,
    runtime: Runtime,
}

impl House {
    pub fn open() -> Self {
        let store = Store::open(&Place::Memory, &TABLES).expect("a store in memory opens");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        Self { shared: Shared { store, keys: Arc::new(Keys::default()) }, runtime }
    }

    /// Asks one vendor. Whatever is not a success ends the benchmark: a refusal would be measured as a fast answer.
    pub fn ask(&self, vendor: impl AsyncFnOnce(&Shared, Request) -> Response, request: Request) -> Bytes {
        let response = self.runtime.block_on(vendor(&self.shared, request));
        assert_eq!(response.status(), StatusCode::OK, "{}", String::from_utf8_lossy(response.body()));
        response.into_body()
    }
}

/// A `POST`.
pub fn post(path: &str, headers: &[(&'static str, &'static str)], body: impl Into<Bytes>) -> Request {
    let pair = |(name, value): &(&'static str, &'static str)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    Request {
        method: Method::POST,
        path: path.to_owned(),
        query: String::new(),
        headers: headers.iter().map(pair).collect::<HeaderMap>(),
        body: body.into(),
        peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
    }
}
